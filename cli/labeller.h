#pragma once

#include "cli/open_model.h"
#include "lathe/data/labels.h"

namespace lathe {

/// Labels texts with a classifier and prints a line for each, in the order they come.
class Labeller {
 public:
  Labeller(OpenModel opened, size_t batch_size, bool json);

  void add(std::string text);
  /// Labels what is waiting for a batch to be full.
  void flush();

 private:
  std::string line(const std::string& text, const Tensor& logits) const;

  OpenModel opened_;
  size_t batch_size_;
  bool json_;
  ProblemType type_;
  std::vector<std::string> texts_;
};

}  // namespace lathe
