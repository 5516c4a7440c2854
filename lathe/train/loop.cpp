#include "lathe/train/loop.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "lathe/optim/schedule.h"
#include "lathe/train/trainable.h"

namespace lathe {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The weights of each term, summed over all micro-batches and ranks.
Weights total_weights(const Training& run, const std::vector<Batch>& batches) {
  Weights total;
  for (const Learner& learner : run.learners) total[learner.term] = 0;  // on every rank the same
  for (const Batch& batch : batches)
    for (const auto& [name, weight] : run.objective.weights(batch)) total[name] += weight;
  for (auto& [name, weight] : total) run.parallel.sum({&weight, 1});
  return total;
}

/// By what the sum of each term is divided for the gradient: a term that counts twice by half.
Weights divisors(const Training& run, Weights weights) {
  for (const Learner& learner : run.learners) weights[learner.term] /= learner.loss_weight;
  return weights;
}

/// The mean of each term of one step over all micro-batches and ranks, those without targets left
/// out; leaves the gradient of the loss in the weights.
std::map<std::string, double> accumulate_gradients(Training& run,
                                                   const std::vector<Batch>& batches) {
  const Weights weights = total_weights(run, batches), divided_by = divisors(run, weights);
  std::map<std::string, double> means;
  for (const auto& [name, weight] : weights)
    if (weight != 0) means[name] = 0;
  for (const Batch& host : batches) {
    const Batch batch = host.to(run.model.device());
    Tensor loss;
    std::vector<Term> terms = run.objective(run.model, batch, divided_by);
    std::erase_if(terms, [&](const Term& term) { return weights.at(term.name) == 0; });
    for (const Term& term : terms) {
      const Tensor share = term.sum / divided_by.at(term.name);
      loss = loss.defined() ? loss + share : share;
    }
    if (!loss.defined()) continue;  // no targets anywhere: nothing to learn from
    loss.backward();
    for (const Term& term : terms)
      means[term.name] += (term.sum / weights.at(term.name)).item<double>();
  }
  for (auto& [name, mean] : means) run.parallel.sum({&mean, 1});
  std::vector<Tensor> gradients = run.optimizer.gradients();
  run.parallel.sum_gradients(gradients);
  return means;
}

/// Fills in the loss of a step: the sum of its terms, or where several learn the mean of theirs and
/// the other terms.
void take_losses(const Training& run, std::map<std::string, double> means, StepReport& done) {
  for (const Learner& learner : run.learners)
    if (const auto mean = means.extract(learner.term))
      done.losses.emplace_back(learner.name, mean.mapped());
  for (const auto& [name, mean] : means) done.loss += mean;
  for (const auto& [name, loss] : done.losses)
    done.loss += loss / static_cast<double>(done.losses.size());
}

void require_finite(const Training& run, double loss, double norm) {
  if (std::isfinite(loss) && std::isfinite(norm)) return;
  std::string where = "the loss";
  for (const Optimizer::Parameter& p : run.optimizer.parameters())
    if (std::isfinite(loss) && !p.weight.grad().isfinite().all().item<bool>()) {
      where = "the gradient of " + p.name;
      break;
    }
  fail(
      "step {}: loss {}, gradient norm {}: {} is not finite. The weights are unchanged since step "
      "{}. "
      "Try a smaller learning_rate, more warmup_steps, or bf16: false",
      run.optimizer.steps() + 1, loss, norm, where, run.optimizer.steps());
}

void report(Training& run, const StepReport& r) {
  run.observer.on_step(r);
  if (run.folder == nullptr) return;
  nlohmann::json line = {{"step", r.step},
                         {"loss", r.loss},
                         {"grad_norm", r.gradient_norm},
                         {"learning_rate", r.learning_rate},
                         {"epoch", r.epoch},
                         {"tokens", r.tokens},
                         {"tokens_per_second", std::round(r.tokens_per_second)}};
  for (const auto& [name, loss] : r.losses) line[name + "_loss"] = loss;
  run.folder->log(line);
}

void run_evaluation(Training& run, const BestOptions& options, Best& best) {
  if (!run.evaluate) return;
  const AveragesInPlace averages(run.optimizer);
  const Evaluation e = run.evaluate();
  const int64_t step = run.optimizer.steps();
  run.observer.on_evaluation(step, e);
  const bool better = options.wanted() && take_validation(best, e, step, options);
  if (run.folder == nullptr) return;
  if (better && options.load_best_model_at_end) run.folder->keep_best(run.optimizer, step);
  nlohmann::json line = {{"step", step}, {"eval_loss", e.loss}};
  if (e.tokens > 0) line["eval_perplexity"] = e.perplexity();
  for (const auto& [name, value] : e.metrics) line["eval_" + name] = value;
  if (e.bits_per_byte()) line["eval_bits_per_byte"] = *e.bits_per_byte();
  if (!e.sample.empty()) line["sample"] = e.sample;
  run.folder->log(line);
}

/// Takes the weights of the best validation, if they are to be the result, or else the averages, if
/// there are any. Returns the step they are of.
int64_t finish(Training& run, const BestOptions& options, const Best& best) {
  if (!options.load_best_model_at_end || best.step < 0 || run.folder == nullptr) {
    if (run.optimizer.has_averages()) run.optimizer.swap_averages();
    return run.optimizer.steps();
  }
  run.observer.on_message(format("the best validation was at step {}: {} {:.4f}", best.step,
                                 options.metric_for_best_model, best.value));
  run.folder->take_best(run.optimizer, best.step);
  return best.step;
}

/// What gradients are multiplied with so that their norm is at most `limit`; 0: any.
double clipping(double norm, double limit) {
  return limit > 0 ? std::min(1.0, limit / (norm + 1e-6)) : 1.0;
}

/// What the step does with the weights of each that learns: nothing if it had no targets.
std::vector<std::optional<Optimizer::Move>> moves_of(const Training& run,
                                                     const std::map<std::string, double>& means,
                                                     const TrainOptions& options) {
  std::vector<std::optional<Optimizer::Move>> moves(run.learners.size());
  for (size_t i = 0; i < moves.size(); ++i) {
    const Learner& learner = run.learners[i];
    if (!means.contains(learner.term)) continue;
    OptimizerOptions own = options.optimizer;
    own.learning_rate = learner.learning_rate;
    moves[i] = {learning_rate(own, run.optimizer.steps(), options.max_steps),
                clipping(run.optimizer.gradient_norm(i), learner.max_grad_norm)};
  }
  return moves;
}

/// One optimizer step; returns its loss, norm and learning rate.
StepReport step(Training& run, const TrainOptions& options, const std::vector<Batch>& batches) {
  StepReport done{};
  const std::map<std::string, double> means = accumulate_gradients(run, batches);
  take_losses(run, means, done);
  done.gradient_norm = run.optimizer.gradient_norm();
  require_finite(run, done.loss, done.gradient_norm);
  done.learning_rate = learning_rate(options.optimizer, run.optimizer.steps(), options.max_steps);
  if (run.learners.empty())
    run.optimizer.step(done.learning_rate,
                       clipping(done.gradient_norm, options.optimizer.max_grad_norm));
  else
    run.optimizer.step(moves_of(run, means, options));
  done.step = run.optimizer.steps();
  done.max_steps = options.max_steps;
  done.epoch = run.source.epoch();
  return done;
}

}  // namespace

