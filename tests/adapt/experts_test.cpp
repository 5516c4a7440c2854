// Adapters at the experts of a mixture: each reads the tokens that chose it.
#include <gtest/gtest.h>

#include "lathe/adapt/gguf_lora.h"
#include "lathe/adapt/row_adapters.h"
#include "lathe/model/files.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

struct AdaptersAtExperts : testing::TestWithParam<const char*> {
  std::unique_ptr<Model> model =
      load_model(fs::path(LATHE_TEST_DATA) / "golden" / "families" / GetParam(), at::kFloat);
  Tensor ids = at::arange(40, at::kLong).view({4, 10});

  Tensor hidden() const { return model->hidden_states({ids, {}, {}}); }
  /// One at all experts, with every number of it drawn, so that it does something.
  std::unique_ptr<Adapter> adapter(const char* peft_type) {
    AdapterOptions options;
    options.peft_type = peft_type;
    options.target_modules = {"*.experts.*"};
    if (options.peft_type == "IA3") options.feedforward_modules = {"*.w2", "*.down_proj"};
    if (options.peft_type == "LORA" || options.peft_type == "VERA") options.r = 2;
    auto made = Adapter::make(*model, options, 1);
    const at::NoGradGuard no_grad;
    at::Generator generator = at::detail::createCPUGenerator(5);
    for (const NamedTensor& each : made->named_tensors())
      each.tensor->add_(at::empty_like(*each.tensor).normal_(0, 0.2, generator));
    return made;
  }
};

TEST_P(AdaptersAtExperts, do_what_they_do_when_they_are_merged) {
  const Tensor base = hidden().detach();
  for (const char* peft_type : {"LORA", "IA3", "VERA"}) {
    const auto made = adapter(peft_type);
    const Tensor beside = hidden().detach();
    EXPECT_FALSE(at::allclose(beside, base, 1e-2)) << peft_type;
    made->merge();
    EXPECT_TRUE(at::allclose(hidden().detach(), beside, 1e-4, 1e-5)) << peft_type;
    model = load_model(fs::path(LATHE_TEST_DATA) / "golden" / "families" / GetParam(), at::kFloat);
  }
}

TEST_P(AdaptersAtExperts, learn) {
  for (const char* peft_type : {"LORA", "IA3", "VERA", "BOTTLENECK"}) {
    const auto made = adapter(peft_type);
    for (const NamedTensor& each : made->named_tensors()) each.tensor->requires_grad_(true);
    hidden().square().sum().backward();
    double sum = 0;
    for (const NamedTensor& each : made->named_tensors())
      if (each.tensor->grad().defined()) sum += each.tensor->grad().abs().sum().item<double>();
    EXPECT_GT(sum, 0) << peft_type;
    EXPECT_TRUE(std::isfinite(sum)) << peft_type;
  }
}

TEST_P(AdaptersAtExperts, cannot_differ_between_rows) {
  std::vector<std::unique_ptr<Adapter>> list;
  list.push_back(adapter("LORA"));
  list.push_back(adapter("LORA"));
  const Tensor before = hidden().detach();
  EXPECT_TRUE(says(message_of([&] { RowAdapters rows(list); }), "without experts, routers"));
  EXPECT_TRUE(at::equal(hidden().detach(), before)) << "and both are still in the model";
}

TEST_P(AdaptersAtExperts, have_no_words_in_llama_cpp) {
  const TemporaryFolder folder;
  const auto made = adapter("LORA");
  EXPECT_TRUE(says(message_of([&] { save_gguf_lora(*model, *made, folder / "lora.gguf"); }),
                   "leave experts out, or merge the adapter"));
}

INSTANTIATE_TEST_SUITE_P(All, AdaptersAtExperts, testing::Values("mixtral", "qwen3_moe"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace lathe
