#include "lathe/model/rotary.h"

#include <numbers>

namespace lathe {
namespace {

/// base^(2i/R) for i = 0 .. R/2-1, float32.
Tensor wavelengths(double base, int64_t size) {
  const Tensor exponent = at::arange(0, size, 2, at::kLong).to(at::kFloat) / size;
  return at::pow(at::Scalar(base), exponent);
}

}  // namespace

bool depends_on_length(const RopeParameters& parameters) {
  return parameters.rope_type == "dynamic" || parameters.rope_type == "longrope";
}

Rotary::Rotary(const RopeParameters& parameters, int64_t size, int64_t max_positions)
    : parameters_(parameters), size_(size), max_positions_(max_positions) {
  const c10::NoGradGuard no_grad;
  shortest_ = frequencies(0);
}

int64_t Rotary::regime(int64_t length) const {
  if (parameters_.rope_type == "dynamic") return std::max(length, max_positions_);
  if (parameters_.rope_type == "longrope") return length > original_positions() ? 1 : 0;
  return 0;
}

int64_t Rotary::original_positions() const {
  return parameters_.original_max_position_embeddings.value_or(max_positions_);
}

/// "NTK-aware" scaling that grows with the text (transformers, rope_type dynamic).
Rotary::Frequencies Rotary::dynamic(int64_t length) const {
  const double longest = static_cast<double>(max_positions_);
  const double now = std::max(static_cast<double>(length), longest);
  const double width = static_cast<double>(size_);
  const double factor = *parameters_.factor;
  const double base =
      parameters_.rope_theta * std::pow(factor * now / longest - (factor - 1), width / (width - 2));
  return {1.0 / wavelengths(base, size_)};
}

/// YaRN (Peng et al. 2023, arXiv:2309.00071): fast waves are kept, slow ones interpolated.
Rotary::Frequencies Rotary::yarn() const {
  const RopeParameters& rope = parameters_;
  const double width = static_cast<double>(size_);
  const double original = static_cast<double>(original_positions());
  const double factor = rope.factor.value_or(static_cast<double>(max_positions_) / original);
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
  const Tensor waves = wavelengths(rope.rope_theta, size_);
  const Tensor ramp = at::clamp((at::arange(size_ / 2, at::kFloat) - low) / (high - low), 0, 1);
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
Rotary::Frequencies Rotary::longrope(int64_t length) const {
  const RopeParameters& rope = parameters_;
  const auto original = static_cast<double>(original_positions());
  const double factor = rope.factor.value_or(static_cast<double>(max_positions_) / original);
  const Tensor scale =
      at::tensor(regime(length) != 0 ? rope.long_factor : rope.short_factor, at::kFloat);
  const double attention = factor <= 1 ? 1.0 : std::sqrt(1 + std::log(factor) / std::log(original));
  return {1.0 / (scale * wavelengths(rope.rope_theta, size_)),
          rope.attention_factor.value_or(attention)};
}

/// Llama 3.1: long waves are divided by the factor, short ones kept, those between interpolated.
Rotary::Frequencies Rotary::llama3() const {
  const RopeParameters& rope = parameters_;
  const double original = static_cast<double>(*rope.original_max_position_embeddings);
  const double low = *rope.low_freq_factor;
  const double high = *rope.high_freq_factor;
  const Tensor inverse = 1.0 / wavelengths(rope.rope_theta, size_);
  const Tensor wave = 2 * std::numbers::pi / inverse;
  const Tensor scaled = at::where(wave > original / low, inverse / *rope.factor, inverse);
  const Tensor smooth = (original / wave - low) / (high - low);
  const Tensor smoothed = (1 - smooth) * scaled / *rope.factor + smooth * scaled;
  const Tensor between = at::logical_and(wave >= original / high, wave <= original / low);
  return {at::where(between, smoothed, scaled)};
}

Rotary::Frequencies Rotary::frequencies(int64_t length) const {
  const std::string& type = parameters_.rope_type;
  if (type == "dynamic") return dynamic(length);
  if (type == "yarn") return yarn();
  if (type == "longrope") return longrope(length);
  if (type == "llama3") return llama3();
  Frequencies plain{1.0 / wavelengths(parameters_.rope_theta, size_)};
  if (type == "linear") plain.inverse /= *parameters_.factor;
  return plain;
}

RotaryAngles Rotary::angles(const Tensor& positions, const Tensor& lengths,
                            at::ScalarType dtype) const {
  const c10::NoGradGuard no_grad;
  Tensor inverse = shortest_.inverse;  // (R/2), or (B, T, R/2)
  if (depends_on_length() && lengths.defined()) {
    // Every regime there is, once.
    const Tensor each = lengths.expand_as(positions).cpu().contiguous();  // (B, T)
    std::map<int64_t, int64_t> row_of;
    std::vector<int64_t> rows;
    std::vector<Tensor> table;
    for (int64_t i = 0; i < each.numel(); ++i) {
      const int64_t length = each.const_data_ptr<int64_t>()[i];
      const auto [found, fresh] = row_of.emplace(regime(length), table.size());
      if (fresh) table.push_back(frequencies(length).inverse);
      rows.push_back(found->second);
    }
    inverse = at::stack(table).index({at::tensor(rows, at::kLong).view(each.sizes())});
  }
  const Tensor angle = positions.to(at::kFloat).unsqueeze(-1) * inverse.to(positions.device());
  return {(angle.cos() * shortest_.attention_factor).to(dtype),
          (angle.sin() * shortest_.attention_factor).to(dtype)};
}

}  // namespace lathe
