#include "lathe/model/rotary.h"

#include <numbers>

namespace lathe {
namespace {

struct Frequencies {
  Tensor inverse;               // (D/2) float32
  double attention_factor = 1;  // on cosines and sines
};

/// base^(2i/D) for i = 0 .. D/2-1, float32.
Tensor wavelengths(double base, int64_t width) {
  const Tensor exponent = at::arange(0, width, 2, at::kLong).to(at::kFloat) / width;
  return at::pow(at::Scalar(base), exponent);
}

/// "NTK-aware" scaling that grows with the text (transformers, rope_type dynamic).
Frequencies dynamic(const ModelConfig& c, int64_t length) {
  const double longest = static_cast<double>(c.max_position_embeddings);
  const double now = std::max(static_cast<double>(length), longest);
  const double width = static_cast<double>(c.head_size());
  const double factor = *c.rope_parameters.factor;
  const double base = c.rope_parameters.rope_theta *
                      std::pow(factor * now / longest - (factor - 1), width / (width - 2));
  return {1.0 / wavelengths(base, c.head_size())};
}

/// YaRN (Peng et al. 2023, arXiv:2309.00071): fast waves are kept, slow ones interpolated.
Frequencies yarn(const ModelConfig& c) {
  const RopeParameters& rope = c.rope_parameters;
  const double width = static_cast<double>(c.head_size());
  const double original = static_cast<double>(
      rope.original_max_position_embeddings.value_or(c.max_position_embeddings));
  const double factor =
      rope.factor.value_or(static_cast<double>(c.max_position_embeddings) / original);
  const auto dimension = [&](double rotations) {
    return width * std::log(original / (rotations * 2 * std::numbers::pi)) /
           (2 * std::log(rope.rope_theta));
  };
  double low = dimension(rope.beta_fast.value_or(32));
  double high = dimension(rope.beta_slow.value_or(1));
  if (rope.truncate.value_or(true)) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, width - 1);
  if (low == high) high += 0.001;
  const Tensor waves = wavelengths(rope.rope_theta, c.head_size());
  const Tensor ramp =
      at::clamp((at::arange(c.head_size() / 2, at::kFloat) - low) / (high - low), 0, 1);
  const Tensor kept = 1 - ramp;
  const auto magnitude = [&](double m) {
    return factor <= 1 ? 1.0 : 0.1 * m * std::log(factor) + 1;
  };
  double attention = magnitude(1);
  if (rope.mscale.value_or(0) != 0 && rope.mscale_all_dim.value_or(0) != 0)
    attention = magnitude(*rope.mscale) / magnitude(*rope.mscale_all_dim);
  return {1.0 / (factor * waves) * (1 - kept) + 1.0 / waves * kept,
          rope.attention_factor.value_or(attention)};
}

/// LongRoPE (Ding et al. 2024, arXiv:2402.13753): searched factors, one set for short texts.
Frequencies longrope(const ModelConfig& c, int64_t length) {
  const RopeParameters& rope = c.rope_parameters;
  const int64_t original =
      rope.original_max_position_embeddings.value_or(c.max_position_embeddings);
  const double factor = rope.factor.value_or(static_cast<double>(c.max_position_embeddings) /
                                             static_cast<double>(original));
  const Tensor scale =
      at::tensor(length > original ? rope.long_factor : rope.short_factor, at::kFloat);
  const double attention =
      factor <= 1 ? 1.0 : std::sqrt(1 + std::log(factor) / std::log(static_cast<double>(original)));
  return {1.0 / (scale * wavelengths(rope.rope_theta, c.head_size())),
          rope.attention_factor.value_or(attention)};
}

/// Llama 3.1: long waves are divided by the factor, short ones kept, those between interpolated.
Frequencies llama3(const ModelConfig& c) {
  const RopeParameters& rope = c.rope_parameters;
  const double original = static_cast<double>(*rope.original_max_position_embeddings);
  const double low = *rope.low_freq_factor;
  const double high = *rope.high_freq_factor;
  const Tensor inverse = 1.0 / wavelengths(rope.rope_theta, c.head_size());
  const Tensor wave = 2 * std::numbers::pi / inverse;
  const Tensor scaled = at::where(wave > original / low, inverse / *rope.factor, inverse);
  const Tensor smooth = (original / wave - low) / (high - low);
  const Tensor smoothed = (1 - smooth) * scaled / *rope.factor + smooth * scaled;
  const Tensor between = at::logical_and(wave >= original / high, wave <= original / low);
  return {at::where(between, smoothed, scaled)};
}

Frequencies frequencies(const ModelConfig& c, int64_t length) {
  const std::string& type = c.rope_parameters.rope_type;
  if (type == "dynamic") return dynamic(c, length);
  if (type == "yarn") return yarn(c);
  if (type == "longrope") return longrope(c, length);
  if (type == "llama3") return llama3(c);
  Frequencies plain{1.0 / wavelengths(c.rope_parameters.rope_theta, c.head_size())};
  if (type == "linear") plain.inverse /= *c.rope_parameters.factor;
  return plain;
}

}  // namespace

RotaryAngles rotary_angles(const ModelConfig& config, const Tensor& position_ids,
                           at::ScalarType dtype) {
  const c10::NoGradGuard no_grad;
  const std::string& type = config.rope_parameters.rope_type;
  const bool needs_length = type == "dynamic" || type == "longrope";
  const int64_t length = needs_length ? position_ids.max().item<int64_t>() + 1 : 0;
  const Frequencies f = frequencies(config, length);
  const Tensor angle = position_ids.to(at::kFloat).unsqueeze(-1) *
                       f.inverse.to(position_ids.device());  // (B, T, D/2)
  return {(angle.cos() * f.attention_factor).to(dtype),
          (angle.sin() * f.attention_factor).to(dtype)};
}

}  // namespace lathe
