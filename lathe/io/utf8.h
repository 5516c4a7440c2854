// UTF-8: whether text is valid, where it is not, and how to show text of unknown origin to a
// person.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lathe {

/// The offset of the first byte that is not part of valid UTF-8 (RFC 3629: no overlong forms, no
/// surrogates, nothing above U+10FFFF); `text.size()` if all is valid.
size_t find_invalid_utf8(std::string_view text);

/// Whether all of `text` is valid UTF-8.
bool is_valid_utf8(std::string_view text);

/// The length of the valid character that begins at `at`, 1 to 4; 0 if none does.
size_t utf8_length(std::string_view text, size_t at);

/// The length of the longest prefix of `text` that ends between two characters: at most three bytes
/// of a character that was cut off at the end are left out.
size_t utf8_complete_prefix(std::string_view text);

/// `text` with U+FFFD in place of each byte that is not part of valid UTF-8; their number is added
/// to `replaced`.
std::string replace_invalid_utf8(std::string_view text, uint64_t& replaced);

/// Whether the text begins with the UTF-8 byte order mark, the three bytes EF BB BF.
bool begins_with_bom(std::string_view text);

/// `text` without what could drive a terminal: control characters other than newline and tab, and
/// bytes that are not valid UTF-8, are escaped as in `show_text` (\u001b, \x9b).
std::string escape_controls(std::string_view text);

/// `text` in double quotes for an error message: what could steer a terminal (control characters,
/// marks of writing direction) and invalid bytes are escaped, and after `limit` bytes it is cut.
std::string show_text(std::string_view text, size_t limit = 100);

}  // namespace lathe
