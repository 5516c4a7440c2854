#include "lathe/model/gguf_keys.h"

#include <charconv>

#include "lathe/base/error.h"

namespace lathe {

double shortest(double value) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, static_cast<float>(value));
  double result = value;
  if (error == std::errc()) std::from_chars(text, end, result);
  return result;
}

void GgufKeys::put(const char* name, int64_t value) {
  require(value >= 0 && value <= UINT32_MAX, "\"{}\": {} does not fit into a GGUF file", key(name),
          value);
  fields_->put_uint32(key(name), static_cast<uint32_t>(value));
}

void GgufKeys::needed(const char* name, int64_t& value, int64_t max) {
  if (reads()) value = metadata_->get_int(key(name), 1, max);
  if (writes()) put(name, value);
}

void GgufKeys::operator()(const char* name, int64_t& value, int64_t min, int64_t max) {
  if (reads()) value = metadata_->get_int_or(key(name), value, min, max);
  if (writes()) put(name, value);
}

void GgufKeys::operator()(const char* name, std::optional<int64_t>& value, int64_t max) {
  if (reads() && metadata_->has(key(name))) {
    value = metadata_->get_int(key(name), 0, max);
    if (*value == 0) value.reset();
  }
  if (writes() && value) put(name, *value);
}

void GgufKeys::operator()(const char* name, double& value) {
  if (reads()) value = metadata_->get_number_or(key(name), value, 0);
  if (writes()) fields_->put_float32(key(name), static_cast<float>(value));
  value = shortest(value);
}

void GgufKeys::operator()(const char* name, std::optional<double>& value) {
  if (reads() && !metadata_->has(key(name))) return;
  if (!reads() && !value) return;
  double number = value.value_or(0);
  (*this)(name, number);
  value = number;
}

void GgufKeys::operator()(const char* name, bool& value) {
  if (reads()) value = metadata_->get_bool_or(key(name), value);
  if (writes()) fields_->put_bool(key(name), value);
}

void GgufKeys::write(const char* name, std::string_view text) {
  if (writes()) fields_->put_string(key(name), text);
}

}  // namespace lathe
