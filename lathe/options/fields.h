// An option is declared once, in the fields() table of the struct that holds it:
//
//   struct OptimizerOptions {
//     double learning_rate = 5e-5;
//     std::optional<double> max_grad_norm;
//     void fields(Fields& f) {
//       f.group("Optimizer");
//       f("learning_rate", learning_rate, "Peak learning rate.", {.above = 0, .aliases = {"lr"}});
//       f("max_grad_norm", max_grad_norm, "Clip gradients to this norm.", {.above = 0});
//     }
//   };
//
// From that line come the default, recipes and command lines (read_options), the resolved recipe
// (to_value), help, documentation and schema (describe_fields).
//
// Types: bool, integers, double, float, std::string, Value (anything), structs with fields(),
// std::optional and std::vector of these. A table may call another's (`optimizer.fields(f)`), which
// puts both on one level. What else a struct may have:
//   static constexpr const char* scalar_field = "path";   a bare scalar stands for {path: scalar}
//   void check() const;                                   called once read; throws by fail()
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "lathe/base/error.h"
#include "lathe/options/field.h"
#include "lathe/options/value.h"

namespace lathe {

class Fields;

template <class T>
concept HasFields = requires(T& options, Fields& fields) {
  options.fields(fields);
};

/// Reads one scalar into `target`. `key` is its path, for messages. Throws Error (UsageError if the
/// value comes from the command line) saying what was expected and found.
void read_scalar(bool& target, const Value& value, std::string_view key, const Field& field);
void read_scalar(int64_t& target, const Value& value, std::string_view key, const Field& field);
void read_scalar(double& target, const Value& value, std::string_view key, const Field& field);
void read_scalar(std::string& target, const Value& value, std::string_view key, const Field& field);
void read_scalar(Value& target, const Value& value, std::string_view key, const Field& field);

/// Throws Error (UsageError if `value` comes from the command line) with where `value` stands, its
/// path `key`, and `message`.
[[noreturn]] void fail_at(const Value& value, std::string_view key, std::string_view message);

/// The fields() table of one struct, bound to its members.
class Fields {
 public:
  /// Declares an option. `doc` is one or two sentences, shown in help and documentation.
  template <class T>
  void operator()(const char* name, T& member, const char* doc, Field field = {});
  /// The heading of the options that follow, in help and documentation.
  void group(const char* name) { group_ = name; }
  /// A name of another program that has no meaning here, with what to do instead.
  void unsupported(const char* name, const char* hint) { unsupported_.push_back({name, hint}); }

  /// Sets the members from a map; every key must be an option, and be given once.
  void read(const Value& map, std::string_view key);
  /// The members as a map. Left out, because reading the map without them gives the same: what is
  /// unset by default; a default that its own bounds refuse, such as 0 for "not given"; and with
  /// `brief` every default.
  Value write(const Value& defaults, bool brief) const;
  /// The current values as a map, unset ones included.
  Value values() const;
  FieldType describe(std::string_view scalar_field) const;

 private:
  struct Bound {
    std::string name;
    std::string doc;
    Field field;
    std::function<void(const Value&, std::string_view, const Field&)> read;
    std::function<Value()> write;
    std::function<FieldType()> type;
  };
  void add(Bound bound);
  const Bound* find(std::string_view key) const;

