// Several adapters in one batch, each row with its own.
#include "lathe/adapt/row_adapters.h"

#include <gtest/gtest.h>

#include "lathe/generate/generate.h"
#include "tests/support/errors.h"
#include "tests/support/tiny_model.h"

namespace lathe {
namespace {

AdapterOptions options_for(size_t i) {
  AdapterOptions o;
  const char* kinds[] = {"LORA", "LORA", "LORA", "LORA", "IA3", "VERA", "BOTTLENECK", "BOTTLENECK"};
  o.peft_type = kinds[i];
  if (o.peft_type == "LORA") o.r = static_cast<int64_t>(i) + 1;  // ranks differ
  if (o.peft_type == "VERA") o.r = 4;
  if (i == 1) o.target_modules = {"q_proj", "embed_tokens"};
  if (i == 2) o.use_dora = true;
  if (i == 3) o.init_lora_weights = "pissa";
  if (i == 6) o.preset = "houlsby";
  if (i == 7) o.preset = "parallel";
  return o;
}

/// Counts how often the layer below it is called.
class Counter final : public SiteAdapter {
 public:
  Tensor operator()(const Tensor& x, const Base& base) const override {
    ++calls;
    return base(x);
  }
  mutable int64_t calls = 0;
};

struct RowAdaptersTest : testing::Test {
  std::unique_ptr<Model> model = new_model(small_config(), 1);
  Tensor ids = at::arange(48, at::kLong).view({8, 6});

