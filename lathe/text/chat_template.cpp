#include "lathe/text/chat_template.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lathe/base/file.h"
#include "lathe/io/json.h"
#include "lathe/text/tokenizer_config.h"
#include "rust/lathe_bridge.hpp"

namespace lathe {
namespace {

using nlohmann::json;
using Templates = std::map<std::string, std::string>;

constexpr const char* template_folder = "additional_chat_templates";
constexpr const char* default_name = "default";
constexpr uint64_t largest_template = 1 << 20;

/// "chat_template" of a tokenizer_config.json: one source, or a list of {name, template}.
Templates configured_templates(const json& config) {
  const Context doing("{}: \"chat_template\"", tokenizer_config_file);
  const json* found = find_member(config, "chat_template");
  if (found == nullptr) return {};
  if (found->is_string()) return {{default_name, found->get<std::string>()}};
  require(found->is_array(), "expected text or a list of templates, found {}", show_json(*found));
  Templates templates;
  for (const json& entry : *found) {
    require(entry.is_object(), "expected objects with \"name\" and \"template\", found {}",
            show_json(entry));
    templates[get_string(entry, "name")] = get_string(entry, "template");
  }
  return templates;
}

std::optional<ChatTemplate> choose(const Templates& templates, const json& config,
                                   std::string_view place, bool with_tools, std::string_view name) {
  if (templates.empty() && name.empty()) return std::nullopt;
  std::string wanted(name);
  if (name.empty())
    wanted = with_tools && templates.contains("tool_use") ? "tool_use" : default_name;
  std::vector<std::string> names;
  for (const auto& [known, source] : templates) names.push_back(known);
  require(templates.contains(wanted), "{}: expected a chat template named \"{}\", found {}", place,
          wanted, names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")));
  const std::string title =
      wanted == default_name ? "chat template" : fmt::format("chat template \"{}\"", wanted);
  return ChatTemplate(fmt::format("{} of {}", title, place), templates.at(wanted),
                      special_tokens(config));
}

}  // namespace

ChatTemplate::ChatTemplate(std::string_view name, std::string_view source,
                           const std::map<std::string, std::string>& special_tokens) {
  const std::string tokens = json(special_tokens).dump();
  LatheTemplate* parsed = nullptr;
  LatheBytes error;
  bridge::check(lathe_template_new(bridge::text_of(name), bridge::text_of(source),
                                   bridge::text_of(tokens), &parsed, &error),
                error);
  template_ = bridge::TemplatePointer(parsed);
}

RenderedChat ChatTemplate::render(const Chat& chat) const {
  const Context doing("rendering a conversation");
  const LatheChat input = {
      .messages = bridge::text_of(chat.messages),
      .tools = bridge::text_of(chat.tools),
      .documents = bridge::text_of(chat.documents),
      .variables = bridge::text_of(chat.variables),
      .add_generation_prompt = chat.add_generation_prompt,
      .continue_final_message = chat.continue_final_message,
      .has_time = chat.time.has_value(),
      .time = chat.time ? chat.time->time_since_epoch().count() : 0,
  };
  LatheBytes text, error;
  bridge::OwnedIds assistant;
  bridge::check(lathe_template_render(template_.get(), &input, &text, &assistant.ids, &error),
                error);
  RenderedChat rendered{bridge::take(text), {}};
  for (size_t i = 0; i < assistant[0].size(); ++i)
    rendered.assistant.emplace_back(assistant[0][i], assistant[1][i]);
  return rendered;
}

Templates read_chat_templates(const fs::path& directory) {
  const Context doing("reading the chat templates of {}", directory.string());
  Templates templates;
  if (const fs::path file = directory / chat_template_file; fs::exists(file))
    templates[default_name] = read_file(file, largest_template);
  if (const fs::path folder = directory / template_folder; fs::is_directory(folder)) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".jinja")
        templates[entry.path().stem().string()] = read_file(entry.path(), largest_template);
  }
  return templates.empty() ? configured_templates(load_tokenizer_config(directory)) : templates;
}

std::optional<ChatTemplate> load_chat_template(const fs::path& directory, bool with_tools,
                                               std::string_view name) {
  return choose(read_chat_templates(directory), load_tokenizer_config(directory),
                directory.string(), with_tools, name);
}

std::optional<ChatTemplate> chat_template_of(const Tokenizer& tokenizer, bool with_tools,
                                             std::string_view name) {
  const TokenizerFiles files = tokenizer.files();
  const json config = parse_json(files.config);
  const Templates templates = files.chat_template.empty()
                                  ? configured_templates(config)
                                  : Templates{{default_name, files.chat_template}};
  return choose(templates, config, "the tokenizer", with_tools, name);
}

std::vector<uint8_t> span_mask(const std::vector<ByteSpan>& places,
                               const std::vector<ByteSpan>& spans) {
  std::vector<uint8_t> mask(places.size(), 0);
  size_t before = 0;  // where the token before ends
  for (size_t i = 0; i < places.size(); ++i) {
    auto [begin, end] = places[i];
    // Some tokenizers leave white space out of the places; a token of it alone then has none.
    if (begin == end) begin = std::min(before, end);
    for (const auto& [first, last] : spans)
      if (begin < last && end > first) mask[i] = 1;
    before = std::max(before, end);
  }
  return mask;
}

}  // namespace lathe
