// The scalars of YAML's core schema, and what people write besides: yes and no, and 1e3 for an
// integer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lathe {

/// Whether a scalar without quotes means null: empty, ~ or null.
bool scalar_is_null(std::string_view text);

/// true, false, yes, no, on and off, in lower case, upper case or capitalised.
std::optional<bool> scalar_boolean(std::string_view text);

/// A decimal, 0x or 0o integer, or a number such as 1e3 whose value is integral and below 2^53.
std::optional<int64_t> scalar_integer(std::string_view text);

/// A decimal number, an integer, or .inf, -.inf, .nan. Nothing for what a double cannot hold.
std::optional<double> scalar_number(std::string_view text);

/// The shortest spelling that reads back to the same number.
std::string number_text(double value);

/// Whether a text needs quotes in YAML, lest it be read as something else.
bool needs_quotes(std::string_view text);

/// The text in double quotes, as both JSON and YAML read it.
std::string quote(std::string_view text);

/// Where `text` first is not UTF-8, or a control character YAML forbids; npos if nowhere.
size_t bad_text_at(std::string_view text);

}  // namespace lathe
