#include "cli/training_source.h"

#include <chrono>

#include "lathe/data/neftune.h"
#include "lathe/train/frozen_part.h"

namespace lathe {
namespace {

/// Shows how far the output of layers that do not change is, in tokens.
std::function<void(uint64_t, uint64_t)> states_progress(ProgressLine& line) {
  using Clock = std::chrono::steady_clock;
  return [&line, begin = Clock::now(), shown = Clock::now()](uint64_t done, uint64_t all) mutable {
    end_if_stopped();
    const Clock::time_point now = Clock::now();
    if (now - shown < std::chrono::seconds(1) && done < all) return;
    shown = now;
    const double seconds = std::chrono::duration<double>(now - begin).count();
    const auto share = static_cast<double>(done) / static_cast<double>(all);
    line.show(format("{} of {} tokens computed, {} left", done, all,
                     clock_time(seconds / share - seconds)));
  };
}

uint64_t bytes_of_gigabytes(double number) {
  constexpr double most = 9e18;
  return static_cast<uint64_t>(std::min(number * 1e9, most));
}

/// Steps that reading all of the data once takes, a whole number or not.
double steps_an_epoch(const Recipe& recipe, const Source& source, int world) {
  return static_cast<double>(source.rows_per_epoch()) /
         static_cast<double>(recipe.data.per_device_train_batch_size *
                             recipe.train.gradient_accumulation_steps * world);
}

/// The output of the layers that do not change, if it can be kept.
std::shared_ptr<const FrozenStates> kept_states(const Recipe& recipe, Model& model,
                                                const std::vector<NamedTensor>& trained,
                                                const Dataset& data, ProgressLine& line) {
  const int64_t layers = frozen_layers(model, trained);
  if (!recipe.train.frozen_cache || layers == 0) return nullptr;
  const StateStore store{.folder = fs::path(recipe.data.cache_dir) / "states",
                         .limit = bytes_of_gigabytes(recipe.train.frozen_cache_limit),
                         .progress = states_progress(line)};
  FrozenPart part = frozen_part(model, layers, data, recipe.data, store);
  if (recipe.train.neftune_noise_alpha > 0)
    part.obstacle = "the noise of neftune_noise_alpha is new in each";
  const std::string what =
      format("the output of the lowest {} layers, which do not change", layers);
  if (!part.obstacle.empty()) {
    line.print(format("{}, is computed anew in every epoch: {}", what, part.obstacle));
    return nullptr;
  }
  line.print(format("{}, is kept: {:.2f} GB in {}", what, static_cast<double>(part.bytes) / 1e9,
                    store.folder.string()));
  auto states = frozen_states(model, part, data, store);
  line.end();
  return states;
}

}  // namespace

std::unique_ptr<Source> make_source(Recipe& recipe, Model& model,
                                    const std::vector<NamedTensor>& trained, Dataset& data,
                                    const Parallel& parallel, bool dropout, ProgressLine& line) {
  const auto seed = static_cast<uint64_t>(recipe.train.seed);
  const int64_t rank = parallel.rank();
  const int world = parallel.world();
  const auto source = [&] { return training_source(data, recipe.data, seed, rank, world); };
  auto made = source();
  const double an_epoch = steps_an_epoch(recipe, *made, world);
  if (recipe.train.max_steps < 0)
    recipe.train.max_steps =
        std::max<int64_t>(1, std::llround(std::ceil(an_epoch * recipe.train.num_train_epochs)));
  if (static_cast<double>(recipe.train.max_steps) > std::ceil(an_epoch))  // read more than once
    data.states = kept_states(recipe, model, trained, data, line);
  if (data.states) made = source();
  if (const double alpha = recipe.train.neftune_noise_alpha; alpha > 0)
    made = with_neftune_noise(std::move(made), alpha, model.config().hidden_size, seed, rank);
  if (dropout) made = with_dropout_seeds(std::move(made), seed, rank);
  return made;
}

}  // namespace lathe
