// Conversations in the forms that data sets have them in.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace lathe {

/// What a chat template gets. The keys of objects keep their order, because templates show it.
struct Dialogue {
  nlohmann::ordered_json messages = nlohmann::ordered_json::array();
  nlohmann::ordered_json tools = nullptr;      ///< an array of JSON schemas, or null
  nlohmann::ordered_json variables = nullptr;  ///< an object, or null

  /// The same with the first `count` messages.
  Dialogue first(size_t count) const;
};

/// From a row as TRL has it: `column` is a list of {role, content}; tools (a list, or JSON text)
/// and chat_template_kwargs are beside it. Throws Error saying which message is wrong.
Dialogue read_messages(const nlohmann::ordered_json& row, const char* column);

/// From a row as ShareGPT has it: conversations of {from, value}, with system and tools beside it.
Dialogue read_sharegpt(const nlohmann::ordered_json& row);

/// A row as Alpaca has it.
struct AlpacaRow {
  std::string instruction, input, output, system;
  std::vector<std::pair<std::string, std::string>> history;  ///< said and answered before
};
AlpacaRow read_alpaca(const nlohmann::ordered_json& row);
Dialogue dialogue_of(const AlpacaRow& row);

}  // namespace lathe
