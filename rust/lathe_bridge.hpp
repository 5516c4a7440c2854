// The C interface of the bridge with C++ errors and ownership.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "lathe/base/error.h"
#include "rust/lathe_bridge.h"

namespace lathe::bridge {

inline LatheText text_of(std::string_view text) {
  return {text.data(), text.size()};
}

/// The bytes as a string; frees them.
inline std::string take(LatheBytes bytes) {
  const std::unique_ptr<LatheBytes, void (*)(LatheBytes*)> owner(
      &bytes, [](LatheBytes* owned) { lathe_bytes_free(*owned); });
  return std::string(bytes.data, bytes.size);
}

/// Ids of the bridge; frees them.
struct OwnedIds {
  LatheIds ids{};
  OwnedIds() = default;
  OwnedIds(const OwnedIds&) = delete;
  OwnedIds& operator=(const OwnedIds&) = delete;
  ~OwnedIds() { lathe_ids_free(ids); }
  /// The ids of text `i`.
  std::span<const uint32_t> operator[](size_t i) const {
    const size_t begin = i == 0 ? 0 : ids.ends[i - 1];
    return {ids.ids + begin, ids.ends[i] - begin};
  }
};

/// Throws Error with the message if the call failed.
inline void check(int32_t status, const LatheBytes& error) {
  if (status != 0) throw Error(take(error));
}

template <class T, void (*release)(T*)>
struct Release {
  void operator()(T* object) const { release(object); }
};

using TokenizerPointer =
    std::unique_ptr<LatheTokenizer, Release<LatheTokenizer, lathe_tokenizer_free>>;
using TemplatePointer = std::unique_ptr<LatheTemplate, Release<LatheTemplate, lathe_template_free>>;
using TrainerPointer = std::unique_ptr<LatheTrainer, Release<LatheTrainer, lathe_trainer_free>>;
using ParquetPointer = std::unique_ptr<LatheParquet, Release<LatheParquet, lathe_parquet_free>>;

}  // namespace lathe::bridge
