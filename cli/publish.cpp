#include "cli/publish.h"

#include <unistd.h>

#include "lathe/model/files.h"
#include "lathe/model/gguf_model.h"
#include "lathe/text/gguf_tokenizer.h"

namespace lathe {

namespace {

/// Writes a directory in one step, in place of what is there.
void publish(const fs::path& given, const std::function<void(const fs::path&)>& write) {
  const fs::path directory = given.has_filename() ? given : given.parent_path();
  fs::path temporary = directory;
  temporary += format(".tmp-{}", ::getpid());
  file_ops().remove_all(temporary);
  file_ops().make_directories(temporary);
  write(temporary);
  file_ops().remove_all(directory);  // the run's checkpoint can make it again
  publish_directory(temporary, directory);
}

uint64_t bytes_in(const fs::path& directory) {
  uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    if (entry.is_regular_file()) bytes += entry.file_size();
  return bytes;
}

}  // namespace

void publish_model(Model& model, const Tokenizer* tokenizer, const fs::path& directory) {
  publish(directory, [&](const fs::path& folder) {
    save_model(model, folder);
    if (tokenizer != nullptr) tokenizer->save(folder);
  });
}

void publish_gguf(Model& model, const std::optional<Tokenizer>& tokenizer, const std::string& name,
                  const std::string& quant, const fs::path& file) {
  GgufOptions options;
  if (quant != "auto") options.quant = quant;
  options.name = name;
  GgufFields fields;
  if (tokenizer)
    write_gguf_tokenizer(*tokenizer, model.output_weight().size(0), fields);
  else
    fields.put_string("tokenizer.ggml.model", "none");
  save_gguf(model, file, options, fields);
}

std::string publish_result(const Recipe& recipe, Model& model,
                           const std::vector<std::unique_ptr<Adapter>>& adapters,
                           const Tokenizer& tokenizer, const fs::path& folder) {
  const fs::path result = folder / (adapters.empty() ? "model" : "adapter");
  std::string use = adapters.empty() ? result.string() : recipe.model.path, notes;
  if (adapters.empty()) publish_model(model, &tokenizer, result);
  const auto save = [&](size_t i, const fs::path& to) {
    const std::string note = adapters[i]->save(to, recipe.model.path);
    tokenizer.save(to);  // with the chat template it was trained with
    if (!note.empty()) notes += note + "\n";
  };
  const auto place_of = [&](size_t i, const fs::path& parent) {
    const std::string& name = recipe.adapter[i].name;
    if (!name.empty()) return parent / name;
    return adapters.size() > 1 ? parent / std::to_string(i + 1) : parent;
  };
  if (!adapters.empty())
    publish(result, [&](const fs::path& to) {
      for (size_t i = 0; i < adapters.size(); ++i) {
        file_ops().make_directories(place_of(i, to));
        save(i, place_of(i, to));
      }
    });
  for (size_t i = 0; i < adapters.size(); ++i) {
    const std::string path = place_of(i, result).string(), &name = recipe.adapter[i].name;
    use += name.empty() ? " --adapter " + path
                        : format(" --adapter '{{path: {}, name: {}}}'", path, name);
  }
  if (!recipe.adapter_names().empty()) use += " --use " + recipe.adapter_names().front();
  return format("{}done: the {} is in {}, {:.1f} MB\n  lathe {} --model {} {} TEXT", notes,
                adapters.empty() ? "model" : "adapter", result.string(),
                static_cast<double>(bytes_in(result)) / 1e6,
                model.is_classifier() ? "classify" : "generate", use,
                model.is_classifier() ? "--text" : "--prompt");
}

}  // namespace lathe
