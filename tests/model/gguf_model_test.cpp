// Models in GGUF files, against those that llama.cpp's converter wrote and what transformers
// computes from the same weights (tests/golden/gguf_models).
#include "lathe/model/gguf_model.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "lathe/model/gguf_config.h"
#include "tests/model/golden_family.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

const fs::path folder = fs::path(LATHE_TEST_DATA) / "golden/gguf_models";

Tensor golden(const std::string& name) {
  static const SafetensorsFile file(folder / "logits.safetensors");
  const TensorInfo& info = file.at(name);
  return tensor_of(info, file.data(info));
}

class GgufGolden : public testing::TestWithParam<std::string> {
 protected:
  const fs::path path = folder / (GetParam() + ".gguf");
};

TEST_P(GgufGolden, computes_what_transformers_does) {
  const auto model = load_model(path, at::kFloat);
  EXPECT_EQ(model->config().model_type, GetParam() == "mistral" ? "llama" : GetParam());
  EXPECT_LT(largest_difference(logits_of(*model, golden("ids")), golden(GetParam())), 1e-4);
}

/// Keys of the model that only one of two files has, and those with other values.
std::vector<std::string> differences(const GgufFile& ours, const GgufFile& theirs) {
  std::vector<std::string> found;
  for (const GgufEntry& entry : theirs.fields().entries()) {
    const GgufEntry* mine = ours.fields().find(entry.key);
    if (mine == nullptr) {
      found.push_back("missing " + std::string(entry.key));
    } else if (mine->type != entry.type || !std::ranges::equal(mine->data, entry.data)) {
      found.push_back(
          format("{}: {}, expected {}", entry.key, show_gguf_value(*mine), show_gguf_value(entry)));
    }
  }
  return found;
}

TEST_P(GgufGolden, is_written_as_llama_cpp_does) {
  const TemporaryFolder temporary;
  const auto model = load_model(path);
  save_gguf(*model, temporary / "x.gguf", {.quant = "F16", .name = ""}, {});
  const GgufFile ours(temporary / "x.gguf"), theirs(path);
  ASSERT_EQ(ours.tensors().size(), theirs.tensors().size());
  for (const TensorInfo& tensor : theirs.tensors()) {
    const TensorInfo& mine = ours.at(tensor.name);
    EXPECT_EQ(mine.shape, tensor.shape) << tensor.name;
    EXPECT_EQ(ours.stored_type(mine), theirs.stored_type(tensor)) << tensor.name;
    EXPECT_TRUE(std::ranges::equal(ours.stored(mine), theirs.stored(tensor))) << tensor.name;
  }
  // What people are told, and what follows from the rest.
  const auto is_remark = [](const std::string& difference) {
    for (const char* key :
         {"missing general.name", "missing general.size_label", "missing general.basename",
          "missing general.finetune", "missing general.version", "missing general.license",
          "missing tokenizer.ggml.model", "rope.scaling.finetuned"})
      if (difference.find(key) != difference.npos) return true;
    return false;
  };
  for (const std::string& difference : differences(ours, theirs))
    EXPECT_TRUE(is_remark(difference)) << difference;
}

INSTANTIATE_TEST_SUITE_P(Architectures, GgufGolden,
                         testing::Values("llama", "mistral", "mixtral", "smollm3", "qwen2", "qwen3",
                                         "qwen3_moe", "gemma2", "gemma3_text", "phi3", "olmo2",
                                         "gpt2", "gpt_neox"),
                         [](const auto& name) { return name.param; });

/// A model through a GGUF file.
std::unique_ptr<Model> through_gguf(Model& model, const std::string& quant = "F32") {
  const TemporaryFolder temporary;
  save_gguf(model, temporary / "x.gguf", {.quant = quant, .name = "x"}, {});
  return load_model(temporary / "x.gguf");
}

TEST(GgufModel, a_model_that_gguf_can_say_comes_back_as_it_was) {
  for (const char* name :
       {"llama", "mistral", "mixtral", "qwen3", "olmo2", "phi3", "gpt2", "gpt_neox"}) {
    const GoldenFamily family(name);
    const auto model = family.load();
    const auto again = through_gguf(*model);
    EXPECT_EQ(again->config().model_type, model->config().model_type);
    const std::vector<NamedTensor> before = model->named_tensors(), after = again->named_tensors();
    ASSERT_EQ(before.size(), after.size());
    for (size_t i = 0; i < before.size(); ++i)
      EXPECT_TRUE(at::equal(*before[i].tensor, *after[i].tensor)) << before[i].name;
    EXPECT_LT(largest_difference(logits_of(*again, family["ids"]), family["logits"]), 1e-4) << name;
  }
}

