// What a run tells while it goes on. The library never prints: whoever wants to see, observes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lathe {

/// One line of metrics: means over the steps since the line before.
struct StepReport {
  int64_t step;       ///< done so far
  int64_t max_steps;  ///< of the whole run
  double loss;
  double gradient_norm;  ///< of the last step, before clipping
  double learning_rate;  ///< of the last step
  double epoch;
  int64_t tokens;  ///< input tokens of the run so far, all ranks
  double tokens_per_second;
  double seconds;  ///< since this process began to train
  /// The losses of those that learn, by name, where there are several; `loss` is their mean.
  std::vector<std::pair<std::string, double>> losses;
};

struct Evaluation {
  double loss = 0;        ///< nats a target token, or a text that is classified
  double tokens = 0;      ///< targets; 0 where texts are classified
  double text_bytes = 0;  ///< NaN: not all of the text was to be predicted
  std::string sample;     ///< generated text, if the run makes some
  /// What else was measured, by name: "accuracy".
  std::vector<std::pair<std::string, double>> metrics;

  double perplexity() const;
  /// Nats over all targets, per byte of their text, in bits; nothing without text.
  std::optional<double> bits_per_byte() const;
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_step(const StepReport& /*report*/) {}
  virtual void on_evaluation(int64_t /*step*/, const Evaluation& /*evaluation*/) {}
  virtual void on_checkpoint(int64_t /*step*/) {}
  /// Something worth knowing: a damaged checkpoint that was passed over, say.
  virtual void on_message(const std::string& /*message*/) {}
  /// Asked after each step; true ends the run after a checkpoint, to be resumed later.
  virtual bool stop_requested() { return false; }
};

}  // namespace lathe
