// For operations that have a backward pass of their own. Apart from tensor.h, because a file that
// includes this takes a second longer to compile.
#pragma once

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "lathe/base/tensor.h"
