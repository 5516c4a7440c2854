#include "lathe/model/decoder.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lathe/model/files.h"
#include "lathe/ops/cross_entropy.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

ModelConfig two_layers() {
  ModelConfig c;
  c.vocab_size = 61;
  c.hidden_size = 32;
  c.intermediate_size = 48;
  c.num_hidden_layers = 3;
  c.num_attention_heads = 4;
  c.num_key_value_heads = 2;
  c.initializer_range = 0.2;
  return c;
}

double difference(const Tensor& a, const Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

Tensor tokens(int64_t rows, int64_t length) {
  at::manual_seed(5);
  return at::randint(61, {rows, length}, at::kLong);
}

TEST(Decoder, names_its_weights_as_hugging_face_does) {
  const auto model = new_model(two_layers(), 0);
  std::vector<std::string> names;
  for (const NamedTensor& weight : model->named_tensors()) names.push_back(weight.name);
  EXPECT_EQ(names.size(), 3 * 9 + 3);
  EXPECT_EQ(names.front(), "model.embed_tokens.weight");
  EXPECT_EQ(names[1], "model.layers.0.self_attn.q_proj.weight");
  EXPECT_EQ(names.back(), "lm_head.weight");
}

TEST(Decoder, initialises_each_weight_from_its_own_stream) {
  ModelConfig deeper = two_layers();
  deeper.num_hidden_layers = 4;
  const auto a = new_model(two_layers(), 7);
  const auto b = new_model(deeper, 7);
  EXPECT_TRUE(at::equal(*a->named_tensors()[1].tensor, *b->named_tensors()[1].tensor));
  EXPECT_FALSE(
      at::equal(*a->named_tensors()[1].tensor, *new_model(deeper, 8)->named_tensors()[1].tensor));
  EXPECT_FALSE(at::equal(*a->named_tensors()[1].tensor, *a->named_tensors()[10].tensor));
}

TEST(Decoder, a_packed_row_equals_its_documents_alone) {
  const auto model = new_model(two_layers(), 1, at::kDouble);
  model->set_compute_dtype(at::kDouble);
  const at::NoGradGuard no_grad;
  const Tensor ids = tokens(1, 12);
  const Tensor segments = at::tensor({0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1}, at::kInt).view({1, 12});
  const Tensor positions =
      at::tensor({0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 6}, at::kLong).view({1, 12});
  const Tensor packed = model->hidden_states({ids, positions, segments});
  const Tensor first = model->hidden_states({ids.narrow(1, 0, 5), {}, {}});
  const Tensor second = model->hidden_states({ids.narrow(1, 5, 7), {}, {}});
  EXPECT_LE(difference(packed, at::cat({first, second}, 1)), 1e-12);
}

TEST(Decoder, with_a_cache_equals_without) {
  const auto model = new_model(two_layers(), 2);
  const at::NoGradGuard no_grad;
  const Tensor ids = tokens(3, 10);
  const Tensor whole = model->hidden_states({ids, {}, {}});
  KvCache cache = model->new_cache(3, 16);
  std::vector<Tensor> parts;
  for (const auto& [begin, count] : {std::pair{0, 4}, {4, 1}, {5, 3}, {8, 2}})
    parts.push_back(model->hidden_states({ids.narrow(1, begin, count), {}, {}}, &cache));
  EXPECT_LE(difference(at::cat(parts, 1), whole), 1e-4);
  EXPECT_EQ(cache.lengths, std::vector<int64_t>({10, 10, 10}));
}

TEST(Decoder, recomputing_activations_gives_the_same_gradients) {
  const auto gradients = [](bool recompute) {
    const auto model = new_model(two_layers(), 3);
    model->set_gradient_checkpointing(recompute);
    for (const NamedTensor& weight : model->named_tensors()) weight.tensor->requires_grad_();
    const Tensor hidden = model->hidden_states({tokens(2, 9), {}, {}}).view({18, 32});
    ops::linear_cross_entropy(hidden, model->output_weight(), tokens(1, 18).view({18})).backward();
    std::vector<Tensor> list;
    for (const NamedTensor& weight : model->named_tensors()) list.push_back(weight.tensor->grad());
    return list;
  };
  const std::vector<Tensor> kept = gradients(false);
  const std::vector<Tensor> again = gradients(true);
  for (size_t i = 0; i < kept.size(); ++i) EXPECT_TRUE(at::equal(kept[i], again[i])) << i;
}

TEST(Decoder, saved_and_loaded_is_the_same_model) {
  const TemporaryFolder folder;
  for (const bool tied : {false, true}) {
    ModelConfig config = two_layers();
    config.tie_word_embeddings = tied;
    config.attention_bias = tied;
    const auto model = new_model(config, 4);
    const fs::path path = folder / (tied ? "tied" : "untied");
    fs::create_directories(path);
    save_model(*model, path);
    const auto loaded = load_model(path);
    ASSERT_EQ(loaded->named_tensors().size(), model->named_tensors().size());
    for (size_t i = 0; i < model->named_tensors().size(); ++i)
      EXPECT_TRUE(at::equal(*loaded->named_tensors()[i].tensor, *model->named_tensors()[i].tensor));
    EXPECT_EQ(write_model_config(loaded->config(), "float32"),
              write_model_config(model->config(), "float32"));
  }
}

TEST(Decoder, a_weight_of_another_shape_is_an_error_that_names_it) {
  const TemporaryFolder folder;
  ModelConfig config = two_layers();
  const auto model = new_model(config, 4);
  save_model(*model, folder.path());
  config.hidden_size = 64;
  write_file_atomic(folder / "config.json", write_model_config(config, "float32").dump());
  try {
    load_model(folder.path());
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("model.embed_tokens.weight: expected the shape"),
              std::string::npos)
        << error.what();
  }
}

TEST(ModelConfig, refuses_what_it_would_compute_differently) {
  nlohmann::json good = write_model_config(two_layers(), "float32");
  EXPECT_NO_THROW(read_model_config(good));
  for (const auto& [key, value] : std::vector<std::pair<std::string, nlohmann::json>>{
           {"model_type", "mamba"},
           {"hidden_act", "sine"},
           {"sliding_window", 7},
           {"partial_rotary_factor", 0.5},
           {"quantization_config", {{"bits", 4}}},
           {"num_attention_heads", 5},
           {"num_key_value_heads", 3},
           {"hidden_size", -1},
           {"rope_parameters", {{"rope_type", "other"}}},
           {"rope_parameters", {{"rope_type", "llama3"}}}}) {
    nlohmann::json bad = good;
    bad[key] = value;
    if (key == "num_attention_heads") bad.erase("head_dim");
    EXPECT_THROW(read_model_config(bad), Error) << key << " " << value;
  }
}

TEST(ModelConfig, reads_the_spelling_of_transformers_4) {
  nlohmann::json config = write_model_config(two_layers(), "float32");
  config.erase("rope_parameters");
  config["rope_theta"] = 500000.0;
  config["rope_scaling"] = {{"type", "linear"}, {"factor", 4.0}};
  config["eos_token_id"] = {2, 3};
  const ModelConfig read = read_model_config(config);
  EXPECT_EQ(read.rope_parameters.rope_theta, 500000.0);
  EXPECT_EQ(read.rope_parameters.rope_type, "linear");
  EXPECT_EQ(read.rope_parameters.factor, 4.0);
  EXPECT_EQ(read.eos_token_id, std::vector<int64_t>({2, 3}));
}

}  // namespace
}  // namespace lathe
