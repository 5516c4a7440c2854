#include "lathe/generate/generate.h"

#include "lathe/generate/sampler.h"
#include "lathe/generate/stop_text.h"
#include "lathe/text/stream_decoder.h"

namespace lathe {
namespace {

/// A row of the batch while it grows.
struct Row {
  size_t prompt;                 // which one it continues
  std::vector<int64_t> context;  // prompt and new tokens
  size_t prompt_tokens;
  Random random;
  StreamDecoder decoder;
  StopText text;
  Completion::End end = Completion::End::length;
  bool done = false;
};

/// The ids that end a text: those of the model's configuration, and the tokenizer's.
std::vector<int64_t> end_ids(const Model& model, const Tokenizer& tokenizer) {
  std::vector<int64_t> ids = model.config().eos_token_id;
  if (tokenizer.eos_id()) ids.push_back(*tokenizer.eos_id());
  return ids;
}

std::vector<int64_t> encode_prompt(const Model& model, const Tokenizer& tokenizer,
                                   const std::string& prompt) {
  const std::vector<int32_t> ids = tokenizer.encode(prompt);
  std::vector<int64_t> tokens(ids.begin(), ids.end());
  const std::optional<int32_t> bos = tokenizer.bos_id() ? tokenizer.bos_id() : tokenizer.eos_id();
  if (tokens.empty()) {
    require(bos.has_value(), "an empty prompt needs a tokenizer with a bos or eos token");
    tokens.push_back(*bos);
  }
  const int64_t vocabulary = model.config().vocab_size;
  for (const int64_t id : tokens)
    require(id < vocabulary, "the tokenizer gives the id {}, but the model has only {} tokens", id,
            vocabulary);
  return tokens;
}

/// Takes the next token of a row into its text.
void take(Row& row, int64_t token, const std::vector<int64_t>& ends, const SamplingOptions& options,
          const OnText& on_text) {
  const auto give = [&](const std::string& text) {
    if (on_text && !text.empty()) on_text(row.prompt, text);
  };
  if (std::find(ends.begin(), ends.end(), token) != ends.end()) {
    row.end = Completion::End::eos;
    row.done = true;
  } else {
    row.context.push_back(token);
    give(row.text.add(row.decoder.add(static_cast<int32_t>(token))));
    if (row.text.stopped()) row.end = Completion::End::stop;
    const auto count = static_cast<int64_t>(row.context.size() - row.prompt_tokens);
    row.done = row.text.stopped() || count >= options.max_new_tokens;
  }
  if (!row.done) return;
  give(row.text.add(row.decoder.finish()));
  give(row.text.finish());
}

/// Draws the next token of every row from the logits (rows, V), float32 on the CPU.
void draw(std::vector<Row>& rows, const Tensor& logits, const std::vector<int64_t>& ends,
          const SamplingOptions& options, const OnText& on_text) {
  const size_t vocabulary = static_cast<size_t>(logits.size(1));
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].done) continue;
    const std::span<float> row_logits(logits.data_ptr<float>() + i * vocabulary, vocabulary);
    const int64_t token = sample_token(row_logits, rows[i].context, options, rows[i].random);
    take(rows[i], token, ends, options, on_text);
  }
}

Completion completion_of(Row& row) {
  return {row.text.text(),
          {row.context.begin() + static_cast<int64_t>(row.prompt_tokens), row.context.end()},
          row.end};
}

/// Leaves the rows that are not done in batch and cache; the others give their completions.
void retire(std::vector<Row>& rows, KvCache& cache, std::vector<Completion>& results) {
  std::vector<Row> left;
  std::vector<int64_t> kept, lengths;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].done) {
      results[rows[i].prompt] = completion_of(rows[i]);
      continue;
    }
    kept.push_back(static_cast<int64_t>(i));
    lengths.push_back(cache.lengths[i]);
    left.push_back(std::move(rows[i]));
  }
  rows = std::move(left);
  if (rows.empty()) return;
  cache.lengths = lengths;
  for (KvCache::Layer& layer : cache.layers) {
    const Tensor index = at::tensor(kept, layer.k.options().dtype(at::kLong));
    layer.k = layer.k.index_select(0, index);
    layer.v = layer.v.index_select(0, index);
  }
}

