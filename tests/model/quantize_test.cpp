// Models whose matrices stay in blocks.
#include "lathe/model/quantize.h"

#include <gtest/gtest.h>

#include "lathe/io/gguf_metadata.h"
#include "lathe/model/gguf_model.h"
#include "lathe/model/memory.h"
#include "lathe/model/resize.h"
#include "lathe/ops/quantized.h"
#include "tests/model/golden_family.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_model.h"

namespace lathe {
namespace {

/// The formats of the model's weights by their names; "" for plain ones.
std::map<std::string, std::string> formats(Model& model) {
  std::map<std::string, std::string> found;
  for (const NamedTensor& weight : model.named_tensors()) {
    const ops::QuantizedMatrix* matrix = ops::quantized_matrix(*weight.tensor);
    found[weight.name] = matrix == nullptr ? "" : std::string(matrix->format());
  }
  return found;
}

/// The shapes of SmolLM2-135M with a tenth of its layers and of its tokens.
ModelConfig tenth_of_smollm() {
  ModelConfig c;
  c.vocab_size = 4915;
  c.hidden_size = 576;
  c.intermediate_size = 1536;
  c.num_hidden_layers = 3;
  c.num_attention_heads = 9;
  c.num_key_value_heads = 3;
  c.tie_word_embeddings = true;
  return c;
}

class QuantizedFamily : public testing::TestWithParam<std::string> {};

TEST_P(QuantizedFamily, computes_what_its_decoded_weights_do) {
  const GoldenFamily family(GetParam());
  const auto quantized =
      load_model(family.folder(), at::kFloat, WeightMemory::owned, WeightFormat::nf4);
  const auto plain = load_model(family.folder(), at::kFloat);
  const std::vector<NamedTensor> from = quantized->named_tensors(), to = plain->named_tensors();
  size_t changed = 0;
  for (size_t i = 0; i < from.size(); ++i) {
    const Tensor numbers = from[i].numbers();
    ASSERT_EQ(numbers.sizes(), to[i].tensor->sizes());
    changed += at::equal(numbers, *to[i].tensor) ? 0 : 1;
    EXPECT_LE(largest_difference(numbers, *to[i].tensor),
              0.16 * to[i].tensor->abs().max().item<double>())
        << from[i].name;
    *to[i].tensor = numbers;
  }
  EXPECT_GE(changed, 7U);
  EXPECT_LT(quantized->weight_bytes(), plain->weight_bytes() / 2);
  EXPECT_EQ(quantized->parameter_count(), plain->parameter_count());
  const Tensor ids = family["ids"].to(at::kCPU);
  EXPECT_LE(largest_difference(logits_of(*quantized, ids), logits_of(*plain, ids)), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Families, QuantizedFamily, testing::ValuesIn(GoldenFamily::all()),
                         [](const auto& info) { return info.param; });

TEST(Quantize, nf4_takes_at_most_35_percent_of_bfloat16_in_the_shapes_of_smollm) {
  const TemporaryFolder folder;
  const auto made = new_model(tenth_of_smollm(), 1, at::kBFloat16);
  save_model(*made, folder.path());
  const auto plain = load_model(folder.path(), at::kBFloat16);
  const auto quantized =
      load_model(folder.path(), at::kFloat, WeightMemory::owned, WeightFormat::nf4);
  EXPECT_LE(static_cast<double>(quantized->weight_bytes()),
            0.35 * static_cast<double>(plain->weight_bytes()));
  const TrainingMemory foretold =
      training_memory(*empty_model(tenth_of_smollm()), {.name = "", .load_in_4bit = true}, 1, 8);
  EXPECT_NEAR(
      static_cast<double>(foretold.weights) / static_cast<double>(quantized->weight_bytes()), 1,
      1e-3);
  const auto found = formats(*quantized);
  EXPECT_EQ(found.at("model.embed_tokens.weight"), "Q8_0");
  EXPECT_EQ(found.at("model.layers.2.mlp.down_proj.weight"), "NF4");
  EXPECT_EQ(found.at("model.layers.0.self_attn.k_proj.weight"), "Q8_0");
  EXPECT_EQ(found.at("model.layers.0.self_attn.o_proj.weight"), "NF4");
  EXPECT_EQ(found.at("model.norm.weight"), "");
}

TEST(Quantize, routers_and_what_is_no_whole_blocks_stay_as_they_are) {
  const GoldenFamily family("mixtral");
  const auto model =
      load_model(family.folder(), at::kFloat, WeightMemory::owned, WeightFormat::nf4);
  size_t routers = 0;
  for (const auto& [name, format] : formats(*model)) {
    if (!name.ends_with(".gate.weight")) continue;
    EXPECT_EQ(format, "") << name;
    ++routers;
  }
  EXPECT_GE(routers, 1U);
  const TemporaryFolder folder;
  const auto narrow = new_model(small_config(), 1);  // rows of 16 numbers
  save_model(*narrow, folder.path());
  const auto found =
      formats(*load_model(folder.path(), at::kFloat, WeightMemory::owned, WeightFormat::nf4));
  EXPECT_EQ(found.at("model.embed_tokens.weight"), "");
  EXPECT_EQ(found.at("model.layers.0.self_attn.q_proj.weight"), "NF4");
}

/// A model of the family that has whole blocks of 32.
std::unique_ptr<Model> model_of_blocks(const std::string& family) {
  ModelConfig config = GoldenFamily(family).load()->config();
  config.hidden_size = 64;
  config.intermediate_size = 96;
  config.num_attention_heads = 4;
  config.num_key_value_heads.reset();
  config.head_dim.reset();
  config.max_position_embeddings = 64;
  return new_model(config, 1);
}

class KeptBlocks : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(KeptBlocks, give_the_logits_of_the_decoded_model) {
  const auto& [family, quant] = GetParam();
  const auto model = model_of_blocks(family);
  const TemporaryFolder folder;
  save_gguf(*model, folder / "x.gguf", {.quant = quant, .name = "x"}, {});
  const auto decoded = load_model(folder / "x.gguf", at::kFloat);
  const auto kept =
      load_model(folder / "x.gguf", at::kFloat, WeightMemory::owned, WeightFormat::stored);
  const std::vector<NamedTensor> from = kept->named_tensors(), to = decoded->named_tensors();
  size_t quantized = 0;
  for (size_t i = 0; i < from.size(); ++i) {
    quantized += ops::is_quantized(*from[i].tensor) ? 1 : 0;
    EXPECT_TRUE(at::equal(from[i].numbers(), *to[i].tensor)) << from[i].name;
  }
  EXPECT_GE(quantized, 5U);
  EXPECT_LT(kept->weight_bytes(), decoded->weight_bytes() / 3);
  const Tensor ids = at::arange(14, at::kLong).view({2, 7});
  EXPECT_LE(largest_difference(logits_of(*kept, ids), logits_of(*decoded, ids)), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Gguf, KeptBlocks,
                         testing::Combine(testing::Values("llama", "mixtral", "gpt2", "gpt_neox"),
                                          testing::Values("Q8_0", "Q4_0")),
                         [](const auto& info) {
                           return std::get<0>(info.param) + "_" + std::get<1>(info.param);
                         });

TEST(Quantize, the_blocks_of_a_gguf_file_can_become_nf4) {
  const auto model = model_of_blocks("llama");
  const TemporaryFolder folder;
  save_gguf(*model, folder / "x.gguf", {.quant = "Q8_0", .name = "x"}, {});
  const auto quantized =
      load_model(folder / "x.gguf", at::kFloat, WeightMemory::mapped, WeightFormat::nf4);
  EXPECT_EQ(formats(*quantized).at("model.layers.0.mlp.up_proj.weight"), "NF4");
}

TEST(Quantize, what_needs_all_numbers_is_an_error_that_says_what_to_do) {
  const TemporaryFolder folder, base;
  save_model(*model_of_blocks("llama"), base.path());
  const auto load = [&](WeightFormat format) {
    return load_model(base.path(), at::kFloat, WeightMemory::owned, format);
  };
  const auto model = load(WeightFormat::nf4);
  const std::string hint = "without load_in_4bit and keep_quantized";
  EXPECT_TRUE(says(message_of([&] { save_model(*model, folder.path()); }), hint));
  EXPECT_TRUE(says(message_of([&] { save_gguf(*model, folder / "x.gguf", {}, {}); }), hint));
  EXPECT_TRUE(fs::is_empty(folder.path()));
  EXPECT_TRUE(says(
      message_of([&] { resize_token_embeddings(*model, model->config().vocab_size + 1); }), hint));
  EXPECT_TRUE(says(message_of([&] { load(WeightFormat::stored); }),
                   "keep_quantized: the file has no matrices in quantised blocks"));
}

}  // namespace
}  // namespace lathe
