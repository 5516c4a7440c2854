#include "lathe/model/gguf_rope.h"

#include <cmath>
#include <numbers>

#include "lathe/base/error.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

constexpr const char* llama3_tensor = "rope_freqs.weight";
constexpr const char* long_tensor = "rope_factors_long.weight";
constexpr const char* short_tensor = "rope_factors_short.weight";
/// What Llama 3 divides the frequencies by (see Rotary::llama3), in float32 and in the order of
/// llama.cpp's converter.
std::vector<float> llama3_factors(const RopeParameters& rope, int64_t size) {
  const auto original = static_cast<double>(rope.original_max_position_embeddings.value_or(1));
  const double low = rope.low_freq_factor.value_or(1), high = rope.high_freq_factor.value_or(4);
  const double factor = rope.factor.value_or(1);
  const Tensor exponents = at::arange(0, size, 2, at::kFloat) / size;
  const Tensor waves =
      2 * std::numbers::pi / (1.0 / at::pow(at::Scalar(rope.rope_theta), exponents));
  const Tensor smooth = (original / waves - low) / (high - low);
  Tensor factors = 1.0 / ((1 - smooth) / factor + smooth);
  factors = at::where(waves < original / high, at::ones({}), factors);
  factors = at::where(waves > original / low, at::full({}, factor, at::kFloat), factors);
  const auto* numbers = factors.const_data_ptr<float>();
  return {numbers, numbers + factors.numel()};
}

bool nearly_equal(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (!(std::fabs(a[i] - b[i]) <= 1e-4F * std::fabs(b[i]))) return false;
  return true;
}

/// The parameters of Llama 3 that give these factors, as far as models have them; where none do,
/// the factors themselves.
void read_factors(const std::vector<float>& factors, ModelConfig& c) {
  RopeParameters& rope = c.rope_parameters;
  rope.rope_type = "llama3";
  rope.factor = shortest(*std::max_element(factors.begin(), factors.end()));
  rope.low_freq_factor = 1;
  rope.high_freq_factor = 4;
  for (int64_t original = 1 << 20; original >= 1; original /= 2) {
    rope.original_max_position_embeddings = original;
    if (nearly_equal(llama3_factors(rope, c.rotated_size(rope)), factors)) return;
  }
  RopeParameters searched;
  searched.rope_type = "longrope";
  searched.rope_theta = rope.rope_theta;
  searched.partial_rotary_factor = rope.partial_rotary_factor;
  searched.original_max_position_embeddings = c.max_position_embeddings;
  searched.attention_factor = 1;
  for (const float factor : factors) searched.long_factor.push_back(shortest(factor));
  searched.short_factor = searched.long_factor;
  rope = searched;
}

/// What transformers takes for the factor on cosines and sines where nothing says it.
double longrope_attention(const ModelConfig& c) {
  const RopeParameters& rope = c.rope_parameters;
  const auto original = static_cast<double>(
      rope.original_max_position_embeddings.value_or(c.max_position_embeddings));
  const double factor =
      rope.factor.value_or(static_cast<double>(c.max_position_embeddings) / original);
  return factor <= 1 ? 1.0 : std::sqrt(1 + std::log(factor) / std::log(original));
}

void visit_longrope(GgufKeys& keys, ModelConfig& c, const GgufContents* contents) {
  RopeParameters& rope = c.rope_parameters;
  keys.write("rope.scaling.type", "longrope");
  keys("rope.scaling.original_context_length", rope.original_max_position_embeddings,
       longest_context);
  double attention = rope.attention_factor.value_or(longrope_attention(c));
  keys("rope.scaling.attn_factor", attention);
  if (keys.reads()) {
    for (const float factor : contents->numbers(long_tensor))
      rope.long_factor.push_back(shortest(factor));
    for (const float factor : contents->numbers(short_tensor))
      rope.short_factor.push_back(shortest(factor));
  }
  // Said only where it does not follow from the rest.
  rope.factor.reset();
  if (std::fabs(attention - longrope_attention(c)) < 1e-6)
    rope.attention_factor.reset();
  else
    rope.attention_factor = attention;
  for (std::vector<double>* factors : {&rope.long_factor, &rope.short_factor})
    for (double& factor : *factors) factor = shortest(factor);
}

void read_scaling_type(const GgufKeys& keys, const GgufContents& contents, ModelConfig& c) {
  const std::string key = keys.key("rope.scaling.type");
  const std::string_view type = keys.metadata().get_string_or(key, "none");
  RopeParameters& rope = c.rope_parameters;
  if (contents.has(long_tensor)) {
    rope.rope_type = "longrope";
  } else if (type == "linear" || type == "yarn") {
    rope.rope_type = type;
  } else if (type != "none" && type != "longrope") {
    fail("{}: expected none, linear, yarn or longrope, found {}", show_text(key), show_text(type));
  }
}

}  // namespace

void visit_gguf_rope(GgufKeys& keys, ModelConfig& c, const GgufContents* contents) {
  RopeParameters& rope = c.rope_parameters;
  keys("rope.freq_base", rope.rope_theta);
  int64_t rotated = c.rotated_size(rope);
  keys("rope.dimension_count", rotated, 2, c.head_size());
  rope.partial_rotary_factor = static_cast<double>(rotated) / static_cast<double>(c.head_size());
  if (keys.reads()) read_scaling_type(keys, *contents, c);
  if (rope.rope_type == "longrope") return visit_longrope(keys, c, contents);
  if (rope.rope_type == "linear" || rope.rope_type == "yarn") {
    keys.write("rope.scaling.type", rope.rope_type);
    keys("rope.scaling.factor", rope.factor);
  }
  if (rope.rope_type == "yarn")
    keys("rope.scaling.original_context_length", rope.original_max_position_embeddings,
         longest_context);
  if (keys.reads() && contents->has(llama3_tensor))
    read_factors(contents->numbers(llama3_tensor), c);
  if (!keys.reads() && !keys.writes() && rope.rope_type == "llama3")
    read_factors(llama3_factors(rope, c.rotated_size(rope)), c);  // as it will be read
}

std::vector<GgufFactors> gguf_rope_factors(const ModelConfig& c) {
  const RopeParameters& rope = c.rope_parameters;
  if (rope.rope_type == "llama3")
    return {{llama3_tensor, llama3_factors(rope, c.rotated_size(rope))}};
  if (rope.rope_type != "longrope") return {};
  const auto floats = [](const std::vector<double>& values) {
    return std::vector<float>(values.begin(), values.end());
  };
  return {{long_tensor, floats(rope.long_factor)}, {short_tensor, floats(rope.short_factor)}};
}

}  // namespace lathe
