// YAML by yaml-cpp's events, so that aliases, depth and size are counted before anything is built.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <unordered_set>

#include "lathe/base/error.h"
#include "lathe/options/scalar.h"
#include "lathe/options/value.h"

namespace lathe {
namespace {

constexpr size_t max_bytes = 1'000'000;
constexpr size_t max_nodes = 100'000;
constexpr size_t max_depth = 64;

constexpr const char* not_a_key =
    "expected a name as a key, found a list or a map; is a bracket left open?";

/// Where the text comes from: a file, or an option of the command line.
struct Source {
  std::shared_ptr<const std::string> origin;
  bool argument = false;

  /// `line` counts from 0; -1 if it is not known.
  [[noreturn]] void fail(int line, std::string_view message) const {
    if (argument) throw UsageError(format("{}: {}", *origin, message));
    const std::string where = line < 0 ? "" : format(": line {}", line + 1);
    throw Error(format("reading {}{}: {}", *origin, where, message));
  }
};

class Builder : public YAML::EventHandler {
 public:
  explicit Builder(const Source& source) : source_(source) {}

  Value take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    finish(node(mark, Value::Kind::null), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    const bool plain = is_plain(mark, tag);
    Value value = node(mark, plain ? Value::Kind::plain : Value::Kind::text);
    if (plain && scalar_is_null(text) && !wants_key())
      value.kind = Value::Kind::null;
    else
      value.scalar = text;
    finish(std::move(value), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) source_.fail(mark.line, "an alias (*) of a node that contains it");
    if (open_.size() + found->second.depth > max_depth) fail_depth(mark.line);
    nodes_ += found->second.nodes;
    check_nodes(mark.line);
    finish(found->second.value, 0, found->second.depth);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Value::Kind::list);
  }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Value::Kind::map);
  }

  void OnSequenceEnd() override { close(); }

  void OnMapEnd() override {
    merge();
    close();
  }

 private:
  /// A list or map that is being filled.
  struct Open {
    Value value;
    YAML::anchor_t anchor = 0;
    size_t nodes_before = 0;
    size_t height = 1;                    // levels from here down
    std::optional<ValueEntry> pending{};  // a key that waits for its value
    std::unordered_set<std::string> keys{};
    std::vector<Value> merges{};  // values of <<
  };
  struct Anchored {
    Value value;
    size_t nodes = 1;
    size_t depth = 1;
  };

  [[noreturn]] void fail_depth(int line) const {
    source_.fail(line, format("expected at most {} levels of lists and maps", max_depth));
  }

  void check_nodes(int line) const {
    if (nodes_ > max_nodes)
      source_.fail(line, format("expected at most {} values, aliases (*) expanded", max_nodes));
  }

  /// yaml-cpp gives "?" to scalars without quotes, "!" to those with.
  bool is_plain(const YAML::Mark& mark, const std::string& tag) const {
    const std::string core = "tag:yaml.org,2002:";
    if (tag == "!" || tag == core + "str") return false;
    if (tag.empty() || tag == "?") return true;
    for (const char* name : {"null", "bool", "int", "float", "seq", "map"})
      if (tag == core + name) return true;
    source_.fail(mark.line, format("the tag {} means nothing here; leave it out", quote(tag)));
  }

  bool wants_key() const {
    return !open_.empty() && open_.back().value.is_map() && !open_.back().pending;
  }

  Value node(const YAML::Mark& mark, Value::Kind kind) {
    ++nodes_;
    check_nodes(mark.line);
    Value value;
    value.kind = kind;
    value.place = {source_.origin, source_.argument ? 0 : mark.line + 1};
    return value;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            Value::Kind kind) {
    is_plain(mark, tag);
    if (open_.size() >= max_depth) fail_depth(mark.line);
    if (wants_key()) source_.fail(mark.line, not_a_key);
    const size_t before = nodes_;
    open_.push_back({node(mark, kind), anchor, before});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    if (done.anchor != 0) {
      const size_t nodes = nodes_ - done.nodes_before;
      anchored_ += nodes;  // anchors in anchors would otherwise keep many copies
      if (anchored_ > max_nodes)
        source_.fail(done.value.place.line - 1, "too much below anchors (&)");
      anchors_[done.anchor] = {done.value, nodes, done.height};
    }
    finish(std::move(done.value), 0, done.height);
  }

  /// Puts a complete value where it belongs.
  void finish(Value value, YAML::anchor_t anchor, size_t height = 0) {
    if (anchor != 0) anchors_[anchor] = {value, 1, height};
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Open& parent = open_.back();
    parent.height = std::max(parent.height, height + 1);
    if (parent.value.is_list()) {
      parent.value.items.push_back(std::move(value));
    } else if (!parent.pending) {
      start_entry(parent, std::move(value));
    } else if (parent.pending->key == "<<" && parent.pending->value.kind == Value::Kind::plain) {
      parent.merges.push_back(std::move(value));
      parent.pending.reset();
    } else {
      parent.pending->value = std::move(value);
      parent.value.entries.push_back(std::move(*parent.pending));
      parent.pending.reset();
    }
  }

  void start_entry(Open& map, Value key) {
    const int line = key.place.line - 1;
    if (!key.is_scalar()) source_.fail(line, not_a_key);
    if (!map.keys.insert(key.scalar).second)
      source_.fail(line, format("{}: this key stands here twice", quote(key.scalar)));
    std::string name = key.scalar;
    map.pending = ValueEntry{std::move(name), std::move(key), source_.argument ? 0 : line + 1};
  }

  /// Adds the entries of <<: what the map says itself wins, then the earlier of several maps.
  void merge() {
    Open& map = open_.back();
    for (const Value& source : map.merges) {
      const std::vector<Value> one = {source};
      for (const Value& from : source.is_list() ? source.items : one) {
        if (!from.is_map()) source_.fail(source.place.line - 1, "expected a map after <<");
        for (const ValueEntry& entry : from.entries)
          if (map.keys.insert(entry.key).second) map.value.entries.push_back(entry);
      }
    }
  }

  const Source& source_;
  Value root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  size_t nodes_ = 0;
  size_t anchored_ = 0;
};

void check_text(std::string_view text, const Source& source) {
  if (text.size() > max_bytes)
    source.fail(-1, format("expected at most {} bytes, found {}", max_bytes, text.size()));
  const size_t mark = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;  // byte order mark
  const size_t bad = bad_text_at(text.substr(mark));
  if (bad == std::string_view::npos) return;
  const auto lines = std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(bad), '\n');
  source.fail(static_cast<int>(lines), format("expected text in UTF-8, found the byte 0x{:02x}",
                                              static_cast<unsigned char>(text[mark + bad])));
}

Value parse(std::string_view text, const Source& source) {
  check_text(text, source);
  std::istringstream stream{std::string(text)};
  Builder builder(source);
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    Value value = builder.take();
    value.place.origin = source.origin;
    if (value.place.line == 0 && !source.argument) value.place.line = 1;
    Builder second(source);
    if (parser.HandleNextDocument(second))
      source.fail(-1, "expected one YAML document, found a second one (---)");
    return value;
  } catch (const YAML::Exception& error) {
    source.fail(error.mark.is_null() ? -1 : error.mark.line, "bad YAML: " + error.msg);
  }
}

}  // namespace

Value parse_yaml(std::string_view text, std::string_view origin) {
  return parse(text, {std::make_shared<const std::string>(origin)});
}

Value parse_argument(const Value& argument) {
  return parse(argument.scalar, {argument.place.origin, true});
}

Value load_yaml(const fs::path& path) {
  return parse_yaml(read_file(path, max_bytes), path.string());
}

}  // namespace lathe
