#pragma once

#include "cli/open_model.h"
#include "lathe/data/labels.h"

namespace lathe {

/// Labels texts with a classifier and prints a line for each, in the order they come.
class Labeller {
 public:
  Labeller(OpenModel opened, size_t batch_size, bool json);

  /// `place` is where the text comes from; one of blanks alone has no label, and no line.
  void add(std::string text, const std::string& place);
  /// Labels what is waiting for a batch to be full.
  void flush();
  /// How many texts had no line, and where the first was; empty if none.
  std::string left_out() const;

 private:
  std::string line(const std::string& text, const Tensor& logits) const;

  OpenModel opened_;
  size_t batch_size_;
  bool json_;
  ProblemType type_;
  std::vector<std::string> texts_;
  size_t blank_ = 0;
  std::string first_blank_ = {};
};

}  // namespace lathe
