#include "lathe/io/hub_cache.h"

#include <algorithm>

#include "lathe/base/error.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

constexpr std::string_view prefix = "models--";
constexpr std::string_view separator = "--";

/// A part of a name that cannot lead out of its folder. "--" stands for the slash in folder names.
bool is_plain(std::string_view part) {
  const auto allowed = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  };
  return !part.empty() && part.size() <= 96 && std::ranges::all_of(part, allowed) &&
         part.front() != '.' && part.front() != '-' && part.find("..") == part.npos &&
         part.find(separator) == part.npos;
}

bool is_commit(std::string_view text) {
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == 40 && std::ranges::all_of(text, hex);
}

/// Branches may have slashes in their names.
bool is_revision(std::string_view text) {
  while (true) {
    const size_t slash = text.find('/');
    if (!is_plain(text.substr(0, slash))) return false;
    if (slash == text.npos) return true;
    text.remove_prefix(slash + 1);
  }
}

fs::path folder_name(const std::string& repository) {
  std::string name(prefix);
  for (const char c : repository) c == '/' ? name.append(separator) : name.append(1, c);
  return name;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code missing;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder, missing))
    if (!entry.is_directory()) names.push_back(fs::relative(entry.path(), folder).string());
  std::ranges::sort(names);
  return names;
}

/// "; the cache holds a, b and 3 more", or nothing where it is empty.
std::string inventory(const std::string& wanted, std::vector<std::string> held) {
  if (held.empty()) return {};
  const std::string near = nearest(wanted, held);
  constexpr size_t most = 8;
  const size_t more = held.size() > most ? held.size() - most : 0;
  held.resize(held.size() - more);
  for (std::string& name : held) name = show_text(name);
  return format("; it holds {}{}{}", fmt::join(held, ", "),
                more > 0 ? format(" and {} more", more) : "",
                near.empty() ? "" : format("; did you mean {}?", show_text(near)));
}

}  // namespace

std::optional<HubName> parse_hub_name(std::string_view text) {
  HubName name;
  const size_t at = text.find('@');
  if (at != text.npos) name.revision = text.substr(at + 1);
  name.repository = text.substr(0, at);
  const std::string_view repository = name.repository;
  const size_t slash = repository.find('/');
  const bool plain = is_plain(repository.substr(0, slash)) &&
                     (slash == repository.npos || is_plain(repository.substr(slash + 1)));
  if (!plain || !is_revision(name.revision)) return std::nullopt;
  return name;
}

std::vector<std::string> list_hub_cache(const fs::path& cache) {
  std::vector<std::string> list;
  std::error_code missing;
  for (const fs::directory_entry& entry : fs::directory_iterator(cache, missing)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || !fs::is_directory(entry.path() / "snapshots")) continue;
    name.erase(0, prefix.size());
    if (const size_t at = name.find(separator); at != name.npos)
      name.replace(at, separator.size(), "/");
    list.push_back(name);
  }
  std::ranges::sort(list);
  return list;
}

fs::path find_in_hub_cache(const fs::path& cache, const HubName& name) {
  const fs::path folder = cache / folder_name(name.repository);
  require(fs::is_directory(folder / "snapshots"), "{} is not in the Hugging Face cache {}{}",
          name.repository, cache.string(), inventory(name.repository, list_hub_cache(cache)));
  std::string commit = name.revision;
  if (!is_commit(commit)) {
    const fs::path reference = folder / "refs" / name.revision;
    require(fs::exists(reference), "{}: the cache {} has no revision {}{}", name.repository,
            cache.string(), name.revision, inventory(name.revision, names_in(folder / "refs")));
    const Context reading("{}", reference.string());
    commit = read_file(reference, 1024);
    while (!commit.empty() && std::isspace(static_cast<unsigned char>(commit.back())) != 0)
      commit.pop_back();
    require(is_commit(commit), "expected a commit of 40 hexadecimal digits, found {}",
            show_text(commit));
  }
  const fs::path snapshot = folder / "snapshots" / commit;
  require(fs::is_directory(snapshot), "{}: the cache {} does not hold the files of commit {}",
          name.repository, cache.string(), commit);
  return snapshot;
}

fs::path locate_model(const std::string& name, const fs::path& cache) {
  if (fs::exists(name)) return name;
  const Context locating("model {}", show_text(name));
  const std::optional<HubName> hub = parse_hub_name(name);
  const bool held = hub && fs::is_directory(cache / folder_name(hub->repository));
  if (!held && (!hub || hub->repository.find('/') == std::string::npos))
    fail(
        "expected a model directory, a GGUF file, or the name (org/name) of a model in the Hugging "
        "Face cache {}; found nothing",
        cache.string());
  const fs::path snapshot = find_in_hub_cache(cache, *hub);
  if (fs::exists(snapshot / "config.json")) return snapshot;
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(snapshot))
    if (entry.path().extension() == ".gguf") files.push_back(entry.path());
  return files.size() == 1 ? files[0] : snapshot;
}

}  // namespace lathe
