// How a value becomes the option that reads it, and what is said when it cannot.
#include <algorithm>
#include <cmath>

#include "lathe/options/fields.h"
#include "lathe/options/scalar.h"

namespace lathe {
namespace {

using Kind = FieldType::Kind;

/// What stands there, for "found ...": a list, or the text in quotes, cut where it gets long.
std::string found(const Value& value) {
  if (value.is_null()) return "nothing";
  if (value.is_list()) return "a list";
  if (value.is_map()) return "a map";
  constexpr size_t limit = 60;
  if (value.scalar.size() <= limit) return quote(value.scalar);
  size_t cut = limit;
  while (cut > 0 && (static_cast<unsigned char>(value.scalar[cut]) & 0xC0) == 0x80) --cut;
  return quote(value.scalar.substr(0, cut)) + "...";
}

[[noreturn]] void fail_type(const Value& value, std::string_view key, Kind kind, const Field& field,
                            std::string_view hint = "") {
  fail_at(value, key,
          format("expected {}, found {}{}", expectation(kind, field), found(value), hint));
}

bool is_typed(const Value& value) {
  return value.kind == Value::Kind::plain || value.kind == Value::Kind::argument;
}

bool in_bounds(double number, const Field& field) {
  return !(field.minimum && number < *field.minimum) && !(field.above && number <= *field.above) &&
         !(field.maximum && number > *field.maximum) && !(field.below && number >= *field.below);
}

/// Where `value` stands, for the start of a message. A whole argument is named by the option as
/// typed; something within an argument needs its path too.
std::string place_of(const Value& value, std::string_view key) {
  const Place& place = value.place;
  std::string path = key.empty() ? "" : quote(key);
  if (!place.origin) return path;
  if (place.line == 0) {
    if (path.empty() || value.kind == Value::Kind::argument) return *place.origin;
    return format("{}: {}", *place.origin, path);
  }
  return format("reading {}: line {}{}{}", *place.origin, place.line, path.empty() ? "" : ": ",
                path);
}

/// What may have been meant by something that is no number.
std::string number_hint(const Value& value) {
  if (value.kind == Value::Kind::text && scalar_number(value.scalar))
    return "; leave out the quotes";
  std::string digits;
  for (const char c : value.scalar)
    if (c != '_' && c != ',') digits += c;
  if (is_typed(value) && digits != value.scalar && scalar_number(digits))
    return "; write " + digits;
  return "";
}

}  // namespace

void fail_at(const Value& value, std::string_view key, std::string_view message) {
  const std::string where = place_of(value, key);
  const std::string text = format("{}{}{}", where, where.empty() ? "" : ": ", message);
  if (value.place.origin && value.place.line == 0) throw UsageError(text);
  throw Error(text);
}

void read_scalar(bool& target, const Value& value, std::string_view key, const Field& field) {
  const auto boolean = is_typed(value) ? scalar_boolean(value.scalar) : std::nullopt;
  if (boolean) {
    target = *boolean;
    return;
  }
  const bool quotes = value.kind == Value::Kind::text && scalar_boolean(value.scalar);
  fail_type(value, key, Kind::boolean, field, quotes ? "; leave out the quotes" : "");
}

void read_scalar(int64_t& target, const Value& value, std::string_view key, const Field& field) {
  const auto integer = is_typed(value) ? scalar_integer(value.scalar) : std::nullopt;
  if (!integer || !in_bounds(static_cast<double>(*integer), field))
    fail_type(value, key, Kind::integer, field, integer ? "" : number_hint(value));
  target = *integer;
}

void read_scalar(double& target, const Value& value, std::string_view key, const Field& field) {
  const auto number = is_typed(value) ? scalar_number(value.scalar) : std::nullopt;
  if (!number) fail_type(value, key, Kind::number, field, number_hint(value));
  if (!field.allow_not_finite && !std::isfinite(*number))
    fail_type(value, key, Kind::number, field);
  if (!in_bounds(*number, field)) fail_type(value, key, Kind::number, field);
  target = *number;
}

void read_scalar(std::string& target, const Value& value, std::string_view key,
                 const Field& field) {
  if (!value.is_scalar()) fail_type(value, key, Kind::text, field);
  if (!field.choices.empty() &&
      std::find(field.choices.begin(), field.choices.end(), value.scalar) == field.choices.end()) {
    const std::string near = nearest(value.scalar, field.choices);
    fail_type(value, key, Kind::text, field,
              near.empty() ? "" : "; did you mean " + quote(near) + "?");
  }
  target = value.scalar;
}

void read_scalar(Value& target, const Value& value, std::string_view, const Field&) {
  if (value.kind != Value::Kind::argument) {
    target = value;
    return;
  }
  target = parse_argument(value);
}

namespace options_detail {
namespace {

bool encloses(const Value& value, char open, char close) {
  return value.kind == Value::Kind::argument && value.scalar.size() >= 2 &&
         value.scalar.front() == open && value.scalar.back() == close;
}

}  // namespace

bool says_null(const Value& value) {
  return value.is_null() || (value.kind == Value::Kind::argument && !value.scalar.empty() &&
                             scalar_is_null(value.scalar));
}

std::vector<Value> list_items(const Value& value, std::string_view key, const Field& field) {
  if (value.is_list()) return value.items;
  if (value.is_null()) fail_at(value, key, "expected a list or one of its elements, found nothing");
  if (encloses(value, '[', ']')) return parse_argument(value).items;
  if (value.kind != Value::Kind::argument || field.separator == 0) return {value};
  std::vector<Value> items;
  for (size_t begin = 0; begin <= value.scalar.size();) {
    const size_t end = std::min(value.scalar.find(field.separator, begin), value.scalar.size());
    items.push_back(value);
    items.back().scalar = value.scalar.substr(begin, end - begin);
    begin = end + 1;
  }
  return items;
}

Value struct_map(const Value& value, std::string_view key, std::string_view scalar_field) {
  if (value.is_map()) return value;
  if (encloses(value, '{', '}')) return parse_argument(value);
  if (!value.is_scalar() || scalar_field.empty()) {
    const std::string wanted =
        scalar_field.empty() ? "a map" : format("text ({}) or a map", scalar_field);
    fail_at(value, key, format("expected {}, found {}", wanted, found(value)));
  }
  Value map = Value::map();
  map.place = value.place;
  map.entries.push_back({std::string(scalar_field), value, value.place.line});
  return map;
}

Value shorten(Value map, std::string_view scalar_field) {
  const bool alone = map.entries.size() == 1 && map.entries[0].key == scalar_field &&
                     map.entries[0].value.is_scalar();
  return alone ? Value(map.entries[0].value) : map;
}

void check_at(const Value& value, std::string_view key, const std::function<void()>& check) {
  if (value.place.origin && value.place.line == 0) {
    std::string message;
    try {
      return check();
    } catch (const Error& error) {
      message = error.what();
    }
    fail_at(value, key, message);  // wrong usage
  }
  const std::string where = place_of(value, key);
  if (where.empty()) return check();
  Context doing("{}", where);
  check();
}

}  // namespace options_detail
}  // namespace lathe
