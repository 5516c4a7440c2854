// Every family against transformers: see tests/golden/families.
#include <gtest/gtest.h>

#include "lathe/model/family/family.h"
#include "tests/model/golden_family.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

class Families : public testing::TestWithParam<std::string> {
 protected:
  const GoldenFamily golden_{GetParam()};
};

TEST_P(Families, logits_are_those_of_transformers) {
  const at::NoGradGuard no_grad;
  const auto model = golden_.load();
  for (const auto& [ids, logits] : {std::pair{"ids", "logits"}, {"short", "logits_short"}}) {
    const Tensor ours = model->logits(model->hidden_states({golden_[ids], {}, {}}));
    EXPECT_LE(largest_difference(ours, golden_[logits]), 1e-4) << ids;
  }
}

TEST_P(Families, both_spellings_of_the_configuration_mean_the_same) {
  EXPECT_EQ(read_model_config(golden_.config()), read_model_config(golden_.config("config4.json")));
}

TEST_P(Families, greedy_continuations_over_a_cache_are_those_of_transformers) {
  const auto model = golden_.load();
  const Tensor expected = golden_["continuation"];
  for (const int64_t piece : {100, 4})
    EXPECT_TRUE(at::equal(greedy(*model, golden_["short"], expected.size(1), piece), expected))
        << "prompt read " << piece << " tokens at a time";
}

TEST_P(Families, layers_may_be_run_in_two_parts) {
  const at::NoGradGuard no_grad;
  const auto model = golden_.load();
  const Tensor ids = golden_["ids"];
  ModelInput lower{ids, {}, {}};
  lower.end_layer = 1;
  ModelInput upper{ids, {}, {}};
  upper.first_layer = 1;
  upper.states = model->hidden_states(lower);
  EXPECT_TRUE(at::equal(model->hidden_states(upper), model->hidden_states({ids, {}, {}})));
  upper.states = Tensor();
  EXPECT_TRUE(says(message_of([&] { model->hidden_states(upper); }), "found 1 to"));
}

TEST_P(Families, over_a_cache_hidden_states_are_those_without) {
  const at::NoGradGuard no_grad;
  const auto model = golden_.load(at::kDouble);
  const Tensor ids = golden_["ids"];
  for (const int64_t piece : {1, 7}) {
    KvCache cache = model->new_cache(ids.size(0), ids.size(1));
    int64_t seen = 0;
    for (const Tensor& part : ids.split(piece, 1)) {
      const Tensor ours = model->hidden_states({part, {}, {}}, &cache);
      seen += part.size(1);
      const Tensor whole = model->hidden_states({ids.narrow(1, 0, seen), {}, {}});
      EXPECT_LE(largest_difference(ours, whole.narrow(1, seen - part.size(1), part.size(1))), 1e-10)
          << seen << " tokens";
    }
  }
}

TEST_P(Families, rows_of_a_batch_with_padding_behind_them_do_not_see_it) {
  const at::NoGradGuard no_grad;
  const auto model = golden_.load(at::kDouble);
  const Tensor ids = golden_["ids"];
  const Tensor next = ids.narrow(1, 19, 1);
  KvCache cache = model->new_cache(2, 24);
  model->hidden_states({ids.narrow(1, 0, 14), {}, {}, {14, 5}}, &cache);
  EXPECT_EQ(cache.lengths, std::vector<int64_t>({14, 5}));
  const Tensor both = model->hidden_states({next, {}, {}}, &cache);
  cache.keep_rows({1});
  for (const int64_t row : {0, 1}) {
    const int64_t length = row == 0 ? 14 : 5;
    const Tensor alone = at::cat({ids[row].narrow(0, 0, length), next[row]}).unsqueeze(0);
    const Tensor expected = model->hidden_states({alone, {}, {}}).select(1, length);
    EXPECT_LE(largest_difference(both[row], expected), 1e-10) << "row " << row;
  }
}

TEST_P(Families, a_packed_row_equals_its_texts_alone) {
  const at::NoGradGuard no_grad;
  const auto model = golden_.load(at::kDouble);
  const Tensor ids = golden_["ids"].narrow(0, 0, 1);
  const Tensor segments =
      on_test_device(at::cat({at::zeros({1, 13}, at::kInt), at::ones({1, 7}, at::kInt)}, 1));
  const Tensor positions = on_test_device(at::cat({at::arange(13), at::arange(7)}).unsqueeze(0));
  const Tensor packed = model->hidden_states({ids, positions, segments});
  const Tensor first = model->hidden_states({ids.narrow(1, 0, 13), {}, {}});
  const Tensor second = model->hidden_states({ids.narrow(1, 13, 7), {}, {}});
  EXPECT_LE(largest_difference(packed, at::cat({first, second}, 1)), 1e-10);
}

