#pragma once

#include <string_view>

namespace lathe {

/// Whether a regular expression means the whole text, in the syntax that Python's `re` and Rust's
/// crate `regex` share. The time is linear in the text, whatever the expression. Throws Error for
/// one that cannot be read, is too large, or looks around or back, which takes more time.
bool full_match(std::string_view expression, std::string_view text);

}  // namespace lathe
