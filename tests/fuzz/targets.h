// What is fuzzed: each reader of files that may come from anywhere.
#pragma once

#include <span>
#include <string_view>

namespace lathe {

struct FuzzTarget {
  const char* name;
  /// Reads the input as the file it is meant to be; whatever is wrong with it is an Error, which is
  /// caught. Anything else that is thrown, a crash, or a broken promise is a bug.
  void (*run)(std::string_view input);
};

/// All targets; the seeds of each are in corpus/NAME.
std::span<const FuzzTarget> fuzz_targets();

/// The target of that name; nullptr if there is none.
const FuzzTarget* find_fuzz_target(std::string_view name);

}  // namespace lathe
