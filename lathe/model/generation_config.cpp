#include "lathe/model/generation_config.h"

#include <nlohmann/json.hpp>

#include "lathe/io/json.h"
#include "lathe/io/utf8.h"
#include "lathe/model/family/config_keys.h"

namespace lathe {
namespace {

using nlohmann::json;

constexpr int64_t most_tokens = 1 << 24;

/// A member of the file as an option has it: numbers as they are spelled, all else as text, which
/// no number is.
Value option_of(const json& member) {
  Value value = Value::of(show_json(member));
  if (member.is_number()) value.kind = Value::Kind::plain;
  return value;
}

/// What the options say of a draw, under the same names and within the same bounds.
Sampling read_sampling(const json& config) {
  Value given = Value::map();
  for (const FieldDoc& field : describe_fields<Sampling>().fields)
    if (const json* member = find_member(config, field.name))
      given.set(field.name, option_of(*member));
  Sampling sampling;
  read_options(sampling, given);
  return sampling;
}

}  // namespace

void Sampling::fields(Fields& f) {
  f("temperature", temperature,
    "Below 1 prefers likely tokens, above 1 unlikely ones; 0 always takes the likeliest (greedy). "
    "By default as the model's generation_config.json samples, else 1.",
    {.minimum = 0});
  f("top_k", top_k,
    "Draw among the k likeliest tokens; 0: all. By default as the model says, else 0.",
    {.minimum = 0});
  f("top_p", top_p,
    "Draw among the likeliest tokens that have this probability together; 1: all. By default as "
    "the model says, else 1.",
    {.above = 0, .maximum = 1});
  f("min_p", min_p,
    "Drop tokens less likely than this share of the likeliest; 0: none. By default as the model "
    "says, else 0.",
    {.minimum = 0, .maximum = 1});
  f("repetition_penalty", repetition_penalty,
    "Above 1 makes tokens that were there already less likely. By default as the model says, else "
    "1.",
    {.above = 0});
}

Sampling Sampling::or_else(const Sampling& other) const {
  const auto either = [](const auto& a, const auto& b) { return a ? a : b; };
  return {either(temperature, other.temperature), either(top_k, other.top_k),
          either(top_p, other.top_p), either(min_p, other.min_p),
          either(repetition_penalty, other.repetition_penalty)};
}

GenerationConfig read_generation_config(std::string file) {
  const size_t begin = begins_with_bom(file) ? 3 : 0;
  const json config = parse_json(std::string_view(file).substr(begin));
  ConfigKeys keys(config);
  GenerationConfig read;
  if (get_bool_or(config, "do_sample", false)) read.sampling = read_sampling(config);
  keys.one_or_more("eos_token_id", read.eos_token_id, 0, most_tokens);
  read.file = std::move(file);
  return read;
}

GenerationConfig load_generation_config(const fs::path& directory) {
  const fs::path path = directory / "generation_config.json";
  if (!fs::exists(path)) return {};
  constexpr uint64_t most_bytes = 1'000'000;
  std::string file = read_file(path, most_bytes);
  const Context reading("reading {}", path.string());
  return read_generation_config(std::move(file));
}

}  // namespace lathe
