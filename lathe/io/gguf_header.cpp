#include "lathe/io/gguf_header.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "lathe/base/error.h"
#include "lathe/io/file_kind.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF files are little-endian");

constexpr std::string_view alignment_key = "general.alignment";
constexpr int max_nesting = 8;
constexpr uint64_t least_entry = 8 + 1 + 4 + 1;           // length, key, type, value
constexpr uint64_t least_tensor = 8 + 1 + 4 + 0 + 4 + 8;  // length, name, rank, format, offset
constexpr uint64_t beyond = uint64_t{1} << 63;

/// Reads front to back; every read is checked against what is left.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : bytes_(bytes) {}

  uint64_t left() const { return bytes_.size() - at_; }
  uint64_t position() const { return at_; }

  std::span<const std::byte> take(uint64_t count, std::string_view what) {
    if (count > left())
      fail("{} takes {} bytes, but only {} bytes follow: is the file cut off?", what, count,
           left());
    const auto taken = bytes_.subspan(at_, count);
    at_ += count;
    return taken;
  }

  template <class T>
  T number(std::string_view what) {
    T value;
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }

  std::string_view string(std::string_view what) {
    const auto length = number<uint64_t>(what);
    const auto bytes = take(length, what);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  /// A count of things that take at least `least` bytes each.
  uint64_t count(uint64_t least, uint64_t most, std::string_view what) {
    const auto value = number<uint64_t>(what);
    if (value > left() / least)
      fail("it announces {} {}, but only {} bytes follow: is the file cut off?", value, what,
           left());
    if (value > most) fail("it announces {} {}, allowed are {}", value, what, most);
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  uint64_t at_ = 0;
};

uint32_t read_version(Cursor& in, std::span<const std::byte> file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (!text.starts_with("GGUF")) {
    const std::string_view kind = file_kind(text);
    fail("not a GGUF file{}", kind.empty() ? "" : format(" (it looks like {})", kind));
  }
  in.take(4, "the magic");
  const auto version = in.number<uint32_t>("the version");
  if ((version & 0xFFFF) == 0 && version != 0)
    fail("the file is big-endian; expected little-endian: convert it where it was made");
  if (version == 2 || version == 3) return version;
  fail("GGUF version {} is not read, only 2 and 3{}", version,
       version == 1 ? ": write the file anew with a recent llama.cpp" : "");
}

GgufType read_type(Cursor& in, std::string_view key) {
  const auto number = in.number<uint32_t>("the type of a value");
  if (number >= gguf_types)
    fail("{}: expected a type below {}, found {}", show_text(key), gguf_types, number);
  return static_cast<GgufType>(number);
}

[[noreturn]] void fail_short(const Cursor& in, std::string_view key, GgufType type,
                             uint64_t count) {
  fail("{}: {} x {}, but only {} bytes follow: is the file cut off?", show_text(key), count,
       gguf_type_name(type), in.left());
}

/// Skips `count` values: at once where their size is fixed.
void skip_elements(Cursor& in, std::string_view key, GgufType type, uint64_t count, int depth) {
  if (const size_t bytes = gguf_type_bytes(type); bytes > 0) {
    if (count > in.left() / bytes) fail_short(in, key, type, count);
    in.take(count * bytes, "a value");
    return;
  }
  const bool nested = type == GgufType::array;
  const uint64_t least = nested ? 12 : 8;
  if (count > in.left() / least) fail_short(in, key, type, count);
  if (depth >= max_nesting) fail("{}: arrays in arrays, {} deep", show_text(key), depth);
  for (uint64_t i = 0; i < count; ++i) {
    if (nested) {
      const GgufType element = read_type(in, key);
      skip_elements(in, key, element, in.number<uint64_t>("a length"), depth + 1);
    } else {
      in.string("a string");
    }
  }
}

GgufEntry read_entry(Cursor& in, std::span<const std::byte> file) {
  GgufEntry entry{in.string("a key"), {}, {}, 1, {}};
  if (entry.key.empty() || entry.key.size() > max_gguf_key || !is_valid_utf8(entry.key))
    fail("expected keys of 1 to {} bytes of UTF-8, found {}", max_gguf_key, show_text(entry.key));
  entry.type = entry.element = read_type(in, entry.key);
  if (entry.type == GgufType::array) {
    entry.element = read_type(in, entry.key);
    entry.count = in.number<uint64_t>("the length of an array");
  }
  const uint64_t begin = in.position();
  skip_elements(in, entry.key, entry.element, entry.count, entry.type == GgufType::array ? 1 : 0);
  entry.data = file.subspan(begin, in.position() - begin);
  return entry;
}

uint64_t read_alignment(const GgufMetadata& metadata) {
  const GgufEntry* entry = metadata.find(alignment_key);
  if (entry == nullptr) return default_gguf_alignment;
  const int64_t value = entry->type == GgufType::uint32 ? metadata.get_int(alignment_key) : 0;
  if (value < 8 || value > int64_t{max_gguf_alignment} || !std::has_single_bit(uint64_t(value)))
    fail("{}: expected a uint32 that is a power of two from 8 to {}, found {}",
         show_text(alignment_key), max_gguf_alignment, show_gguf_value(*entry));
  return static_cast<uint64_t>(value);
}

/// A tensor's line in the header. `stored` receives its bytes in the file.
TensorInfo read_tensor(Cursor& in, const BlockFormat*& format, uint64_t& stored) {
  const std::string_view name = in.string("the name of a tensor");
  if (name.empty() || name.size() > max_gguf_name || !is_valid_utf8(name))
    fail("expected names of tensors of 1 to {} bytes of UTF-8, found {}", max_gguf_name,
         show_text(name));
  TensorInfo tensor{std::string(name), DType::F32, {}, 0, 0};
  const auto rank = in.number<uint32_t>("the rank of a tensor");
  if (rank > max_gguf_rank)
    fail("tensor {}: at most {} dimensions, found {}", show_text(name), max_gguf_rank, rank);
  for (uint32_t i = 0; i < rank; ++i) {
    const auto size = in.number<uint64_t>("the shape of a tensor");
    if (size >= beyond) fail("tensor {}: a dimension of {}", show_text(name), size);
    tensor.shape.insert(tensor.shape.begin(), static_cast<int64_t>(size));
  }
  const auto id = in.number<uint32_t>("the format of a tensor");
  format = find_block_format(id);
  if (format == nullptr) fail("tensor {}: no number format {} is known", show_text(name), id);
  tensor.dtype = format->dtype.value_or(DType::F32);
  tensor.offset = in.number<uint64_t>("the offset of a tensor");
  const auto stored_bytes = block_bytes(*format, tensor.shape);
  if (!stored_bytes)
    fail("tensor {}: ({}) is no shape of {}: rows of whole blocks of {}, below 2^63 bytes",
         show_text(name), fmt::join(tensor.shape, ", "), format->name, format->elements);
  stored = *stored_bytes;
  tensor.bytes = *tensor_bytes(tensor.dtype, tensor.shape);
  return tensor;
}

/// The tensors follow each other, each from the next multiple of the alignment, up to the file's
/// end or before.
void check_tensors_cover(const std::vector<TensorInfo>& tensors,
                         const std::vector<uint64_t>& stored, uint64_t alignment,
                         uint64_t data_bytes) {
  std::vector<size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) { return std::pair(tensors[i].offset, stored[i]); });
  uint64_t end = 0;
  for (const size_t i : order) {
    const TensorInfo& tensor = tensors[i];
    const auto expected = gguf_pad(end, alignment);
    if (!expected || tensor.offset != *expected)
      fail("tensor {} begins at byte {}, expected {}: the tensors {}", show_text(tensor.name),
           tensor.offset, expected.value_or(beyond),
           tensor.offset < end ? "overlap" : "do not follow each other as their alignment says");
    if (__builtin_add_overflow(tensor.offset, stored[i], &end) || end > data_bytes)
      fail(
          "tensor {} takes {} bytes from byte {}, but only {} bytes follow the header: is the "
          "file cut off?",
          show_text(tensor.name), stored[i], tensor.offset, data_bytes);
  }
}

