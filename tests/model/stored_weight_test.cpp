// Files that have weights under other names than the family's own, or more than the weights.
#include "lathe/model/stored_weight.h"

#include <gtest/gtest.h>

#include "lathe/io/model_files.h"
#include "lathe/model/inspect.h"
#include "tests/model/golden_family.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

/// The weights of a golden model, to be written under other names.
class StoredWeights : public testing::Test {
 protected:
  void take(const std::string& name) {
    golden_ = std::make_unique<GoldenFamily>(name);
    model_ = golden_->load();
    for (const NamedTensor& weight : model_->named_tensors())
      tensors_[weight.name] = *weight.tensor;
  }

  void write() const {
    std::vector<TensorView> views;
    for (const auto& [name, tensor] : tensors_) views.push_back(view_of(name, tensor));
    write_model_files(folder_.path(), views);
    write_file_atomic(folder_ / "config.json", golden_->config().dump());
  }

  void expect_the_same_model() const {
    const auto loaded = load_model(folder_.path());
    const std::vector<NamedTensor> ours = loaded->named_tensors();
    const std::vector<NamedTensor> expected = model_->named_tensors();
    ASSERT_EQ(ours.size(), expected.size());
    for (size_t i = 0; i < ours.size(); ++i)
      EXPECT_TRUE(at::equal(*ours[i].tensor, *expected[i].tensor)) << expected[i].name;
    EXPECT_TRUE(inspect_model(folder_.path()).problems.empty());
  }

  /// Replaces names of all tensors.
  void rename(const std::string& from, const std::string& to) {
    std::map<std::string, Tensor> renamed;
    for (const auto& [name, tensor] : tensors_) {
      const size_t at = name.find(from);
      renamed[at == name.npos ? name : std::string(name).replace(at, from.size(), to)] = tensor;
    }
    tensors_ = std::move(renamed);
  }

  /// Puts the experts of a layer into two tensors, as transformers 5 has them in memory.
  void fuse(const std::string& layer, int64_t experts, const std::vector<std::string>& names) {
    std::vector<Tensor> gate_up, down;
    for (int64_t e = 0; e < experts; ++e) {
      std::vector<Tensor> matrices;  // gate, up, down
      for (const std::string& name : names) {
        const auto node = tensors_.extract(format("{}experts.{}.{}.weight", layer, e, name));
        matrices.push_back(node.mapped());
      }
      gate_up.push_back(at::cat({matrices[0], matrices[1]}));
      down.push_back(matrices[2]);
    }
    tensors_[layer + "experts.gate_up_proj"] = at::stack(gate_up);
    tensors_[layer + "experts.down_proj"] = at::stack(down);
  }

  const TemporaryFolder folder_;
  std::unique_ptr<GoldenFamily> golden_;
  std::unique_ptr<Model> model_;
  std::map<std::string, Tensor> tensors_;
};

TEST_F(StoredWeights, of_gpt2_are_found_without_the_first_part_of_their_names) {
  take("gpt2");
  rename("transformer.", "");
  ASSERT_TRUE(tensors_.contains("h.0.attn.c_attn.bias"));
  write();
  expect_the_same_model();
}

TEST_F(StoredWeights, of_old_gpt2_files_have_masks_beside_them) {
  take("gpt2");
  for (const char* layer : {"transformer.h.0.attn", "transformer.h.1.attn"}) {
    tensors_[format("{}.bias", layer)] = at::ones({1, 1, 32, 32}, at::kByte).tril();
    tensors_[format("{}.masked_bias", layer)] = at::full({}, -1e4);
  }
  tensors_["lm_head.weight"] = tensors_.at("transformer.wte.weight");
  write();
  expect_the_same_model();
}

TEST_F(StoredWeights, of_old_gpt_neox_files_have_masks_and_frequencies_beside_them) {
  take("gpt_neox_sequential");
  for (const char* layer : {"gpt_neox.layers.0.attention", "gpt_neox.layers.1.attention"}) {
    tensors_[format("{}.bias", layer)] = at::ones({1, 1, 16, 16}, at::kBool).tril();
    tensors_[format("{}.masked_bias", layer)] = at::full({}, -1e9);
    tensors_[format("{}.rotary_emb.inv_freq", layer)] = at::ones({4});
  }
  tensors_["embed_out.weight"] = tensors_.at("gpt_neox.embed_in.weight");
  write();
  expect_the_same_model();
}

TEST_F(StoredWeights, of_gpt_neox_may_have_the_output_layer_by_its_name_in_transformers_5) {
  take("gpt_neox");
  rename("embed_out.", "lm_head.");
  write();
  expect_the_same_model();
}

TEST_F(StoredWeights, of_experts_are_found_in_fused_tensors) {
  take("mixtral");
  rename("block_sparse_moe.", "mlp.");
  for (const char* layer : {"model.layers.0.mlp.", "model.layers.1.mlp."})
    fuse(layer, 5, {"w1", "w3", "w2"});
  write();
  expect_the_same_model();
}

TEST_F(StoredWeights, of_experts_of_qwen_are_found_in_fused_tensors) {
  take("qwen3_moe");
  fuse("model.layers.3.mlp.", 6, {"gate_proj", "up_proj", "down_proj"});
  write();
  expect_the_same_model();
}

TEST_F(StoredWeights, in_a_fused_tensor_of_another_number_of_experts_are_an_error) {
  take("qwen3_moe");
  for (const char* name : {"gate_proj", "up_proj", "down_proj"})
    tensors_[format("model.layers.3.mlp.experts.6.{}.weight", name)] =
        tensors_.at(format("model.layers.3.mlp.experts.5.{}.weight", name));
  fuse("model.layers.3.mlp.", 7, {"gate_proj", "up_proj", "down_proj"});
  write();
  EXPECT_TRUE(says(message_of([&] { load_model(folder_.path()); }),
                   "tensor model.layers.3.mlp.experts.gate_up_proj: expected the shape (6, 16, 16) "
                   "of config.json, found (7, 16, 16)"));
}

TEST_F(StoredWeights, that_are_missing_are_named) {
  take("mixtral");
  tensors_.erase("model.layers.1.block_sparse_moe.experts.3.w2.weight");
  write();
  EXPECT_TRUE(says(message_of([&] { load_model(folder_.path()); }),
                   "model.layers.1.block_sparse_moe.experts.3.w2.weight"));
}

TEST_F(StoredWeights, a_bias_that_only_looks_like_a_mask_is_not_left_out) {
  take("gpt2");
  tensors_["transformer.h.0.attn.c_extra.bias"] = at::ones({3});
  write();
  EXPECT_TRUE(says(message_of([&] { load_model(folder_.path()); }),
                   "tensor transformer.h.0.attn.c_extra.bias is not part of"));
}

}  // namespace
}  // namespace lathe
