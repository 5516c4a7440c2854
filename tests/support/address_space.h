// Whether something gets by with little memory: for death tests, whose process it limits.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>

namespace lathe {

/// Lets this process take only `bytes` more of address space than it has; what needs more gets
/// std::bad_alloc. Not for processes under a sanitizer, which need address space for themselves.
inline void limit_address_space(size_t bytes) {
  size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit limit{};
  ::getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + bytes;
  ::setrlimit(RLIMIT_AS, &limit);
}

}  // namespace lathe