  std::string group_;
  std::vector<Bound> bound_;
  std::vector<Unsupported> unsupported_;
};

namespace options_detail {

template <class T>
struct Inner {};
template <class T>
struct Inner<std::optional<T>> {
  static constexpr bool optional = true;
};
template <class T>
struct Inner<std::vector<T>> {
  static constexpr bool vector = true;
};
template <class T>
concept Optional = requires {
  Inner<T>::optional;
};
template <class T>
concept Vector = requires {
  Inner<T>::vector;
};

template <class T>
constexpr const char* scalar_field() {
  if constexpr (requires { T::scalar_field; })
    return T::scalar_field;
  else
    return "";
}

/// The elements a value stands for where a list is wanted: those of a list, or one.
std::vector<Value> list_items(const Value& value, std::string_view key, const Field& field);
/// The map a value stands for where a struct is wanted.
Value struct_map(const Value& value, std::string_view key, std::string_view scalar_field);
/// Whether a value says "unset".
bool says_null(const Value& value);
/// Collapses {path: x} to x where `path` is the scalar field, and nothing else is set.
Value shorten(Value map, std::string_view scalar_field);
/// Calls `check`, with the place of `value` before the message of what it throws.
void check_at(const Value& value, std::string_view key, const std::function<void()>& check);

template <class T>
void read(T& target, const Value& value, std::string_view key, const Field& field) {
  if constexpr (Optional<T>) {
    if (says_null(value)) return target.reset();
    typename T::value_type inner{};
    read(inner, value, key, field);
    target = std::move(inner);
  } else if constexpr (Vector<T>) {
    T list;
    const std::vector<Value> items = list_items(value, key, field);
    for (const Value& item : items) {
      typename T::value_type element{};
      read(element, item, format("{}[{}]", key, list.size()), field);
      list.push_back(std::move(element));
    }
    target = std::move(list);
  } else if constexpr (HasFields<T>) {
    Fields fields;
    target.fields(fields);
    fields.read(struct_map(value, key, scalar_field<T>()), key);
    if constexpr (requires { target.check(); }) check_at(value, key, [&] { target.check(); });
  } else if constexpr (std::integral<T> && !std::same_as<T, bool>) {
    int64_t wide = 0;
    read_scalar(wide, value, key, field);
    if (!std::in_range<T>(wide))
      fail_at(value, key,
              format("expected an integer from {} to {}, found {}", std::numeric_limits<T>::min(),
                     std::numeric_limits<T>::max(), wide));
    target = static_cast<T>(wide);
  } else if constexpr (std::same_as<T, float>) {
    double wide = 0;
    read_scalar(wide, value, key, field);
    target = static_cast<float>(wide);
  } else {
    read_scalar(target, value, key, field);
  }
}

template <class T>
Value write(const T& source) {
  if constexpr (Optional<T>) {
    return source ? write(*source) : Value();
  } else if constexpr (Vector<T>) {
    Value list = Value::list();
    for (const auto& element : source) {
      list.items.push_back(write<typename T::value_type>(element));
    }
    return list;
  } else if constexpr (HasFields<T>) {
    T copy = source;  // fields() binds members and is not const
    T initial{};
    Fields fields, defaults;
    copy.fields(fields);
    initial.fields(defaults);
    constexpr const char* bare = scalar_field<T>();
    return shorten(fields.write(defaults.values(), *bare != '\0'), bare);
  } else if constexpr (std::same_as<T, Value>) {
    return source;
  } else if constexpr (std::integral<T> && !std::same_as<T, bool>) {
    return Value::of(static_cast<int64_t>(source));
  } else if constexpr (std::same_as<T, float>) {
    return Value::of(std::stod(format("{}", source)));
  } else {
    return Value::of(source);
  }
}

template <class T>
FieldType type_of() {
  using Kind = FieldType::Kind;
  if constexpr (Optional<T>) {
    FieldType type = type_of<typename T::value_type>();
    type.optional = true;
    return type;
  } else if constexpr (Vector<T>) {
    FieldType list = FieldType::of(Kind::list);
    list.element = {type_of<typename T::value_type>()};
    return list;
  } else if constexpr (HasFields<T>) {
    T initial{};
    Fields fields;
    initial.fields(fields);
    return fields.describe(scalar_field<T>());
  } else if constexpr (std::same_as<T, bool>) {
    return FieldType::of(Kind::boolean);
  } else if constexpr (std::integral<T>) {
    return FieldType::of(Kind::integer);
  } else if constexpr (std::floating_point<T>) {
    return FieldType::of(Kind::number);
  } else if constexpr (std::same_as<T, std::string>) {
    return FieldType::of(Kind::text);
  } else {
    static_assert(std::same_as<T, Value>, "no option can have this type");
    return FieldType::of(Kind::any);
  }
}

}  // namespace options_detail

template <class T>  // NOLINTNEXTLINE(performance-unnecessary-value-param): it is moved from
void Fields::operator()(const char* name, T& member, const char* doc, Field field) {
  namespace detail = options_detail;
  add({.name = name,
       .doc = doc,
       .field = std::move(field),
       .read = [&member](const Value& value, std::string_view key,
                         const Field& extras) { detail::read(member, value, key, extras); },
       .write = [&member] { return detail::write(member); },
       .type = [] { return detail::type_of<T>(); }});
}

/// Sets what `recipe` (a map, or null for nothing) says, and leaves the rest of `options` as it is.
/// Throws Error for unknown keys, wrong types, values out of bounds and missing required options.
template <HasFields T>
void read_options(T& options, const Value& recipe) {
  Value map = recipe;
  if (map.is_null()) map.kind = Value::Kind::map;
  options_detail::read(options, map, "", {});
}

/// The options as a resolved recipe: every option but those of the command line alone, those unset
/// by default and unset now, and the defaults within structs that have a scalar_field.
template <HasFields T>
Value to_value(const T& options) {
  return options_detail::write(options);
}

/// The table of `T` (a FieldType of kind map) with its defaults.
template <HasFields T>
FieldType describe_fields() {
  return options_detail::type_of<T>();
}

}  // namespace lathe
