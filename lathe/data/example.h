// Rows of tables as what a model reads and learns. A row is recognised by its columns:
//   prompt, completion            texts, or lists of messages
//   messages                      {role, content}, with tools and chat_template_kwargs beside them
//   conversations                 ShareGPT: {from, value}, with system and tools
//   instruction, output           Alpaca, with input, system and history
//   text                          (or another column of that meaning), with a label where wanted
#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lathe/text/chat_template.h"

namespace lathe {

struct Dialogue;

/// What the model reads of one row, and what of it it learns.
struct Example {
  std::string text;
  /// Learned is what follows the tokens that `text` begins with as this does: the prompt.
  std::optional<std::string> prompt = {};
  /// Or these parts of `text`. Neither: all of it.
  std::optional<std::vector<ByteSpan>> targets = {};
  /// The text says itself where it begins and ends, as conversations do: no bos or eos is added.
  bool complete = false;
  /// What the row is labelled with, as JSON: a name, a number, or an array of names.
  std::optional<std::string> label = {};
  /// The name of the adapter that learns it.
  std::optional<std::string> adapter = {};
};

/// A row as a question and the answer that is wanted.
struct Exchange {
  std::string prompt;     ///< ends where the answer begins
  std::string answer;     ///< without what ends a turn
  bool complete = false;  ///< as in Example
};

/// How rows become examples.
struct ExampleOptions {
  std::string column = "text";
  bool completion_only_loss = true;
  bool assistant_only_loss = true;
  std::string label_column = {};    ///< of labelled texts; empty: there are no labels
  std::string adapter_column = {};  ///< where each row has an adapter of its own
  std::optional<std::chrono::local_seconds> time = {};  ///< for templates that write the date
};

/// Makes examples of rows. Conversations go through a chat template.
class ExampleReader {
 public:
  explicit ExampleReader(ExampleOptions options, ChatTemplates templates = {});

  /// Throws Error if the columns are not known (with those found), have other types, or the
  /// template refuses the conversation; and if there is nothing to learn, with the row. Nothing if
  /// the row has no text: its column is null or no string.
  std::optional<Example> operator()(const nlohmann::ordered_json& row) const;

  /// The same row as an exchange; of a conversation that ends with what the assistant says.
  Exchange exchange(const nlohmann::ordered_json& row) const;

 private:
  /// What a row says: two texts, or a conversation, of which the prompt may be told apart.
  struct Parts;
  Parts parts_of(const nlohmann::ordered_json& row) const;
  Example of_texts(std::string prompt, const std::string& completion) const;
  Example of_conversation(const Dialogue& all) const;
  Example of_answer(const Dialogue& prompt, const Dialogue& all) const;
  std::optional<Example> read(const nlohmann::ordered_json& row) const;
  Example labelled(const nlohmann::ordered_json& row, std::string text) const;
  RenderedChat render(const Dialogue& conversation, bool add_generation_prompt) const;
  std::string prompt_of(const Dialogue& before) const;
  std::vector<ByteSpan> answers(const Dialogue& all, const std::string& text) const;

  ExampleOptions options_;
  ChatTemplates templates_;
};

}  // namespace lathe
