#include "lathe/adapt/adapter.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lathe/adapt/files.h"
#include "lathe/base/file.h"
#include "lathe/io/json.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_model.h"

namespace lathe {
namespace {

struct Adapters : testing::Test {
  std::unique_ptr<Model> model = new_model(small_config(), 1);
  Tensor ids = at::arange(10, at::kLong).view({2, 5});

  Tensor hidden() const { return model->hidden_states({ids, {}, {}}).detach(); }
  std::vector<std::string> names(const AdapterOptions& options) {
    const auto adapter = Adapter::make(*model, options, 1);
    std::vector<std::string> list;
    for (const NamedTensor& weight : adapter->named_tensors()) list.push_back(weight.name);
    return list;
  }
  std::string refusal(const AdapterOptions& options) {
    return message_of([&] { Adapter::make(*model, options, 1); });
  }
};

AdapterOptions lora(std::vector<std::string> targets) {
  AdapterOptions options;
  options.peft_type = "LORA";
  options.r = 2;
  options.target_modules = std::move(targets);
  return options;
}

TEST_F(Adapters, a_new_one_leaves_the_model_as_it_was_to_the_bit) {
  const Tensor before = hidden();
  for (const bool dora : {false, true}) {
    AdapterOptions options = lora({"all-linear"});
    options.use_dora = dora;
    const auto adapter = Adapter::make(*model, options, 1);
    EXPECT_TRUE(dora ? at::allclose(hidden(), before, 1e-5, 1e-6) : at::equal(hidden(), before));
    EXPECT_GT(adapter->named_tensors()[0].tensor->abs().sum().item<double>(), 0);
  }
  EXPECT_TRUE(at::equal(hidden(), before)) << "it is gone";
}

TEST_F(Adapters, of_a_classifier_that_peft_wrote_have_a_label_for_each_output) {
  ModelConfig config = small_config();
  config.labels = {"good", "bad", "so-so"};
  config.problem_type = "single_label_classification";
  model = new_model(config, 1);
  const TemporaryFolder folder;
  Adapter::make(*model, lora({"q_proj"}), 1)->save(folder.path(), "base");
  EXPECT_EQ(read_adapter_facts(folder.path()).labels, config.labels);
  nlohmann::json saved = load_json(folder / "adapter_config.json");
  EXPECT_EQ(saved["task_type"], "SEQ_CLS");
  saved.erase("labels");
  saved.erase("problem_type");
  write_file_atomic(folder / "adapter_config.json", saved.dump());
  const AdapterFacts facts = read_adapter_facts(folder.path());
  EXPECT_EQ(facts.labels, (std::vector<std::string>{"LABEL_0", "LABEL_1", "LABEL_2"}));
  EXPECT_EQ(facts.problem_type, "single_label_classification");
}

TEST_F(Adapters, sit_at_the_layers_that_are_named) {
  EXPECT_EQ(names(lora({"all-linear"})).size(), 28U);
  AdapterOptions options = lora({"q_proj", "mlp.up_proj"});
  options.exclude_modules = {"layers.0.self_attn.q_proj"};
  EXPECT_EQ(names(options), (std::vector<std::string>{
                                "base_model.model.model.layers.0.mlp.up_proj.lora_A.weight",
                                "base_model.model.model.layers.0.mlp.up_proj.lora_B.weight",
                                "base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight",
                                "base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight",
                                "base_model.model.model.layers.1.mlp.up_proj.lora_A.weight",
                                "base_model.model.model.layers.1.mlp.up_proj.lora_B.weight"}));
  options.layers_to_transform = {0};
  EXPECT_EQ(names(options).size(), 2U);
  options.modules_to_save = {"lm_head"};
  EXPECT_EQ(names(options).back(), "base_model.model.lm_head.weight");
  options.modules_to_save = {"layers.1.mlp"};
  EXPECT_EQ(names(options).back(), "base_model.model.model.layers.1.mlp.down_proj.weight");
  EXPECT_EQ(names(options).size(), 5U);
}

TEST_F(Adapters, settings_that_cannot_be_are_errors) {
  EXPECT_TRUE(says(refusal(lora({"x_proj"})), "x_proj names no linear layer; there are"));
  AdapterOptions options = lora({"q_proj"});
  options.r = 0;
  EXPECT_TRUE(says(refusal(options), "r: expected 1"));
  options.r = 17;
  EXPECT_TRUE(says(refusal(options), "r: 17 is larger than the layer"));
  options.r = 17;
  options.target_modules = {"q_proj", "up_proj"};  // 24 wide; the first site is refused later
  options.rank_pattern = {{"layers.0.self_attn.q_proj", 2}};
  const Tensor before = hidden();
  EXPECT_TRUE(says(refusal(options), "r: 17 is larger than the layer"));
  EXPECT_TRUE(at::equal(hidden(), before)) << "nothing is left of it";
  options = AdapterOptions();
  options.peft_type = "BITFIT";
  options.target_modules = {"q_proj"};
  EXPECT_TRUE(says(refusal(options), "sits at no layer"));
  options = lora({"q_proj"});
  options.modules_to_save = {"lm_haed"};
  EXPECT_TRUE(says(refusal(options), "modules_to_save: lm_haed names no module"));
  options = lora({"q_proj"});
  for (const double alpha : {-1.0, 0.0, std::nan("")}) {
    options.lora_alpha = alpha;
    EXPECT_TRUE(says(refusal(options), "lora_alpha: expected a number above 0"));
  }
}

TEST_F(Adapters, of_another_base_or_damaged_are_errors) {
  const TemporaryFolder folder;
  Adapter::make(*model, lora({"q_proj"}), 1)->save(folder.path(), "base");
  const auto loading = [&](Model& base) {
    return message_of([&] { Adapter::load(base, folder.path()); });
  };
  EXPECT_EQ(loading(*model), "no error");
  ModelConfig wider = small_config();
  wider.hidden_size = 32;
  EXPECT_TRUE(says(loading(*new_model(wider, 1)), "expected the shape"));
  ModelConfig deeper = small_config();
  deeper.num_hidden_layers = 3;
  EXPECT_TRUE(says(loading(*new_model(deeper, 1)), "layers.2"));
  ModelConfig flatter = small_config();
  flatter.num_hidden_layers = 1;
  EXPECT_TRUE(says(loading(*new_model(flatter, 1)), "that of another base"));

  const auto with_config = [&](const std::string& text) {
    write_file_atomic(folder / "adapter_config.json", text);
    return loading(*model);
  };
  const std::string begin = R"({"peft_type": "LORA", "r": 2, "target_modules": )";
  EXPECT_TRUE(says(with_config(begin + "\"(a+)+$\"}"), "names no linear layer"));
  EXPECT_TRUE(says(with_config(begin + R"(["q_proj"], "use_qalora": true})"), "use_qalora"));
  EXPECT_TRUE(says(with_config(begin + R"(["q_proj"], "rank_pattern": {"(a+)+": 3}})"),
                   "regular expressions"));
  EXPECT_TRUE(says(with_config(begin + R"(["q_proj"], "r": -3})"), "r"));
  for (const char* layers :
       {R"(["0"])", R"("all")", "{}", "[null]", "[1.9]", "9223372036854775808"})
    EXPECT_TRUE(says(with_config(begin + R"(["q_proj"], "layers_to_transform": )" + layers + "}"),
                     "numbers of layers"))
        << layers;
  EXPECT_TRUE(says(with_config(begin + R"(["q_proj"], "rank_pattern": {"q_proj": 2.5}})"),
                   "expected a number"));
  EXPECT_TRUE(says(with_config(begin + R"(["q_proj"], "init_lora_weights": "olora"})"),
                   "a base that was changed"));
  EXPECT_TRUE(says(with_config(R"({"peft_type": "IA3"})"), "\"target_modules\": expected"));
  EXPECT_TRUE(says(with_config(R"({"peft_type": "LOHA"})"), "expected LORA, IA3"));
}

}  // namespace
}  // namespace lathe
