#pragma once

#include "cli/answer_report.h"
#include "cli/open_model.h"
#include "lathe/data/options.h"

namespace lathe {

/// What `lathe eval` is asked for.
struct EvalOptions {
  OpenModelOptions model;
  std::vector<DataSource> data;
  std::vector<std::string> cloze;
  AnswerOptions answers;
  std::optional<std::string> text;
  bool json = false, tokens = false;
  int64_t max_length = 0, batch_size = 8;
  std::string cache_dir;

  void fields(Fields& f);
  void check() const;
  /// The data as an evaluation reads it, in rows of `length`.
  DataOptions data_options(int64_t length) const;
  AnswerOptions answer_options() const;
};

}  // namespace lathe
