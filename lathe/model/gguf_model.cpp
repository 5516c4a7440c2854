#include "lathe/model/gguf_model.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <set>

#include "lathe/base/error.h"
#include "lathe/io/utf8.h"
#include "lathe/model/files.h"
#include "lathe/model/gguf_config.h"

namespace lathe {
namespace {

constexpr const char* output = "output.weight";
constexpr const char* embedding_tensor = "token_embd.weight";
/// Tensors that the configuration follows from.
constexpr std::string_view part_of_config[] = {"rope_freqs.weight", "rope_factors_long.weight",
                                               "rope_factors_short.weight"};

class FileContents final : public GgufContents {
 public:
  explicit FileContents(const GgufFile& file) : file_(file) {}
  const GgufMetadata& metadata() const override { return file_.fields(); }
  bool has(std::string_view tensor) const override {
    return file_.find(tensor) != nullptr && !(tensor == output && repeats_embedding());
  }
  std::vector<int64_t> shape(std::string_view tensor) const override {
    return file_.at(tensor).shape;
  }
  std::vector<float> numbers(std::string_view tensor) const override {
    const TensorInfo& info = file_.at(tensor);
    require(info.dtype == DType::F32, "tensor {}: expected F32, found {}", show_text(tensor),
            dtype_name(info.dtype));
    std::vector<std::byte> scratch;
    const auto bytes = file_.data(info, scratch);
    std::vector<float> numbers(bytes.size() / sizeof(float));
    std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(float));
    require(!numbers.empty(), "tensor {}: expected numbers, found none", show_text(tensor));
    return numbers;
  }

 private:
  /// Some writers store tied embeddings twice.
  bool repeats_embedding() const {
    const TensorInfo* first = file_.find(embedding_tensor);
    const TensorInfo& second = file_.at(output);
    return first != nullptr && first->shape == second.shape &&
           &file_.format_of(*first) == &file_.format_of(second) &&
           std::ranges::equal(file_.stored(*first), file_.stored(second));
  }

  const GgufFile& file_;
};

/// The shape that GGUF has for a weight, but for the stack of experts.
std::vector<int64_t> stored_shape(const Tensor& weight, const GgufPlace& place) {
  std::vector<int64_t> shape = weight.sizes().vec();
  if (place.layout == GgufLayout::transposed) std::ranges::reverse(shape);
  return shape;
}

/// Throws unless the tensor has the weight's shape; a stack must have as many slices.
void check_shape(const TensorInfo& info, const Tensor& weight, const GgufPlace& place,
                 const ModelConfig& config) {
  std::vector<int64_t> expected = stored_shape(weight, place);
  if (place.slice) expected.insert(expected.begin(), config.num_experts);
  require(info.shape == expected, "tensor {}: expected the shape ({}), found ({})",
          show_text(info.name), fmt::join(expected, ", "), fmt::join(info.shape, ", "));
}

/// Decodes on all cores.
void decode(const BlockFormat& format, std::span<const std::byte> blocks, float* out) {
  constexpr int64_t grain = 1 << 16;  // numbers
  const auto count = static_cast<int64_t>(blocks.size() / format.bytes);
  at::parallel_for(0, count, grain / format.elements, [&](int64_t begin, int64_t end) {
    const auto first = static_cast<size_t>(begin), blocks_here = static_cast<size_t>(end - begin);
    decode_blocks(format, blocks.subspan(first * format.bytes, blocks_here * format.bytes),
                  {out + first * format.elements, blocks_here * format.elements});
  });
}

}  // namespace

GgufModel::GgufModel(const fs::path& path) : file_(path) {
  const Context reading("reading {}", path.string());
  config_ = read_gguf_config(FileContents(file_));
  std::set<std::string, std::less<>> used(std::begin(part_of_config), std::end(part_of_config));
  if (config_.tie_word_embeddings) used.insert(output);
  const std::unique_ptr<Model> model = empty_model(config_);
  std::vector<NamedTensor> weights = model->named_tensors();
  std::ranges::sort(weights, {}, &NamedTensor::name);
  for (const NamedTensor& weight : weights) {
    GgufPlace place = gguf_place(config_, weight.name);
    const TensorInfo& info = file_.at(place.tensor);
    check_shape(info, *weight.tensor, place, config_);
    const DType dtype = place.layout == GgufLayout::plus_one ? DType::F32 : info.dtype;
    const std::vector<int64_t> shape = weight.tensor->sizes().vec();
    tensors_.push_back({weight.name, dtype, shape, info.offset, *tensor_bytes(dtype, shape)});
    used.insert(place.tensor);
    places_.push_back(std::move(place));
  }
  for (const TensorInfo& info : file_.tensors())
    require(used.contains(info.name), "tensor {} is not part of a model of type {}",
            show_text(info.name), config_.model_type);
}

