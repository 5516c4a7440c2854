#include "lathe/data/dialogue.h"

#include <map>
#include <string_view>

#include "lathe/base/error.h"
#include "lathe/io/json.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

using Json = nlohmann::ordered_json;

/// The tools of a row: a list of schemas, or the JSON text of one (what keeps the columns of a
/// table of one type).
Json tools_of(const Json& row) {
  const Json* tools = find_member(row, "tools");
  if (tools == nullptr) return nullptr;
  Json list = *tools;
  if (tools->is_string()) {
    const std::string& text = tools->get_ref<const std::string&>();
    if (text.empty()) return nullptr;
    const Context reading("\"tools\"");
    list = parse_ordered_json(text);
  }
  if (!list.is_array()) fail("\"tools\": expected a list, found {}", show_json(list));
  return list.empty() ? Json(nullptr) : list;
}

const Json& list_of(const Json& row, const char* column) {
  const Json& list = row.at(column);
  if (!list.is_array() || list.empty())
    fail("{}: expected a list of messages, found {}", show_text(column), show_json(list));
  return list;
}

Json message(std::string_view role, Json content) {
  return {{"role", role}, {"content", std::move(content)}};
}

/// A message without the members that are null: tables fill in those that other rows have.
Json without_nulls(const Json& full) {
  Json kept = Json::object();
  for (const auto& [name, value] : full.items())
    if (!value.is_null() || name == "content") kept[name] = value;
  return kept;
}

const std::map<std::string_view, std::string_view>& sharegpt_roles() {
  static const std::map<std::string_view, std::string_view> roles = {
      {"human", "user"},          {"user", "user"},         {"gpt", "assistant"},
      {"assistant", "assistant"}, {"system", "system"},     {"observation", "tool"},
      {"tool", "tool"},           {"chatgpt", "assistant"}, {"model", "assistant"}};
  return roles;
}

}  // namespace

Dialogue Dialogue::first(size_t count) const {
  Dialogue part{.messages = Json::array(), .tools = tools, .variables = variables};
  for (size_t i = 0; i < count; ++i) part.messages.push_back(messages[i]);
  return part;
}

Dialogue read_messages(const Json& row, const char* column) {
  Dialogue conversation{.messages = Json::array(), .tools = tools_of(row), .variables = nullptr};
  for (const Json& each : list_of(row, column)) {
    const size_t number = conversation.messages.size() + 1;
    const Context reading("{}, message {}", show_text(column), number);
    if (!each.is_object())
      fail("expected an object with role and content, found {}", show_json(each));
    get_string(each, "role");
    conversation.messages.push_back(without_nulls(each));
  }
  if (const Json* variables = find_member(row, "chat_template_kwargs")) {
    if (!variables->is_object())
      fail("\"chat_template_kwargs\": expected an object, found {}", show_json(*variables));
    conversation.variables = *variables;
  }
  return conversation;
}

Dialogue read_sharegpt(const Json& row) {
  Dialogue conversation{.messages = Json::array(), .tools = tools_of(row), .variables = nullptr};
  if (const std::string system = get_string_or(row, "system", ""); !system.empty())
    conversation.messages.push_back(message("system", system));
  size_t number = 0;
  for (const Json& each : list_of(row, "conversations")) {
    const Context reading("\"conversations\", message {}", ++number);
    if (!each.is_object())
      fail("expected an object with from and value, found {}", show_json(each));
    const std::string from = get_string(each, "from");
    const auto role = sharegpt_roles().find(from);
    if (role == sharegpt_roles().end())
      fail("\"from\": expected human, gpt, system or tool, found {}", show_text(from));
    conversation.messages.push_back(message(role->second, get_string(each, "value")));
  }
  return conversation;
}

AlpacaRow read_alpaca(const Json& row) {
  AlpacaRow parts{.instruction = get_string(row, "instruction"),
                  .input = get_string_or(row, "input", ""),
                  .output = get_string(row, "output"),
                  .system = get_string_or(row, "system", ""),
                  .history = {}};
  const Json* history = find_member(row, "history");
  if (history == nullptr) return parts;
  if (!history->is_array()) fail("\"history\": expected a list, found {}", show_json(*history));
  for (const Json& turn : *history) {
    if (!turn.is_array() || turn.size() != 2 || !turn[0].is_string() || !turn[1].is_string())
      fail("\"history\": expected pairs of texts, found {}", show_json(turn));
    parts.history.emplace_back(turn[0].get<std::string>(), turn[1].get<std::string>());
  }
  return parts;
}

Dialogue dialogue_of(const AlpacaRow& row) {
  Dialogue conversation;
  Json& messages = conversation.messages;
  if (!row.system.empty()) messages.push_back(message("system", row.system));
  for (const auto& [said, answered] : row.history) {
    messages.push_back(message("user", said));
    messages.push_back(message("assistant", answered));
  }
  const std::string break_line = row.input.empty() ? "" : "\n";
  messages.push_back(message("user", row.instruction + break_line + row.input));
  messages.push_back(message("assistant", row.output));
  return conversation;
}

}  // namespace lathe
