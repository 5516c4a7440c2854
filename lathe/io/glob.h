// Data paths as users write them: files, folders and patterns.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lathe {

/// Whether a file name matches a pattern of `*` (any characters), `?` (one), `[a-z]`, `[!a-z]` and
/// `\x` (x itself). Characters are those of UTF-8. Braces are not looked at.
bool matches_glob(std::string_view pattern, std::string_view name);

/// The files that `paths` mean, sorted by path, each once:
///   a file      itself, whatever its name
///   a folder    all files below it, hidden ones left out; links to folders are not followed
///   a pattern   as matches_glob for each part of the path, `**` for any number of folders, and
///               `{a,b}` for alternatives; it may match folders, which then count as above. Hidden
///               names match only where the pattern has the dot.
/// A relative path counts from `base` (empty: the working directory). Throws Error for a path or
/// pattern that means no file.
std::vector<std::filesystem::path> expand_paths(std::span<const std::string> paths,
                                                const std::filesystem::path& base = {});

}  // namespace lathe