const GgufPlace& GgufModel::place_of(const TensorInfo& tensor) const {
  const size_t index = find_tensor(tensors_, tensor.name);
  require(index < tensors_.size(), "tensor {} is not of this model", show_text(tensor.name));
  return places_[index];
}

std::string_view GgufModel::stored_type(const TensorInfo& tensor) const {
  return file_.stored_type(file_.at(place_of(tensor).tensor));
}

uint64_t GgufModel::stored_bytes(const TensorInfo& tensor) const {
  const GgufPlace& place = place_of(tensor);
  const uint64_t all = file_.stored_bytes(file_.at(place.tensor));
  return place.slice ? all / static_cast<uint64_t>(config_.num_experts) : all;
}

std::span<const std::byte> GgufModel::stored(const TensorInfo& tensor) const {
  const GgufPlace& place = place_of(tensor);
  const std::span<const std::byte> all = file_.stored(file_.at(place.tensor));
  if (!place.slice) return all;
  return all.subspan(static_cast<size_t>(*place.slice) * stored_bytes(tensor),
                     stored_bytes(tensor));
}

std::optional<GgufBlocks> GgufModel::blocks(const TensorInfo& tensor) const {
  const Context reading("tensor {}", show_text(tensor.name));
  const GgufPlace& place = place_of(tensor);
  const BlockFormat& format = file_.format_of(file_.at(place.tensor));
  if (format.dtype || format.decode == nullptr || tensor.shape.size() != 2 ||
      place.layout == GgufLayout::plus_one)
    return std::nullopt;
  const std::span<const std::byte> bytes = stored(tensor);
  const bool transposed = place.layout == GgufLayout::transposed;
  const int64_t rows = tensor.shape[transposed ? 1 : 0];
  const Tensor in_file =
      at::from_blob(const_cast<std::byte*>(bytes.data()),
                    {rows, static_cast<int64_t>(bytes.size()) / rows}, at::kByte);
  // Rows are whole blocks, so that an order of rows is one of blocks.
  const Tensor ordered = transposed ? in_file : from_gguf_layout(in_file, place);
  GgufBlocks found{&format, at::empty(ordered.sizes(), at::kByte).copy_(ordered), transposed};
  file_.release(bytes);
  return found;
}

std::span<const std::byte> GgufModel::data(const TensorInfo& tensor,
                                           std::vector<std::byte>& scratch) const {
  const Context reading("tensor {}", show_text(tensor.name));
  const GgufPlace& place = place_of(tensor);
  const TensorInfo& info = file_.at(place.tensor);
  const BlockFormat& format = file_.format_of(info);
  const std::span<const std::byte> blocks = stored(tensor);
  if (place.layout == GgufLayout::same && format.dtype) return blocks;

  scratch.resize(tensor.bytes);
  if (place.layout == GgufLayout::same) {
    decode(format, blocks, reinterpret_cast<float*>(scratch.data()));
    file_.release(blocks);
    return scratch;
  }
  std::vector<int64_t> shape = tensor.shape;
  if (place.layout == GgufLayout::transposed) std::ranges::reverse(shape);
  Tensor stored;
  if (format.dtype) {
    stored = tensor_of({info.name, info.dtype, shape, 0, blocks.size()}, blocks);
  } else {
    stored = at::empty(shape, at::kFloat);
    decode(format, blocks, stored.mutable_data_ptr<float>());
  }
  if (place.layout == GgufLayout::plus_one) stored = stored.to(at::kFloat);
  tensor_of(tensor, scratch).copy_(from_gguf_layout(stored, place));
  file_.release(blocks);
  return scratch;
}

}  // namespace lathe
