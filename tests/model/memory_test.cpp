// What training takes, against what is allocated when it is done.
#include "lathe/model/memory.h"

#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>

#include "lathe/model/files.h"
#include "tests/model/golden_family.h"
#include "tests/support/tiny_model.h"

namespace lathe {
namespace {

/// Memory for tensors, counted, as long as this lives; what is allocated then may live longer.
class CountedMemory final : public c10::Allocator {
 public:
  CountedMemory() : inner_(c10::GetCPUAllocator()) { c10::SetCPUAllocator(this, 100); }
  ~CountedMemory() override { c10::SetCPUAllocator(inner_, 100); }

  c10::DataPtr allocate(size_t bytes) override {
    c10::DataPtr block = inner_->allocate(bytes);
    const std::lock_guard lock(mutex);
    const c10::DeleterFnPtr free = block.get_deleter();
    void* memory = block.release_context();
    if (memory != nullptr) blocks[memory] = {bytes, free};
    return {memory, memory, release, c10::DeviceType::CPU};
  }
  c10::DeleterFnPtr raw_deleter() const override { return release; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
  /// Bytes that are allocated now.
  static int64_t live() {
    const std::lock_guard lock(mutex);
    int64_t sum = 0;
    for (const auto& [memory, block] : blocks) sum += static_cast<int64_t>(block.bytes);
    return sum;
  }

 private:
  struct Block {
    size_t bytes;
    c10::DeleterFnPtr free;
  };
  static void release(void* memory) {
    if (memory == nullptr) return;
    const std::lock_guard lock(mutex);
    const auto block = blocks.find(memory);
    block->second.free(memory);
    blocks.erase(block);
  }

  inline static std::mutex mutex;
  inline static std::map<void*, Block> blocks;
  c10::Allocator* inner_;
};

/// Bytes that a forward pass leaves behind for the backward pass, the loss included.
int64_t left_by_forward_pass(Model& model, const TrainingMethod& method, const Tensor& ids) {
  model.set_compute_dtype(method.bf16 ? at::kBFloat16 : at::kFloat);
  model.set_gradient_checkpointing(method.gradient_checkpointing);
  const int64_t first = model.config().num_hidden_layers - method.last_layers;
  for (const NamedTensor& weight : model.named_tensors())
    weight.tensor->requires_grad_(method.last_layers == 0 || layer_of(weight.name) >= first);
  const Tensor targets = ids.reshape(-1);
  const CountedMemory counted;
  const int64_t before = CountedMemory::live();
  Tensor loss;
  {
    const ModelOutput out = model.forward({ids, {}, {}}, nullptr);
    loss = model.cross_entropy(out.hidden.reshape({-1, out.hidden.size(2)}), targets);
  }
  return CountedMemory::live() - before;
}

/// A model of that family, whose layers are large beside what is left out of the estimate.
ModelConfig wide_config(const std::string& family) {
  ModelConfig c = GoldenFamily(family).load()->config();
  const bool grouped = c.key_value_heads() < c.num_attention_heads;
  c.vocab_size = 8;
  c.hidden_size = 128;
  c.intermediate_size = 320;
  c.num_attention_heads = 4;
  c.num_key_value_heads = grouped ? 2 : 4;
  c.head_dim = 32;
  if (c.moe_intermediate_size) c.moe_intermediate_size = 192;
  if (c.rope_parameters.rope_type == "longrope") c.rope_parameters = RopeParameters();
  c.max_position_embeddings = 64;
  return c;
}

class TrainingMemoryOf : public testing::TestWithParam<std::string> {};

TEST_P(TrainingMemoryOf, is_what_a_forward_pass_leaves_for_the_backward_pass) {
  const auto model = new_model(wide_config(GetParam()), 1);
  const Tensor ids = at::randint(8, {4, 32}, at::kLong);
  for (const TrainingMethod& method : training_methods()) {
    if (method.gradient_checkpointing || method.lora_rank > 0) continue;
    const auto left = static_cast<double>(left_by_forward_pass(*model, method, ids));
    const TrainingMemory estimate = training_memory(*model, method, 4, 32);
    // Of what is for the loss, the gradients of the output layer and of what it reads are there.
    const double number = method.bf16 ? 2 : 4;
    const double output = method.last_layers == 0 ? 8.0 * 128 * 4 : 0;
    const double of_loss = output + 2.0 * 4 * 32 * 128 * number;
    const double expected = static_cast<double>(estimate.activations) + of_loss;
    EXPECT_NEAR(left / expected, 1, 0.035) << method.name;
  }
}

TEST_P(TrainingMemoryOf, counts_what_is_left_with_gradient_checkpointing) {
  const auto model = new_model(wide_config(GetParam()), 1);
  const Tensor ids = at::randint(8, {4, 32}, at::kLong);
  const TrainingMethod method{.name = "", .bf16 = true, .gradient_checkpointing = true};
  const int64_t left = left_by_forward_pass(*model, method, ids);
  const TrainingMemory all = training_memory(*model, {.name = ""}, 4, 32);
  const TrainingMemory less = training_memory(*model, method, 4, 32);
  EXPECT_LT(left, static_cast<int64_t>(less.activations + less.loss));
  EXPECT_LT(less.activations, all.activations);
}

INSTANTIATE_TEST_SUITE_P(Shapes, TrainingMemoryOf,
                         testing::Values("llama", "qwen3", "gemma2", "gemma3_text", "phi3", "olmo2",
                                         "gpt2", "gpt_neox", "gpt_neox_sequential", "mixtral",
                                         "qwen3_moe"),
                         [](const auto& info) { return info.param; });

TEST(TrainingMemory, is_that_of_the_tensors_of_a_step) {
  const auto model = empty_model(small_config());
  const TrainingMemory all = training_memory(*model, {.name = ""}, 2, 8);
  EXPECT_EQ(all.weights + all.gradients + all.moments,
            16 * static_cast<uint64_t>(model->parameter_count()));
  // 16 tokens, 2 layers, bfloat16: 2 x 16 wide, 2 x (4 + 2) heads of 4, 2 x 24 of the MLP; float32:
  // a number for each norm and for each head of queries
  EXPECT_EQ(all.activations, 16U * 2 * (2 * (2 * 16 + 2 * 6 * 4 + 2 * 24) + 4 * (2 + 4)));
  EXPECT_EQ(all.loss, 2U * 16 * 50 + 2U * 50 * 16 + 2U * 2 * 16 * 16);
}

TEST(TrainingMemory, of_last_layers_and_adapters_is_that_of_what_is_trained) {
  const auto model = empty_model(small_config());
  const TrainingMemory last = training_memory(*model, {.name = "", .last_layers = 1}, 2, 8);
  const TrainingMemory all = training_memory(*model, {.name = ""}, 2, 8);
  const uint64_t layer = 2 * 16 * 16 + 2 * 16 * 8 + 3 * 16 * 24 + 2 * 16;
  EXPECT_EQ(last.gradients, 4 * layer);
  EXPECT_EQ(last.moments, 2 * last.gradients);
  EXPECT_EQ(last.activations, all.activations / 2);
  const TrainingMemory lora = training_memory(*model, {.name = "", .lora_rank = 3}, 2, 8);
  EXPECT_EQ(lora.gradients, 4U * 2 * 3 * (2 * 32 + 2 * 24 + 3 * 40));
  EXPECT_EQ(lora.activations, all.activations + 1344U);
}

TEST(TrainingMemory, of_any_size_is_a_number) {
  ModelConfig c;
  c.vocab_size = 1 << 24;
  c.hidden_size = 1 << 20;
  c.intermediate_size = 1 << 22;
  c.num_hidden_layers = 4096;
  c.num_attention_heads = 1 << 16;
  const auto model = empty_model(c);
  for (const TrainingMethod& method : training_methods())
    EXPECT_GT(training_memory(*model, method, 1 << 20, 1 << 24).total(), uint64_t{1} << 59);
}

}  // namespace
}  // namespace lathe
