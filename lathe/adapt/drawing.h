#pragma once

#include "lathe/adapt/adapter.h"

namespace lathe {

/// How many numbers an adapter trains.
int64_t trained_numbers(Adapter& adapter);

/// Where an adapter sits in `model`, layers that are alike drawn once, how it is connected there,
/// and how many parameters it has, alone and as a share of the model's.
std::string draw(Adapter& adapter, Model& model);

}  // namespace lathe