std::optional<int64_t> train(Training& run, const TrainOptions& options) {
  options.best.check(run.evaluate != nullptr, options.eval_steps);
  const Clock::time_point start = Clock::now();
  Progress progress;
  if (run.folder != nullptr) progress = run.folder->resume(run.optimizer, run.source, run.observer);
  const auto due = [&](int64_t every) { return every > 0 && run.optimizer.steps() % every == 0; };
  const auto validate = [&] { run_evaluation(run, options.best, progress.best); };
  const auto finished = [&] {
    return run.optimizer.steps() >= options.max_steps || waited_enough(progress.best, options.best);
  };
  if (options.eval_on_start && run.optimizer.steps() == 0) validate();

  Clock::time_point window_start = Clock::now();
  int64_t timed_tokens = 0;  // since window_start: less than the window's after a resume
  while (!finished()) {
    const std::vector<Batch> batches = run.source.next(options.gradient_accumulation_steps);
    StepReport done = step(run, options, batches);
    const bool last = done.step == options.max_steps;
    int64_t tokens = 0;
    for (const Batch& batch : batches) tokens += batch.input_ids.numel() * run.parallel.world();
    timed_tokens += tokens;
    progress.window_tokens += tokens;
    progress.add(done);
    if (due(options.logging_steps) || last) {
      progress.tokens += progress.window_tokens;
      progress.put_means(done);
      done.tokens = progress.tokens;
      done.tokens_per_second = static_cast<double>(timed_tokens) / seconds_since(window_start);
      done.seconds = seconds_since(start);
      report(run, done);
      progress = {.tokens = progress.tokens, .best = progress.best};
    }
    if (due(options.eval_steps) || last) validate();
    const bool stop = run.observer.stop_requested() && !finished();
    if (run.folder != nullptr && (due(options.save_steps) || finished() || stop))
      run.folder->save(run.optimizer, run.source, progress, run.observer);
    if (stop) return std::nullopt;
    if (progress.window_steps == 0) {
      window_start = Clock::now();
      timed_tokens = 0;
    }
  }
  return finish(run, options.best, progress.best);
}

Optimizer make_optimizer(Model& model, const OptimizerOptions& options,
                         const std::vector<std::string>& trainable) {
  return make_optimizer(model, options, trainable_weights(model, trainable));
}

Optimizer make_optimizer(Model& model, const OptimizerOptions& options,
                         const std::vector<NamedTensor>& trained) {
  for (const NamedTensor& weight : model.named_tensors())
    if (weight.tensor->requires_grad()) *weight.tensor = weight.tensor->detach();
  std::vector<std::pair<std::string, Tensor>> weights;
  for (const NamedTensor& weight : trained) {
    weight.tensor->requires_grad_(true);
    weights.emplace_back(weight.name, *weight.tensor);
  }
  return {weights, options};
}

}  // namespace lathe
