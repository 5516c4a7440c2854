#include "lathe/generate/generate.h"

#include "lathe/generate/padded.h"
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
  std::optional<int64_t> adapter;  // which of several it uses
  Completion::End end = Completion::End::length;
  bool done = false;
};

/// The ids that end a text: those of the model's files, and the tokenizer's.
std::vector<int64_t> end_ids(const Model& model, const Tokenizer& tokenizer) {
  std::vector<int64_t> ids = model.config().eos_token_id;
  const std::vector<int64_t>& more = model.generation_config().eos_token_id;
  ids.insert(ids.end(), more.begin(), more.end());
  if (tokenizer.eos_id()) ids.push_back(*tokenizer.eos_id());
  return ids;
}

std::vector<int64_t> encode_prompt(const Tokenizer& tokenizer, const std::string& prompt) {
  const std::vector<int32_t> ids = tokenizer.encode(prompt);
  std::vector<int64_t> tokens(ids.begin(), ids.end());
  const std::optional<int32_t> bos = tokenizer.bos_id() ? tokenizer.bos_id() : tokenizer.eos_id();
  if (tokens.empty()) {
    require(bos.has_value(), "an empty prompt needs a tokenizer with a bos or eos token");
    tokens.push_back(*bos);
  }
  return tokens;
}

void check_prompt(const Model& model, const std::vector<int64_t>& tokens, int64_t new_tokens) {
  require(!tokens.empty(), "a prompt needs at least one token");
  require_known_tokens(tokens, model);
  const int64_t context = model.config().max_position_embeddings;
  const auto count = static_cast<int64_t>(tokens.size());
  require(count + new_tokens <= context,
          "a prompt of {} tokens and max_new_tokens {} do not fit the model's context of {} tokens",
          count, new_tokens, context);
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
    const int64_t token = sample_token(row_logits, rows[i].context, options.draw, rows[i].random);
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
  std::vector<int64_t> kept;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].done) {
      results[rows[i].prompt] = completion_of(rows[i]);
      continue;
    }
    kept.push_back(static_cast<int64_t>(i));
    left.push_back(std::move(rows[i]));
  }
  rows = std::move(left);
  if (!rows.empty()) cache.keep_rows(kept);
}

Tensor next_logits(Model& model, const Tensor& hidden) {
  return model.logits(hidden).to(at::kCPU, at::kFloat).contiguous();
}

/// Decodes the rows together until all are done.
std::vector<Completion> decode(Model& model, std::vector<Row> rows, const Tensor& first_logits,
                               const std::vector<int64_t>& ends, const SamplingOptions& options,
                               const OnText& on_text, KvCache& cache) {
  std::vector<Completion> results(rows.size());
  draw(rows, first_logits, ends, options, on_text);
  while (true) {
    // Copying the cache pays off once many rows are done.
    const auto done = std::count_if(rows.begin(), rows.end(), [](const Row& r) { return r.done; });
    if (2 * static_cast<size_t>(done) >= rows.size()) retire(rows, cache, results);
    if (rows.empty()) return results;
    const Tensor tokens = at::empty({static_cast<int64_t>(rows.size()), 1}, at::kLong);
    for (size_t i = 0; i < rows.size(); ++i) {
      tokens.data_ptr<int64_t>()[i] = rows[i].context.back();
      // A row that is done writes its last slot again and again.
      cache.lengths[i] = std::min(cache.lengths[i], cache.slots() - 1);
    }
    ModelInput input{tokens.to(model.device()), {}, {}};
    for (const Row& row : rows)
      if (row.adapter) input.adapters.rows.push_back(*row.adapter);
    const Tensor h = model.hidden_states(input, &cache);  // (B, 1, D)
    draw(rows, next_logits(model, h.select(1, 0)), ends, options, on_text);
  }
}

}  // namespace

std::vector<Completion> generate(Model& model, const Tokenizer& tokenizer,
                                 const std::vector<std::vector<int64_t>>& prompts,
                                 const SamplingOptions& given, const OnText& on_text,
                                 PromptCache* kept, const std::vector<int64_t>& adapters) {
  const at::NoGradGuard no_grad;
  SamplingOptions options = given;
  options.draw = given.draw.or_else(model.generation_config().sampling);
  require(kept == nullptr || (prompts.size() == 1 && adapters.empty()),
          "a cache is kept for one prompt without a choice of adapters, found {}", prompts.size());
  require(adapters.empty() || adapters.size() == prompts.size(),
          "expected an adapter for each of {} prompts, found {}", prompts.size(), adapters.size());
  if (prompts.empty()) return {};
  std::vector<Row> rows;
  size_t longest = 0;
  for (size_t i = 0; i < prompts.size(); ++i) {
    check_prompt(model, prompts[i], options.max_new_tokens);
    longest = std::max(longest, prompts[i].size());
    rows.push_back({.prompt = i,
                    .context = prompts[i],
                    .prompt_tokens = prompts[i].size(),
                    .random = Random(stream_seed(static_cast<uint64_t>(options.seed), "sample", i)),
                    .decoder = StreamDecoder(tokenizer),
                    .text = StopText(options.stop),
                    .adapter = adapters.empty() ? std::nullopt : std::optional(adapters[i])});
  }
  const std::vector<int64_t> ends = end_ids(model, tokenizer);
  const int64_t slots = static_cast<int64_t>(longest) + options.max_new_tokens;
  if (kept == nullptr) {
    KvCache cache = model.new_cache(static_cast<int64_t>(rows.size()), slots);
    const Tensor logits = next_logits(model, read_rows(model, prompts, cache, adapters));
    return decode(model, std::move(rows), logits, ends, options, on_text, cache);
  }
  const Tensor logits = next_logits(model, read_further(model, prompts[0], slots, *kept));
  std::vector<Completion> results =
      decode(model, std::move(rows), logits, ends, options, on_text, kept->cache);
  const std::vector<int64_t>& written = results[0].tokens;
  kept->tokens.insert(kept->tokens.end(), written.begin(), written.end());
  kept->tokens.resize(static_cast<size_t>(kept->cache.lengths[0]));  // the last may be unread
  return results;
}

std::vector<Completion> generate(Model& model, const Tokenizer& tokenizer,
                                 const std::vector<std::string>& prompts,
                                 const SamplingOptions& options, const OnText& on_text,
                                 const std::vector<int64_t>& adapters) {
  std::vector<std::vector<int64_t>> tokens;
  tokens.reserve(prompts.size());
  for (const std::string& prompt : prompts) tokens.push_back(encode_prompt(tokenizer, prompt));
  return generate(model, tokenizer, tokens, options, on_text, nullptr, adapters);
}

}  // namespace lathe
