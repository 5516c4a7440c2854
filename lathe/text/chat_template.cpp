#include "lathe/text/chat_template.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "lathe/io/json.h"
#include "lathe/io/utf8.h"
#include "lathe/text/tokenizer_config.h"
#include "rust/lathe_bridge.hpp"

namespace lathe {
namespace {

using nlohmann::json;
using Templates = std::map<std::string, std::string>;

/// "chat_template" of a tokenizer_config.json: one source, or a list of {name, template}.
Templates configured_templates(const json& config) {
  const Context doing("{}: \"chat_template\"", tokenizer_config_file);
  const json* found = find_member(config, "chat_template");
  if (found == nullptr) return {};
  if (found->is_string()) return {{default_template, found->get<std::string>()}};
  require(found->is_array(), "expected text or a list of templates, found {}", show_json(*found));
  Templates templates;
  for (const json& entry : *found) {
    require(entry.is_object(), "expected objects with \"name\" and \"template\", found {}",
            show_json(entry));
    templates[get_string(entry, "name")] = get_string(entry, "template");
  }
  return templates;
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

std::chrono::local_seconds day_named(const std::string& text) {
  int year = 0, month = 0, day = 0, end = 0;
  const bool parsed = std::sscanf(text.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &end) == 3;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  require(parsed && static_cast<size_t>(end) == text.size() && date.ok(),
          "expected a day such as 2026-11-29, found {}", show_text(text));
  return std::chrono::local_days(date);
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

Templates chat_template_sources(const TokenizerFiles& files) {
  return files.chat_templates.empty() ? configured_templates(parse_json(files.config))
                                      : files.chat_templates;
}

ChatTemplates::ChatTemplates(ChatTemplate all)
    : all_{.found = std::move(all)}, names_{default_template} {}

ChatTemplates::ChatTemplates(const Tokenizer& tokenizer) {
  const TokenizerFiles files = tokenizer.files();
  const std::map<std::string, std::string> tokens = special_tokens(parse_json(files.config));
  for (const auto& [name, source] : chat_template_sources(files)) {
    names_.push_back(name);
    tell_time_ = tell_time_ || source.find("strftime_now") != source.npos;
    if (name != default_template && name != tools_template) continue;
    Parsed& parsed = name == default_template ? all_ : with_tools_;
    try {
      parsed.found.emplace(format("the chat template \"{}\"", name), source, tokens);
    } catch (const Error&) {
      parsed.error = std::current_exception();
    }
  }
}

const ChatTemplate& ChatTemplates::of(bool has_tools) const {
  const Parsed& wanted = has_tools && (with_tools_.found || with_tools_.error) ? with_tools_ : all_;
  if (wanted.error) std::rethrow_exception(wanted.error);
  require(wanted.found.has_value(), "expected a chat template named \"{}\", found {}",
          default_template, names_.empty() ? "none" : fmt::format("{}", fmt::join(names_, ", ")));
  return *wanted.found;
}

std::vector<uint8_t> span_mask(const std::vector<ByteSpan>& places,
                               const std::vector<ByteSpan>& spans) {
  std::vector<uint8_t> mask(places.size(), 0);
  size_t before = 0;  // where the token before ends
  for (size_t i = 0; i < places.size(); ++i) {
    auto [begin, end] = places[i];
    // Some tokenizers leave white space out of the places; a token of it alone then has none.
    if (begin == end) begin = std::min(before, end);
    const auto span = std::ranges::upper_bound(spans, begin, {}, &ByteSpan::second);
    if (span != spans.end() && span->first < end) mask[i] = 1;
    before = std::max(before, end);
  }
  return mask;
}

}  // namespace lathe
