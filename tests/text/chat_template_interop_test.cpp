// The Lathe side of scripts/interop/chat_templates.py, which gives LATHE_CHATS (a file with one
// JSON object a line) and LATHE_RESULT (the file to write, one object a line).
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "lathe/base/error.h"
#include "lathe/base/file.h"
#include "lathe/io/line_reader.h"
#include "lathe/text/chat_template.h"

namespace lathe {
namespace {

using nlohmann::json;

json answer(const json& task, const Tokenizer& tokenizer) {
  using std::chrono::local_seconds;
  const Chat chat = {.messages = task["messages"],
                     .tools = task["tools"],
                     .documents = task["documents"],
                     .variables = task["variables"],
                     .add_generation_prompt = task["add_generation_prompt"],
                     .continue_final_message = task["continue_final_message"],
                     .time = local_seconds(std::chrono::seconds(task["time"].get<int64_t>()))};
  try {
    const ChatTemplate parsed("t", task["template"].get<std::string>());
    const RenderedChat rendered = parsed.render(chat);
    json out = {{"text", rendered.text}, {"spans", rendered.assistant}};
    if (!rendered.assistant.empty()) {
      const Tokenizer::Places encoded = tokenizer.encode_with_places(rendered.text, false);
      out["mask"] = span_mask(encoded.places, rendered.assistant);
    }
    return out;
  } catch (const Error& error) {
    return {{"error", error.what()}};
  }
}

TEST(ChatTemplateInterop, renders_conversations_for_the_comparison) {
  const char* source = std::getenv("LATHE_CHATS");
  const char* result = std::getenv("LATHE_RESULT");
  const char* directory = std::getenv("LATHE_TOKENIZER");
  if (!source || !result || !directory) GTEST_SKIP() << "run by scripts/interop/chat_templates.py";
  const Tokenizer tokenizer = Tokenizer::load(directory);
  LineReader lines(source, 64 << 20);
  FileWriter out(result);
  while (const auto line = lines.next())
    out.write(answer(json::parse(*line), tokenizer).dump() + "\n");
  out.finish();
}

}  // namespace
}  // namespace lathe