/// The prompts as one batch, padded at the end: (B, longest). Padding is seen by nobody: each row's
/// length in the cache is set to its own, and the next tokens overwrite what lies behind.
Tensor padded(const std::vector<Row>& rows) {
  size_t longest = 0;
  for (const Row& row : rows) longest = std::max(longest, row.context.size());
  const Tensor ids =
      at::zeros({static_cast<int64_t>(rows.size()), static_cast<int64_t>(longest)}, at::kLong);
  for (size_t i = 0; i < rows.size(); ++i)
    std::copy(rows[i].context.begin(), rows[i].context.end(),
              ids.data_ptr<int64_t>() + i * longest);
  return ids;
}

Tensor next_logits(Model& model, const Tensor& hidden) {
  return model.logits(hidden).to(at::kCPU, at::kFloat).contiguous();
}

}  // namespace

std::vector<Completion> generate(Model& model, const Tokenizer& tokenizer,
                                 const std::vector<std::string>& prompts,
                                 const SamplingOptions& options, const OnText& on_text) {
  const at::NoGradGuard no_grad;
  std::vector<Completion> results(prompts.size());
  if (prompts.empty()) return results;
  const std::vector<int64_t> ends = end_ids(model, tokenizer);
  std::vector<Row> rows;
  for (size_t i = 0; i < prompts.size(); ++i) {
    std::vector<int64_t> tokens = encode_prompt(model, tokenizer, prompts[i]);
    const size_t count = tokens.size();
    rows.push_back({.prompt = i,
                    .context = std::move(tokens),
                    .prompt_tokens = count,
                    .random = Random(stream_seed(static_cast<uint64_t>(options.seed), "sample", i)),
                    .decoder = StreamDecoder(tokenizer),
                    .text = StopText(options.stop)});
  }
  const Tensor ids = padded(rows).to(model.device());
  const int64_t slots = ids.size(1) + options.max_new_tokens;
  const int64_t context = model.config().max_position_embeddings;
  require(slots <= context,
          "a prompt of {} tokens and max_new_tokens {} do not fit the model's context of {} tokens",
          ids.size(1), options.max_new_tokens, context);

  KvCache cache = model.new_cache(ids.size(0), slots);
  const Tensor hidden = model.hidden_states({ids, {}, {}}, &cache);  // (B, T, D)
  std::vector<Tensor> last;
  for (size_t i = 0; i < rows.size(); ++i) {
    cache.lengths[i] = static_cast<int64_t>(rows[i].context.size());
    last.push_back(hidden[static_cast<int64_t>(i)][cache.lengths[i] - 1]);
  }
  draw(rows, next_logits(model, at::stack(last)), ends, options, on_text);
  while (true) {
    // Copying the cache pays off once many rows are done.
    const auto done = std::count_if(rows.begin(), rows.end(), [](const Row& r) { return r.done; });
    if (2 * static_cast<size_t>(done) >= rows.size()) retire(rows, cache, results);
    if (rows.empty()) return results;
    const Tensor tokens = at::empty({static_cast<int64_t>(rows.size()), 1}, at::kLong);
    for (size_t i = 0; i < rows.size(); ++i) {
      tokens.data_ptr<int64_t>()[i] = rows[i].context.back();
      // A row that is done writes its last slot again and again.
      cache.lengths[i] = std::min(cache.lengths[i], slots - 1);
    }
    const Tensor h = model.hidden_states({tokens.to(model.device()), {}, {}}, &cache);  // (B, 1, D)
    draw(rows, next_logits(model, h.select(1, 0)), ends, options, on_text);
  }
}

}  // namespace lathe
