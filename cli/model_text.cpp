#include "cli/model_text.h"

#include <nlohmann/json.hpp>

namespace lathe {
namespace {

using nlohmann::json;

std::string line(const char* label, const std::string& text) {
  return format("{:<14}{}\n", label, text);
}

std::string shape_text(const ModelConfig& c) {
  return format("{}, {} layers, width {}, {} heads of {} ({} of keys and values), MLP {}",
                c.model_type, c.num_hidden_layers, c.hidden_size, c.num_attention_heads,
                c.head_size(), c.key_value_heads(), c.intermediate_size);
}

std::string parameters_text(const ModelFacts& facts) {
  const ModelReport& report = facts.report;
  const auto all = static_cast<double>(report.parameters());
  std::vector<std::string> parts;
  for (const auto& [name, count] : report.parts)
    parts.push_back(format("{} {} ({:.1f} %)", name, short_number(static_cast<double>(count)),
                           100 * static_cast<double>(count) / all));
  if (report.config && report.config->tie_word_embeddings)
    parts.emplace_back("the output layer is the embedding");
  return format("{}: {}", short_number(all), fmt::join(parts, ", "));
}

std::string weights_text(const ModelReport& report) {
  std::vector<std::string> types;
  for (const auto& [type, bytes] : report.stored)
    types.push_back(format("{} {}", type, short_number(static_cast<double>(bytes), "B")));
  return format("{} in {} tensors: {}",
                short_number(static_cast<double>(report.stored_bytes()), "B"), report.tensors,
                fmt::join(types, ", "));
}

std::string vocabulary_text(const ModelFacts& facts) {
  const auto& config = facts.report.config;
  std::string text = config ? format("{} rows", config->vocab_size) : "unknown";
  if (facts.tokenizer_tokens) text += format(", {} tokens", *facts.tokenizer_tokens);
  if (!facts.end_of_text.empty()) text += format(", a text ends with {}", facts.end_of_text);
  return text;
}

json memory_json(const TrainingMemory& m) {
  return {{"weights", m.weights},         {"gradients", m.gradients}, {"moments", m.moments},
          {"activations", m.activations}, {"loss", m.loss},           {"total", m.total()}};
}

}  // namespace

json to_json(const ModelFacts& facts) {
  const ModelReport& report = facts.report;
  json out = {{"path", facts.path},
              {"parameters", report.parameters()},
              {"weights", {{"bytes", report.stored_bytes()}, {"types", report.stored}}},
              {"chat_template", facts.has_chat_template},
              {"problems", report.problems}};
  for (const auto& [name, count] : report.parts) out["parts"][name] = count;
  if (const auto& c = report.config)
    out.update({{"model_type", c->model_type},
                {"num_hidden_layers", c->num_hidden_layers},
                {"hidden_size", c->hidden_size},
                {"vocab_size", c->vocab_size},
                {"max_position_embeddings", c->max_position_embeddings},
                {"tie_word_embeddings", c->tie_word_embeddings}});
  if (facts.tokenizer_tokens) out["tokenizer_tokens"] = *facts.tokenizer_tokens;
  out["sampling"] = json::parse(to_json(to_value(report.generation.sampling)));
  for (const auto& [method, m] : facts.memory) out["training_memory"][method] = memory_json(m);
  if (facts.adapter_parameters > 0) out["adapter"] = {{"parameters", facts.adapter_parameters}};
  return out;
}

std::string to_text(const ModelFacts& facts) {
  const ModelReport& report = facts.report;
  std::string text = line("model", facts.path);
  if (report.config) text += line("architecture", shape_text(*report.config));
  if (report.tensors > 0)
    text += line("parameters", parameters_text(facts)) + line("weights", weights_text(report));
  text += line("vocabulary", vocabulary_text(facts));
  if (const auto& c = report.config)
    text += line("context", format("{} tokens", c->max_position_embeddings));
  text += line("chat template", facts.has_chat_template ? "yes" : "none");
  const Sampling& sampling = report.generation.sampling;
  if (sampling != Sampling()) text += line("sampling", to_json(to_value(sampling)));
  text += facts.adapter_drawing;
  if (!facts.memory.empty())
    text += format("\nmemory to train, batches of {} x {} tokens:\n", facts.rows, facts.max_length);
  for (const auto& [method, bytes] : facts.memory)
    text +=
        format("  {:<50}{:>9}\n", method, short_number(static_cast<double>(bytes.total()), "B"));
  for (const std::string& problem : report.problems) text += format("\nproblem: {}\n", problem);
  return text;
}

}  // namespace lathe
