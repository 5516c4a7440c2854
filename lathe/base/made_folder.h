// A folder that is made once and used from then on: by later runs, and by other processes that ask
// for it at the same time.
#pragma once

#include <functional>
#include <string>

#include "lathe/base/file.h"

namespace lathe {

/// How a folder is made. Its name is a key that stands for everything its content depends on.
struct MadeFolder {
  fs::path parent;
  std::string key;
  /// Takes the folder into use if it is there and whole; otherwise says false.
  std::function<bool()> open;
  /// Writes its content into another, empty folder. What it throws leaves nothing behind.
  std::function<void(const fs::path& work)> make;
  /// Called now and then while another process makes it; what it throws ends the waiting.
  std::function<void()> waiting = [] {};

  fs::path path() const { return parent / key; }
  /// A file beside the folder, about it.
  fs::path beside(const std::string& suffix) const { return parent / (key + suffix); }
};

/// Opens the folder, after making it where it is not there or damaged. Of several processes that
/// ask at once one works and the others wait. Throws Error if what was made cannot be opened.
void open_or_make(const MadeFolder& folder);

}  // namespace lathe
