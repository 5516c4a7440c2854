// Tokenizers that Lathe trained, against what transformers makes of them
// (tests/golden/tokenizer/make_tokenizer.py).
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lathe/io/json.h"
#include "lathe/text/stream_decoder.h"
#include "lathe/text/tokenizer.h"

namespace lathe {
namespace {

using nlohmann::json;

class TokenizerGolden : public testing::TestWithParam<std::string> {
 protected:
  const std::filesystem::path folder = std::filesystem::path(LATHE_TEST_DATA) / "golden/tokenizer";
  const json golden = load_json(folder / "golden.json");
  const std::vector<std::string> lines = golden.at("lines");
  const json expected = golden.at("tokenizers").at(GetParam());
  const Tokenizer tokenizer = Tokenizer::load(folder / GetParam());
};

TEST_P(TokenizerGolden, encodes_as_transformers_does) {
  ASSERT_GE(lines.size(), 200u);
  const std::vector<std::string_view> texts(lines.begin(), lines.end());
  const auto encoded = tokenizer.encode_batch(texts);
  for (size_t i = 0; i < lines.size(); ++i)
    EXPECT_EQ(encoded[i], expected.at("ids")[i].get<std::vector<int32_t>>()) << json(lines[i]);
}

TEST_P(TokenizerGolden, decodes_as_transformers_does) {
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::vector<int32_t> ids = expected.at("ids")[i];
    const std::string text = expected.at("decoded").value(std::to_string(i), lines[i]);
    EXPECT_EQ(tokenizer.decode(ids), text) << json(lines[i]);
    StreamDecoder decoder(tokenizer);
    std::string streamed;
    for (const int32_t id : ids) streamed += decoder.add(id);
    EXPECT_EQ(streamed + decoder.finish(), text) << json(lines[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, TokenizerGolden,
                         testing::Values("gpt4", "gpt2", "unigram", "wordpiece", "characters"),
                         [](const auto& kind) { return kind.param; });

}  // namespace
}  // namespace lathe
