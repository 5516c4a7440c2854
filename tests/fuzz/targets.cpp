#include "tests/fuzz/targets.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "lathe/base/error.h"
#include "lathe/base/file.h"
#include "lathe/io/gguf.h"
#include "lathe/io/json.h"
#include "lathe/io/jsonl.h"
#include "lathe/io/model_files.h"
#include "lathe/io/safetensors.h"
#include "lathe/text/chat_template.h"
#include "lathe/text/gguf_tokenizer.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

using nlohmann::json;

void promise(bool kept, const char* what) {
  if (!kept) throw std::logic_error(what);
}

const fs::path& folder() {
  static const TemporaryFolder made;
  return made.path();
}

fs::path file(const char* name, std::string_view content) {
  const fs::path path = folder() / name;
  FileWriter writer(path);
  writer.write(content);
  writer.flush();
  return path;
}

/// Reads all bytes, as far as that takes no more than a moment.
void touch(const TensorSource& source) {
  std::vector<std::byte> scratch;
  for (const TensorInfo& tensor : source.tensors()) {
    if (tensor.bytes > 1 << 20) continue;
    const std::span<const std::byte> bytes = source.data(tensor, scratch);
    promise(bytes.size() == tensor.bytes, "a tensor has as many bytes as its shape says");
    volatile size_t sum = 0;
    for (const std::byte byte : bytes) sum = sum + static_cast<size_t>(byte);
  }
}

void safetensors(std::string_view input) {
  touch(SafetensorsFile(file("model.safetensors", input)));
}

void parse(std::string_view input) {
  const json value = parse_json(input);
  promise(parse_json(value.dump()) == value, "what is written is read back");
}

void shard_index(std::string_view input) {
  static const bool written = [] {
    const std::array<float, 4> numbers = {1, 2, 3, 4};
    const TensorView tensor{"w", DType::F32, {2, 2}, std::as_bytes(std::span(numbers))};
    write_safetensors(folder() / "shard.safetensors", {&tensor, 1});
    return true;
  }();
  promise(written, "the shard is there");
  file("sharded.safetensors.index.json", input);
  touch(ModelFiles(folder(), "sharded"));
}

void rows(std::string_view input) {
  if (input.empty()) return;
  const bool lines = input.front() != '[';
  const auto rows = lines ? open_jsonl(file("rows.jsonl", input), {}, 1 << 16)
                          : open_json_array(file("rows.json", input), {}, 1 << 20);
  while (const auto row = rows->next()) promise(row->is_object(), "a row is an object");
}

void tokenizer(std::string_view input) {
  const Tokenizer loaded = Tokenizer::from_json(input);
  const std::string text = "Hello, world! 12345  <s> é 你好\n\naaaaaaaaab";
  const std::vector<int32_t> ids = loaded.encode(text);
  for (const int32_t id : ids) promise(loaded.has_token(id), "ids have tokens");
  for (const int32_t id : ids) promise(id < loaded.vocab_size(), "ids are in the vocabulary");
  loaded.decode(ids);
  promise(loaded.encode(text) == ids, "encoding is a function");
}

/// A template, and behind a line of dashes messages.
void chat_template(std::string_view input) {
  const std::string_view line = "\n-----\n";
  const size_t end = std::min(input.find(line), input.size());
  const std::string messages(input.substr(std::min(end + line.size(), input.size())));
  const Chat chat = {.messages = messages.empty() ? "[]" : messages,
                     .tools = R"([{"name": "f", "parameters": {"x": {"type": "integer"}}}])",
                     .add_generation_prompt = true,
                     .time = std::chrono::local_seconds(std::chrono::seconds(1'700'000'000))};
  try {
    const RenderedChat rendered = ChatTemplate("t", input.substr(0, end)).render(chat);
    for (const auto& [first, last] : rendered.assistant)
      promise(first <= last, "spans do not end before they begin");
  } catch (const Error& error) {
    promise(std::string_view(error.what()).find("internal error") == std::string_view::npos,
            error.what());
  }
}

void gguf(std::string_view input) {
  const GgufFile opened(file("model.gguf", input));
  touch(opened);
  read_gguf_tokenizer(opened.fields());
}

constexpr std::array targets = {
    FuzzTarget{"safetensors", safetensors},
    FuzzTarget{"json", parse},
    FuzzTarget{"shard_index", shard_index},
    FuzzTarget{"rows", rows},
    FuzzTarget{"tokenizer", tokenizer},
    FuzzTarget{"chat_template", chat_template},
    FuzzTarget{"gguf", gguf},
};

}  // namespace

std::span<const FuzzTarget> fuzz_targets() {
  return targets;
}

const FuzzTarget* find_fuzz_target(std::string_view name) {
  const auto found = std::find_if(targets.begin(), targets.end(),
                                  [&](const FuzzTarget& target) { return name == target.name; });
  return found == targets.end() ? nullptr : &*found;
}

}  // namespace lathe
