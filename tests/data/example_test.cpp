#include "lathe/data/example.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/byte_tokenizer.h"
#include "tests/support/errors.h"

namespace lathe {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* plain_template =
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}</>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}";
constexpr const char* marked_template =
    "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' %}{% generation %}"
    "{{ m.content }}</>{% endgeneration %}{% else %}{{ m.content }}</>{% endif %}{{ '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}";
/// Leaves out what the assistant said before the last message.
constexpr const char* forgetful_template =
    "{% for m in messages %}{% if m.role != 'assistant' or loop.last %}<{{ m.role }}>{{ m.content "
    "}}{% endif %}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";

ExampleReader reader(const char* source, ExampleOptions options = {}) {
  return ExampleReader(std::move(options), ChatTemplates(ChatTemplate("test", source)));
}

Example read_example(const ExampleReader& examples, const char* row) {
  const auto example = examples(Json::parse(row));
  EXPECT_TRUE(example.has_value());
  return example.value_or(Example());
}

/// What of the text is learned.
std::vector<std::string> learned(const Example& example) {
  std::vector<std::string> parts;
  for (const auto& [begin, end] : example.targets.value_or(std::vector<ByteSpan>()))
    parts.push_back(example.text.substr(begin, end - begin));
  return parts;
}

using Texts = std::vector<std::string>;

constexpr const char* two_turns =
    R"({"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"},
       {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Bye"},
       {"role": "assistant", "content": "So long"}]})";

TEST(ExampleReader, a_text_is_learned_whole) {
  const Example example = read_example(ExampleReader({}), R"({"id": 3, "text": "abc"})");
  EXPECT_EQ(example.text, "abc");
  EXPECT_FALSE(example.prompt || example.targets || example.complete);
}

TEST(ExampleReader, a_conversation_with_tools_has_a_template_of_its_own) {
  TokenizerFiles files = byte_tokenizer().files();
  files.chat_templates = {{"default", plain_template},
                          {"tool_use", "{{ tools[0].name }}|{{ messages[1].content }}"}};
  const ExampleReader examples({.assistant_only_loss = false},
                               ChatTemplates(Tokenizer::from_files(files)));
  constexpr const char* talk =
      R"({"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"})";
  EXPECT_EQ(examples(Json::parse(format(R"({{"messages": [{}]}})", talk)))->text,
            "<user>Hi</>\n<assistant>Hello</>\n");
  EXPECT_EQ(
      examples(Json::parse(format(R"({{"messages": [{}], "tools": [{{"name": "add"}}]}})", talk)))
          ->text,
      "add|Hello");
}

TEST(ExampleReader, a_row_without_its_text_has_none) {
  EXPECT_FALSE(ExampleReader({})(Json::parse(R"({"text": null})")).has_value());
}

TEST(ExampleReader, of_a_completion_the_prompt_is_not_learned) {
  const Example example =
      read_example(ExampleReader({}), R"({"prompt": "1 + 1 =", "completion": " 2"})");
  EXPECT_EQ(example.text, "1 + 1 = 2");
  EXPECT_EQ(example.prompt, "1 + 1 =");
  EXPECT_FALSE(read_example(ExampleReader({.completion_only_loss = false}),
                            R"({"prompt": "1", "completion": "2"})")
                   .prompt);
}

TEST(ExampleReader, of_a_conversation_the_parts_that_the_template_marks_are_learned) {
  const Example example = read_example(reader(marked_template), two_turns);
  EXPECT_EQ(example.text,
            "<system>Be brief.</>\n<user>Hi</>\n<assistant>Hello</>\n<user>Bye</>\n"
            "<assistant>So long</>\n");
  EXPECT_EQ(learned(example), Texts({"Hello</>", "So long</>"}));
  EXPECT_TRUE(example.complete);
}

TEST(ExampleReader, without_marks_the_parts_that_answers_add_are_learned) {
  EXPECT_EQ(learned(read_example(reader(plain_template), two_turns)),
            Texts({"Hello</>\n", "So long</>\n"}));
}

