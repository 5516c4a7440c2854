// Kinds of adapters at places that no other program has names for, and what all kinds promise.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lathe/adapt/adapter.h"
#include "lathe/adapt/drawing.h"
#include "lathe/adapt/gguf_lora.h"
#include "lathe/adapt/targets.h"
#include "lathe/base/file.h"
#include "lathe/io/gguf.h"
#include "lathe/io/json.h"
#include "lathe/model/files.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_model.h"

namespace lathe {
namespace {

AdapterOptions kind(const std::string& peft_type) {
  AdapterOptions options;
  options.peft_type = peft_type;
  if (peft_type == "LORA" || peft_type == "VERA") options.r = 2;
  return options;
}

AdapterOptions bottleneck(std::vector<std::string> targets) {
  AdapterOptions options = kind("BOTTLENECK");
  options.target_modules = std::move(targets);
  options.reduction_factor = 4;
  return options;
}

/// Every number of an adapter drawn, so that it does something.
void disturb(Adapter& adapter) {
  const at::NoGradGuard no_grad;
  at::Generator generator = at::detail::createCPUGenerator(5);
  for (const NamedTensor& each : adapter.named_tensors())
    each.tensor->add_(at::empty_like(*each.tensor).normal_(0, 0.2, generator));
}

struct AdapterKinds : testing::Test {
  std::unique_ptr<Model> model =
      load_model(fs::path(LATHE_TEST_DATA) / "golden" / "families" / "gpt2", at::kFloat);
  Tensor ids = at::arange(10, at::kLong).view({2, 5});

