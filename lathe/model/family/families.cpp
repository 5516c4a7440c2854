#include <nlohmann/json.hpp>

#include "lathe/io/json.h"
#include "lathe/model/family/family.h"

namespace lathe {

extern const Family llama_family, smollm3_family, mistral_family, qwen2_family, qwen3_family,
    gemma2_family, gemma3_text_family, phi3_family, olmo2_family, gpt2_family, gpt_neox_family,
    mixtral_family, qwen3_moe_family;

namespace {

using nlohmann::json;

constexpr const Family* table[] = {
    &llama_family,    &smollm3_family,     &mistral_family,  &qwen2_family, &qwen3_family,
    &gemma2_family,   &gemma3_text_family, &phi3_family,     &olmo2_family, &gpt2_family,
    &gpt_neox_family, &mixtral_family,     &qwen3_moe_family};

/// Types that look like a supported one, and are not: what to do about them.
std::string hint(std::string_view model_type) {
  if (model_type == "gemma3")
    return "This is the wrapper with a vision tower; its text model alone is gemma3_text: save the "
           "`language_model` of it with transformers, and use that";
  const std::string near = nearest(model_type, model_types());
  return near.empty() ? "" : format("The nearest name is {}", near);
}

void read_token_ids(ConfigKeys& keys, ModelConfig& c) {
  constexpr int64_t large = 1 << 24;
  keys("bos_token_id", c.bos_token_id, int64_t{0}, large);
  keys("pad_token_id", c.pad_token_id, int64_t{-1}, large);
  if (c.pad_token_id == -1) c.pad_token_id.reset();  // Llama 1 and 2 say so
  keys.one_or_more("eos_token_id", c.eos_token_id, 0, large);
}

}  // namespace

std::span<const Family* const> families() {
  return table;
}

std::vector<std::string> model_types() {
  std::vector<std::string> names;
  for (const Family* family : table) names.emplace_back(family->model_type);
  return names;
}

const Family& family_of(std::string_view model_type) {
  for (const Family* family : table)
    if (model_type == family->model_type) return *family;
  const std::string more = hint(model_type);
  fail("\"model_type\": supported families are {}; found {}{}{}", fmt::join(model_types(), ", "),
       model_type, more.empty() ? "" : ". ", more);
}

ModelConfig complete_config(ModelConfig config) {
  family_of(config.model_type).complete(config);
  if (config.num_attention_heads > 0) {
    config.num_key_value_heads = config.key_value_heads();
    config.head_dim = config.head_size();
  }
  RopeParameters& rope = config.rope_parameters;
  if (rope.compares_with_original() && !rope.original_max_position_embeddings)
    rope.original_max_position_embeddings = config.max_position_embeddings;
  return config;
}

/// The class of transformers that has an output for each label.
std::string classifier_architecture(const Family& family) {
  std::string name = family.architecture;
  if (name == "Gemma3ForCausalLM") return "Gemma3TextForSequenceClassification";
  for (const std::string_view head : {"ForCausalLM", "LMHeadModel"})
    if (name.ends_with(head))
      return name.substr(0, name.size() - head.size()) + "ForSequenceClassification";
  return name;
}

/// The names of outputs and their meaning, if the model is a classifier.
void read_labels(const json& config, ModelConfig& c) {
  const json* architectures = find_member(config, "architectures");
  const bool classifies =
      architectures != nullptr && architectures->is_array() && !architectures->empty() &&
      architectures->front().is_string() &&
      architectures->front().get<std::string>().ends_with("ForSequenceClassification");
  if (!classifies) return;
  // transformers leaves out the names that it gives two outputs by default.
  const json* given = find_member(config, "id2label");
  const json names = given != nullptr ? *given : json{{"0", "LABEL_0"}, {"1", "LABEL_1"}};
  require(names.is_object(), "\"id2label\": expected an object, found {}", show_json(names));
  require(!names.empty() && names.size() <= 1'000'000,
          "\"id2label\": expected the names of the outputs, found {}", names.size());
  for (size_t i = 0; i < names.size(); ++i) c.labels.push_back(get_string(names, format("{}", i)));
  c.problem_type = get_string_or(
      config, "problem_type", c.labels.size() == 1 ? "regression" : "single_label_classification");
  require(c.problem_type != "regression" || c.labels.size() == 1,
          "\"problem_type\": regression: expected one output, found {} labels", c.labels.size());
}

void write_labels(const ModelConfig& c, const Family& family, json& object) {
  if (c.labels.empty()) return;
  object["architectures"] = {classifier_architecture(family)};
  object["id2label"] = json::object();
  object["label2id"] = json::object();
  for (size_t i = 0; i < c.labels.size(); ++i) {
    object["id2label"][format("{}", i)] = c.labels[i];
    object["label2id"][c.labels[i]] = i;
  }
  object["problem_type"] = c.problem_type;
}

ModelConfig read_model_config(const json& config) {
  ConfigKeys keys(config);
  ModelConfig c;
  c.model_type = get_string(config, "model_type");
  const Family& family = family_of(c.model_type);
  read_token_ids(keys, c);
  read_labels(config, c);
  family.read(keys, c);
  keys.refuse_unread(c.model_type);
  c = complete_config(c);
  c.check();
  return c;
}

void require_spelled(const ModelConfig& config) {
  const ModelConfig complete = complete_config(config);
  const ModelConfig read = read_model_config(write_model_config(complete, "float32"));
  if (read == complete) return;
  fail("a model of type {} has no such: {}. Leave it out, or take another model_type",
       config.model_type, fmt::join(changed_keys(to_value(complete), to_value(read)), ", "));
}

json write_model_config(const ModelConfig& config, const std::string& dtype) {
  const ModelConfig c = complete_config(config);
  const Family& family = family_of(c.model_type);
  json object = {
      {"architectures", {family.architecture}},
      {"model_type", c.model_type},
      {"use_cache", true},
      {"bos_token_id", c.bos_token_id ? json(*c.bos_token_id) : json(nullptr)},
      {"pad_token_id", c.pad_token_id ? json(*c.pad_token_id) : json(nullptr)},
      {"eos_token_id", nullptr},
      {"dtype", dtype},
      {"torch_dtype", dtype},
  };
  if (c.eos_token_id.size() == 1) object["eos_token_id"] = c.eos_token_id[0];
  if (c.eos_token_id.size() > 1) object["eos_token_id"] = c.eos_token_id;
  family.write(c, object);
  write_labels(c, family, object);
  return object;
}

}  // namespace lathe
