#include "lathe/text/chat_template.h"

#include <gtest/gtest.h>

#include <thread>

#include "lathe/base/file.h"
#include "tests/support/byte_tokenizer.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

std::string render(std::string_view source, const Chat& chat = {}) {
  return ChatTemplate("t", source).render(chat).text;
}

const std::string hello = R"([{"role": "user", "content": "Hello"}])";

TEST(ChatTemplate, keeps_the_order_of_keys) {
  const Chat chat = {.tools = R"([{"z": 1, "a": {"y": 1.0, "b": 1e20}}])"};
  EXPECT_EQ(render("{{ tools | tojson }}", chat), R"([{"z": 1, "a": {"y": 1.0, "b": 1e+20}}])");
}

TEST(ChatTemplate, what_is_not_given_is_none) {
  EXPECT_EQ(render("{{ tools is none }}{{ documents is none }}{{ add_generation_prompt }}"),
            "TrueTrueFalse");
}

TEST(ChatTemplate, variables_go_before_special_tokens) {
  const ChatTemplate greeting("t", "{{ bos_token }}{{ eos_token }}",
                              {{"bos_token", "<s>"}, {"eos_token", "</s>"}});
  EXPECT_EQ(greeting.render({.variables = R"({"eos_token": "."})"}).text, "<s>.");
}

TEST(ChatTemplate, errors_name_template_and_line) {
  const auto error = [](std::string_view source) {
    return message_of([&] { ChatTemplate("chat.jinja", source).render({.messages = hello}); });
  };
  EXPECT_TRUE(says(error("a\n{% if %}"), "chat.jinja, line 2: unexpected end of block"));
  EXPECT_TRUE(says(error("a\n\n{{ b.c }}"), "chat.jinja, line 3: 'b' is undefined"));
  EXPECT_TRUE(says(error("{{ raise_exception('no ' ~ messages[0].role) }}"),
                   "chat.jinja, line 1: the template refuses: no user"));
  EXPECT_TRUE(says(error("{% for m in messages %}\n{{ m.content + 1 }}{% endfor %}"),
                   "line 2: unsupported operand type(s) for +: 'str' and 'int'"));
}

TEST(ChatTemplate, refuses_what_is_no_conversation) {
  const auto error = [](const Chat& chat) { return message_of([&] { render("x", chat); }); };
  EXPECT_TRUE(says(error({.messages = "{}"}), "messages: expected a list"));
  EXPECT_TRUE(says(error({.messages = "[1]"}), "message 0: expected an object"));
  EXPECT_TRUE(says(error({.messages = "[{]"}), "messages: JSON, byte 2: expected a key"));
  EXPECT_TRUE(says(error({.tools = "[1, 2"}), "tools: JSON"));
  EXPECT_TRUE(says(error({.continue_final_message = true}), "there is none to continue"));
  EXPECT_TRUE(says(error({.messages = hello, .continue_final_message = true}),
                   "the template does not write it as it is"));
}

TEST(ChatTemplate, the_time_is_that_of_the_caller) {
  using std::chrono::local_days;
  const Chat chat = {.time = local_days(std::chrono::year(2024) / 2 / 29) + std::chrono::hours(9)};
  EXPECT_EQ(render("{{ strftime_now('%d %b %Y %H:%M %j') }}", chat), "29 Feb 2024 09:00 060");
  EXPECT_TRUE(says(message_of([] { render("{{ strftime_now('%Y') }}"); }), "no time was given"));
}

TEST(ChatTemplate, reasoning_has_one_name) {
  const std::string source = "{{ messages[0].thinking }}{{ messages[0].reasoning_content }}";
  for (const char* name : {"reasoning_content", "thinking", "reasoning"})
    EXPECT_EQ(render(source, {.messages = fmt::format(R"([{{"{}": "why"}}])", name)}), "whywhy");
}

TEST(ChatTemplate, several_threads_may_render) {
  const ChatTemplate shared("t", "{% for i in range(1000) %}{{ i }},{% endfor %}");
  const std::string expected = shared.render({}).text;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] { EXPECT_EQ(shared.render({}).text, expected); });
}