TEST(GgufModel, what_gguf_cannot_say_is_an_error_that_names_it) {
  const std::pair<const char*, const char*> cases[] = {
      {"gemma2", "query_pre_attn_scalar"},   {"gemma3_text", "layer_types"},
      {"gpt2_scaled", "scale_attn_weights"}, {"gpt_neox_sequential", "rope_type"},
      {"qwen2", "sliding_window"},           {"qwen3_moe", "decoder_sparse_step"},
      {"smollm3", "no_rope_layers"}};
  for (const auto& [name, key] : cases) {
    const auto model = GoldenFamily(name).load();
    const TemporaryFolder temporary;
    EXPECT_TRUE(says(message_of([&] { save_gguf(*model, temporary / "x.gguf", {}, {}); }), key))
        << name;
    EXPECT_TRUE(fs::is_empty(temporary.path()));
  }
}

ModelConfig model_of_width(int64_t hidden) {
  ModelConfig config;
  config.vocab_size = 40;
  config.hidden_size = hidden;
  config.intermediate_size = 512;
  config.num_hidden_layers = 1;
  config.num_attention_heads = 4;
  return config;
}

TEST(GgufModel, each_format_keeps_what_it_can) {
  const auto model = new_model(model_of_width(256), 1);
  const Tensor& weight = *model->named_tensors()[1].tensor;
  ASSERT_EQ(weight.dim(), 2);
  double before = 0;
  for (const char* quant : {"F32", "F16", "BF16", "Q8_0", "Q6_K", "Q5_0", "Q4_K", "Q4_0"}) {
    const auto again = through_gguf(*model, quant);
    const Tensor back = again->named_tensors()[1].tensor->to(at::kFloat);
    const double error = ((back - weight).norm() / weight.norm()).item<double>();
    EXPECT_LT(error, 0.12) << quant;
    EXPECT_GE(error, before) << quant;
    before = std::string(quant) == "BF16" ? 0 : error;  // Q8_0 may be finer
  }
}

TEST(GgufModel, what_is_small_or_decides_much_is_kept_finer) {
  const auto types = [](int64_t hidden, const char* quant, const char* tensor) {
    const auto model = new_model(model_of_width(hidden), 1);
    const TemporaryFolder temporary;
    save_gguf(*model, temporary / "x.gguf", {.quant = quant, .name = ""}, {});
    const GgufFile file(temporary / "x.gguf");
    return std::string(file.stored_type(file.at(tensor)));
  };
  EXPECT_EQ(types(256, "Q4_K", "blk.0.attn_q.weight"), "Q4_K");
  EXPECT_EQ(types(256, "Q4_K", "output.weight"), "Q6_K");
  EXPECT_EQ(types(256, "Q4_K", "blk.0.attn_norm.weight"), "F32");
  EXPECT_EQ(types(96, "Q4_K", "blk.0.attn_q.weight"), "Q5_0");
  EXPECT_EQ(types(96, "Q4_K", "output.weight"), "Q8_0");
  EXPECT_EQ(types(96, "Q4_K", "blk.0.ffn_down.weight"), "Q4_K");
  EXPECT_EQ(types(40, "Q4_0", "blk.0.attn_q.weight"), "F16");
}

TEST(GgufModel, an_unknown_format_is_answered_with_those_there_are) {
  const auto model = new_model(model_of_width(32), 1);
  EXPECT_TRUE(says(message_of([&] { through_gguf(*model, "Q2_K"); }), "there are F32, F16, BF16"));
}

TEST(GgufModel, weights_that_a_format_cannot_hold_are_named_and_leave_no_file) {
  const at::NoGradGuard no_grad;
  const auto model = new_model(model_of_width(32), 1);
  model->named_tensors()[1].tensor->fill_(NAN);
  const TemporaryFolder temporary;
  EXPECT_TRUE(says(message_of([&] {
                     save_gguf(*model, temporary / "x.gguf", {.quant = "Q8_0", .name = ""}, {});
                   }),
                   "tensor blk.0.attn_q.weight: there are numbers that are not finite"));
  EXPECT_TRUE(fs::is_empty(temporary.path()));
}

