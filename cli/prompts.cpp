#include "cli/prompts.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/text_output.h"
#include "lathe/generate/generate.h"
#include "lathe/io/json.h"
#include "lathe/io/rows.h"

namespace lathe {
namespace {

const char* end_name(Completion::End end) {
  return end == Completion::End::eos ? "eos" : end == Completion::End::stop ? "stop" : "length";
}

}  // namespace

std::vector<Prompt> read_prompts(const fs::path& path, const std::string& otherwise) {
  const std::unique_ptr<Rows> rows = open_rows(path, {"prompt"});
  std::vector<Prompt> prompts;
  while (const auto row = rows->next()) {
    const Context reading("{}:{}", path.string(), prompts.size() + 1);
    prompts.push_back({get_string(*row, "prompt"), get_string_or(*row, "adapter", otherwise)});
  }
  require(!prompts.empty(), "{}: expected rows with \"prompt\", found none", path.string());
  return prompts;
}

AdapterNames::AdapterNames(OpenModel& opened, const std::vector<AdapterUse>& uses) {
  std::vector<std::unique_ptr<Adapter>> named, others;
  for (size_t i = 0; i < uses.size(); ++i) {
    if (uses[i].name.empty()) {
      others.push_back(std::move(opened.adapters[i]));
      continue;
    }
    require(std::ranges::find(names_, uses[i].name) == names_.end(),
            "adapter: two have the name {}", uses[i].name);
    names_.push_back(uses[i].name);
    named.push_back(std::move(opened.adapters[i]));
  }
  opened.adapters = std::move(others);
  if (!named.empty()) rows_ = std::make_unique<RowAdapters>(named);
}

std::vector<int64_t> AdapterNames::chosen_by(const std::vector<Prompt>& prompts) const {
  std::vector<int64_t> chosen;
  for (const Prompt& prompt : prompts) {
    const auto found = std::ranges::find(names_, prompt.adapter);
    require(prompt.adapter.empty() || found != names_.end(),
            "a prompt names the adapter {}: expected one of {}; give it as --adapter '{{path: DIR, "
            "name: {}}}'",
            prompt.adapter, fmt::join(names_, ", "), prompt.adapter);
    chosen.push_back(prompt.adapter.empty() ? -1 : found - names_.begin());
  }
  return names_.empty() ? std::vector<int64_t>() : chosen;
}

std::vector<Prompt> repeated(const std::vector<Prompt>& prompts, int64_t times) {
  std::vector<Prompt> all;
  for (const Prompt& prompt : prompts) all.insert(all.end(), static_cast<size_t>(times), prompt);
  return all;
}

void continue_prompts(OpenModel& opened, const AdapterNames& names,
                      const std::vector<Prompt>& prompts, const SamplingOptions& sampling,
                      const CompletionStyle& style, nlohmann::json& all) {
  std::vector<std::string> texts;
  texts.reserve(prompts.size());
  for (const Prompt& prompt : prompts) texts.push_back(prompt.text);
  const std::vector<int64_t> adapters = names.chosen_by(prompts);  // before anything is shown
  const bool stream = !style.json && prompts.size() == 1;
  TextOutput out;
  if (stream && style.echo) out.add(texts[0]);
  const auto show = [&](size_t, std::string_view text) { out.add(text); };
  const std::vector<Completion> completions = generate(
      *opened.model, opened.tokenizer, texts, sampling, stream ? OnText(show) : OnText(), adapters);
  if (stream) out.end_line();
  for (size_t i = 0; i < completions.size(); ++i) {
    const Completion& c = completions[i];
    if (!stream && !style.json) {
      out.add((style.echo ? texts[i] : "") + c.text + "\n");
      out.end_line();
    }
    all.push_back({{"prompt", texts[i]},
                   {"text", c.text},
                   {"tokens", c.tokens.size()},
                   {"finish_reason", end_name(c.end)}});
    if (!prompts[i].adapter.empty()) all.back()["adapter"] = prompts[i].adapter;
  }
}

}  // namespace lathe
