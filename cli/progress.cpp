#include "cli/progress.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>

#include "lathe/io/utf8.h"

namespace lathe {
namespace {

std::atomic<int> stop{0};  // the signal that asked for it

/// A second signal ends the program at once.
extern "C" void on_signal(int number) {
  stop = number;
  std::signal(number, SIG_DFL);
}

}  // namespace

void ProgressLine::show(const std::string& text) {
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  fmt::print(stderr, "{}{}{}", terminal ? "\r\033[K" : "", text, terminal ? "" : "\n");
  std::fflush(stderr);
  open_ = terminal;
}

void ProgressLine::print(const std::string& text) {
  if (open_) fmt::print(stderr, "\r\033[K");
  open_ = false;
  fmt::print(stderr, "{}\n", text);
}

void ProgressLine::end() {
  if (open_) fmt::print(stderr, "\n");
  open_ = false;
}

std::string clock_time(double seconds) {
  const auto all = static_cast<int64_t>(std::llround(seconds));
  if (all >= 3600) return format("{}:{:02}:{:02}", all / 3600, all / 60 % 60, all % 60);
  return format("{}:{:02}", all / 60, all % 60);
}

TerminalObserver::TerminalObserver() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

void TerminalObserver::on_step(const StepReport& r) {
  std::string left;
  if (first_step_ >= 0 && r.step > first_step_) {
    const double a_step = (r.seconds - first_seconds_) / static_cast<double>(r.step - first_step_);
    left = ", " + clock_time(a_step * static_cast<double>(r.max_steps - r.step)) + " left";
  } else {
    first_step_ = r.step;
    first_seconds_ = r.seconds;
  }
  std::string losses;
  for (const auto& [name, loss] : r.losses) losses += format(", {} {:.4f}", name, loss);
  line_.show(format("step {}/{}  loss {:.4f}{}  {:.0f} tokens/s{}", r.step, r.max_steps, r.loss,
                    losses, r.tokens_per_second, left));
}

void TerminalObserver::on_evaluation(int64_t step, const Evaluation& e) {
  const std::optional<double> bits = e.bits_per_byte();
  std::string line = format("step {}: validation loss {:.4f}", step, e.loss);
  if (e.tokens > 0) line += format(", perplexity {:.3f}", e.perplexity());
  if (bits) line += format(", {:.4f} bits per byte", *bits);
  for (const auto& [name, value] : e.metrics) line += format(", {} {:.4f}", name, value);
  line_.print(line);
  if (!e.sample.empty())
    line_.print("--- sample ---\n" + escape_controls(e.sample) + "\n--------------");
}

bool TerminalObserver::stop_requested() {
  return stop != 0;
}

int stop_signal() {
  return stop;
}

void end_if_stopped() {
  if (stop != 0) throw StoppedBySignal{stop};
}

DataProgress data_progress(ProgressLine& line) {
  return [&line](const DataSource& source, const EncodeProgress& p) {
    end_if_stopped();
    line.show(format("encoding {}: {} documents, {:.1f} MB of text, {} tokens", source.path,
                     p.documents, static_cast<double>(p.text_bytes) / 1e6, p.tokens));
  };
}

}  // namespace lathe
