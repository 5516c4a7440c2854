#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "lathe/base/error.h"
#include "lathe/io/utf8.h"
#include "lathe/model/files.h"
#include "lathe/model/gguf_config.h"
#include "lathe/model/gguf_model.h"
#include "lathe/model/quantize.h"

namespace lathe {
namespace {

/// Formats of whole models: llama.cpp's number for general.file_type, and the format of the matrix
/// that makes the logits, where a coarse one would do the most harm.
struct Quant {
  const char* format;
  uint32_t file_type;
  const char* output;
};
constexpr Quant quants[] = {{"F32", 0, "F32"},    {"F16", 1, "F16"},    {"BF16", 32, "BF16"},
                            {"Q8_0", 7, "Q8_0"},  {"Q6_K", 18, "Q6_K"}, {"Q5_0", 8, "Q6_K"},
                            {"Q4_K", 14, "Q6_K"}, {"Q4_0", 2, "Q6_K"}};
constexpr uint32_t quantization_version = 2;

const Quant& find_quant(const std::string& name) {
  for (const Quant& quant : quants)
    if (name == quant.format) return quant;
  fail("no format \"{}\" for a model; there are {}", name, fmt::join(gguf_quants(), ", "));
}

/// One tensor of the file: a weight, or those of all experts of a layer.
struct Planned {
  GgufPlace place;
  std::vector<Tensor> weights;
  std::vector<int64_t> shape;
  const BlockFormat* format;
};

bool ends_as(const std::string& tensor, std::string_view ending) {
  return tensor.ends_with(ending);
}

/// The format of a tensor, as llama.cpp chooses it.
const BlockFormat& choose_format(const std::string& tensor, const std::vector<int64_t>& shape,
                                 const Quant& quant, bool makes_logits) {
  // What is small or decides much is kept.
  const bool kept = shape.size() < 2 || ends_as(tensor, "ffn_gate_inp.weight") ||
                    ends_as(tensor, "position_embd.weight");
  if (kept) return block_format("F32");
  const BlockFormat* format = &block_format(makes_logits ? quant.output : quant.format);
  const auto divides = [&] { return shape.back() % format->elements == 0; };
  if (!divides()) format = &block_format(format->name == "Q4_K" ? "Q5_0" : "Q8_0");
  if (!divides()) format = &block_format("F16");
  return *format;
}

std::vector<Planned> plan(Model& model, const Quant& quant) {
  const ModelConfig& config = model.config();
  std::vector<Planned> planned;
  std::map<std::string, size_t> stacks;  // of experts: indices in `planned`
  for (const NamedTensor& weight : model.named_tensors()) {
    const GgufPlace place = gguf_place(config, weight.name);
    const auto [at, is_new] = stacks.try_emplace(place.tensor, planned.size());
    if (!is_new) {
      planned[at->second].weights.push_back(*weight.tensor);
      continue;
    }
    std::vector<int64_t> shape = weight.tensor->sizes().vec();
    if (place.layout == GgufLayout::transposed) std::ranges::reverse(shape);
    if (place.slice) shape.insert(shape.begin(), config.num_experts);
    const bool makes_logits = weight.tensor->is_same(model.output_weight());
    planned.push_back(
        {place, {*weight.tensor}, shape, &choose_format(place.tensor, shape, quant, makes_logits)});
  }
  return planned;
}

/// The numbers of `weights` one after the other as `format` has them, encoded on all cores.
std::vector<std::byte> encode_gguf(const Planned& tensor) {
  const BlockFormat& format = *tensor.format;
  std::vector<std::byte> bytes(*block_bytes(format, tensor.shape));
  std::byte* out = bytes.data();
  for (const Tensor& weight : tensor.weights) {
    const Tensor numbers =
        to_gguf_layout(weight.detach().to(at::kCPU, at::kFloat), tensor.place).contiguous();
    const auto* in = numbers.const_data_ptr<float>();
    const int64_t count = numbers.numel() / format.elements;
    constexpr int64_t grain = 1 << 14;  // numbers
    at::parallel_for(
        0, count, std::max<int64_t>(1, grain / format.elements), [&](int64_t begin, int64_t end) {
          const auto blocks = static_cast<size_t>(end - begin);
          encode_blocks(format, {in + begin * format.elements, blocks * format.elements},
                        {out + begin * format.bytes, blocks * format.bytes});
        });
    out += count * format.bytes;
  }
  return bytes;
}

/// What a file will say, before it is written.
class PlannedContents final : public GgufContents {
 public:
  PlannedContents(const GgufFields& fields, const std::vector<Planned>& tensors,
                  const std::vector<GgufFactors>& factors)
      : header_(format_gguf_header(fields, {})), tensors_(tensors), factors_(factors) {
    metadata_ = parse_gguf_header(std::as_bytes(std::span(header_))).metadata;
  }
  const GgufMetadata& metadata() const override { return metadata_; }
  bool has(std::string_view tensor) const override {
    return find(tensor) != nullptr || find_factors(tensor) != nullptr;
  }
  std::vector<int64_t> shape(std::string_view tensor) const override {
    const Planned* found = find(tensor);
    require(found != nullptr, "no tensor {} is planned", tensor);
    return found->shape;
  }
  std::vector<float> numbers(std::string_view tensor) const override {
    const GgufFactors* found = find_factors(tensor);
    require(found != nullptr, "no tensor {} is planned", tensor);
    return found->values;
  }

