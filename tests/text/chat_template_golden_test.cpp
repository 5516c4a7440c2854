// Templates, expressions and masks as transformers has them: tests/golden/chat_template.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "lathe/base/file.h"
#include "lathe/text/chat_template.h"
#include "tests/support/errors.h"

namespace lathe {
namespace {

using Json = nlohmann::ordered_json;

const fs::path folder = fs::path(LATHE_TEST_DATA) / "golden/chat_template";

Json load(const char* name) {
  return Json::parse(read_file(folder / name));
}

const Json& golden_renderings() {
  static const Json loaded = load("golden.json");
  return loaded;
}

std::string part(const Json& chat, const char* key) {
  return chat.contains(key) && !chat[key].is_null() ? chat[key].dump() : "";
}

Chat chat_of(const Json& chat) {
  using Seconds = std::chrono::local_seconds;
  return {.messages = part(chat, "messages"),
          .tools = part(chat, "tools"),
          .documents = part(chat, "documents"),
          .variables = part(chat, "variables"),
          .add_generation_prompt = chat.value("add_generation_prompt", false),
          .continue_final_message = chat.value("continue_final_message", false),
          .time = Seconds(std::chrono::seconds(golden_renderings()["time"].get<int64_t>()))};
}

/// [text, spans] as in golden.json; null for an error.
Json rendered(const std::string& source, const Chat& chat) {
  try {
    const RenderedChat found = ChatTemplate("t", source).render(chat);
    return {found.text, chat.continue_final_message ? Json::array() : Json(found.assistant)};
  } catch (const Error&) {
    return nullptr;
  }
}

TEST(ChatTemplateGolden, renders_conversations_as_transformers) {
  const Json chats = load("conversations.json");
  for (const auto& [name, expected] : golden_renderings()["templates"].items()) {
    const std::string source = read_file(folder / "templates" / (name + ".jinja"));
    for (const auto& [chat, text] : expected.items())
      EXPECT_EQ(rendered(source, chat_of(chats[chat])), text) << name << ", " << chat;
  }
}

/// What Lathe refuses though Jinja2 renders it, with the reasons in the file.
std::set<std::string> refused() {
  const Json reasons = load("refused.json");
  std::set<std::string> sources;
  for (const auto& [reason, known] : reasons.items())
    for (const Json& source : known) sources.insert(source);
  return sources;
}

TEST(ChatTemplateGolden, computes_expressions_as_jinja_or_refuses_them) {
  std::set<std::string> left_out = refused();
  const Chat chat = {.variables = read_file(folder / "variables.json")};
  Chat with_time = chat;
  with_time.time = chat_of(Json::object()).time;
  for (const Json& snippet : golden_renderings()["snippets"]) {
    const std::string source = snippet[0];
    if (left_out.erase(source) == 0) {
      EXPECT_EQ(rendered(source, with_time), snippet[1]) << source;
      continue;
    }
    EXPECT_TRUE(rendered(source, with_time).is_null() && !snippet[1].is_null())
        << "no longer to be listed in refused.json: " << source;
  }
  EXPECT_TRUE(left_out.empty()) << "in refused.json, but not in golden.json: " << *left_out.begin();
}

TEST(ChatTemplateGolden, masks_tokens_as_transformers) {
  const Json chats = load("conversations.json");
  const ChatTemplate marked("t", read_file(folder / "templates/marked.jinja"));
  for (const auto& [kind, expected] : golden_renderings()["masks"].items()) {
    const Tokenizer tokenizer = Tokenizer::load(folder.parent_path() / "tokenizer" / kind);
    for (const auto& [chat, tokens] : expected.items()) {
      const RenderedChat text = marked.render(chat_of(chats[chat]));
      const Tokenizer::Places encoded = tokenizer.encode_with_places(text.text, false);
      EXPECT_EQ(Json(encoded.ids), tokens["ids"]) << kind << ", " << chat;
      EXPECT_EQ(Json(span_mask(encoded.places, text.assistant)), tokens["mask"])
          << kind << ", " << chat;
    }
  }
}

}  // namespace
}  // namespace lathe
