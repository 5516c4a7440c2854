// JSON as a stream of events, for readers that must not hold a document of hostile size in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lathe {

/// Receives the parts of a JSON text in order. A handler may throw; parsing then ends.
class JsonEvents {
 public:
  virtual ~JsonEvents() = default;
  virtual void null() = 0;
  virtual void boolean(bool value) = 0;
  virtual void integer(int64_t value) = 0;  ///< written with a minus sign
  virtual void natural(uint64_t value) = 0;
  virtual void real(double value) = 0;  ///< a fraction or exponent, or beyond 64 bits
  virtual void string(std::string value) = 0;
  virtual void begin_object() = 0;
  virtual void key(std::string name) = 0;
  virtual void end_object() = 0;
  virtual void begin_array() = 0;
  virtual void end_array() = 0;

  /// How many bytes of the text had been read when the event came.
  size_t position = 0;
};

/// Containers may be nested this deep.
constexpr int max_json_depth = 128;

/// Parses exactly one JSON value as RFC 8259 has it: no comments, no NaN or infinity, no invalid
/// UTF-8, nothing behind it, at most `max_json_depth` levels. Needs no memory beyond the longest
/// string. Does not look for duplicate keys. Throws Error with line and column.
void parse_json_events(std::string_view text, JsonEvents& events);

/// "line 3, column 14" of the byte that lies before `position`, both counted from 1.
std::string line_and_column(std::string_view text, size_t position);

}  // namespace lathe