TEST(SpanMask, tokens_on_a_border_belong_to_the_span) {
  const std::vector<ByteSpan> places = {{0, 3}, {3, 5}, {5, 9}, {9, 10}};
  EXPECT_EQ(span_mask(places, {{4, 6}}), (std::vector<uint8_t>{0, 1, 1, 0}));
  EXPECT_EQ(span_mask(places, {{3, 5}, {9, 10}}), (std::vector<uint8_t>{0, 1, 0, 1}));
  EXPECT_EQ(span_mask(places, {{5, 5}}), (std::vector<uint8_t>{0, 0, 0, 0}));
}

TEST(SpanMask, a_token_of_left_out_space_belongs_where_it_stands) {
  const std::vector<ByteSpan> places = {{0, 3}, {5, 5}, {5, 8}};
  EXPECT_EQ(span_mask(places, {{0, 5}}), (std::vector<uint8_t>{1, 1, 0}));
  EXPECT_EQ(span_mask(places, {{5, 8}}), (std::vector<uint8_t>{0, 0, 1}));
}

/// A tokenizer's directory with templates.
class ChatTemplatesTest : public testing::Test {
 protected:
  ChatTemplatesTest() { write("tokenizer.json", byte_tokenizer().files().tokenizer); }
  void write(const std::string& name, std::string_view content) {
    fs::create_directories((folder_ / name).parent_path());
    write_file_atomic(folder_ / name, content);
  }
  ChatTemplates load() const { return ChatTemplates(Tokenizer::load(folder_.path())); }
  std::string text(bool has_tools = false) const {
    return load().of(has_tools).render({.messages = hello}).text;
  }
  TemporaryFolder folder_;
};

TEST_F(ChatTemplatesTest, a_model_may_have_none) {
  EXPECT_TRUE(load().empty());
  write("tokenizer_config.json", R"({"bos_token": "a"})");
  EXPECT_TRUE(load().empty());
  EXPECT_TRUE(says(message_of([&] { text(); }), "named \"default\", found none"));
}

TEST_F(ChatTemplatesTest, they_may_stand_in_the_config) {
  write("tokenizer_config.json",
        R"({"chat_template": "{{ bos_token }}c", "bos_token": {"content": "a"}})");
  EXPECT_EQ(text(), "ac");
  EXPECT_EQ(text(true), "ac");
  write("tokenizer_config.json", R"({"chat_template": [{"name": "default", "template": "d"},
                                                       {"name": "tool_use", "template": "t"}]})");
  EXPECT_EQ(text(), "d");
  EXPECT_EQ(text(true), "t");
}

TEST_F(ChatTemplatesTest, files_go_before_the_config) {
  write("tokenizer_config.json", R"({"chat_template": "c", "eos_token": "a"})");
  write("chat_template.jinja", "file{{ eos_token }}\n");
  write("additional_chat_templates/rag.jinja", "rag");
  EXPECT_EQ(text(), "filea");
  EXPECT_EQ(text(true), "filea");
}

TEST_F(ChatTemplatesTest, what_is_wrong_with_one_is_said_when_it_is_used) {
  write("additional_chat_templates/tool_use.jinja", "{% if %}");
  EXPECT_TRUE(says(message_of([&] { text(); }), "named \"default\", found tool_use"));
  write("chat_template.jinja", "d");
  EXPECT_EQ(text(), "d");
  EXPECT_TRUE(says(message_of([&] { text(true); }), "the chat template \"tool_use\""));
}

TEST_F(ChatTemplatesTest, refuses_a_config_with_something_else) {
  write("tokenizer_config.json", R"({"chat_template": 5})");
  EXPECT_TRUE(says(message_of([&] { text(); }), "expected text or a list of templates, found 5"));
  write("tokenizer_config.json", R"({"chat_template": [{"name": "a"}]})");
  EXPECT_TRUE(says(message_of([&] { text(); }), "\"template\""));
}

TEST_F(ChatTemplatesTest, refuses_one_of_a_gigabyte) {
  write("chat_template.jinja", "");
  fs::resize_file(folder_ / "chat_template.jinja", uint64_t{1} << 30);
  EXPECT_TRUE(says(message_of([&] { text(); }), "chat_template.jinja"));
}

}  // namespace
}  // namespace lathe
