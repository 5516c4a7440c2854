#include "lathe/model/files.h"

#include <nlohmann/json.hpp>
#include <set>

#include "lathe/io/json.h"
#include "lathe/io/model_files.h"
#include "lathe/model/gguf_model.h"
#include "lathe/model/stored_weight.h"
#include "lathe/ops/quantized.h"

namespace lathe {
namespace {

constexpr std::pair<DType, at::ScalarType> dtypes[] = {
    {DType::F64, at::kDouble},    {DType::F32, at::kFloat}, {DType::F16, at::kHalf},
    {DType::BF16, at::kBFloat16}, {DType::I64, at::kLong},  {DType::I32, at::kInt},
    {DType::I16, at::kShort},     {DType::I8, at::kChar},   {DType::U8, at::kByte},
    {DType::BOOL, at::kBool},
};

/// What transformers calls a dtype in config.json.
std::string config_dtype(at::ScalarType dtype) {
  switch (dtype) {
    case at::kDouble:
      return "float64";
    case at::kHalf:
      return "float16";
    case at::kBFloat16:
      return "bfloat16";
    default:
      return "float32";
  }
}

/// Tensors that old files carry and no model needs.
bool is_superfluous(const std::string& name, const ModelConfig& config) {
  const Family& family = family_of(config.model_type);
  return name.ends_with(".rotary_emb.inv_freq") ||
         (config.tie_word_embeddings && name == "lm_head.weight") ||
         (family.is_superfluous != nullptr && family.is_superfluous(name, config));
}

/// Whether elements of that dtype can stand where `x` begins.
bool is_aligned(const Tensor& x, at::ScalarType dtype) {
  return reinterpret_cast<uintptr_t>(x.data_ptr()) % at::elementSize(dtype) == 0;
}

/// How the weights of a model are filled.
struct Filling {
  std::shared_ptr<const TensorSource> source;
  std::optional<at::ScalarType> dtype;
  WeightMemory memory;
  WeightQuantizer quantizer;
};

void fill(const NamedTensor& weight, const StoredWeight& found, const Filling& f) {
  const std::shared_ptr<const TensorSource>& source = f.source;
  const TensorInfo& info = *found.tensor;
  const std::vector<int64_t> expected = found.shape_of(weight.tensor->sizes().vec());
  require(info.shape == expected, "tensor {}: expected the shape ({}) of config.json, found ({})",
          info.name, fmt::join(expected, ", "), fmt::join(info.shape, ", "));
  if (const Tensor kept = f.quantizer.from_blocks(weight.tensor, *source, info,
                                                  f.dtype.value_or(from_file_dtype(info.dtype)));
      kept.defined()) {
    *weight.tensor = kept;
    return;
  }
  const auto decoded = std::make_shared<std::vector<std::byte>>();
  const std::span<const std::byte> bytes = source->data(info, *decoded);
  const Tensor stored = found.part_of(tensor_of(info, bytes));
  require(stored.is_floating_point(), "tensor {}: expected floating point numbers, found {}",
          info.name, dtype_name(info.dtype));
  const at::ScalarType wanted = f.dtype.value_or(stored.scalar_type());
  if (const Tensor quantized = f.quantizer.from_numbers(weight.tensor, stored, wanted);
      quantized.defined()) {
    *weight.tensor = quantized;
    return;
  }
  const bool in_file = bytes.data() != decoded->data();
  // What was decoded for a part of it alone is not kept for that part.
  const bool may_stay =
      in_file ? f.memory == WeightMemory::mapped : stored.nbytes() == decoded->size();
  if (may_stay && wanted == stored.scalar_type() && is_aligned(stored, wanted))
    *weight.tensor = at::from_blob(
        stored.data_ptr(), stored.sizes(),
        [source, decoded](void*) { /* keeps the file mapped, or what was decoded */ },
        stored.options());
  else
    *weight.tensor = stored.to(wanted, /*non_blocking=*/false, /*copy=*/true);
}

bool is_partly_quantized(Model& model) {
  return std::ranges::any_of(model.named_tensors(), [](const NamedTensor& weight) {
    return ops::is_quantized(*weight.tensor);
  });
}

}  // namespace

DType to_file_dtype(at::ScalarType dtype) {
  for (const auto& [file, memory] : dtypes)
    if (memory == dtype) return file;
  fail("the file format has no type for {}", at::toString(dtype));
}

at::ScalarType from_file_dtype(DType dtype) {
  for (const auto& [file, memory] : dtypes)
    if (file == dtype) return memory;
  fail("no computation is possible with tensors of type {}", dtype_name(dtype));
}

TensorView view_of(const std::string& name, const Tensor& tensor) {
  require(tensor.is_contiguous() && tensor.is_cpu(), "tensor {}: expected contiguous memory", name);
  return {name,
          to_file_dtype(tensor.scalar_type()),
          tensor.sizes().vec(),
          {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}};
}

Tensor tensor_of(const TensorInfo& info, std::span<const std::byte> bytes) {
  const Context reading("tensor {}", info.name);
  return at::from_blob(const_cast<std::byte*>(bytes.data()), info.shape,
                       at::TensorOptions().dtype(from_file_dtype(info.dtype)));
}

StoredModel open_stored_model(const fs::path& path) {
  if (is_gguf(path)) {
    const auto file = std::make_shared<const GgufModel>(path);
    return {file->config(), {}, file};
  }
  const auto config = [&] {
    const Context reading("config.json");
    return read_model_config(load_json(path / "config.json", 10'000'000));
  }();
  return {config, load_generation_config(path), std::make_shared<const ModelFiles>(path)};
}

std::unique_ptr<Model> load_model(const fs::path& path, std::optional<at::ScalarType> dtype,
                                  WeightMemory memory, WeightFormat format) {
  const Context loading("loading the model {}", path.string());
  auto [config, generation, files] = open_stored_model(path);
  std::unique_ptr<Model> model = empty_model(config);
  model->set_generation_config(std::move(generation));
  const at::NoGradGuard no_grad;
  std::set<std::string> used;
  const Filling filling{files, dtype, memory, WeightQuantizer(*model, format)};
  for (const NamedTensor& weight : model->named_tensors()) {
    const StoredWeight found = weight_at(*files, weight.name, config);
    fill(weight, found, filling);
    used.insert(found.tensor->name);
  }
  for (const TensorInfo& info : files->tensors())
    require(used.contains(info.name) || is_superfluous(info.name, config),
            "tensor {} is not part of a model of type {} with this config.json", info.name,
            config.model_type);
  require(
      format != WeightFormat::stored || is_partly_quantized(*model),
      "keep_quantized: the file has no matrices in quantised blocks; load_in_4bit quantises them "
      "as they are read");
  model->set_compute_dtype(model->output_weight().scalar_type());
  return model;
}

void save_model(Model& model, const fs::path& directory, std::optional<at::ScalarType> dtype) {
  const Context saving("saving the model to {}", directory.string());
  require_plain_weights(model);
  const at::NoGradGuard no_grad;
  std::vector<TensorView> views;
  Tensor converted;  // the one being written
  for (const NamedTensor& weight : model.named_tensors()) {
    const Tensor tensor = weight.tensor->detach();
    const at::ScalarType type = dtype.value_or(tensor.scalar_type());
    TensorView view{weight.name, to_file_dtype(type), tensor.sizes().vec(), {}};
    view.make = [tensor, type, &converted] {
      converted = tensor.to(at::kCPU, type).contiguous();
      return std::span(static_cast<const std::byte*>(converted.const_data_ptr()),
                       converted.nbytes());
    };
    views.push_back(std::move(view));
  }
  const at::ScalarType stored = dtype.value_or(model.output_weight().scalar_type());
  write_model_files(directory, views);
  write_file(directory / "config.json",
             write_model_config(model.config(), config_dtype(stored)).dump(2) + "\n");
  if (const std::string& file = model.generation_config().file; !file.empty())
    write_file(directory / "generation_config.json", file);
}

}  // namespace lathe
