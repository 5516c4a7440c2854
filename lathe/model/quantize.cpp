#include "lathe/model/quantize.h"

#include <algorithm>
#include <array>

#include "lathe/io/quant.h"
#include "lathe/model/gguf_model.h"
#include "lathe/ops/block_matrix.h"
#include "lathe/ops/nf4.h"

namespace lathe {
namespace {

constexpr int64_t numbers_at_once = 1 << 20;  // that are widened to be encoded

/// What makes queries, keys and values. A sixth of the numbers of SmolLM2's layers, and a third of
/// the loss that 4 bits cost it.
constexpr std::array<std::string_view, 6> attention_inputs = {
    "q_proj", "k_proj", "v_proj", "qkv_proj", "c_attn", "query_key_value"};

bool is_attention_input(const Site& site) {
  const std::string_view end = std::string_view(site.name).substr(site.name.rfind('.') + 1);
  return std::ranges::find(attention_inputs, end) != attention_inputs.end();
}

ops::BlockDecoder decoder_of(const BlockFormat& format) {
  return {.name = format.name,
          .elements = format.elements,
          .bytes = format.bytes,
          .decode = format.decode,
          .composed = format.name == "Q8_0" ? ops::decode_q8_0 : nullptr};
}

/// numbers (rows, columns) in blocks, of which rows are whole ones.
std::shared_ptr<const ops::QuantizedMatrix> encode(const BlockFormat& format,
                                                   const Tensor& numbers) {
  const int64_t rows = numbers.size(0), columns = numbers.size(1);
  const int64_t row_bytes = columns / format.elements * format.bytes;
  const Tensor blocks = at::empty({rows, row_bytes}, at::kByte);
  const int64_t at_once = std::max<int64_t>(1, numbers_at_once / columns);
  for (int64_t first = 0; first < rows; first += at_once) {
    const int64_t count = std::min(at_once, rows - first);
    const Tensor wide = numbers.narrow(0, first, count).to(at::kFloat).contiguous();
    auto* const out = static_cast<std::byte*>(blocks.mutable_data_ptr()) + first * row_bytes;
    at::parallel_for(0, count, 16, [&](int64_t begin, int64_t end) {
      const auto some = static_cast<size_t>(end - begin);
      encode_blocks(
          format,
          {wide.const_data_ptr<float>() + begin * columns, some * static_cast<size_t>(columns)},
          {out + begin * row_bytes, some * static_cast<size_t>(row_bytes)});
    });
  }
  return std::make_shared<ops::BlockMatrix>(decoder_of(format), blocks);
}

}  // namespace

WeightQuantizer::WeightQuantizer(Model& model, WeightFormat format) : format_(format) {
  if (format == WeightFormat::plain) return;
  for (const Site& site : model.sites())
    if (site.weight != nullptr && !site.name.ends_with(".gate"))
      matrices_[site.weight] = {site.kind == SiteKind::embedding || is_attention_input(site),
                                site.kind != SiteKind::embedding};
  if (!model.is_classifier()) matrices_[&model.output_weight()] = {true, false};
}

std::string_view WeightQuantizer::format_of(Fineness fineness, int64_t columns) {
  if (fineness.wants_8_bits && columns % block_format("Q8_0").elements == 0) return "Q8_0";
  return fineness.may_be_nf4 ? "NF4" : "";
}

Tensor WeightQuantizer::from_numbers(const Tensor* weight, const Tensor& stored,
                                     at::ScalarType dtype) const {
  const auto found = matrices_.find(weight);
  if (format_ != WeightFormat::nf4 || found == matrices_.end()) return {};
  const std::string_view format = format_of(found->second, stored.size(1));
  if (format.empty()) return {};
  if (format == "NF4") return ops::as_weight(ops::Nf4Matrix::encode(stored), dtype);
  return ops::as_weight(encode(block_format(format), stored), dtype);
}

Tensor WeightQuantizer::from_blocks(const Tensor* weight, const TensorSource& source,
                                    const TensorInfo& info, at::ScalarType dtype) const {
  const auto* gguf = dynamic_cast<const GgufModel*>(&source);
  if (format_ != WeightFormat::stored || gguf == nullptr || !matrices_.contains(weight)) return {};
  const auto blocks = gguf->blocks(info);
  if (!blocks) return {};
  const Tensor matrix = ops::as_weight(
      std::make_shared<ops::BlockMatrix>(decoder_of(*blocks->format), blocks->rows), dtype);
  return blocks->transposed ? ops::transposed(matrix) : matrix;
}

std::optional<double> WeightQuantizer::bits(const Tensor& weight) const {
  const auto found = matrices_.find(&weight);
  if (found == matrices_.end()) return std::nullopt;
  const std::string_view format = format_of(found->second, weight.size(1));
  if (format.empty()) return std::nullopt;
  if (format == "NF4") return 4 + 8.0 / 64 + 32.0 / (64 * 256);
  const BlockFormat& blocks = block_format(format);
  return 8.0 * blocks.bytes / blocks.elements;
}

void require_plain_weights(Model& model) {
  for (const NamedTensor& weight : model.named_tensors())
    require(!ops::is_quantized(*weight.tensor),
            "{}: it is quantised in memory: open the model without load_in_4bit and keep_quantized",
            weight.name);
}

}  // namespace lathe
