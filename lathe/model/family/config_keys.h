// config.json while it is read: a key that nobody asked for is an error, because it might change
// the numbers.
#pragma once

#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lathe {

class ConfigKeys {
 public:
  /// The members of `object`, which must outlive this.
  explicit ConfigKeys(const nlohmann::json& object);

  /// Reads a member, if it is there and not null; otherwise `target` keeps its value, which is what
  /// the family's configuration class has by default. Throws Error for another type, and for a
  /// number outside of [min, max].
  void operator()(const char* key, int64_t& target, int64_t min, int64_t max);
  void operator()(const char* key, double& target,
                  double min = std::numeric_limits<double>::lowest(),
                  double max = std::numeric_limits<double>::max());
  void operator()(const char* key, bool& target);
  void operator()(const char* key, std::string& target);
  void operator()(const char* key, std::vector<int64_t>& target, int64_t min, int64_t max);
  /// The same for one integer or a list of them.
  void one_or_more(const char* key, std::vector<int64_t>& target, int64_t min, int64_t max);
  void operator()(const char* key, std::vector<double>& target);
  void operator()(const char* key, std::vector<std::string>& target);
  /// The same for what may be unset: null unsets it, whatever the default is.
  template <class T, class... Bounds>
  void operator()(const char* key, std::optional<T>& target, Bounds... bounds) {
    if (says_null(key)) target.reset();
    if (find(key) == nullptr) return;
    T value{};
    (*this)(key, value, bounds...);
    target = std::move(value);
  }
  /// An integer of at least 1 that must be there.
  void needed(const char* key, int64_t& target, int64_t max = 1 << 24);

  /// The member, which counts as read; nullptr if it is missing or null.
  const nlohmann::json* find(const char* key);
  /// Keys that change nothing in this family, whatever they say.
  void ignore(std::initializer_list<const char*> keys) { read_.insert(keys.begin(), keys.end()); }
  /// Throws Error for a member that was not read, is not known to be harmless, and says something
  /// else than null, false or nothing.
  void refuse_unread(std::string_view model_type) const;

 private:
  /// Whether the member is there and null.
  bool says_null(const char* key) const;

  const nlohmann::json& object_;
  std::set<std::string, std::less<>> read_;
};

}  // namespace lathe