/// The message for a golden file whose fields or tensors have been changed.
std::string refusal(const std::function<void(GgufFields&)>& change,
                    const std::function<void(std::vector<GgufTensorView>&)>& change_tensors = {}) {
  const TemporaryFolder temporary;
  const GgufFile file(folder / "llama.gguf");
  GgufFields fields;
  if (change) change(fields);
  for (const GgufEntry& entry : file.fields().entries())
    if (!fields.has(entry.key)) fields.put(entry);
  std::vector<GgufTensorView> tensors;
  for (const TensorInfo& tensor : file.tensors())
    tensors.push_back({tensor.name, &file.format_of(tensor), tensor.shape,
                       [&file, &tensor] { return file.stored(tensor); }});
  if (change_tensors) change_tensors(tensors);
  write_gguf(temporary / "x.gguf", fields, tensors);
  return message_of([&] { load_model(temporary / "x.gguf"); });
}

TEST(GgufModel, files_that_are_no_whole_model_are_refused_by_name) {
  using Views = std::vector<GgufTensorView>;
  EXPECT_EQ(refusal({}), "no error");
  EXPECT_TRUE(says(refusal({},
                           [](Views& t) {
                             std::erase_if(
                                 t, [](const auto& x) { return x.name == "blk.1.ffn_up.weight"; });
                           }),
                   "no tensor \"blk.1.ffn_up.weight\""));
  EXPECT_TRUE(says(
      refusal({},
              [](Views& t) {
                std::ranges::find(t, "output_norm.weight", &GgufTensorView::name)->shape = {4, 6};
              }),
      "tensor \"output_norm.weight\": expected the shape (24), found (4, 6)"));
  EXPECT_TRUE(says(refusal({},
                           [](Views& t) {
                             std::ranges::find(t, "output.weight", &GgufTensorView::name)->name =
                                 "lm";
                           }),
                   "tensor \"lm\" is not part of a model of type llama"));
  const auto text = [](const char* key, const char* value) {
    return [=](GgufFields& fields) { fields.put_string(key, value); };
  };
  EXPECT_TRUE(says(refusal(text("general.architecture", "bert")),
                   "\"general.architecture\": supported are llama, smollm3"));
  EXPECT_TRUE(says(refusal(text("llama.block_count", "2")),
                   "\"llama.block_count\": expected an integer from 1 to 4096, found string"));
  EXPECT_TRUE(says(refusal(text("llama.rope.scaling.type", "new")), "found \"new\""));
  const auto number = [](const char* key, uint32_t value) {
    return [=](GgufFields& fields) { fields.put_uint32(key, value); };
  };
  EXPECT_TRUE(says(refusal(number("llama.block_count", 0)), "llama.block_count"));
  EXPECT_TRUE(says(refusal(number("llama.block_count", 3)), "no tensor \"blk.2."));
  EXPECT_TRUE(says(refusal(number("llama.embedding_length", 0xFFFFFFFF)), "embedding_length"));
  EXPECT_TRUE(says(refusal(number("llama.attention.head_count", 5)), ""));
  EXPECT_TRUE(says(refusal(number("llama.attention.value_length", 4)), "the length of keys, 8"));
  EXPECT_TRUE(says(refusal(number("llama.rope.dimension_count", 4)), "partial_rotary_factor"));
  EXPECT_TRUE(says(refusal(number("split.count", 2)), "one of 2 parts"));
}

TEST(GgufModel, tied_embeddings_may_be_stored_twice) {
  const TemporaryFolder temporary;
  const GgufFile file(folder / "gpt2.gguf");
  GgufFields fields;
  for (const GgufEntry& entry : file.fields().entries()) fields.put(entry);
  std::vector<GgufTensorView> tensors;
  for (const TensorInfo& tensor : file.tensors())
    tensors.push_back({tensor.name, &file.format_of(tensor), tensor.shape,
                       [&file, &tensor] { return file.stored(tensor); }});
  tensors.push_back(*std::ranges::find(tensors, "token_embd.weight", &GgufTensorView::name));
  tensors.back().name = "output.weight";
  write_gguf(temporary / "x.gguf", fields, tensors);
  EXPECT_TRUE(load_model(temporary / "x.gguf")->config().tie_word_embeddings);
}

}  // namespace
}  // namespace lathe
