#include "lathe/data/example.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lathe/base/error.h"
#include "lathe/data/dialogue.h"
#include "lathe/io/json.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

using Json = nlohmann::ordered_json;

bool has(const Json& row, const char* column) {
  return find_member(row, column) != nullptr;
}

/// The texts that stand around instruction, input and answer where there is no chat template
/// (Taori et al. 2023, Stanford Alpaca).
std::string alpaca_prompt(const std::string& instruction, const std::string& input) {
  const bool with_input = !input.empty();
  return format(
      "Below is an instruction that describes a task{}. Write a response that appropriately "
      "completes the request.\n\n### Instruction:\n{}\n\n{}### Response:\n",
      with_input ? ", paired with an input that provides further context" : "", instruction,
      with_input ? format("### Input:\n{}\n\n", input) : "");
}

/// Whether a row says what of it is prompt and what is answer; a text beside that is the same
/// written out, as in Stanford's Alpaca data.
bool has_answer(const Json& row) {
  return has(row, "messages") || has(row, "conversations") ||
         (has(row, "prompt") && has(row, "completion")) ||
         (has(row, "instruction") && has(row, "output"));
}

std::string column_names(const Json& row) {
  constexpr size_t most = 20;
  std::vector<std::string> names;
  for (const auto& [name, value] : row.items())
    if (names.size() < most) names.push_back(show_text(name));
  return names.empty() ? "no columns" : format("{}", fmt::join(names, ", "));
}

/// Throws Error if none of the messages from `first` on has anything to learn.
void require_answer(const Dialogue& all, size_t first, const std::string& text) {
  const auto says_something = [](const Json& message) {
    const auto content = message.find("content");
    const auto calls = message.find("tool_calls");
    const bool empty = content == message.end() || content->is_null() || content->empty() ||
                       (content->is_string() && content->get<std::string>().empty());
    return message.value("role", "") == "assistant" &&
           (!empty || (calls != message.end() && !calls->empty()));
  };
  require(std::any_of(all.messages.begin() + static_cast<std::ptrdiff_t>(first), all.messages.end(),
                      says_something),
          "no message of the assistant that says anything, so nothing to learn: {}",
          show_text(text));
}

}  // namespace

struct ExampleReader::Parts {
  std::optional<std::pair<std::string, std::string>> texts = {};
  std::optional<Dialogue> prompt = {};
  Dialogue all = {};
};

ExampleReader::ExampleReader(ExampleOptions options, ChatTemplates templates)
    : options_(std::move(options)), templates_(std::move(templates)) {}

RenderedChat ExampleReader::render(const Dialogue& conversation, bool add_generation_prompt) const {
  require(!templates_.empty(),
          "a row of messages needs a chat template, and the tokenizer has none: give one with "
          "chat_template_path, or rows of prompt and completion");
  Chat chat;
  chat.messages = conversation.messages.dump();
  if (!conversation.tools.is_null()) chat.tools = conversation.tools.dump();
  if (!conversation.variables.is_null()) chat.variables = conversation.variables.dump();
  chat.add_generation_prompt = add_generation_prompt;
  chat.time = options_.time;
  return templates_.of(!chat.tools.empty()).render(chat);
}

/// What stands before the answer to these messages. Where the assistant begins there are none,
/// which some templates do not expect.
std::string ExampleReader::prompt_of(const Dialogue& before) const {
  if (!before.messages.empty()) return render(before, true).text;
  try {
    return render(before, true).text;
  } catch (const Error&) {
    return {};
  }
}

std::vector<ByteSpan> ExampleReader::answers(const Dialogue& all, const std::string& text) const {
  std::vector<ByteSpan> spans;
  for (size_t i = 0; i < all.messages.size(); ++i) {
    if (all.messages[i].value("role", "") != "assistant") continue;
    const Dialogue before = all.first(i);
    std::string prompt = prompt_of(before);
    if (!text.starts_with(prompt)) prompt = i == 0 ? "" : render(before, false).text;
    const std::string through = render(all.first(i + 1), false).text;
    require(
        text.starts_with(prompt) && text.starts_with(through) && prompt.size() < through.size(),
        "the chat template writes message {} otherwise at the end of a conversation than within "
        "it, so what the assistant says cannot be told apart: mark it in the template with "
        "{{% generation %}}, or set assistant_only_loss: false",
        i + 1);
    spans.emplace_back(prompt.size(), through.size());
  }
  return spans;
}

Example ExampleReader::of_conversation(const Dialogue& all) const {
  RenderedChat whole = render(all, false);
  Example example{.text = std::move(whole.text), .complete = true};
  if (!options_.assistant_only_loss) return example;
  require_answer(all, 0, example.text);
  example.targets = whole.assistant.empty() ? answers(all, example.text) : whole.assistant;
  require(!example.targets->empty(), "no message of the assistant, so nothing to learn: {}",
          show_text(example.text));
  return example;
}

