#include "lathe/io/glob.h"

#include <algorithm>
#include <set>

#include "lathe/base/error.h"
#include "lathe/base/file.h"

namespace lathe {
namespace {

using Files = std::set<std::string>;  // sorted by bytes, on every machine alike

bool is_hidden(const std::string& name) {
  return name.starts_with('.');
}

bool is_pattern(std::string_view text) {
  return text.find_first_of("*?[{") != text.npos;
}

/// The entries of a folder; none if it cannot be read.
std::vector<fs::directory_entry> list(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::directory_entry> entries;
  const fs::path opened = folder.empty() ? fs::path(".") : folder;
  for (fs::directory_iterator it(opened, error), end; !error && it != end; it.increment(error))
    entries.push_back(*it);
  return entries;
}

void add_folder(const fs::path& folder, Files& files) {
  for (const fs::directory_entry& entry : list(folder)) {
    const std::string name = entry.path().filename().string();
    std::error_code ignored;
    if (is_hidden(name)) continue;
    if (entry.is_regular_file(ignored)) {
      files.insert((folder / name).lexically_normal().string());
    } else if (entry.is_directory(ignored) && !entry.is_symlink(ignored)) {
      add_folder(folder / name, files);
    }
  }
}

/// A match in full: a file, or a folder with all below it.
void add(const fs::path& path, Files& files) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    add_folder(path, files);
  } else if (fs::exists(path, ignored)) {
    files.insert(path.lexically_normal().string());
  }
}

/// Follows the parts of a pattern from `at` on below `folder`.
void walk(const fs::path& folder, const std::vector<std::string>& parts, size_t at, Files& files) {
  if (at == parts.size()) return add(folder, files);
  const std::string& part = parts[at];
  if (part == "**") {
    if (at + 1 < parts.size() && parts[at + 1] == "**") return walk(folder, parts, at + 1, files);
    walk(folder, parts, at + 1, files);
    for (const fs::directory_entry& entry : list(folder)) {
      const std::string name = entry.path().filename().string();
      std::error_code ignored;
      if (!is_hidden(name) && entry.is_directory(ignored) && !entry.is_symlink(ignored))
        walk(folder / name, parts, at, files);
    }
    return;
  }
  if (!is_pattern(part) && part.find('\\') == part.npos) {
    std::error_code ignored;
    if (fs::exists(folder / part, ignored)) walk(folder / part, parts, at + 1, files);
    return;
  }
  for (const fs::directory_entry& entry : list(folder)) {
    const std::string name = entry.path().filename().string();
    if (is_hidden(name) && !part.starts_with('.')) continue;
    if (matches_glob(part, name)) walk(folder / name, parts, at + 1, files);
  }
}

/// The position of the brace that closes the one at `open`, and of the commas between them that
/// belong to it; npos if none closes it.
size_t find_brace_end(std::string_view text, size_t open, std::vector<size_t>& commas) {
  int depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '{') {
      ++depth;
    } else if (text[i] == '}' && --depth == 0) {
      return i;
    } else if (text[i] == ',' && depth == 1) {
      commas.push_back(i);
    }
  }
  return text.npos;
}

/// Replaces {a,b} by each alternative in turn.
void expand_braces(const std::string& text, std::vector<std::string>& result) {
  constexpr size_t most = 10'000;
  if (result.size() >= most) fail("{{...}}: more than {} alternatives", most);
  for (size_t open = text.find('{'); open != text.npos; open = text.find('{', open + 1)) {
    if (open > 0 && text[open - 1] == '\\') continue;
    std::vector<size_t> bounds = {open};
    const size_t close = find_brace_end(text, open, bounds);
    if (close == text.npos || bounds.size() == 1) continue;
    bounds.push_back(close);
    for (size_t i = 0; i + 1 < bounds.size(); ++i)
      expand_braces(text.substr(0, open) +
                        text.substr(bounds[i] + 1, bounds[i + 1] - bounds[i] - 1) +
                        text.substr(close + 1),
                    result);
    return;
  }
  result.push_back(text);
}

void expand_pattern(const std::string& pattern, const fs::path& base, Files& files) {
  std::vector<std::string> alternatives;
  expand_braces(pattern, alternatives);
  for (const std::string& alternative : alternatives) {
    const fs::path path(alternative);
    std::vector<std::string> parts;
    for (const fs::path& part : path.relative_path())
      if (!part.empty()) parts.push_back(part.string());
    walk(path.is_absolute() ? path.root_path() : base, parts, 0, files);
  }
}

}  // namespace

std::vector<fs::path> expand_paths(std::span<const std::string> paths, const fs::path& base) {
  Files files;
  for (const std::string& text : paths) {
    const Context doing("looking for {}", text);
    require(!text.empty(), "expected a path, found an empty one");
    const fs::path path = base / text;
    std::error_code ignored;
    Files found;
    if (fs::exists(path, ignored)) {
      add(path, found);
      require(!found.empty(), "there are no files in this folder (hidden ones are left out)");
    } else if (is_pattern(text)) {
      expand_pattern(text, base, found);
      require(!found.empty(), "no file matches this pattern");
    } else {
      fail("no such file or folder");
    }
    files.merge(found);
  }
  return {files.begin(), files.end()};
}

}  // namespace lathe