TEST(ExampleReader, a_template_that_rewrites_former_answers_is_an_error_with_advice) {
  EXPECT_TRUE(says(message_of([] { read_example(reader(forgetful_template), two_turns); }),
                   "the chat template writes message 3 otherwise"));
  const Example all =
      read_example(reader(forgetful_template, {.assistant_only_loss = false}), two_turns);
  EXPECT_FALSE(all.targets.has_value());
}

TEST(ExampleReader, an_assistant_may_begin_even_where_a_template_expects_messages) {
  const char* row = R"({"messages": [{"role": "assistant", "content": "Hello"},
                                     {"role": "user", "content": "Hi"}]})";
  const std::string looks_ahead =
      std::string("{% if messages[0].role == 'system' %}!{% endif %}") + plain_template;
  EXPECT_EQ(learned(read_example(reader(looks_ahead.c_str()), row)),
            Texts({"<assistant>Hello</>\n"}));
  EXPECT_EQ(learned(read_example(reader(plain_template), row)), Texts({"Hello</>\n"}));
}

TEST(ExampleReader, a_template_may_tell_the_day) {
  const char* row = R"({"messages": [{"role": "user", "content": "Hi"},
                                     {"role": "assistant", "content": "Hello"}]})";
  const std::string dated = std::string("{{ strftime_now('%d %b %Y') }}\n") + plain_template;
  const ExampleReader dated_reader = reader(dated.c_str(), {.time = day_named("2026-11-29")});
  EXPECT_TRUE(read_example(dated_reader, row).text.starts_with("29 Nov 2026\n"));
  for (const char* wrong : {"", "2026", "2026-13-01", "2026-11-29x", "tomorrow"})
    EXPECT_TRUE(says(message_of([&] { day_named(wrong); }), "expected a day such as")) << wrong;
}

TEST(ExampleReader, prompt_and_completion_may_be_messages) {
  const Example example =
      read_example(reader(plain_template), R"({"prompt": [{"role": "user", "content": "Hi"}],
                                       "completion": [{"role": "assistant", "content": "Yes"}]})");
  EXPECT_EQ(example.text, "<user>Hi</>\n<assistant>Yes</>\n");
  EXPECT_EQ(example.prompt, "<user>Hi</>\n<assistant>");
}

TEST(ExampleReader, rows_of_sharegpt_are_conversations) {
  const Example example = read_example(
      reader(plain_template),
      R"({"system": "S", "conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]})");
  EXPECT_EQ(example.text, "<system>S</>\n<user>Q</>\n<assistant>A</>\n");
  EXPECT_EQ(learned(example), Texts({"A</>\n"}));
}

TEST(ExampleReader, rows_of_alpaca_go_through_the_template_if_there_is_one) {
  const char* row = R"({"instruction": "Add.", "input": "1, 2", "output": "3"})";
  const Example chat = read_example(reader(plain_template), row);
  EXPECT_EQ(chat.text, "<user>Add.\n1, 2</>\n<assistant>3</>\n");
  EXPECT_EQ(chat.prompt, "<user>Add.\n1, 2</>\n<assistant>");
  const Example text = read_example(ExampleReader({}), row);
  EXPECT_TRUE(
      text.text.ends_with("### Instruction:\nAdd.\n\n### Input:\n1, 2\n\n### Response:\n3"));
  EXPECT_EQ(*text.prompt + "3", text.text);
}

TEST(ExampleReader, an_answer_goes_before_the_text_that_repeats_it) {
  const char* row = R"({"instruction": "Add.", "input": "", "output": "4", "text": "all of it"})";
  EXPECT_EQ(read_example(reader(plain_template), row).text, "<user>Add.</>\n<assistant>4</>\n");
  EXPECT_EQ(reader(plain_template).exchange(Json::parse(row)).answer, "4");
  const ExampleReader labelled({.label_column = "label"});
  EXPECT_EQ(read_example(labelled, R"({"text": "t", "messages": [], "label": "x"})").text, "t");
}

