#include "lathe/io/json_events.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "lathe/base/error.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

using nlohmann::json;

/// A pointer that leaves how far it got in `*reached`: the parser does not tell handlers.
struct CountingIterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at;
  const char** reached;

  const char& operator*() const { return *at; }
  CountingIterator& operator++() {
    *reached = ++at;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at == other.at; }
  bool operator!=(const CountingIterator& other) const { return at != other.at; }
};

/// What the parser complains about, without its own prefix and position, and cut: it quotes the
/// whole token it failed in.
std::string complaint(std::string_view what) {
  if (const size_t at = what.find("] "); at != what.npos) what.remove_prefix(at + 2);
  if (what.starts_with("parse error"))
    if (const size_t at = what.find(": "); at != what.npos) what.remove_prefix(at + 2);
  constexpr size_t longest = 300;
  std::string text(what);
  if (what.size() > longest)
    text = format("{} ... {}", what.substr(0, longest - 100), what.substr(what.size() - 100));
  std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  uint64_t ignored = 0;
  return replace_invalid_utf8(text, ignored);
}

class Adapter final : public nlohmann::json_sax<json> {
 public:
  Adapter(std::string_view text, JsonEvents& events) : text_(text), events_(events) {}

  bool null() override {
    return pass([&] { events_.null(); });
  }
  bool boolean(bool value) override {
    return pass([&] { events_.boolean(value); });
  }
  bool number_integer(number_integer_t value) override {
    return pass([&] { events_.integer(value); });
  }
  bool number_unsigned(number_unsigned_t value) override {
    return pass([&] { events_.natural(value); });
  }
  bool number_float(number_float_t value, const string_t&) override {
    return pass([&] { events_.real(value); });
  }
  bool string(string_t& value) override {
    return pass([&] { events_.string(std::move(value)); });
  }
  bool binary(binary_t&) override { return false; }  // does not occur in text
  bool key(string_t& name) override {
    return pass([&] { events_.key(std::move(name)); });
  }
  bool start_object(size_t) override {
    return open([&] { events_.begin_object(); });
  }
  bool start_array(size_t) override {
    return open([&] { events_.begin_array(); });
  }
  bool end_object() override {
    return close([&] { events_.end_object(); });
  }
  bool end_array() override {
    return close([&] { events_.end_array(); });
  }

  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& error) override {
    fail("{}: invalid JSON: {}", place(), complaint(error.what()));
  }

  void parse() {
    reached_ = text_.data();
    const CountingIterator first{text_.data(), &reached_};
    const CountingIterator last{text_.data() + text_.size(), &reached_};
    json::sax_parse(first, last, static_cast<nlohmann::json_sax<json>*>(this));
  }

 private:
  template <class Event>
  bool pass(Event event) {
    events_.position = static_cast<size_t>(reached_ - text_.data());
    event();
    return true;
  }
  template <class Event>
  bool open(Event event) {
    if (++depth_ > max_json_depth)
      fail("{}: nested deeper than {} levels", place(), max_json_depth);
    return pass(event);
  }
  template <class Event>
  bool close(Event event) {
    --depth_;
    return pass(event);
  }
  std::string place() const {
    return line_and_column(text_, static_cast<size_t>(reached_ - text_.data()));
  }

  std::string_view text_;
  JsonEvents& events_;
  const char* reached_ = nullptr;
  int depth_ = 0;
};

}  // namespace

void parse_json_events(std::string_view text, JsonEvents& events) {
  // The parser takes a zero byte for the end, whatever follows, and skips a byte order mark.
  const size_t zero = text.find('\0');
  if (zero != text.npos) fail("{}: invalid JSON: a zero byte", line_and_column(text, zero + 1));
  require(!begins_with_bom(text), "line 1, column 1: invalid JSON: a byte order mark");
  Adapter(text, events).parse();
}

std::string line_and_column(std::string_view text, size_t position) {
  const std::string_view before = text.substr(0, position == 0 ? 0 : position - 1);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t newline = before.rfind('\n');
  const size_t column = newline == before.npos ? before.size() + 1 : before.size() - newline;
  return format("line {}, column {}", line, column);
}

}  // namespace lathe