/// By name, with the formats beside; a name must not be there twice.
void sort_tensors(GgufHeader& header) {
  std::vector<size_t> order(header.tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) { return std::string_view(header.tensors[i].name); });
  std::vector<TensorInfo> tensors;
  std::vector<const BlockFormat*> formats;
  tensors.reserve(order.size());
  formats.reserve(order.size());
  for (const size_t i : order) {
    tensors.push_back(std::move(header.tensors[i]));
    formats.push_back(header.formats[i]);
  }
  header.tensors = std::move(tensors);
  header.formats = std::move(formats);
  const auto twice = std::ranges::adjacent_find(header.tensors, {}, &TensorInfo::name);
  if (twice != header.tensors.end()) fail("tensor {} is there twice", show_text(twice->name));
}

}  // namespace

std::optional<uint64_t> gguf_pad(uint64_t offset, uint64_t alignment) {
  if (offset >= beyond - alignment) return std::nullopt;
  return (offset + alignment - 1) & ~(alignment - 1);
}

GgufHeader parse_gguf_header(std::span<const std::byte> file) {
  Cursor in(file);
  GgufHeader header{};
  header.version = read_version(in, file);
  const uint64_t tensors = in.count(least_tensor, max_gguf_tensors, "tensors");
  const uint64_t count = in.count(least_entry, max_gguf_entries, "keys");
  std::vector<GgufEntry> entries;
  for (uint64_t i = 0; i < count; ++i) entries.push_back(read_entry(in, file));
  header.metadata = GgufMetadata(std::move(entries));
  const uint64_t alignment = read_alignment(header.metadata);

  std::vector<uint64_t> stored;
  for (uint64_t i = 0; i < tensors; ++i) {
    header.formats.push_back(nullptr);
    stored.push_back(0);
    header.tensors.push_back(read_tensor(in, header.formats.back(), stored.back()));
  }
  const auto data = gguf_pad(in.position(), alignment);
  header.data_offset = std::min<uint64_t>(data.value_or(beyond), file.size());
  check_tensors_cover(header.tensors, stored, alignment, file.size() - header.data_offset);
  sort_tensors(header);
  return header;
}

}  // namespace lathe
