#include "lathe/text/gguf_pre_tokenizer.h"

#include <nlohmann/json.hpp>

#include "lathe/base/error.h"
#include "lathe/io/json.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

using nlohmann::json;

// The patterns as the models' own tokenizer.json have them.
constexpr std::string_view llama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
    R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view qwen2 = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|)"
                                   R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view tekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}|)"
    R"( ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view gpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}|)"
    R"( ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// Where several names do the same, the first is the one that is written.
constexpr GgufPreTokenizer table[] = {
    {.name = "gpt-2", .pattern = ""},
    {.name = "phi-2", .pattern = ""},
    {.name = "olmo", .pattern = "", .nfc = true},  // GPT-NeoX and Pythia, too
    {.name = "mpt", .pattern = "", .nfc = true},
    {.name = "smollm", .pattern = "", .digits = true},
    {.name = "starcoder", .pattern = "", .digits = true},
    {.name = "refact", .pattern = "", .digits = true},
    {.name = "llama-bpe", .pattern = llama3, .ignore_merges = true, .add_bos = true},
    {.name = "llama3", .pattern = llama3, .ignore_merges = true, .add_bos = true},
    {.name = "llama-v3", .pattern = llama3, .ignore_merges = true, .add_bos = true},
    {.name = "dbrx", .pattern = llama3},  // OLMo 2 and Phi-4, too
    {.name = "smaug-bpe", .pattern = llama3},
    {.name = "qwen2", .pattern = qwen2, .nfc = true},
    {.name = "tekken", .pattern = tekken, .ignore_merges = true, .add_bos = true},
    {.name = "gpt-4o", .pattern = gpt4o},
};

json gguf_byte_level(bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", use_regex}};
}

/// The members of a step that decide what it does; what is left out has its default there.
json essence(const json& step) {
  const std::string type = get_string(step, "type");
  json kept = {{"type", type}};
  if (type == "ByteLevel") {
    kept["add_prefix_space"] = get_bool_or(step, "add_prefix_space", true);
    kept["use_regex"] = get_bool_or(step, "use_regex", true);
  } else if (type == "Digits") {
    kept["individual_digits"] = get_bool_or(step, "individual_digits", false);
  } else if (type == "Split") {
    // These patterns leave nothing out, so to keep the matches is to isolate them.
    const bool inverted = get_bool_or(step, "invert", false);
    const std::string behavior = get_string(step, "behavior");
    kept["pattern"] = step.at("pattern");
    kept["isolated"] = behavior == (inverted ? "Removed" : "Isolated");
  } else {
    kept = step;
  }
  return kept;
}

/// The steps of a normalizer or pre-tokenizer, sequences taken apart. `nested` is their key.
void add_steps(const json& step, const char* nested, json& steps) {
  if (step.is_null()) return;
  if (get_string(step, "type") != "Sequence") {
    steps.push_back(essence(step));
    return;
  }
  for (const json& inner : get_array(step, nested)) {
    require(inner.is_object() && get_string(inner, "type") != "Sequence",
            "a sequence of steps in a sequence: expected single steps");
    add_steps(inner, nested, steps);
  }
}

json steps_of(const json& tokenizer, const char* key, const char* nested) {
  json steps = json::array();
  if (const json* step = find_member(tokenizer, key)) add_steps(*step, nested, steps);
  return steps;
}

}  // namespace

const GgufPreTokenizer& gguf_pre_tokenizer(std::string_view name) {
  std::vector<std::string_view> names;
  for (const GgufPreTokenizer& entry : table) {
    if (entry.name == name) return entry;
    names.push_back(entry.name);
  }
  fail(
      "\"tokenizer.ggml.pre\": how {} splits text is not known here, only {}. Take the tokenizer "
      "from the model's own directory",
      show_text(name), fmt::join(names, ", "));
}

json normalizer_of(const GgufPreTokenizer& pre) {
  if (!pre.nfc) return nullptr;
  return {{"type", "NFC"}};
}

json pre_tokenizer_of(const GgufPreTokenizer& pre) {
  json steps = json::array();
  if (pre.digits) steps.push_back({{"type", "Digits"}, {"individual_digits", true}});
  if (!pre.pattern.empty())
    steps.push_back({{"type", "Split"},
                     {"pattern", {{"Regex", pre.pattern}}},
                     {"behavior", "Isolated"},
                     {"invert", false}});
  steps.push_back(gguf_byte_level(pre.pattern.empty()));
  if (steps.size() == 1) return steps[0];
  return {{"type", "Sequence"}, {"pretokenizers", steps}};
}

const GgufPreTokenizer& find_gguf_pre_tokenizer(const json& tokenizer) {
  const json normal = steps_of(tokenizer, "normalizer", "normalizers");
  const json split = steps_of(tokenizer, "pre_tokenizer", "pretokenizers");
  const bool ignore = get_bool_or(get_object(tokenizer, "model"), "ignore_merges", false);
  for (const GgufPreTokenizer& entry : table) {
    const json wanted = {{"normalizer", normalizer_of(entry)},
                         {"pre_tokenizer", pre_tokenizer_of(entry)}};
    if (entry.ignore_merges == ignore && steps_of(wanted, "normalizer", "normalizers") == normal &&
        steps_of(wanted, "pre_tokenizer", "pretokenizers") == split)
      return entry;
  }
  fail(
      "GGUF has no name for how this tokenizer splits text: normalizer {}, pre_tokenizer {}, "
      "ignore_merges {}",
      show_text(normal.dump(), 300), show_text(split.dump(), 500), ignore);
}

}  // namespace lathe