 private:
  const Planned* find(std::string_view tensor) const {
    for (const Planned& planned : tensors_)
      if (planned.place.tensor == tensor) return &planned;
    return nullptr;
  }
  const GgufFactors* find_factors(std::string_view tensor) const {
    for (const GgufFactors& factors : factors_)
      if (factors.tensor == tensor) return &factors;
    return nullptr;
  }

  std::string header_;
  GgufMetadata metadata_;
  const std::vector<Planned>& tensors_;
  const std::vector<GgufFactors>& factors_;
};

std::string usual_quant(const Model& model) {
  switch (model.output_weight().scalar_type()) {
    case at::kHalf:
      return "F16";
    case at::kBFloat16:
      return "BF16";
    default:
      return "F32";
  }
}

}  // namespace

std::vector<std::string> gguf_quants() {
  std::vector<std::string> names;
  for (const Quant& quant : quants) names.emplace_back(quant.format);
  return names;
}

void save_gguf(Model& model, const fs::path& path, const GgufOptions& options,
               const GgufFields& tokenizer) {
  const Context saving("saving the model as {}", path.string());
  require_plain_weights(model);
  const at::NoGradGuard no_grad;
  const Quant& quant = find_quant(options.quant.empty() ? usual_quant(model) : options.quant);
  const std::vector<Planned> planned = plan(model, quant);

  GgufFields fields;
  fields.put_string("general.architecture", gguf_architecture(model.config().model_type));
  fields.put_string("general.type", "model");
  if (!options.name.empty()) fields.put_string("general.name", options.name);
  fields.put_uint32("general.file_type", quant.file_type);
  fields.put_uint32("general.quantization_version", quantization_version);
  const std::vector<GgufFactors> factors = write_gguf_config(model.config(), fields);
  require_said(model.config(), read_gguf_config(PlannedContents(fields, planned, factors)));
  fields.put(tokenizer);

  std::vector<std::byte> bytes;  // of the tensor being written
  std::vector<GgufTensorView> views;
  views.reserve(factors.size() + planned.size());
  for (const GgufFactors& factor : factors)
    views.push_back({factor.tensor,
                     &block_format("F32"),
                     {static_cast<int64_t>(factor.values.size())},
                     [&factor] { return std::as_bytes(std::span(factor.values)); }});
  for (const Planned& tensor : planned)
    views.push_back({tensor.place.tensor, tensor.format, tensor.shape, [&bytes, &tensor] {
                       const Context encoding("tensor {}", tensor.place.tensor);
                       bytes = encode_gguf(tensor);
                       return std::span<const std::byte>(bytes);
                     }});
  write_gguf(path, fields, views);
}

}  // namespace lathe
