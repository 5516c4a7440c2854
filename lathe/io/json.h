// JSON documents from anywhere: parsed strictly, read with errors that name key and value.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace lathe {

/// Parses one JSON value (see parse_json_events), refusing objects with a key twice. Memory is
/// linear in the text, but many times its size where values are small; more than `most_memory` is
/// an Error. Throws Error with line and column.
nlohmann::json parse_json(std::string_view text,
                          uint64_t most_memory = std::numeric_limits<uint64_t>::max());
/// The same with the members of objects in the order of the text.
nlohmann::ordered_json parse_ordered_json(
    std::string_view text, uint64_t most_memory = std::numeric_limits<uint64_t>::max());

/// The JSON value in a file of at most `limit` bytes, in values of at most three times its size
/// (16 MB more for small ones); while the longest string is read, it is there four times more. A
/// byte order mark is skipped. Throws Error that begins with the path.
nlohmann::json load_json(const std::filesystem::path& path, uint64_t limit = 100'000'000);
/// The same with the members of objects in the order of the file.
nlohmann::ordered_json load_ordered_json(const std::filesystem::path& path, uint64_t limit);

/// The member `key` of an object; nullptr if it is missing or null, which mean the same in Hugging
/// Face's files. Throws Error if `object` is no object.
const nlohmann::json* find_member(const nlohmann::json& object, std::string_view key);
const nlohmann::ordered_json* find_member(const nlohmann::ordered_json& object,
                                          std::string_view key);

/// Typed members of an object. Without a fallback a missing or null member is an error; a member of
/// another type or outside of [min, max] always is:
///
///   "hidden_size": expected an integer >= 1, found "big"
int64_t get_int(const nlohmann::json& object, std::string_view key,
                int64_t min = std::numeric_limits<int64_t>::min(),
                int64_t max = std::numeric_limits<int64_t>::max());
int64_t get_int_or(const nlohmann::json& object, std::string_view key, int64_t fallback,
                   int64_t min = std::numeric_limits<int64_t>::min(),
                   int64_t max = std::numeric_limits<int64_t>::max());
/// A member that counts something.
uint64_t get_count(const nlohmann::json& object, std::string_view key);
double get_number(const nlohmann::json& object, std::string_view key,
                  double min = std::numeric_limits<double>::lowest(),
                  double max = std::numeric_limits<double>::max());
double get_number_or(const nlohmann::json& object, std::string_view key, double fallback,
                     double min = std::numeric_limits<double>::lowest(),
                     double max = std::numeric_limits<double>::max());
bool get_bool(const nlohmann::json& object, std::string_view key);
bool get_bool_or(const nlohmann::json& object, std::string_view key, bool fallback);
std::string get_string(const nlohmann::json& object, std::string_view key);
std::string get_string_or(const nlohmann::json& object, std::string_view key,
                          std::string_view fallback);
std::string get_string(const nlohmann::ordered_json& object, std::string_view key);
std::string get_string_or(const nlohmann::ordered_json& object, std::string_view key,
                          std::string_view fallback);
const nlohmann::json& get_array(const nlohmann::json& object, std::string_view key);
const nlohmann::json& get_object(const nlohmann::json& object, std::string_view key);

/// The value for an error message, on one line and cut.
std::string show_json(const nlohmann::json& value);
std::string show_json(const nlohmann::ordered_json& value);

}  // namespace lathe