TEST_P(Families, in_float64_loss_and_gradients_are_those_of_autograd) {
  for (const bool again : {false, true}) {
    const auto model = golden_.load(at::kDouble);
    model->set_gradient_checkpointing(again);
    std::map<std::string, Tensor> weights;
    for (const NamedTensor& weight : model->named_tensors())
      weights[weight.name] = weight.tensor->requires_grad_();
    const Tensor ids = golden_["ids"];
    const int64_t length = ids.size(1);
    const Tensor hidden = model->hidden_states({ids, {}, {}}).narrow(1, 0, length - 1);
    const Tensor loss = model->cross_entropy(hidden.reshape({-1, hidden.size(2)}),
                                             ids.narrow(1, 1, length - 1).reshape(-1));
    loss.backward();
    const double expected = golden_["loss"].item<double>();
    EXPECT_NEAR(loss.item<double>(), expected, 1e-9 * expected * device_slack());
    const Tensor norms = golden_["norms"], dots = golden_["dots"];
    int64_t i = 0;
    for (const std::string& name : golden_.names()) {
      const Tensor gradient = weights.at(name).grad();
      ASSERT_TRUE(gradient.defined()) << name;
      const double norm = norms[i].item<double>();
      const double limit = 1e-8 * (1 + norm) * device_slack();
      EXPECT_NEAR(gradient.norm().item<double>(), norm, limit) << name;
      EXPECT_NEAR((gradient * weights.at(name)).sum().item<double>(), dots[i].item<double>(), limit)
          << name;
      if (gradient.dim() == 1) {
        EXPECT_LE(largest_difference(gradient, golden_["gradient." + name]), limit) << name;
      }
      ++i;
    }
    EXPECT_EQ(static_cast<size_t>(i), weights.size());
  }
}

TEST_P(Families, saved_and_loaded_is_the_same_model_in_both_spellings) {
  const TemporaryFolder folder;
  const auto model = golden_.load();
  save_model(*model, folder.path());
  const auto loaded = load_model(folder.path());
  EXPECT_EQ(loaded->config(), model->config());
  const std::vector<NamedTensor> ours = model->named_tensors(), theirs = loaded->named_tensors();
  ASSERT_EQ(ours.size(), theirs.size());
  for (size_t i = 0; i < ours.size(); ++i) {
    EXPECT_EQ(ours[i].name, theirs[i].name);
    EXPECT_TRUE(at::equal(ours[i].tensor->cpu(), *theirs[i].tensor)) << ours[i].name;
  }
  // Either spelling alone says all of it.
  const nlohmann::json written = load_json(folder / "config.json");
  nlohmann::json four = written, five = written;
  for (const char* key : {"rope_parameters", "dtype"}) four.erase(key);
  for (const char* key : {"rope_theta", "rope_scaling", "rope_local_base_freq", "torch_dtype",
                          "sliding_window_pattern", "max_window_layers"})
    five.erase(key);
  EXPECT_EQ(read_model_config(four), model->config());
  EXPECT_EQ(read_model_config(five), model->config());
}

TEST_P(Families, a_new_model_has_the_weights_of_a_stored_one) {
  const auto stored = golden_.load();
  const auto fresh = new_model(stored->config(), 1);
  ASSERT_EQ(fresh->named_tensors().size(), stored->named_tensors().size());
  for (size_t i = 0; i < fresh->named_tensors().size(); ++i) {
    const NamedTensor ours = fresh->named_tensors()[i];
    EXPECT_EQ(ours.name, stored->named_tensors()[i].name);
    EXPECT_EQ(ours.tensor->sizes(), stored->named_tensors()[i].tensor->sizes()) << ours.name;
    EXPECT_TRUE(ours.tensor->isfinite().all().item<bool>()) << ours.name;
  }
}

TEST_P(Families, a_key_that_nobody_knows_is_an_error_that_names_it) {
  nlohmann::json config = golden_.config();
  config["mystery_factor"] = false;
  EXPECT_NO_THROW(read_model_config(config));
  config["mystery_factor"] = 0.5;
  EXPECT_TRUE(says(message_of([&] { read_model_config(config); }), "\"mystery_factor\""));
}

INSTANTIATE_TEST_SUITE_P(Golden, Families, testing::ValuesIn(GoldenFamily::all()),
                         [](const auto& info) { return info.param; });

TEST(FamilyTable, every_family_has_a_golden_model) {
  const std::vector<std::string> golden = GoldenFamily::all();
  std::set<std::string> types;
  for (const std::string& name : golden)
    types.insert(GoldenFamily(name).config().at("model_type").get<std::string>());
  for (const std::string& type : model_types()) EXPECT_TRUE(types.contains(type)) << type;
}

TEST(FamilyTable, an_unknown_family_is_an_error_with_the_nearest_name) {
  const auto error = [](const char* type) {
    return message_of([&] { read_model_config({{"model_type", type}}); });
  };
  EXPECT_TRUE(says(error("qwen4"), "The nearest name is qwen"));
  EXPECT_TRUE(says(error("mamba2"), "supported families are llama, smollm3, mistral"));
  EXPECT_TRUE(says(error("gemma3"), "gemma3_text"));
}

}  // namespace
}  // namespace lathe
