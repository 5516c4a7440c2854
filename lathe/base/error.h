// Errors that say what was being done, what was expected and what was found:
//
//   reading out/adapter_config.json: "r": expected an integer >= 1, found "eight"
#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lathe/base/format.h"

namespace lathe {

/// The one exception of Lathe: something outside the program is not as it must be. The message
/// carries the chain of `Context` notes that were active where it was thrown.
class Error : public std::runtime_error {
 public:
  explicit Error(std::string_view message);
};

/// Wrong usage of a command or option (exit code 2 in the binary).
class UsageError : public Error {
 public:
  using Error::Error;
};

/// A note of what is being done, for as long as it lives; errors thrown meanwhile begin with it.
///
///   Context doing("reading {}", path);
class Context {
 public:
  template <class... Args>
  explicit Context(fmt::format_string<Args...> text, Args&&... args)
      : Context(fmt::format(text, std::forward<Args>(args)...), nullptr) {}
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

 private:
  Context(std::string note, std::nullptr_t);
  int exceptions_;
};

/// Throws Error with a formatted message.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) {
  throw Error(fmt::format(text, std::forward<Args>(args)...));
}

/// Throws Error with a formatted message unless `condition` holds.
template <class... Args>
void require(bool condition, fmt::format_string<Args...> text, Args&&... args) {
  if (!condition) fail(text, std::forward<Args>(args)...);
}

/// The message of any exception for a person, without backtraces; errors of other libraries get
/// the notes that were active where they were thrown. To be called where `error` was caught.
std::string describe(const std::exception& error);

/// The candidate nearest to `word` by edit distance, for "did you mean"; empty if none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace lathe
