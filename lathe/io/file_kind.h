// What a file is by its first bytes, for messages about files of the wrong kind.
#pragma once

#include <string_view>

namespace lathe {

/// A phrase such as "a zip archive"; empty if the beginning is not known. `head` is the file or its
/// beginning, at least 64 bytes of it where it has them.
std::string_view file_kind(std::string_view head);

}  // namespace lathe
