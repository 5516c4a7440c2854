#include "lathe/model/family/config_keys.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lathe/io/json.h"

namespace lathe {
namespace {

using nlohmann::json;

/// What transformers writes into the config.json of any model, and what other programs add, that
/// says nothing of the numbers of a forward pass.
constexpr std::string_view harmless[] = {
    // where the model comes from and how it is to be loaded
    "architectures",
    "attn_implementation",
    "auto_map",
    "custom_pipelines",
    "dtype",
    "is_llama_config",
    "model_name",
    "model_type",
    "tokenizer_class",
    "torch_dtype",
    "torchscript",
    "transformers.js_config",
    "transformers_version",
    "unsloth_fixed",
    "unsloth_version",
    "use_bfloat16",
    // what a forward pass returns, and how it is cut into pieces
    "cache_implementation",
    "chunk_size_feed_forward",
    "keys_to_ignore_at_inference",
    "output_attentions",
    "output_hidden_states",
    "output_router_logits",
    "pretraining_tp",
    "return_dict",
    "use_cache",
    // heads for other tasks
    "finetuning_task",
    "id2label",
    "label2id",
    "num_labels",
    "problem_type",
    "task_specific_params",
    // how text is generated
    "bad_words_ids",
    "begin_suppress_tokens",
    "decoder_start_token_id",
    "diversity_penalty",
    "do_sample",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "encoder_repetition_penalty",
    "epsilon_cutoff",
    "eta_cutoff",
    "exponential_decay_length_penalty",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "length_penalty",
    "max_length",
    "max_new_tokens",
    "min_length",
    "min_p",
    "no_repeat_ngram_size",
    "num_beam_groups",
    "num_beams",
    "num_return_sequences",
    "output_scores",
    "prefix",
    "remove_invalid_values",
    "repetition_penalty",
    "return_dict_in_generate",
    "sep_token_id",
    "suppress_tokens",
    "temperature",
    "top_k",
    "top_p",
    "typical_p",
    // the initial weights of a model that is trained from nothing
    "initializer_factor",
    "tf_legacy_loss",
    // dropout is for training only, and Lathe trains without
    "attention_dropout",
    "attention_probs_dropout_prob",
    "attn_pdrop",
    "classifier_dropout",
    "dropout",
    "embd_pdrop",
    "hidden_dropout",
    "hidden_dropout_prob",
    "resid_pdrop",
    "summary_first_dropout",
};

/// An underscore in front marks what a program notes for itself; roles of tokens are for
/// generation.
bool is_harmless(std::string_view key) {
  return key.starts_with('_') || key.ends_with("_token_id") ||
         std::find(std::begin(harmless), std::end(harmless), key) != std::end(harmless);
}

bool says_something(const json& value) {
  if (value.is_null()) return false;
  if (value.is_boolean()) return value.get<bool>();
  return !(value.is_string() || value.is_structured()) || !value.empty();
}

/// What to do about a key that is not computed.
std::string advice(const std::string& key) {
  if (key == "quantization_config")
    return "the weights are quantised in a way that is not read; load the model in its original "
           "precision, save it again, and use that";
  return "Lathe does not know it, and it may change the numbers. If it does not, remove it from "
         "config.json";
}

}  // namespace

ConfigKeys::ConfigKeys(const json& object) : object_(object) {
  require(object.is_object(), "expected an object, found {}", show_json(object));
}

const json* ConfigKeys::find(const char* key) {
  read_.insert(key);
  return find_member(object_, key);
}

bool ConfigKeys::says_null(const char* key) const {
  const auto member = object_.find(key);
  return member != object_.end() && member->is_null();
}

void ConfigKeys::operator()(const char* key, int64_t& target, int64_t min, int64_t max) {
  if (find(key) != nullptr) target = get_int(object_, key, min, max);
}

void ConfigKeys::operator()(const char* key, double& target, double min, double max) {
  if (find(key) != nullptr) target = get_number(object_, key, min, max);
}

void ConfigKeys::operator()(const char* key, bool& target) {
  if (find(key) != nullptr) target = get_bool(object_, key);
}

void ConfigKeys::operator()(const char* key, std::string& target) {
  if (find(key) != nullptr) target = get_string(object_, key);
}

void ConfigKeys::operator()(const char* key, std::vector<int64_t>& target, int64_t min,
                            int64_t max) {
  if (find(key) == nullptr) return;
  target.clear();
  for (const json& element : get_array(object_, key)) {
    const bool fits = element.is_number_integer() && element.get<int64_t>() >= min &&
                      element.get<int64_t>() <= max;
    require(fits, "\"{}\": expected integers from {} to {}, found {}", key, min, max,
            show_json(element));
    target.push_back(element.get<int64_t>());
  }
}

void ConfigKeys::one_or_more(const char* key, std::vector<int64_t>& target, int64_t min,
                             int64_t max) {
  const json* member = find(key);
  if (member == nullptr) return;
  if (member->is_array())
    (*this)(key, target, min, max);
  else
    target = {get_int(object_, key, min, max)};
}

void ConfigKeys::operator()(const char* key, std::vector<double>& target) {
  if (find(key) == nullptr) return;
  target.clear();
  for (const json& element : get_array(object_, key)) {
    require(element.is_number(), "\"{}\": expected numbers, found {}", key, show_json(element));
    target.push_back(element.get<double>());
  }
}

void ConfigKeys::operator()(const char* key, std::vector<std::string>& target) {
  if (find(key) == nullptr) return;
  target.clear();
  for (const json& element : get_array(object_, key)) {
    require(element.is_string(), "\"{}\": expected texts, found {}", key, show_json(element));
    target.push_back(element.get<std::string>());
  }
}

void ConfigKeys::needed(const char* key, int64_t& target, int64_t max) {
  read_.insert(key);
  target = get_int(object_, key, 1, max);
}

void ConfigKeys::refuse_unread(std::string_view model_type) const {
  for (const auto& [key, value] : object_.items()) {
    if (read_.contains(key) || is_harmless(key) || !says_something(value)) continue;
    fail("\"{}\": found {} in a model of type {}: {}", key, show_json(value), model_type,
         advice(key));
  }
}

}  // namespace lathe