  Tensor hidden() const { return model->hidden_states({ids, {}, {}}).detach(); }
  std::string refusal(const AdapterOptions& options) {
    return message_of([&] { Adapter::make(*model, options, 1); });
  }
};

TEST_F(AdapterKinds, begin_as_the_model_and_leave_it_to_the_bit) {
  const Tensor before = hidden();
  std::vector<AdapterOptions> all = {kind("LORA"), kind("IA3"), kind("VERA"), kind("BITFIT")};
  for (const char* preset : {"houlsby", "pfeiffer", "parallel"}) {
    all.push_back(kind("BOTTLENECK"));
    all.back().preset = preset;
  }
  all.push_back(kind("LORA"));
  all.back().init_lora_weights = "pissa";
  all.push_back(kind("LORA"));
  all.back().target_modules = {"wte"};
  for (const AdapterOptions& options : all) {
    const auto adapter = Adapter::make(*model, options, 1);
    EXPECT_TRUE(at::equal(hidden(), before)) << options.peft_type << options.preset;
    disturb(*adapter);
    EXPECT_FALSE(at::allclose(hidden(), before, 1e-3)) << options.peft_type << options.preset;
  }
  EXPECT_TRUE(at::equal(hidden(), before)) << "they are gone";
}

TEST_F(AdapterKinds, come_back_from_files) {
  std::vector<AdapterOptions> all = {kind("LORA"), kind("IA3"), kind("VERA"), kind("BITFIT")};
  for (const auto& targets :
       std::vector<std::vector<std::string>>{{"all-attention", "all-mlp"},
                                             {"all-blocks"},
                                             {"wte", "h.0.attn", "h.1.mlp.c_fc"},
                                             {"*.h.[01].mlp"},
                                             {R"(transformer\.h\.(0|1)\.attn\.c_.*)"}})
    all.push_back(bottleneck(targets));
  for (const AdapterOptions& options : all) {
    const TemporaryFolder folder;
    auto adapter = Adapter::make(*model, options, 1);
    disturb(*adapter);
    const Tensor expected = hidden();
    const std::string note = adapter->save(folder.path(), "base");
    const bool has_words =
        options.peft_type != "BITFIT" &&
        (options.peft_type != "BOTTLENECK" || options.target_modules[0] == "all-attention" ||
         options.target_modules[0] == "*.h.[01].mlp");
    EXPECT_EQ(note.empty(), has_words) << note;
    adapter.reset();
    adapter = Adapter::load(*model, folder.path());
    EXPECT_TRUE(at::equal(hidden(), expected)) << options.peft_type;
  }
}

TEST_F(AdapterKinds, come_back_from_files_in_words_that_peft_understands) {
  const auto saved = [&](const AdapterOptions& options) {
    const TemporaryFolder folder;
    auto adapter = Adapter::make(*model, options, 1);
    disturb(*adapter);
    const Tensor expected = hidden();
    adapter->save(folder.path(), "base");
    adapter.reset();
    adapter = Adapter::load(*model, folder.path());
    EXPECT_TRUE(at::equal(hidden(), expected));
    return load_json(folder / "adapter_config.json");
  };
  AdapterOptions ia3 = kind("IA3");
  ia3.target_modules = {"all-linear"};
  nlohmann::json config = saved(ia3);
  EXPECT_EQ(config["target_modules"].size(), 8U);
  EXPECT_EQ(config["feedforward_modules"],
            nlohmann::json({"transformer.h.0.mlp.c_proj", "transformer.h.1.mlp.c_proj"}));
  ia3.target_modules = {"c_attn", "c_proj"};  // the second is in attention too
  EXPECT_EQ(saved(ia3)["feedforward_modules"], config["feedforward_modules"]);
  AdapterOptions lora = kind("LORA");
  lora.target_modules = {"all-linear"};
  EXPECT_EQ(saved(lora)["target_modules"], "all-linear");
  lora.layers_to_transform = {1};
  config = saved(lora);
  EXPECT_EQ(config["target_modules"].size(), 4U);
  EXPECT_TRUE(config["layers_to_transform"].is_null());
  lora.modules_to_save = {"h.1.mlp"};
  EXPECT_EQ(saved(lora)["target_modules"].size(), 2U) << "what is saved whole has no adapter";
  lora.layers_to_transform = {};
  lora.target_modules = {"wte", "c_fc"};
  lora.lora_dropout = 0.1;  // which embeddings do without, as in PEFT
  lora.modules_to_save = {"*.h.1.ln_?", "ln_f"};
  EXPECT_EQ(saved(lora)["modules_to_save"],
            nlohmann::json({"transformer.h.1.ln_1", "transformer.h.1.ln_2", "ln_f"}));
}

TEST_F(AdapterKinds, dora_sees_when_its_matrices_or_its_layer_change) {
  AdapterOptions dora = kind("LORA");
  dora.use_dora = true;
  auto adapter = Adapter::make(*model, dora, 1);
  const TemporaryFolder folder;
  adapter->save(folder.path(), "base");
  const auto expect_as_new = [&] {
    const Tensor found = hidden();
    adapter->save(folder.path(), "base");
    adapter.reset();
    adapter = Adapter::load(*model, folder.path());
    EXPECT_TRUE(at::equal(hidden(), found));
  };
  expect_as_new();
  disturb(*adapter);
  expect_as_new();
  const at::NoGradGuard no_grad;
  adapter->modules()[0]->site().weight->mul_(1.5);
  expect_as_new();
}

TEST_F(AdapterKinds, with_an_embedding_that_is_the_output_too_say_so) {
  AdapterOptions lora = kind("LORA");
  lora.modules_to_save = {"wte"};
  const TemporaryFolder folder;
  {
    const auto adapter = Adapter::make(*model, lora, 1);
    adapter->save(folder.path(), "base");
  }
  nlohmann::json config = load_json(folder / "adapter_config.json");
  EXPECT_EQ(config["ensure_weight_tying"], true);
  Adapter::load(*model, folder.path());
  config["ensure_weight_tying"] = false;  // PEFT's own, which leaves the output as it was
  write_file(folder / "adapter_config.json", config.dump());
  EXPECT_TRUE(says(message_of([&] { Adapter::load(*model, folder.path()); }), "they are one"));
  AdapterOptions ia3 = kind("IA3");
  ia3.modules_to_save = {"wte"};
  EXPECT_TRUE(says(refusal(ia3), "PEFT, which keeps them apart in files of IA3, has no word"));
}

TEST_F(AdapterKinds, of_peft_that_tie_an_adapted_embedding_adapt_the_output_too) {
  AdapterOptions lora = kind("LORA");
  lora.target_modules = {"wte", "lm_head"};
  const TemporaryFolder folder;
  const auto logits = [&] { return model->logits(hidden()).detach(); };
  auto adapter = Adapter::make(*model, lora, 1);
  disturb(*adapter);
  const Tensor expected = logits();
  adapter->save(folder.path(), "base");
  adapter.reset();
  nlohmann::json config = load_json(folder / "adapter_config.json");
  config["target_modules"] = {"transformer.wte"};
  config["ensure_weight_tying"] = true;
  write_file(folder / "adapter_config.json", config.dump());
  adapter = Adapter::load(*model, folder.path());
  EXPECT_TRUE(at::equal(logits(), expected));
}

TEST_F(AdapterKinds, are_called_one_behind_the_other_and_each_as_strongly_as_wanted) {
  const Tensor base = hidden();
  const auto first = Adapter::make(*model, kind("LORA"), 1);
  disturb(*first);
  const Tensor with_first = hidden();
  auto second = Adapter::make(*model, bottleneck({"all-mlp"}), 2);
  disturb(*second);
  EXPECT_FALSE(at::allclose(hidden(), with_first, 1e-3));
  second->set_strength(0);
  EXPECT_TRUE(at::equal(hidden(), with_first));
  second.reset();
  EXPECT_TRUE(at::equal(hidden(), with_first));
  first->set_strength(0);
  EXPECT_TRUE(at::equal(hidden(), base));
  first->set_strength(1);
  EXPECT_TRUE(at::equal(hidden(), with_first));
  EXPECT_TRUE(says(message_of([&] { first->set_strength(std::nan("")); }), "expected a number"));
}

TEST_F(AdapterKinds, that_are_merged_with_half_their_strength_do_half_as_much) {
  for (const char* each : {"LORA", "IA3", "VERA"}) {
    const TemporaryFolder folder;
    save_model(*model, folder.path());
    const auto copy = load_model(folder.path(), at::kFloat);
    auto adapter = Adapter::make(*copy, kind(each), 1);
    disturb(*adapter);
    adapter->set_strength(0.5);
    const Tensor expected = copy->hidden_states({ids, {}, {}}).detach();
    adapter->merge();
    EXPECT_TRUE(at::allclose(copy->hidden_states({ids, {}, {}}).detach(), expected, 1e-4, 1e-5))
        << each;
  }
}

TEST_F(AdapterKinds, the_bottleneck_reads_what_its_paper_says) {
  Tensor x = at::randn({2, 5, 16});
  Site site{"layers.0.mlp", SiteKind::mlp, 16, 16, nullptr};
  const auto base = [](const Tensor& h) { return 3 * h; };
  for (const char* preset : {"houlsby", "pfeiffer", "parallel"}) {
    auto adapter = [&] {
      AdapterOptions options = kind("BOTTLENECK");
      options.preset = preset;
      options.target_modules = {"h.0.mlp"};
      options.reduction_factor = 4;
      return Adapter::make(*model, options, 1);
    }();
    disturb(*adapter);
    const auto weights = adapter->named_tensors();
    const Tensor y = base(x);
    const std::string name = preset;
    const Tensor z = name == "houlsby" ? y : name == "pfeiffer" ? x + y : x;
    const Tensor inner = at::addmm(*weights[1].tensor, z.reshape({10, 16}), weights[0].tensor->t());
    const Tensor active = name == "houlsby" ? at::silu(inner) : at::relu(inner);
    const Tensor added = at::addmm(*weights[3].tensor, active, weights[2].tensor->t());
    const double scale = name == "parallel" ? 4 : 1;
    const Tensor expected = y + scale * added.view({2, 5, 16});
    EXPECT_TRUE(at::allclose((*adapter->modules()[0])(x, base), expected, 1e-5, 1e-5)) << preset;
  }
}

TEST_F(AdapterKinds, sit_where_names_globs_expressions_and_words_say) {
  const auto sites = [&](std::vector<std::string> targets) {
    std::vector<std::string> names;
    for (const Site& site : target_sites(bottleneck(std::move(targets)), *model))
      names.push_back(site.name);
    return names;
  };
  EXPECT_EQ(sites({"all-blocks"}),
            (std::vector<std::string>{"transformer.h.0", "transformer.h.1"}));
  EXPECT_EQ(sites({"h.1.attn"}), std::vector<std::string>{"transformer.h.1.attn"});
  EXPECT_EQ(sites({"transformer.h.[1-9].mlp"}), std::vector<std::string>{"transformer.h.1.mlp"});
  EXPECT_EQ(sites({R"(.*\.h\.\d+\.attn\.c_(attn|proj))"}).size(), 4U);
  EXPECT_EQ(sites({"*.attn.*"}).size(), 4U);
  EXPECT_EQ(sites({"wte"}), std::vector<std::string>{"transformer.wte"});
  EXPECT_TRUE(says(refusal(bottleneck({"nowhere"})), "nowhere names no place in the model"));
  EXPECT_TRUE(says(refusal(bottleneck({"(a+"})), "cannot be used"));
  EXPECT_TRUE(says(refusal(bottleneck({R"((a)\1)"})), "cannot be used"));
  EXPECT_TRUE(says(refusal(bottleneck({"((a{1,999}){1,999}){1,999}"})), "cannot be used"));
  EXPECT_TRUE(says(refusal(bottleneck({"(((.*)*)*)*x"})), "names no place")) << "at once";
  AdapterOptions lora = kind("LORA");
  lora.target_modules = {"mlp"};
  EXPECT_TRUE(says(refusal(lora), "mlp names no linear layer"));
}

TEST_F(AdapterKinds, with_settings_that_cannot_be_are_errors) {
  AdapterOptions options = bottleneck({"all-mlp"});
  for (const double factor : {0.0, -1.0, std::nan(""), 1e-9}) {
    options.reduction_factor = factor;
    EXPECT_TRUE(says(refusal(options), "reduction_factor"));
  }
  options = bottleneck({"all-mlp"});
  for (const char* scaling : {"nan", "-1", "0", "", "much", "inf"}) {
    options.scaling = scaling;
    EXPECT_TRUE(says(refusal(options), "scaling: expected")) << scaling;
  }
  options = bottleneck({"all-mlp"});
  options.non_linearity = "sinus";
  EXPECT_TRUE(says(refusal(options), "sinus"));
  options = bottleneck({"wte"});
  options.is_parallel = true;
  EXPECT_TRUE(says(refusal(options), "beside an embedding"));
  options = bottleneck({"all-mlp"});
  options.use_dora = true;
  EXPECT_TRUE(says(refusal(options), "use_dora: BOTTLENECK has no such setting"));
  options = kind("IA3");
  options.r = 3;
  EXPECT_TRUE(says(refusal(options), "r: IA3 has no such setting"));
  const auto without_biases = new_model(small_config(), 1);
  EXPECT_TRUE(
      says(message_of([&] { Adapter::make(*without_biases, kind("BITFIT"), 1); }), "no biases"));
}

TEST_F(AdapterKinds, are_written_for_llama_cpp_where_it_has_words_for_them) {
  const TemporaryFolder folder;
  const auto file = [&](const AdapterOptions& options) {
    const auto adapter = Adapter::make(*model, options, 1);
    disturb(*adapter);
    return message_of([&] { save_gguf_lora(*model, *adapter, folder / "lora.gguf"); });
  };
  AdapterOptions lora = kind("LORA");
  lora.use_rslora = true;
  lora.target_modules = {"c_attn"};
  EXPECT_EQ(file(lora), "no error");
  const GgufFile written(folder / "lora.gguf");
  ASSERT_EQ(written.tensors().size(), 4U);
  EXPECT_EQ(written.at("blk.1.attn_qkv.weight.lora_a").shape, (std::vector<int64_t>{2, 16}));
  EXPECT_EQ(written.at("blk.1.attn_qkv.weight.lora_b").shape, (std::vector<int64_t>{48, 2}));
  lora.use_dora = true;
  EXPECT_TRUE(says(file(lora), "llama.cpp has no DoRA"));
  lora = kind("LORA");
  lora.modules_to_save = {"wpe"};
  EXPECT_TRUE(says(file(lora), "modules_to_save"));
  lora = kind("LORA");
  lora.lora_bias = true;
  EXPECT_TRUE(says(file(lora), "no biases"));
  lora = kind("LORA");
  lora.target_modules = {"wte"};
  EXPECT_TRUE(says(file(lora), "embedding and output layer are one"));
  EXPECT_TRUE(says(file(kind("IA3")), "LoRA alone"));
}

TEST_F(AdapterKinds, drop_at_random_where_a_batch_brings_a_seed) {
  for (const char* each : {"LORA", "DORA", "VERA", "BOTTLENECK"}) {
    const bool dora = std::string(each) == "DORA";
    AdapterOptions options = kind(dora ? "LORA" : each);
    options.use_dora = dora;
    (std::string(each) == "VERA"         ? options.vera_dropout
     : std::string(each) == "BOTTLENECK" ? options.dropout
                                         : options.lora_dropout) = 0.5;
    const auto adapter = Adapter::make(*model, options, 1);
    disturb(*adapter);
    const auto with_seed = [&](std::optional<uint64_t> seed) {
      ModelInput input{ids, {}, {}};
      input.adapters.dropout_seed = seed;
      return model->hidden_states(input);
    };
    const Tensor without = with_seed({}).detach();
    EXPECT_TRUE(at::equal(hidden(), without)) << each;
    EXPECT_FALSE(at::allclose(with_seed(1), without, 1e-3)) << each;
    EXPECT_FALSE(at::allclose(with_seed(1), with_seed(2), 1e-3)) << each;
    Tensor* weight = adapter->named_tensors()[0].tensor;
    weight->requires_grad_(true);
    const auto gradient = [&](bool again) {
      model->set_gradient_checkpointing(again);
      weight->mutable_grad() = Tensor();
      with_seed(1).square().sum().backward();
      model->set_gradient_checkpointing(false);
      return weight->grad().clone();
    };
    EXPECT_TRUE(at::equal(gradient(false), gradient(true))) << each << ", computed again";
  }
}

TEST_F(AdapterKinds, are_drawn_with_layers_that_are_alike_once) {
  AdapterOptions options = bottleneck({"all-mlp", "h.1.attn", "wte"});
  const auto adapter = Adapter::outline(*model, options);
  const std::string drawing = draw(*adapter, *model);
  for (const char* part :
       {"outside of the layers\n  transformer.wte", "layer 0\n  mlp", "layer 1\n  attn",
        "bottleneck, 16 > 4 > 16", "behind the addition", "at 4 places"})
    EXPECT_NE(drawing.find(part), drawing.npos) << part << "\n" << drawing;
  const std::string alike = draw(*Adapter::make(*model, kind("IA3"), 1), *model);
  EXPECT_NE(alike.find("layers 0 to 1, each\n  attn.c_attn"), alike.npos) << alike;
  EXPECT_NE(alike.find("factors of what it reads"), alike.npos);
}

TEST_F(AdapterKinds, are_drawn_as_their_directory_says) {
  const TemporaryFolder folder;
  Adapter::make(*model, kind("IA3"), 1)->save(folder.path(), "base");
  const fs::path config = folder / "adapter_config.json";
  nlohmann::json all = load_json(config);
  all["feedforward_modules"] = nlohmann::json::array();
  write_file_atomic(config, all.dump());
  const std::string drawing = draw(*Adapter::outline(*model, folder.path()), *model);
  EXPECT_EQ(drawing.find("factors of what it reads"), drawing.npos) << drawing;
}

TEST_F(AdapterKinds, of_adapterhub_that_cannot_be_followed_are_errors) {
  const TemporaryFolder folder;
  Adapter::make(*model, bottleneck({"all-mlp"}), 1)->save(folder.path(), "base");
  const std::string good = read_file(folder / "adapter_config.json");
  const auto loading = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const size_t at = text.find(from);
    EXPECT_NE(at, text.npos) << from;
    write_file_atomic(folder / "adapter_config.json", text.replace(at, from.size(), to));
    return message_of([&] { Adapter::load(*model, folder.path()); });
  };
  EXPECT_EQ(loading("\"default\"", "\"default\""), "no error");
  EXPECT_TRUE(says(loading("\"ln_before\": false", "\"ln_before\": true"), "\"ln_before\""));
  EXPECT_TRUE(says(loading("\"use_gating\": false", "\"use_gating\": true"), "\"use_gating\""));
  EXPECT_TRUE(says(loading("\"residual_before_ln\": true", "\"residual_before_ln\": false"),
                   "residual_before_ln"));
  EXPECT_TRUE(says(loading("\"name\": \"default\"", "\"name\": \"other\""), "other.adapter_down"));
  EXPECT_TRUE(says(loading("\"reduction_factor\": 4.0", "\"reduction_factor\": 8.0"), "shape"));
  EXPECT_TRUE(says(loading("\"scaling\": 1.0", "\"scaling\": \"channel\""), "learned"));
  EXPECT_TRUE(says(loading("\"output_adapter\": true", "\"output_adapter\": false"), "nowhere"));
  fs::remove(folder / "adapter.safetensors");
  EXPECT_TRUE(says(loading("\"default\"", "\"default\""), "pickled"));
}

}  // namespace
}  // namespace lathe
