#include "lathe/io/utf8.h"

#include <algorithm>
#include <cstring>

#include "lathe/base/format.h"

namespace lathe {
namespace {

unsigned char byte_at(std::string_view text, size_t at) {
  return static_cast<unsigned char>(text[at]);
}

/// The first offset from `at` on that may hold something else than ASCII.
size_t skip_ascii(std::string_view text, size_t at) {
  constexpr uint64_t high_bits = 0x8080808080808080;
  while (text.size() - at >= 32) {
    uint64_t words[4];
    std::memcpy(words, text.data() + at, sizeof words);
    if (((words[0] | words[1] | words[2] | words[3]) & high_bits) != 0) break;
    at += 32;
  }
  while (at < text.size() && byte_at(text, at) < 0x80) ++at;
  return at;
}

bool continues(std::string_view text, size_t at) {
  return at < text.size() && (byte_at(text, at) & 0xC0) == 0x80;
}

char32_t decode(std::string_view text, size_t at, size_t length) {
  static constexpr unsigned char lead_mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t code = byte_at(text, at) & lead_mask[length];
  for (size_t i = 1; i < length; ++i) code = code << 6 | (byte_at(text, at + i) & 0x3F);
  return code;
}

bool is_control(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F);
}

/// Control characters, and marks that change in what order or on what line text is shown.
bool misleads(char32_t code) {
  return is_control(code) || code == 0x200E || code == 0x200F || code == 0x061C ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

/// Adds the character at `text[at]`, escaped if it is invalid or `escaped` says so, and returns
/// where the next one begins.
size_t add_shown(std::string& out, std::string_view text, size_t at, bool (*escaped)(char32_t)) {
  const size_t length = utf8_length(text, at);
  if (length == 0) {
    out += format("\\x{:02x}", byte_at(text, at));
    return at + 1;
  }
  if (const char32_t code = decode(text, at, length); escaped(code))
    out += format("\\u{:04x}", static_cast<uint32_t>(code));
  else
    out.append(text.substr(at, length));
  return at + length;
}

}  // namespace

size_t utf8_length(std::string_view text, size_t at) {
  if (at >= text.size()) return 0;
  const unsigned char lead = byte_at(text, at);
  if (lead < 0x80) return 1;
  // 80..C1 never begin a character: continuation bytes, and overlong forms of ASCII.
  if (lead < 0xC2 || lead > 0xF4 || !continues(text, at + 1)) return 0;
  if (lead < 0xE0) return 2;
  const unsigned char second = byte_at(text, at + 1);
  if (!continues(text, at + 2)) return 0;
  if (lead < 0xF0) {
    const bool overlong = lead == 0xE0 && second < 0xA0;
    const bool surrogate = lead == 0xED && second > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  const bool overlong = lead == 0xF0 && second < 0x90;
  const bool too_large = lead == 0xF4 && second > 0x8F;
  return overlong || too_large || !continues(text, at + 3) ? 0 : 4;
}

size_t find_invalid_utf8(std::string_view text) {
  size_t at = 0;
  while ((at = skip_ascii(text, at)) < text.size()) {
    while (at < text.size() && byte_at(text, at) >= 0x80) {
      const size_t length = utf8_length(text, at);
      if (length == 0) return at;
      at += length;
    }
  }
  return at;
}

bool is_valid_utf8(std::string_view text) {
  return find_invalid_utf8(text) == text.size();
}

size_t utf8_complete_prefix(std::string_view text) {
  const size_t longest = std::min<size_t>(3, text.size());
  for (size_t back = 1; back <= longest; ++back) {
    const unsigned char byte = byte_at(text, text.size() - back);
    if (byte < 0x80) break;
    if (byte < 0xC0) continue;
    const size_t wanted = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
    return wanted > back ? text.size() - back : text.size();
  }
  return text.size();
}

std::string replace_invalid_utf8(std::string_view text, uint64_t& replaced) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const size_t valid = find_invalid_utf8(text);
    result.append(text.substr(0, valid));
    if (valid == text.size()) break;
    result += "\xEF\xBF\xBD";
    ++replaced;
    text.remove_prefix(valid + 1);
  }
  return result;
}

bool begins_with_bom(std::string_view text) {
  return text.starts_with("\xEF\xBB\xBF");
}

std::string escape_controls(std::string_view text) {
  const auto escaped = [](char32_t code) {
    return is_control(code) && code != '\n' && code != '\t';
  };
  std::string result;
  for (size_t at = 0; at < text.size();) at = add_shown(result, text, at, escaped);
  return result;
}

std::string show_text(std::string_view text, size_t limit) {
  std::string result = "\"";
  size_t at = 0;
  while (at < text.size() && at < limit) {
    if (text[at] == '"' || text[at] == '\\') result += '\\';
    at = add_shown(result, text, at, misleads);
  }
  result += '"';
  if (at < text.size()) result += format("... ({} bytes)", text.size());
  return result;
}

}  // namespace lathe
