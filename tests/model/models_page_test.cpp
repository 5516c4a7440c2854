// The table of docs/models.md: what was compared with transformers, and how near it came.
#include <gtest/gtest.h>

#include <cstdlib>

#include "lathe/model/family/family.h"
#include "tests/model/golden_family.h"

namespace lathe {
namespace {

const fs::path page = fs::path(LATHE_SOURCE_DIR) / "docs/models.md";
constexpr std::string_view begin_mark = "<!-- table: ";
constexpr std::string_view end_mark = "<!-- end of table -->";

/// What a model has beyond Llama, in words.
std::vector<std::string> features(const ModelConfig& c) {
  std::vector<std::string> list;
  const auto add = [&](bool has, const std::string& what) {
    if (has) list.push_back(what);
  };
  const bool all_local = c.layer_types.empty() && c.sliding_window;
  add(c.key_value_heads() < c.num_attention_heads, "grouped queries");
  add(all_local, "a window");
  add(!all_local && c.has_local_layers(), "local and global layers");
  add(std::count(c.no_rope_layers.begin(), c.no_rope_layers.end(), 0) > 0,
      "layers without rotation");
  add(c.rope_parameters.rope_type != "default", "RoPE " + c.rope_parameters.rope_type);
  add(c.local_rope_parameters.has_value(), "another RoPE in local layers");
  add(c.rope_parameters.partial_rotary_factor != 1, "part of a head rotated");
  add(c.attention_bias, "attention biases");
  add(c.qkv_bias, "biases of queries, keys, values");
  add(c.mlp_bias, "MLP biases");
  add(c.query_key_norm == QueryKeyNorm::head, "norm of each query and key");
  add(c.query_key_norm == QueryKeyNorm::projection, "norm of all queries and keys");
  add(c.norm_placement == NormPlacement::behind, "norms behind");
  add(c.norm_placement == NormPlacement::both, "norms before and behind");
  add(c.norm_offset != 0, "norm weights from 1");
  add(c.scale_embeddings, "scaled embeddings");
  add(c.query_pre_attn_scalar.has_value(), "scale of scores");
  add(c.attn_logit_softcapping.has_value(), "capped scores");
  add(c.final_logit_softcapping.has_value(), "capped logits");
  add(c.learned_positions, "learned positions");
  add(!c.scale_attn_weights, "scores as they are");
  add(c.scale_attn_by_inverse_layer_idx, "scores by layer");
  add(c.fused_projections, "fused projections");
  add(c.hidden_act != "silu", c.hidden_act);
  add(!c.use_parallel_residual, "attention and MLP in turn");
  add(c.num_experts > 0, c.has_experts(0) ? "experts" : "experts in some layers");
  add(c.tie_word_embeddings, "tied embeddings");
  return list;
}

/// In steps so wide that every processor is on the same one.
std::string rounded(double difference) {
  if (difference < 1e-5) return "< 1e-5";
  return difference < 1e-4 ? "< 1e-4" : "too much";
}

std::string row(const std::string& name) {
  const at::NoGradGuard no_grad;
  const GoldenFamily golden(name);
  const auto model = golden.load();
  const Tensor logits = model->logits(model->hidden_states({golden["ids"], {}, {}}));
  const Tensor expected = golden["continuation"];
  const bool same =
      at::equal(greedy(*model, golden["short"], expected.size(1), expected.size(1)), expected);
  const Family& family = family_of(model->config().model_type);
  return format("| `{}` | {} | {} | {} | {} |\n", family.model_type, family.models,
                fmt::join(features(model->config()), ", "),
                rounded(largest_difference(logits, golden["logits"]) /
                        golden["logits"].abs().max().item<double>()),
                same ? "equal" : "differs");
}

std::string table() {
  std::string text =
      "\n| `model_type` | models | in the tested model | logits within | greedy text |\n"
      "|---|---|---|---|---|\n";
  for (const Family* family : families())
    for (const std::string& name : GoldenFamily::all())
      if (GoldenFamily(name).config().at("model_type") == family->model_type) text += row(name);
  return text + "\n";
}

TEST(ModelsPage, has_the_table_that_this_test_makes) {
  const std::string text = read_file(page, 1'000'000);
  const size_t mark = text.find(begin_mark);
  const size_t end = text.find(end_mark);
  ASSERT_TRUE(mark < end && end != text.npos) << "the page has lost its marks";
  const size_t begin = text.find('\n', mark) + 1;
  const std::string made = table();
  if (std::getenv("LATHE_WRITE_PAGES") != nullptr)
    write_file_atomic(page, text.substr(0, begin) + made + text.substr(end));
  EXPECT_EQ(text.substr(begin, end - begin), made)
      << "write it with: LATHE_WRITE_PAGES=1 test_model --gtest_filter='ModelsPage.*'";
}

}  // namespace
}  // namespace lathe
