#include "lathe/text/gguf_vocabulary.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "lathe/base/error.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

// The pieces of a token are looked up one by one, so its length counts squared.
constexpr size_t longest_merged = 1000;

void check_length(const char* key, size_t found, size_t expected) {
  require(found == expected, "\"tokenizer.ggml.{}\": expected {} values, one a token, found {}",
          key, expected, found);
}

std::vector<GgufToken> read_types(const GgufMetadata& metadata, size_t count) {
  std::vector<GgufToken> types(count, GgufToken::normal);
  constexpr const char* key = "tokenizer.ggml.token_type";
  if (!metadata.has(key)) return types;
  const std::vector<int64_t> values = metadata.get_ints(key, 1, 6);
  check_length("token_type", values.size(), count);
  for (size_t i = 0; i < count; ++i) types[i] = static_cast<GgufToken>(values[i]);
  return types;
}

/// Whether merges may make this token or be made of it.
bool is_merged(GgufToken type) {
  return type == GgufToken::normal || type == GgufToken::user_defined;
}

}  // namespace

GgufVocabulary read_gguf_vocabulary(const GgufMetadata& metadata) {
  GgufVocabulary vocabulary;
  const GgufStrings tokens = metadata.get_strings("tokenizer.ggml.tokens");
  require(tokens.size() <= (size_t{1} << 24), "\"tokenizer.ggml.tokens\": {} tokens are too many",
          tokens.size());
  vocabulary.tokens.assign(tokens.begin(), tokens.end());
  const size_t count = vocabulary.tokens.size();
  std::unordered_set<std::string_view> seen(count);
  for (size_t i = 0; i < count; ++i) {
    const std::string_view token = vocabulary.tokens[i];
    if (!is_valid_utf8(token))
      fail("\"tokenizer.ggml.tokens\": token {} is no valid UTF-8: {}", i, show_text(token));
    if (!seen.insert(token).second)
      fail("\"tokenizer.ggml.tokens\": the token {} is there twice", show_text(token));
  }
  vocabulary.types = read_types(metadata, count);
  if (metadata.has("tokenizer.ggml.scores")) {
    const std::vector<double> scores = metadata.get_numbers("tokenizer.ggml.scores");
    check_length("scores", scores.size(), count);
    vocabulary.scores.assign(scores.begin(), scores.end());
  }
  return vocabulary;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  size_t begin = 0;
  for (size_t at; (at = text.find(from, begin)) != text.npos; begin = at + from.size())
    out.append(text, begin, at - begin).append(to);
  return out.append(text, begin);
}

std::string gguf_padding_token(int64_t id) {
  return format("[PAD{}]", id);
}

std::vector<std::pair<int32_t, int32_t>> merges_from_scores(const std::vector<std::string>& spelled,
                                                            const std::vector<GgufToken>& types,
                                                            const std::vector<float>& scores) {
  struct Merge {
    float score;
    uint32_t left_length, right_length;  // characters
    int32_t left, right;
  };
  std::unordered_map<std::string_view, int32_t> ids;
  float highest = 0;
  for (size_t i = 0; i < spelled.size(); ++i) {
    if (!is_merged(types[i])) continue;
    ids.emplace(spelled[i], static_cast<int32_t>(i));
    highest = std::max(highest, scores[i]);
  }
  std::vector<Merge> merges;
  for (size_t i = 0; i < spelled.size(); ++i) {
    if (!is_merged(types[i])) continue;
    const std::string_view token = spelled[i];
    require(token.size() <= longest_merged,
            "\"tokenizer.ggml.tokens\": token {} has {} bytes; at most {} are merged", i,
            token.size(), longest_merged);
    // What users define is there before anything is merged.
    const float score = types[i] == GgufToken::user_defined ? highest : scores[i];
    const size_t begin = merges.size();
    const auto length = static_cast<uint32_t>(
        std::ranges::count_if(token, [](char c) { return (c & 0xC0) != 0x80; }));
    uint32_t left_length = 0;
    for (size_t at = 1; at < token.size(); ++at) {
      if ((token[at] & 0xC0) == 0x80) continue;
      ++left_length;
      const auto left = ids.find(token.substr(0, at));
      if (left == ids.end()) continue;
      const auto right = ids.find(token.substr(at));
      if (right == ids.end()) continue;
      merges.push_back({score, left_length, length - left_length, left->second, right->second});
    }
    std::sort(merges.begin() + static_cast<ptrdiff_t>(begin), merges.end(),
              [](const Merge& a, const Merge& b) {
                return std::tie(a.left, a.right) < std::tie(b.left, b.right);
              });
  }
  std::ranges::stable_sort(merges, [](const Merge& a, const Merge& b) {
    return std::tie(a.score, a.left_length, a.right_length) >
           std::tie(b.score, b.left_length, b.right_length);
  });
  std::vector<std::pair<int32_t, int32_t>> pairs;
  pairs.reserve(merges.size());
  for (const Merge& merge : merges) pairs.emplace_back(merge.left, merge.right);
  return pairs;
}

}  // namespace lathe
