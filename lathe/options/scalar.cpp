#include "lathe/options/scalar.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string>

#include "lathe/base/format.h"

namespace lathe {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Whether `text` is `word` in lower case, upper case or capitalised.
bool spells(std::string_view text, std::string_view word) {
  if (text.size() != word.size()) return false;
  std::string upper(word), capital(word);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  capital[0] = upper[0];
  return text == word || text == upper || text == capital;
}

template <class T>
std::optional<T> parse_all(std::string_view text, int base) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Length of the decimal number at the start of `text` (no sign): 1, 1., .5, 1e3.
size_t decimal_length(std::string_view text) {
  size_t i = 0;
  while (i < text.size() && is_digit(text[i])) ++i;
  size_t digits = i;
  if (i < text.size() && text[i] == '.') {
    ++i;
    while (i < text.size() && is_digit(text[i])) ++i, ++digits;
  }
  if (digits == 0) return 0;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    size_t exponent = i + 1;
    if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
    if (exponent >= text.size() || !is_digit(text[exponent])) return 0;
    while (exponent < text.size() && is_digit(text[exponent])) ++exponent;
    i = exponent;
  }
  return i;
}

/// Length of the character at `text[i]`, 0 if it is not valid UTF-8 (RFC 3629).
size_t utf8_length(std::string_view text, size_t i) {
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
  const auto continues = [&](size_t at, unsigned low, unsigned high) {
    return at < text.size() && byte(at) >= low && byte(at) <= high;
  };
  const unsigned first = byte(i);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(i + 1, 0x80, 0xBF) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return continues(i + 1, low, high) && continues(i + 2, 0x80, 0xBF) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    const bool valid =
        continues(i + 1, low, high) && continues(i + 2, 0x80, 0xBF) && continues(i + 3, 0x80, 0xBF);
    return valid ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool scalar_is_null(std::string_view text) {
  return text.empty() || text == "~" || spells(text, "null");
}

std::optional<bool> scalar_boolean(std::string_view text) {
  for (const char* word : {"true", "yes", "on"})
    if (spells(text, word)) return true;
  for (const char* word : {"false", "no", "off"})
    if (spells(text, word)) return false;
  return std::nullopt;
}

std::optional<int64_t> scalar_integer(std::string_view text) {
  if (text.starts_with("0x")) return parse_all<int64_t>(text.substr(2), 16);
  if (text.starts_with("0o")) return parse_all<int64_t>(text.substr(2), 8);
  std::string_view digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  const bool starts = !digits.empty() && (is_digit(digits[0]) || digits.size() == text.size());
  if (const auto value = parse_all<int64_t>(digits, 10); value && starts) return value;
  const std::optional<double> number = scalar_number(text);
  if (!number || std::abs(*number) >= 0x1p53 || *number != std::trunc(*number)) return std::nullopt;
  return static_cast<int64_t>(*number);
}

std::optional<double> scalar_number(std::string_view text) {
  bool negative = false;
  std::string_view rest = text;
  if (rest.starts_with('-') || rest.starts_with('+')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return std::nan("");
  if (rest == ".inf" || rest == ".Inf" || rest == ".INF") return negative ? -INFINITY : INFINITY;
  if (rest.starts_with("0x") || rest.starts_with("0o")) {
    const auto integer = rest.size() == text.size() ? scalar_integer(text) : std::nullopt;
    if (!integer) return std::nullopt;
    return static_cast<double>(*integer);
  }
  if (rest.empty() || decimal_length(rest) != rest.size()) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc() || end != rest.data() + rest.size()) return std::nullopt;
  return negative ? -value : value;
}

std::string number_text(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
  return format("{}", value);
}

bool needs_quotes(std::string_view text) {
  if (scalar_is_null(text) || scalar_boolean(text) || scalar_number(text) || scalar_integer(text))
    return true;
  // Dates and numbers of YAML 1.1 (1_000, 0b1, 12:30) stay out of other readers' way too.
  const bool path = text.starts_with("./") || text.starts_with("../") || text.starts_with('/');
  if (!path && !is_letter(text[0]) && text[0] != '_') return true;
  if (text.back() == ' ') return true;
  return !std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) ||
           std::string_view("_-./+=() ").find(c) != std::string::npos;
  });
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  return out += '"';
}

size_t bad_text_at(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F) return i;
    const size_t length = utf8_length(text, i);
    if (length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

}  // namespace lathe
