// Conversations as text, by the chat template that a model brings along, as transformers'
// apply_chat_template makes it. A template is a program of somebody else's: it runs with limits on
// steps, output and depth, and reaches nothing but what it is given.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lathe/text/tokenizer.h"

struct LatheTemplate;

namespace lathe {

/// A conversation to render. The parts are JSON texts, because templates show the keys of objects
/// in the order they were written in.
struct Chat {
  std::string messages = "[]";  ///< an array of objects with "role" and "content"
  std::string tools = {};       ///< an array of JSON schemas; empty for none
  std::string documents = {};   ///< an array of objects with "title" and "text"; may be empty
  std::string variables = {};   ///< an object of further variables; may be empty
  bool add_generation_prompt = false;   ///< ends where the assistant's answer begins
  bool continue_final_message = false;  ///< ends with the text of the last message
  std::optional<std::chrono::local_seconds> time = {};  ///< for templates that write the date
};

/// A range of bytes, [first, second).
using ByteSpan = std::pair<size_t, size_t>;

struct RenderedChat {
  std::string text;
  /// What the assistant wrote, where the template says so by {% generation %}.
  std::vector<ByteSpan> assistant;
};

/// A parsed template. Copies share it; several threads may render at once.
class ChatTemplate {
 public:
  /// `name` stands in errors, with the line; `special_tokens` are variables ("bos_token", ...).
  /// Throws Error if the source cannot be parsed.
  ChatTemplate(std::string_view name, std::string_view source,
               const std::map<std::string, std::string>& special_tokens = {});

  /// Throws Error if a part is no JSON, the template refuses the conversation, does what it cannot
  /// do, or exceeds a limit.
  RenderedChat render(const Chat& chat) const;

 private:
  std::shared_ptr<const LatheTemplate> template_;
};

/// The sources of a tokenizer's templates, by name: those in files of their own, otherwise
/// "chat_template" of tokenizer_config.json. Throws Error if that is neither a source nor a list.
std::map<std::string, std::string> chat_template_sources(const TokenizerFiles& files);

/// What conversations are written with: one template for all, or another for those with tools.
class ChatTemplates {
 public:
  /// None.
  ChatTemplates() = default;
  /// One for all.
  explicit ChatTemplates(ChatTemplate all);
  /// Those that a tokenizer was loaded with. What is wrong with one is an Error when it is used.
  explicit ChatTemplates(const Tokenizer& tokenizer);

  bool empty() const { return names_.empty(); }
  /// Whether one of them may write the date (strftime_now).
  bool tell_time() const { return tell_time_; }
  /// "tool_use", if there is one and the conversation has tools, otherwise "default". Throws Error
  /// if there is none, or it cannot be parsed.
  const ChatTemplate& of(bool has_tools) const;

 private:
  struct Parsed {
    std::optional<ChatTemplate> found = {};
    std::exception_ptr error = {};  // what parsing it threw
  };
  Parsed all_, with_tools_;
  std::vector<std::string> names_;  // of all there are
  bool tell_time_ = false;
};

/// The beginning of the day that a text like "2026-11-29" names. Throws Error for any other text.
std::chrono::local_seconds day_named(const std::string& text);

/// For each token 1 if it stands for something in one of the spans, as the assistant_masks of
/// transformers: tokens on a border belong to the span. Where a border lies in text that the
/// tokenizer drops, transformers loses the other spans; here it is as if that text were not there.
/// `places` as encode_with_places has them; spans in their order, none in another.
std::vector<uint8_t> span_mask(const std::vector<ByteSpan>& places,
                               const std::vector<ByteSpan>& spans);

}  // namespace lathe
