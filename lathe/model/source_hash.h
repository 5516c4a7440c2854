// Which version of the computation a program has.
#pragma once

#include <string_view>

namespace lathe {

/// A hash of the sources of lathe/ops and lathe/model: two programs of the same hash compute the
/// same numbers on the same machine, by the same libtorch. The build writes it.
std::string_view source_hash();

}  // namespace lathe