  std::unique_ptr<Adapter> adapter(size_t i) {
    auto made = Adapter::make(*model, options_for(i), i);
    const at::NoGradGuard no_grad;
    at::Generator generator = at::detail::createCPUGenerator(i);
    for (const NamedTensor& each : made->named_tensors())
      each.tensor->add_(at::empty_like(*each.tensor).normal_(0, 0.2, generator));
    return made;
  }
  std::vector<std::unique_ptr<Adapter>> all_adapters() {
    std::vector<std::unique_ptr<Adapter>> list;
    for (size_t i = 0; i < 8; ++i) list.push_back(adapter(i));
    return list;
  }
  Tensor hidden(const Tensor& rows, std::vector<int64_t> adapters = {}) {
    ModelInput input{rows, {}, {}};
    input.adapters.rows = std::move(adapters);
    return model->hidden_states(input);
  }
};

TEST_F(RowAdaptersTest, give_each_row_what_its_adapter_gives_alone) {
  std::vector<Tensor> alone;
  for (int64_t i = 0; i < 8; ++i) {
    const auto one = adapter(static_cast<size_t>(i));
    alone.push_back(hidden(ids.narrow(0, i, 1)).detach());
  }
  const Tensor base = hidden(ids).detach();
  {
    const RowAdapters rows(all_adapters());
    const Tensor together = hidden(ids, {0, 1, 2, 3, 4, 5, 6, 7}).detach();
    for (int64_t i = 0; i < 8; ++i) {
      EXPECT_TRUE(at::allclose(together[i], alone[static_cast<size_t>(i)][0], 1e-4, 1e-5)) << i;
      EXPECT_FALSE(at::allclose(together[i], base[i], 1e-2)) << i;
    }
    const Tensor other = hidden(ids, {-1, 1, -1, -1, 4, 4, -1, -1}).detach();
    EXPECT_TRUE(at::allclose(other[1], alone[1][0], 1e-4, 1e-5));
    EXPECT_TRUE(at::allclose(other[4], alone[4][0], 1e-4, 1e-5));
    for (const int64_t row : {0, 2, 3, 6, 7}) EXPECT_TRUE(at::equal(other[row], base[row])) << row;
  }
  EXPECT_TRUE(at::equal(hidden(ids).detach(), base)) << "they are gone";
}

TEST_F(RowAdaptersTest, learn_each_from_its_own_rows) {
  auto list = all_adapters();
  std::vector<NamedTensor> first = list[0]->named_tensors(), last = list[7]->named_tensors();
  for (const auto* tensors : {&first, &last})
    for (const NamedTensor& each : *tensors) each.tensor->requires_grad_(true);
  const RowAdapters rows(list);
  hidden(ids.narrow(0, 0, 2), {0, 3}).square().sum().backward();
  for (const NamedTensor& each : first)
    EXPECT_GT(each.tensor->grad().abs().max().item<double>(), 0);
  for (const NamedTensor& each : last) EXPECT_FALSE(each.tensor->grad().defined());
}

TEST_F(RowAdaptersTest, do_as_much_as_their_strength_says) {
  const Tensor base = hidden(ids).detach();
  const auto list = all_adapters();
  const RowAdapters rows(list);
  const std::vector<int64_t> adapters = {0, 1, 2, 3, 4, 5, 6, 7};
  const Tensor whole = hidden(ids, adapters).detach();
  list[0]->set_strength(0);
  const Tensor without = hidden(ids, adapters).detach();
  EXPECT_TRUE(at::allclose(without[0], base[0], 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(without[1], whole[1], 1e-5, 1e-6));
}

TEST_F(RowAdaptersTest, drop_each_its_own_share) {
  std::vector<std::unique_ptr<Adapter>> list;
  for (const double share : {0.0, 0.9}) {
    AdapterOptions o = options_for(0);
    o.lora_dropout = share;
    list.push_back(Adapter::make(*model, o, 1));
    const at::NoGradGuard no_grad;
    for (const NamedTensor& each : list.back()->named_tensors()) each.tensor->fill_(0.3);
  }
  const RowAdapters rows(list);
  ModelInput input{ids.narrow(0, 0, 1).repeat({4, 1}), {}, {}};
  for (const auto& order : {std::vector<int64_t>{0, 0, 1, 1}, {1, 1, 0, 0}}) {
    input.adapters = {.rows = order, .dropout_seed = 3};
    const Tensor h = model->hidden_states(input).detach();
    const int64_t dropping = order[0] == 1 ? 0 : 2, keeping = 2 - dropping;
    EXPECT_TRUE(at::equal(h[keeping], h[keeping + 1]));
    EXPECT_FALSE(at::allclose(h[dropping], h[dropping + 1], 1e-2));
  }
}

TEST_F(RowAdaptersTest, decode_with_one_forward_pass_a_step) {
  const RowAdapters rows(all_adapters());
  const auto counter = std::make_shared<Counter>();
  for (const Site& site : model->sites())
    if (site.name == "model.layers.0") site.slot->push_back(counter);
  const at::NoGradGuard no_grad;
  KvCache cache = model->new_cache(8, 10);
  const std::vector<int64_t> adapters = {0, 1, 2, 3, 4, 5, 6, 7};
  for (int64_t step = 0; step < 6; ++step) {
    ModelInput input{ids.narrow(1, step, 1), {}, {}};
    input.adapters.rows = adapters;
    const Tensor h = model->hidden_states(input, &cache);
    EXPECT_EQ(counter->calls, step + 1);
    if (step < 5) continue;
    const Tensor whole = hidden(ids, adapters);
    EXPECT_TRUE(at::allclose(h.select(1, 0), whole.select(1, 5), 1e-4, 1e-5));
  }
}

TEST_F(RowAdaptersTest, need_to_be_chosen_and_to_be_there) {
  {
    const RowAdapters rows(all_adapters());
    EXPECT_TRUE(says(message_of([&] { hidden(ids); }), "expected which one each row uses"));
    EXPECT_TRUE(says(message_of([&] {
                       hidden(ids, {0, 0, 0, 0, 0, 0, 0, 8});
                     }),
                     "expected an adapter's number below 8"));
  }
  AdapterOptions o = options_for(0);
  o.modules_to_save = {"lm_head"};
  std::vector<std::unique_ptr<Adapter>> list;
  list.push_back(Adapter::make(*model, o, 1));
  EXPECT_TRUE(says(message_of([&] { RowAdapters rows(list); }), "modules_to_save"));
}

}  // namespace
}  // namespace lathe
