// What a person sees of long work, on standard error.
#pragma once

#include <string>

#include "lathe/data/dataset.h"
#include "lathe/train/observer.h"

namespace lathe {

/// The user has asked the program to end (SIGINT, SIGTERM) where there is nothing to keep.
struct StoppedBySignal {
  int number;
};

/// One line that is rewritten on a terminal; elsewhere each report is a line of its own.
class ProgressLine {
 public:
  ~ProgressLine() { end(); }
  /// Shows `text` in place of what was there.
  void show(const std::string& text);
  /// Prints a line that stays.
  void print(const std::string& text);
  /// Ends the line that was being rewritten.
  void end();

 private:
  bool open_ = false;
};

/// "1:02:03" or "4:05".
std::string clock_time(double seconds);

/// Tells of a training run, and asks it to stop at SIGINT and SIGTERM.
class TerminalObserver final : public Observer {
 public:
  TerminalObserver();
  void on_step(const StepReport& report) override;
  void on_evaluation(int64_t step, const Evaluation& evaluation) override;
  void on_message(const std::string& message) override { line_.print(message); }
  bool stop_requested() override;
  ProgressLine& line() { return line_; }

 private:
  ProgressLine line_;
  int64_t first_step_ = -1;
  double first_seconds_ = 0;
};

/// The signal that asked to stop, if a TerminalObserver looks out for them; 0: none did.
int stop_signal();

/// Throws StoppedBySignal if one did.
void end_if_stopped();

/// Shows how far the encoding of a source is; throws StoppedBySignal.
DataProgress data_progress(ProgressLine& line);

}  // namespace lathe
