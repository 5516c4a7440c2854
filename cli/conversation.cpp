#include "cli/conversation.h"

#include "cli/dates.h"
#include "cli/text_output.h"

namespace lathe {
namespace {

struct Interrupted {};

}  // namespace

Conversation::Conversation(OpenModel opened, std::string system, const std::string& name)
    : opened_(std::move(opened)), system_(std::move(system)), templates_(opened_.tokenizer) {
  require(!templates_.empty(), "{} has no chat template; `lathe generate` continues texts with it",
          name);
  forget();
}

void Conversation::forget() {
  messages_ = nlohmann::json::array();
  if (!system_.empty()) messages_.push_back({{"role", "system"}, {"content", system_}});
}

void Conversation::say(const std::string& text, SamplingOptions sampling,
                       std::atomic<bool>& interrupted) {
  messages_.push_back({{"role", "user"}, {"content", text}});
  const std::vector<int64_t> prompt = encode();
  const int64_t room =
      opened_.model->config().max_position_embeddings - static_cast<int64_t>(prompt.size());
  if (room < 1) {
    messages_.erase(messages_.end() - 1);
    fail("the conversation has {} tokens, which fill the model's context; /reset begins anew",
         prompt.size());
  }
  sampling.max_new_tokens = std::min(sampling.max_new_tokens, room);
  std::string answer;
  TextOutput out;
  const auto show = [&](size_t, std::string_view piece) {
    out.add(piece);
    answer += piece;
    if (interrupted.exchange(false)) throw Interrupted();
  };
  try {
    generate(*opened_.model, opened_.tokenizer, std::vector<std::vector<int64_t>>{prompt}, sampling,
             show, &kept_);
  } catch (const Interrupted&) {
  }
  out.end_line();
  messages_.push_back({{"role", "assistant"}, {"content", answer}});
}

std::vector<int64_t> Conversation::encode() const {
  Chat chat;
  chat.messages = messages_.dump();
  chat.add_generation_prompt = true;
  chat.time = local_time();
  // The template has written what stands around a text.
  const std::vector<int32_t> ids = opened_.tokenizer.encode(
      templates_.of(/*has_tools=*/false).render(chat).text, /*add_special_tokens=*/false);
  return {ids.begin(), ids.end()};
}

}  // namespace lathe
