#include "lathe/text/stream_decoder.h"

#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <utility>

#include "lathe/base/error.h"

namespace lathe {
namespace {

using nlohmann::json;

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

/// The steps of a decoder, sequences opened up.
void collect(const json& decoder, std::vector<json>& steps) {
  if (!decoder.is_object()) return;
  if (decoder.value("type", "") != "Sequence") return steps.push_back(decoder);
  for (const json& step : decoder.at("decoders")) collect(step, steps);
}

/// Whether the steps treat each token by itself, apart from the first one and from runs of bytes.
bool works_token_by_token(const std::vector<json>& steps) {
  static const std::set<std::string> known = {"ByteLevel", "ByteFallback", "WordPiece",
                                              "Metaspace", "BPEDecoder",   "CTC",
                                              "Replace",   "Strip",        "Fuse"};
  bool fused = false;
  for (const json& step : steps) {
    const std::string type = step.at("type");
    if (!known.contains(type)) return false;
    // Behind Fuse the whole text is one token: only taking away its beginning stays local.
    if (fused && (type != "Strip" || step.value("stop", 0) > 0)) return false;
    fused = fused || type == "Fuse";
  }
  return true;
}

}  // namespace

StreamDecoder::StreamDecoder(Tokenizer tokenizer, bool skip_special_tokens)
    : tokenizer_(std::move(tokenizer)), skip_special_tokens_(skip_special_tokens) {
  std::vector<json> steps;
  collect(json::parse(tokenizer_.decoder_json()), steps);
  for (const json& step : steps) {
    bytes_ = bytes_ || step.at("type") == "ByteLevel";
    byte_tokens_ = byte_tokens_ || step.at("type") == "ByteFallback";
  }
  holds_all_ = !works_token_by_token(steps) || (bytes_ && steps.size() > 1);
}

bool StreamDecoder::is_byte_token(int32_t id) const {
  const std::string token = tokenizer_.token(id);
  return token.size() == 6 && token.starts_with("<0x") && token.ends_with(">");
}

std::string StreamDecoder::add(int32_t id) {
  require(id >= 0, "decoding: expected ids >= 0, found {}", id);
  // What decode() leaves out must not serve as the context of what follows.
  if (!tokenizer_.has_token(id) || (skip_special_tokens_ && tokenizer_.is_special(id))) return {};
  window_.push_back(id);
  if (holds_all_) return {};
  const std::string text = tokenizer_.decode_raw(window_, skip_special_tokens_);
  const size_t stable = stable_bytes(text);
  std::string fresh = stable > given_ ? text.substr(given_, stable - given_) : std::string();
  given_ = std::max(given_, stable);
  shorten_window(text, given_ == text.size());
  return clean(std::move(fresh), false);
}

std::string StreamDecoder::finish() {
  const std::string text = tokenizer_.decode_raw(window_, skip_special_tokens_);
  std::string fresh = text.substr(std::min(given_, text.size()));
  window_.clear();
  given_ = 0;
  return clean(std::move(fresh), true);
}

size_t StreamDecoder::stable_bytes(const std::string& text) const {
  if (byte_tokens_) {
    size_t ids = window_.size();
    while (ids > 0 && is_byte_token(window_[ids - 1])) --ids;
    if (ids == window_.size()) return text.size();
    return tokenizer_.decode_raw(std::span(window_).first(ids), skip_special_tokens_).size();
  }
  // An incomplete character is one U+FFFD, however many of its bytes are there.
  if (bytes_ && text.ends_with(replacement)) return text.size() - replacement.size();
  return text.size();
}

void StreamDecoder::shorten_window(const std::string& text, bool all_given) {
  constexpr size_t longest = 16;
  if (window_.size() < longest) return;
  if (bytes_) {
    // Between two whole characters the parts decode to what the whole does.
    const std::span<const int32_t> ids(window_);
    for (size_t keep = 4; keep < longest; ++keep) {
      std::string tail = tokenizer_.decode_raw(ids.last(keep), skip_special_tokens_);
      const std::string head =
          tokenizer_.decode_raw(ids.first(ids.size() - keep), skip_special_tokens_);
      if (head.size() > given_ || head + tail != text) continue;
      given_ -= head.size();
      window_.erase(window_.begin(), window_.end() - static_cast<ptrdiff_t>(keep));
      return;
    }
    return;
  }
  if (!all_given) return;
  // The first token of a text loses its space, so one with text must stay in front.
  for (size_t keep = 1; keep < longest; ++keep) {
    const std::span<const int32_t> tail = std::span(window_).last(keep);
    const std::string kept = tokenizer_.decode_raw(tail, skip_special_tokens_);
    if (kept.empty()) continue;
    given_ = kept.size();
    window_.assign(tail.begin(), tail.end());
    return;
  }
}

std::string StreamDecoder::clean(std::string text, bool last) {
  if (!tokenizer_.cleans_up_spaces()) return text;
  uncleaned_ += text;
  size_t end = uncleaned_.size();
  if (!last) {
    // Every replacement begins with a space and a mark, or ends with an apostrophe and a space.
    const auto splits = [&](size_t at) {
      return uncleaned_[at] == ' ' && uncleaned_[at - 1] != ' ' && uncleaned_[at - 1] != '\'' &&
             std::string_view(" .?!,'n").find(uncleaned_[at + 1]) == std::string_view::npos;
    };
    end = uncleaned_.size() < 3 ? 0 : uncleaned_.size() - 2;
    while (end > 0 && !splits(end)) --end;
  }
  std::string cleaned = Tokenizer::clean_up_spaces(uncleaned_.substr(0, end));
  uncleaned_.erase(0, end);
  return cleaned;
}

}  // namespace lathe