Example ExampleReader::of_answer(const Dialogue& prompt, const Dialogue& all) const {
  Example example{.text = render(all, false).text, .complete = true};
  if (!options_.completion_only_loss) return example;
  require_answer(all, prompt.messages.size(), example.text);
  example.prompt = render(prompt, true).text;
  if (!example.text.starts_with(*example.prompt)) example.prompt = render(prompt, false).text;
  require(example.text.starts_with(*example.prompt),
          "the chat template writes the prompt otherwise when an answer follows, so the answer "
          "cannot be told apart: give such rows as messages, with {{% generation %}} in the "
          "template; the row: {}",
          show_text(example.text));
  return example;
}

Example ExampleReader::of_texts(std::string prompt, const std::string& completion) const {
  Example example{.text = prompt + completion};
  require(!completion.empty(), "an empty completion, so nothing to learn: {}",
          show_text(example.text));
  if (options_.completion_only_loss) example.prompt = std::move(prompt);
  return example;
}

ExampleReader::Parts ExampleReader::parts_of(const Json& row) const {
  if (has(row, "prompt") && has(row, "completion")) {
    const Json &prompt = row["prompt"], &completion = row["completion"];
    if (prompt.is_string() && completion.is_string())
      return {.texts = {{prompt.get<std::string>(), completion.get<std::string>()}}};
    Parts parts{.prompt = read_messages(row, "prompt")};
    parts.all = *parts.prompt;
    for (const Json& message : read_messages(row, "completion").messages)
      parts.all.messages.push_back(message);
    return parts;
  }
  if (has(row, "messages")) return {.all = read_messages(row, "messages")};
  if (has(row, "conversations")) return {.all = read_sharegpt(row)};
  if (has(row, "instruction") && has(row, "output")) {
    const AlpacaRow alpaca = read_alpaca(row);
    if (!templates_.empty()) {
      Parts parts{.all = dialogue_of(alpaca)};
      parts.prompt = parts.all.first(parts.all.messages.size() - 1);
      return parts;
    }
    require(alpaca.history.empty() && alpaca.system.empty(),
            "an Alpaca row with system or history needs a chat template: give one with "
            "chat_template_path");
    return {.texts = {{alpaca_prompt(alpaca.instruction, alpaca.input), alpaca.output}}};
  }
  fail(
      "expected the column {}, found {}. Rows may also have messages, or prompt and completion, or "
      "conversations, or instruction and output",
      show_text(options_.column), column_names(row));
}

Exchange ExampleReader::exchange(const Json& row) const {
  require(!has(row, options_.column.c_str()) || has_answer(row),
          "expected a row with an answer: prompt and completion, messages, conversations, or "
          "instruction and output; found {}",
          column_names(row));
  const Parts parts = parts_of(row);
  if (parts.texts) return {.prompt = parts.texts->first, .answer = parts.texts->second};
  const Json& last = parts.all.messages.back();
  if (last.value("role", "") != "assistant" || !last.contains("content") ||
      !last["content"].is_string())
    fail("expected a conversation that ends with a text of the assistant, found {} at its end",
         show_json(last));
  const Dialogue before = parts.all.first(parts.all.messages.size() - 1);
  return {.prompt = render(before, true).text,
          .answer = last["content"].get<std::string>(),
          .complete = true};
}

Example ExampleReader::labelled(const Json& row, std::string text) const {
  const auto label = row.find(options_.label_column);
  if (label == row.end())
    fail("expected the column {}, which has the label; found {}", show_text(options_.label_column),
         column_names(row));
  const auto is_label = [](const Json& x) { return x.is_string() || x.is_number(); };
  const bool known = is_label(*label) ||
                     (label->is_array() && std::all_of(label->begin(), label->end(), is_label));
  require(known, "{}: expected a name, a number, or a list of these, found {}; the row: {}",
          show_text(options_.label_column), show_json(*label), show_text(text));
  // The tokenizer adds what it adds to any text, so that whoever classifies with it reads the same.
  return {.text = std::move(text), .complete = true, .label = label->dump()};
}

std::optional<Example> ExampleReader::read(const Json& row) const {
  const bool wants_text =
      options_.column != ExampleOptions().column || !options_.label_column.empty();
  const auto text = row.find(options_.column);
  const bool is_text = text != row.end() && (wants_text || !has_answer(row));
  if (!is_text && wants_text)
    fail("expected the column {}, found {}", show_text(options_.column), column_names(row));
  if (!is_text) {
    const Parts parts = parts_of(row);
    if (parts.texts) return of_texts(parts.texts->first, parts.texts->second);
    return parts.prompt ? of_answer(*parts.prompt, parts.all) : of_conversation(parts.all);
  }
  if (!text->is_string()) return std::nullopt;
  if (!options_.label_column.empty()) return labelled(row, text->get<std::string>());
  return Example{.text = text->get<std::string>()};
}

std::optional<Example> ExampleReader::operator()(const Json& row) const {
  std::optional<Example> example = read(row);
  if (!example || options_.adapter_column.empty()) return example;
  const Json* name = find_member(row, options_.adapter_column.c_str());
  if (name == nullptr || !name->is_string())
    fail("expected the column {}, with the name of the adapter that learns the row; found {}",
         show_text(options_.adapter_column), column_names(row));
  example->adapter = name->get<std::string>();
  return example;
}

}  // namespace lathe
