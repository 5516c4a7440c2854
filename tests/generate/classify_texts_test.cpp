#include "lathe/generate/classify_texts.h"

#include <gtest/gtest.h>

#include "lathe/generate/padded.h"
#include "tests/support/byte_tokenizer.h"
#include "tests/support/errors.h"
#include "tests/support/tiny_model.h"

namespace lathe {
namespace {

std::unique_ptr<Model> small_classifier() {
  ModelConfig config = small_config();
  config.vocab_size = 260;
  config.labels = {"a", "b", "c"};
  config.problem_type = "single_label_classification";
  return new_model(config, 5);
}

TEST(ClassifyTexts, each_sees_itself_alone) {
  const auto model = small_classifier();
  const Tokenizer tokenizer = byte_tokenizer();
  const std::vector<std::string> texts = {
      "one", "a text that is longer than others", "b", "two", "several words", "x"};
  const Tensor together = classify_texts(*model, tokenizer, texts);
  for (size_t i = 0; i < texts.size(); ++i) {
    const Tensor alone = classify_texts(*model, tokenizer, {&texts[i], 1});
    EXPECT_TRUE(at::allclose(together[static_cast<int64_t>(i)], alone[0], 1e-4, 1e-5)) << texts[i];
  }
}

TEST(PackedTexts, fill_rows_as_wide_as_the_longest) {
  const auto model = small_classifier();
  const PackedTexts texts = packed({{1, 2, 3}, {4, 5, 6, 7}, {8}, {9, 10}, {11, 12}}, *model);
  EXPECT_EQ(texts.input.input_ids.sizes(), at::IntArrayRef({4, 4}));
  EXPECT_EQ(texts.ends, std::vector<int64_t>({2, 7, 8, 10, 13}));
  EXPECT_TRUE(says(message_of([&] { packed({{1}, {}}, *model); }), "without any token"));
  EXPECT_TRUE(says(message_of([&] { packed({{260}}, *model); }), "the tokenizer is that of"));
}

}  // namespace
}  // namespace lathe
