#include "lathe/io/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "lathe/base/error.h"
#include "lathe/io/json_events.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

constexpr std::string_view metadata_key = "__metadata__";
constexpr size_t max_rank = 64;
constexpr size_t max_metadata = 100'000;  // a map entry takes 20 times the memory of its text

/// Fills a header from the events of its JSON. Between events it is in one of these places.
class HeaderReader final : public JsonEvents {
 public:
  explicit HeaderReader(SafetensorsHeader& header) : header_(header) {}

  void null() override { refuse("null"); }
  void boolean(bool value) override { refuse(value ? "true" : "false"); }
  void integer(int64_t value) override { refuse(format("{}", value)); }
  void real(double value) override { refuse(format("{}", value)); }

  void natural(uint64_t value) override {
    if (place_ == Place::shape) {
      if (tensor_.shape.size() >= max_rank)
        fail("tensor {}: more than {} dimensions", show_text(tensor_.name), max_rank);
      if (value > largest)
        fail("tensor {}: \"shape\": {} is too large", show_text(tensor_.name), value);
      tensor_.shape.push_back(static_cast<int64_t>(value));
    } else if (place_ == Place::offsets && offsets_ < 2) {
      (offsets_++ == 0 ? begin_ : end_) = value;
    } else {
      refuse(format("{}", value));
    }
  }

  void string(std::string value) override {
    if (place_ == Place::metadata) {
      const bool is_new = header_.metadata.try_emplace(key_, std::move(value)).second;
      if (!is_new) fail("\"__metadata__\": the key {} is there twice", show_text(key_));
      if (header_.metadata.size() > max_metadata)
        fail("\"__metadata__\": more than {} entries", max_metadata);
    } else if (place_ == Place::tensor && key_ == "dtype") {
      const auto dtype = find_dtype(value);
      if (!dtype) fail("tensor {}: unknown dtype {}", show_text(tensor_.name), show_text(value));
      tensor_.dtype = *dtype;
    } else {
      refuse(show_text(value));
    }
  }

  void begin_object() override {
    if (place_ == Place::start) {
      place_ = Place::top;
    } else if (place_ == Place::top && key_ == metadata_key) {
      if (seen_metadata_) fail("\"__metadata__\" is there twice");
      seen_metadata_ = true;
      place_ = Place::metadata;
    } else if (place_ == Place::top) {
      tensor_ = {.name = key_, .dtype = DType::U8, .shape = {}, .offset = 0, .bytes = 0};
      seen_ = 0;
      offsets_ = 0;
      place_ = Place::tensor;
    } else {
      refuse("an object");
    }
  }

  void key(std::string name) override {
    key_ = std::move(name);
    if (place_ != Place::tensor) return;
    const unsigned bit = key_ == "dtype" ? 1 : key_ == "shape" ? 2 : key_ == "data_offsets" ? 4 : 0;
    if (bit == 0) fail("tensor {}: unknown key {}", show_text(tensor_.name), show_text(key_));
    if ((seen_ & bit) != 0)
      fail("tensor {}: the key {} is there twice", show_text(tensor_.name), show_text(key_));
    seen_ |= bit;
  }

  void end_object() override {
    if (place_ == Place::tensor) {
      if (seen_ != 7)
        fail("tensor {}: expected \"dtype\", \"shape\" and \"data_offsets\"",
             show_text(tensor_.name));
      finish_tensor();
      header_.tensors.push_back(std::move(tensor_));
    }
    place_ = place_ == Place::top ? Place::end : Place::top;
  }

  void begin_array() override {
    if (place_ == Place::tensor && key_ == "shape") {
      place_ = Place::shape;
    } else if (place_ == Place::tensor && key_ == "data_offsets") {
      place_ = Place::offsets;
    } else {
      refuse("an array");
    }
  }

  void end_array() override {
    if (place_ == Place::offsets && offsets_ != 2)
      fail("tensor {}: \"data_offsets\": expected two numbers, found {}", show_text(tensor_.name),
           offsets_);
    place_ = Place::tensor;
  }

