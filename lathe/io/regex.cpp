#include "lathe/io/regex.h"

#include "rust/lathe_bridge.hpp"

namespace lathe {

bool full_match(std::string_view expression, std::string_view text) {
  bool matches = false;
  LatheBytes error{};
  bridge::check(
      lathe_regex_full_match(bridge::text_of(expression), bridge::text_of(text), &matches, &error),
      error);
  return matches;
}

}  // namespace lathe
