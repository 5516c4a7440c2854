#include "lathe/ops/quantized.h"

#include <ATen/OpaqueTensorImpl.h>

namespace lathe::ops {
namespace {

constexpr int64_t numbers_a_block = 1 << 21;  // 4 MB in bfloat16
constexpr int64_t ids_a_task = 16;

struct Handle {
  std::shared_ptr<const QuantizedMatrix> matrix;
  bool transposed = false;
};
using Impl = at::OpaqueTensorImpl<Handle>;
/// A backend without operations, so that whatever computes with the tensor throws.
constexpr c10::DispatchKey no_operations = c10::DispatchKey::PrivateUse1;

Tensor tensor_of(Handle handle, at::ScalarType dtype) {
  const QuantizedMatrix& m = *handle.matrix;
  const std::vector<int64_t> shape =
      handle.transposed ? std::vector{m.columns(), m.rows()} : std::vector{m.rows(), m.columns()};
  return at::detail::make_tensor<Impl>(c10::DispatchKeySet(no_operations),
                                       c10::scalarTypeToTypeMeta(dtype), m.device(),
                                       std::move(handle), shape);
}

const Handle* handle_of(const Tensor& weight) {
  if (!weight.defined() || !weight.key_set().has_backend(c10::BackendComponent::PrivateUse1Bit))
    return nullptr;
  const auto* impl = dynamic_cast<const Impl*>(weight.unsafeGetTensorImpl());
  return impl == nullptr ? nullptr : &impl->opaque_handle();
}

Tensor decoded(const QuantizedMatrix& matrix, int64_t first, int64_t rows, at::ScalarType dtype) {
  const Tensor out =
      at::empty({rows, matrix.columns()}, at::TensorOptions().dtype(dtype).device(matrix.device()));
  matrix.decode(first, out);
  return out;
}

}  // namespace

void QuantizedMatrix::decode_rows(const Tensor& ids, const Tensor& out) const {
  const int64_t* id = ids.const_data_ptr<int64_t>();
  at::parallel_for(0, ids.numel(), ids_a_task, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) decode(id[i], out.narrow(0, i, 1));
  });
}

Tensor as_weight(std::shared_ptr<const QuantizedMatrix> matrix, at::ScalarType dtype) {
  return tensor_of({std::move(matrix)}, dtype);
}

const QuantizedMatrix* quantized_matrix(const Tensor& weight) {
  const Handle* handle = handle_of(weight);
  return handle == nullptr ? nullptr : handle->matrix.get();
}

Tensor transposed(const Tensor& weight) {
  const Handle* handle = handle_of(weight);
  if (handle == nullptr) return weight.t();
  return tensor_of({handle->matrix, !handle->transposed}, weight.scalar_type());
}

Tensor in_dtype(const Tensor& weight, at::ScalarType dtype) {
  const Handle* handle = handle_of(weight);
  if (handle == nullptr) return weight.to(dtype);
  const Tensor numbers = decoded(*handle->matrix, 0, handle->matrix->rows(), dtype);
  return handle->transposed ? numbers.t() : numbers;
}

Tensor rows_in_dtype(const Tensor& weight, const Tensor& ids, at::ScalarType dtype) {
  const Handle* handle = handle_of(weight);
  require(handle != nullptr && !handle->transposed, "expected an embedding's quantised weight");
  const QuantizedMatrix& matrix = *handle->matrix;
  std::vector<int64_t> shape = ids.sizes().vec();
  shape.push_back(matrix.columns());
  const Tensor out = at::empty({ids.numel(), matrix.columns()},
                               at::TensorOptions().dtype(dtype).device(matrix.device()));
  const Tensor flat = ids.reshape(-1).to(at::kCPU);
  const int64_t* id = flat.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < flat.numel(); ++i)
    require(id[i] >= 0 && id[i] < matrix.rows(),
            "an embedding of {} rows: expected the number of a row, found {}", matrix.rows(),
            id[i]);
  matrix.decode_rows(flat, out);
  return out.view(shape);
}

void for_row_blocks(const Tensor& weight, at::ScalarType dtype,
                    const std::function<void(int64_t, const Tensor&)>& f) {
  const Handle* handle = handle_of(weight);
  if (handle == nullptr || handle->transposed) return f(0, in_dtype(weight, dtype));
  const QuantizedMatrix& matrix = *handle->matrix;
  const int64_t most = std::max<int64_t>(64, numbers_a_block / matrix.columns());
  for (int64_t first = 0; first < matrix.rows(); first += most)
    f(first, decoded(matrix, first, std::min(most, matrix.rows() - first), dtype));
}

Tensor on_device(const Tensor& weight, at::Device device) {
  const Handle* handle = handle_of(weight);
  if (handle == nullptr) return weight.to(device);
  if (handle->matrix->device() == device) return weight;
  return tensor_of({handle->matrix->to(device), handle->transposed}, weight.scalar_type());
}

uint64_t bytes_of(const Tensor& weight) {
  const QuantizedMatrix* matrix = quantized_matrix(weight);
  return matrix != nullptr ? matrix->bytes() : weight.nbytes();
}

}  // namespace lathe::ops