 private:
  enum class Place { start, top, metadata, tensor, shape, offsets, end };
  static constexpr uint64_t largest = std::numeric_limits<int64_t>::max();

  [[noreturn]] void refuse(std::string_view found) const {
    switch (place_) {
      case Place::start:
      case Place::end:
        fail("expected an object, found {}", found);
      case Place::top:
        fail("{}: expected an object, found {}", show_text(key_), found);
      case Place::metadata:
        fail("\"__metadata__\": {}: expected a string, found {}", show_text(key_), found);
      case Place::tensor:
        fail("tensor {}: {}: expected {}, found {}", show_text(tensor_.name), show_text(key_),
             key_ == "dtype" ? "a string" : "an array", found);
      case Place::shape:
        fail("tensor {}: \"shape\": expected integers >= 0, found {}", show_text(tensor_.name),
             found);
      case Place::offsets:
        fail("tensor {}: \"data_offsets\": expected two integers >= 0, found {}",
             show_text(tensor_.name), found);
    }
    fail("found {}", found);
  }

  void finish_tensor() {
    if (begin_ > end_ || end_ > largest)
      fail("tensor {}: \"data_offsets\": [{}, {}] is no range", show_text(tensor_.name), begin_,
           end_);
    const auto bytes = tensor_bytes(tensor_.dtype, tensor_.shape);
    if (!bytes)
      fail("tensor {}: {} has no whole number of bytes below 2^63", show_text(tensor_.name),
           describe_tensor(tensor_.dtype, tensor_.shape));
    if (*bytes != end_ - begin_)
      fail("tensor {}: {} takes {} bytes, but \"data_offsets\" give {}", show_text(tensor_.name),
           describe_tensor(tensor_.dtype, tensor_.shape), *bytes, end_ - begin_);
    tensor_.offset = begin_;
    tensor_.bytes = *bytes;
  }

  SafetensorsHeader& header_;
  Place place_ = Place::start;
  std::string key_;
  bool seen_metadata_ = false;
  TensorInfo tensor_{};
  unsigned seen_ = 0;  // which keys of the tensor were there: 1 dtype, 2 shape, 4 data_offsets
  int offsets_ = 0;
  uint64_t begin_ = 0, end_ = 0;
};

void check_names(const std::vector<TensorInfo>& tensors) {
  const auto twice = std::ranges::adjacent_find(tensors, {}, &TensorInfo::name);
  if (twice != tensors.end())
    fail("tensor {} is there twice", twice == tensors.end() ? "" : show_text(twice->name));
}

void check_cover(const std::vector<TensorInfo>& tensors, uint64_t data_bytes) {
  std::vector<size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) {
    return std::pair(tensors[i].offset, tensors[i].offset + tensors[i].bytes);
  });
  uint64_t end = 0;
  for (const size_t i : order) {
    const TensorInfo& tensor = tensors[i];
    if (tensor.offset != end)
      fail("tensor {} begins at byte {}, expected {}: the tensors {}", show_text(tensor.name),
           tensor.offset, end, tensor.offset < end ? "overlap" : "leave a hole");
    end += tensor.bytes;  // at most 2^63, as it ends where "data_offsets" say
    if (end > data_bytes)
      fail("tensor {} ends at byte {}, but only {} bytes follow the header", show_text(tensor.name),
           end, data_bytes);
  }
  if (end != data_bytes)
    fail("the tensors take {} bytes, but {} bytes follow the header", end, data_bytes);
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, uint64_t data_bytes) {
  const size_t start = text.find_first_not_of(" \t\r\n");
  if (start == text.npos || text[start] != '{') fail("expected the header to begin with {{");
  SafetensorsHeader header;
  HeaderReader reader(header);
  parse_json_events(text, reader);
  std::ranges::sort(header.tensors, {}, &TensorInfo::name);
  check_names(header.tensors);
  check_cover(header.tensors, data_bytes);
  return header;
}

}  // namespace lathe
