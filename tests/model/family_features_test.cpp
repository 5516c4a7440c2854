// The golden models are no test of a feature unless it changes their numbers; and what a recipe may
// say of a family.
#include <gtest/gtest.h>

#include "lathe/options/value.h"
#include "tests/model/golden_family.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

using nlohmann::json;

/// A change of a family's config.json: a JSON merge patch (RFC 7396), where null removes.
struct Change {
  const char* family;
  const char* patch;
};

class Changes : public testing::TestWithParam<Change> {};

TEST_P(Changes, of_the_configuration_change_the_logits) {
  const at::NoGradGuard no_grad;
  const GoldenFamily golden(GetParam().family);
  const TemporaryFolder folder;
  fs::copy_file(golden.folder() / "model.safetensors", folder / "model.safetensors");
  json config = golden.config();
  config.merge_patch(parse_json(GetParam().patch));
  write_file_atomic(folder / "config.json", config.dump());
  const auto model = load_model(folder.path());
  const Tensor logits = model->logits(model->hidden_states({golden["ids"], {}, {}}));
  EXPECT_GT(largest_difference(logits, golden["logits"]), 1e-2);
}

INSTANTIATE_TEST_SUITE_P(
    Golden, Changes,
    testing::Values(
        Change{"llama", R"({"rope_parameters": {"rope_type": "default"}})"},
        Change{"llama", R"({"rope_parameters": {"rope_theta": 1000}})"},
        Change{"llama", R"({"hidden_act": "gelu"})"}, Change{"llama", R"({"rms_norm_eps": 0.1})"},
        Change{"smollm3", R"({"no_rope_layers": [1, 1, 1]})"},
        Change{"smollm3", R"({"sliding_window": 12})"},
        Change{"smollm3",
               R"({"layer_types": ["full_attention", "full_attention", "full_attention"]})"},
        Change{"mistral", R"({"sliding_window": 6})"}, Change{"qwen2", R"({"sliding_window": 8})"},
        Change{"qwen2", R"({"rope_parameters": {"factor": 1}})"},
        Change{"qwen3", R"({"rms_norm_eps": 0.1})"},
        Change{"gemma2", R"({"attn_logit_softcapping": 5})"},
        Change{"gemma2", R"({"final_logit_softcapping": 4})"},
        Change{"gemma2", R"({"query_pre_attn_scalar": 8})"},
        Change{"gemma2", R"({"hidden_activation": "silu"})"},
        Change{"gemma2",
               R"({"layer_types": ["full_attention", "full_attention", "full_attention"]})"},
        Change{"gemma3_text",
               R"({"rope_parameters": {"sliding_attention": {"rope_theta": 10000}}})"},
        Change{"gemma3_text", R"({"rope_parameters": {"full_attention": {"factor": 1}}})"},
        Change{"gemma3_text", R"({"sliding_window": 8})"},
        Change{"phi3", R"({"original_max_position_embeddings": 32})"},
        Change{"phi3", R"({"sliding_window": 20})"}, Change{"olmo2", R"({"rms_norm_eps": 0.1})"},
        Change{"olmo2", R"({"rope_parameters": {"rope_theta": 1000}})"}));

ModelConfig config_of(const std::string& recipe) {
  ModelConfig config;
  read_options(config, parse_yaml(recipe, "recipe"));
  return config;
}

/// Sizes that every family can have.
constexpr const char* small_sizes =
    "{vocab_size: 30, hidden_size: 16, intermediate_size: 20, num_hidden_layers: 7, "
    "num_attention_heads: 2, ";

class Recipes : public testing::TestWithParam<std::string> {};

TEST_P(Recipes, make_a_new_model_that_can_be_stored) {
  const at::NoGradGuard no_grad;
  const ModelConfig config = config_of(format("{}model_type: {}}}", small_sizes, GetParam()));
  const auto model = new_model(config, 1);
  const Tensor ids = at::randint(30, {2, 12}, at::kLong);
  EXPECT_TRUE(model->logits(model->hidden_states({ids, {}, {}})).isfinite().all().item<bool>());
  const TemporaryFolder folder;
  save_model(*model, folder.path());
  EXPECT_EQ(load_model(folder.path())->config(), model->config());
}

INSTANTIATE_TEST_SUITE_P(Families, Recipes, testing::ValuesIn(model_types()),
                         [](const auto& info) { return info.param; });

TEST(FamilyRecipes, fill_in_the_pattern_of_the_family) {
  const auto types = [](const char* more) {
    return new_model(config_of(format("{}{}}}", small_sizes, more)), 1)->config().layer_types;
  };
  const std::string local = sliding_attention, global = full_attention;
  EXPECT_EQ(types("model_type: gemma2, sliding_window: 5"),
            std::vector<std::string>({local, global, local, global, local, global, local}));
  EXPECT_EQ(types("model_type: gemma3_text, sliding_window: 5"),
            std::vector<std::string>({local, local, local, local, local, global, local}));
  EXPECT_EQ(types("model_type: smollm3, sliding_window: 5"),
            std::vector<std::string>({global, global, global, local, global, global, global}));
}

TEST(FamilyRecipes, refuse_what_the_family_has_not) {
  const auto error = [](const char* more) {
    return message_of([&] { new_model(config_of(format("{}{}}}", small_sizes, more)), 1); });
  };
  EXPECT_TRUE(says(error("model_type: llama, sliding_window: 5"),
                   "a model of type llama has no such: sliding_window"));
  EXPECT_TRUE(says(error("model_type: llama, rope_parameters: {partial_rotary_factor: 0.5}"),
                   "partial_rotary_factor"));
  EXPECT_TRUE(
      says(error("model_type: mistral, final_logit_softcapping: 30"), "final_logit_softcapping"));
  EXPECT_TRUE(says(error("model_type: llama, hidden_act: sine"), "no activation"));
  EXPECT_TRUE(says(error("model_type: gemma2, layer_types: [sliding_attention]"),
                   "one for each of 7 layers"));
}

}  // namespace
}  // namespace lathe
