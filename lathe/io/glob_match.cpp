#include <cstdint>

#include "lathe/io/glob.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

/// The characters of a name; a byte that is not UTF-8 becomes one beyond Unicode.
std::u32string characters(std::string_view text) {
  std::u32string result;
  for (size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const size_t length = utf8_length(text, at);
    char32_t code = length == 0 ? 0x110000u + lead : length == 1 ? lead : lead & (0x7Fu >> length);
    for (size_t i = 1; i < length; ++i)
      code = code << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3F);
    result += code;
    at += length == 0 ? 1 : length;
  }
  return result;
}

/// A set of characters such as [!a-z]; `at` is behind its opening bracket. Moves `at` behind its
/// end; one that is never closed is not a set.
bool match_set(const std::u32string& pattern, size_t& at, char32_t c, bool& closed) {
  size_t i = at;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool found = false;
  for (bool first = true; i < pattern.size() && (first || pattern[i] != ']'); first = false) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    const char32_t low = pattern[i++];
    char32_t high = low;
    if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
      high = pattern[i + 1];
      i += 2;
    }
    found = found || (low <= c && c <= high);
  }
  closed = i < pattern.size();
  if (closed) at = i + 1;
  return found != negated;
}

/// Whether the element of the pattern at `at` matches `c`; moves `at` behind the element.
bool match_one(const std::u32string& pattern, size_t& at, char32_t c) {
  const char32_t element = pattern[at++];
  if (element == '?') return true;
  if (element == '[') {
    bool closed = false;
    const bool matched = match_set(pattern, at, c, closed);
    return closed ? matched : c == '[';
  }
  if (element == '\\' && at < pattern.size()) return pattern[at++] == c;
  return element == c;
}

}  // namespace

bool matches_glob(std::string_view pattern_text, std::string_view name_text) {
  const std::u32string pattern = characters(pattern_text);
  const std::u32string name = characters(name_text);
  size_t p = 0, n = 0;
  // Only the last star ever needs to take more: what the earlier ones took can stay. So the time is
  // at most the product of the lengths.
  size_t star = std::u32string::npos, star_end = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_end = n;
      continue;
    }
    size_t next = p;
    if (p < pattern.size() && match_one(pattern, next, name[n])) {
      p = next;
      ++n;
      continue;
    }
    if (star == std::u32string::npos) return false;
    p = star + 1;
    n = ++star_end;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace lathe