TEST(ExampleReader, rows_are_questions_with_the_answer_that_is_wanted) {
  const ExampleReader examples = reader(plain_template);
  const auto exchange = [&](const char* row) { return examples.exchange(Json::parse(row)); };
  const Exchange turns = exchange(two_turns);
  EXPECT_EQ(turns.prompt,
            "<system>Be brief.</>\n<user>Hi</>\n<assistant>Hello</>\n<user>Bye</>\n<assistant>");
  EXPECT_EQ(turns.answer, "So long");
  EXPECT_TRUE(turns.complete);
  const Exchange texts = exchange(R"({"prompt": "1+1=", "completion": "2"})");
  EXPECT_EQ(texts.prompt + "|" + texts.answer, "1+1=|2");
  EXPECT_FALSE(texts.complete);
  EXPECT_EQ(exchange(R"({"instruction": "Add", "input": "1+1", "output": "2"})").prompt,
            "<user>Add\n1+1</>\n<assistant>");
  EXPECT_TRUE(
      says(message_of([&] { exchange(R"({"messages": [{"role": "user", "content": "Hi"}]})"); }),
           "ends with a text of the assistant"));
}

TEST(ExampleReader, tools_reach_the_template_with_their_keys_in_order) {
  const char* source = "{{ tools | tojson }}{% for m in messages %}{{ m.content }}{% endfor %}";
  for (
      const char* row :
      {R"({"tools": [{"type": "function", "function": {"name": "f", "a": 1}}], "messages": [{"role": "assistant", "content": "x"}]})",
       R"({"tools": "[{\"type\": \"function\", \"function\": {\"name\": \"f\", \"a\": 1}}]", "messages": [{"role": "assistant", "content": "x"}]})"})
    EXPECT_EQ(read_example(reader(source, {.assistant_only_loss = false}), row).text,
              R"([{"type": "function", "function": {"name": "f", "a": 1}}]x)");
}

TEST(ExampleReader, unknown_columns_are_an_error_with_those_there_are) {
  const std::string message =
      message_of([] { read_example(ExampleReader({}), R"({"question": "a", "answer": "b"})"); });
  EXPECT_TRUE(says(message, "expected the column \"text\", found \"question\", \"answer\""));
}

TEST(ExampleReader, a_row_with_nothing_to_learn_is_an_error_that_shows_it) {
  EXPECT_TRUE(says(message_of([] {
                     read_example(
                         reader(plain_template),
                         R"({"messages": [{"role": "user", "content": "only a question"}]})");
                   }),
                   "only a question"));
  EXPECT_TRUE(says(message_of([] {
                     read_example(ExampleReader({}),
                                  R"({"prompt": "the prompt", "completion": ""})");
                   }),
                   "the prompt"));
}

TEST(ExampleReader, an_empty_answer_is_an_error_unless_it_calls_a_tool) {
  const auto message = [](const char* row) {
    return message_of([&] { reader(marked_template)(Json::parse(row)); });
  };
  EXPECT_TRUE(says(message(R"({"messages": [{"role": "user", "content": "Hi"},
                               {"role": "assistant", "content": ""}]})"),
                   "says anything, so nothing to learn: \"<user>Hi"));
  EXPECT_TRUE(says(message(R"({"instruction": "Add.", "output": ""})"), "nothing to learn"));
  EXPECT_EQ(message(R"({"messages": [{"role": "assistant", "content": "",
                        "tool_calls": [{"name": "f"}]}]})"),
            "no error");
}

TEST(ExampleReader, messages_of_another_shape_are_named) {
  const auto fails = [](const char* row, const char* text) {
    return says(message_of([&] { read_example(reader(plain_template), row); }), text);
  };
  EXPECT_TRUE(fails(R"({"messages": "hello"})", "expected a list of messages, found \"hello\""));
  EXPECT_TRUE(fails(R"({"messages": [{"content": "x"}]})", "message 1"));
  EXPECT_TRUE(fails(R"({"conversations": [{"from": "robot", "value": "x"}]})", "\"robot\""));
  EXPECT_TRUE(says(message_of([] { read_example(ExampleReader({}), two_turns); }),
                   "needs a chat template, and the tokenizer has none"));
}

TEST(ExampleReader, what_a_template_refuses_is_its_own_message) {
  EXPECT_TRUE(says(message_of([] {
                     read_example(reader("{{ raise_exception('no system messages, please') }}"),
                                  two_turns);
                   }),
                   "no system messages, please"));
}

}  // namespace
}  // namespace lathe
