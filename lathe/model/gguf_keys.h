// One walk over the keys of a configuration, for reading, writing, and rounding to what is written.
#pragma once

#include <optional>
#include <string>

#include "lathe/io/gguf.h"

namespace lathe {

class GgufKeys {
 public:
  /// Reads from `metadata`: keys that are missing leave values as they are.
  GgufKeys(const GgufMetadata& metadata, std::string_view architecture)
      : metadata_(&metadata), prefix_(std::string(architecture) + ".") {}
  /// Writes to `fields`.
  GgufKeys(GgufFields& fields, std::string_view architecture)
      : fields_(&fields), prefix_(std::string(architecture) + ".") {}
  /// Rounds numbers as writing and reading would.
  GgufKeys() = default;

  bool reads() const { return metadata_ != nullptr; }
  bool writes() const { return fields_ != nullptr; }
  const GgufMetadata& metadata() const { return *metadata_; }
  /// The whole key, with the architecture.
  std::string key(const char* name) const { return prefix_ + name; }

  /// An integer of at least 1, which must be there.
  void needed(const char* name, int64_t& value, int64_t max);
  void operator()(const char* name, int64_t& value, int64_t min, int64_t max);
  /// 0 is none.
  void operator()(const char* name, std::optional<int64_t>& value, int64_t max);
  void operator()(const char* name, double& value);
  void operator()(const char* name, std::optional<double>& value);
  void operator()(const char* name, bool& value);
  void write(const char* name, std::string_view text);

 private:
  void put(const char* name, int64_t value);

  const GgufMetadata* metadata_ = nullptr;
  GgufFields* fields_ = nullptr;
  std::string prefix_;
};

/// The shortest decimal number that is nearest to `value` in float32.
double shortest(double value);

}  // namespace lathe
