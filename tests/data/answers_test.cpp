// Rows of which only the answers are learned, from files to batches.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lathe/data/dataset.h"
#include "lathe/data/document_source.h"
#include "tests/data/fixture.h"
#include "tests/support/byte_tokenizer.h"

namespace lathe {
namespace {

Tokenizer tokenizer_with(const std::string& chat_template = "") {
  TokenizerFiles files = byte_tokenizer(/*with_end=*/true).files();
  if (!chat_template.empty()) files.chat_templates = {{"default", chat_template}};
  return Tokenizer::from_files(files);
}

struct Answers : testing::Test {
  TemporaryFolder folder;

  DataOptions options_for(std::string_view rows) {
    write_text(folder / "rows.jsonl", rows);
    DataOptions options;
    options.train_data = {{.path = (folder / "rows.jsonl").string()}};
    options.cache_dir = (folder / "cache").string();
    options.max_length = 16;
    options.shuffle = false;
    options.per_device_train_batch_size = 1;
    return options;
  }

  /// The text of the targets of the next row, "." for each other token.
  static std::string learned(Source& source, const Tokenizer& tokenizer) {
    const Batch batch = source.next(1).at(0);
    std::string text;
    int64_t targets = 0;
    for (const int64_t label : values(batch.labels)) {
      targets += label != ignored_label;
      const auto id = static_cast<int32_t>(label);
      text += label == ignored_label ? "." : tokenizer.decode(std::span(&id, 1), false);
    }
    EXPECT_EQ(batch.target_tokens, targets);
    return text;
  }
};

TEST_F(Answers, completions_and_the_end_of_text_are_learned) {
  const Tokenizer tokenizer = tokenizer_with();
  const DataOptions options = options_for(R"({"prompt": "1+1=", "completion": "2"}
{"prompt": "2+2=", "completion": "4"}
{"prompt": "10+10=", "completion": "20"}
)");
  const Dataset data = open_dataset(options, tokenizer, 0);
  const auto source = training_source(data, options, 0);
  // The third row does not fit whole behind the others, so it begins a row.
  EXPECT_EQ(learned(*source, tokenizer), "....2</s>....4</s>");
  EXPECT_EQ(learned(*source, tokenizer), "......20</s>....2</s>");
  EXPECT_EQ(learned(*source, tokenizer), "....4</s>......20</s>");
  EXPECT_EQ(source->rows_per_epoch(), 2);
}

TEST_F(Answers, beside_texts_leave_them_whole_and_are_whole_themselves) {
  DataOptions options = options_for(R"({"prompt": "1+1=", "completion": "2"}
{"prompt": "10+10=", "completion": "20"}
)");
  const std::string text = "A text of more tokens than a row has, every one of which is read.";
  write_text(folder / "book.txt", text);
  options.train_data.push_back({.path = (folder / "book.txt").string()});
  const Tokenizer tokenizer = tokenizer_with();
  for (const bool packing : {true, false}) {
    options.packing = packing;
    const Dataset data = open_dataset(options, tokenizer, 0);
    const auto source = training_source(data, options, 0);
    std::string read;
    for (int64_t row = 0; row < source->rows_per_epoch(); ++row)
      for (const int64_t id : values(source->next(1).at(0).input_ids)) {
        const auto token = static_cast<int32_t>(id);
        read += tokenizer.decode(std::span(&token, 1), false);
      }
    for (const std::string& part : {std::string("1+1=2</s>"), std::string("10+10=20</s>"), text})
      EXPECT_NE(read.find(part), std::string::npos) << part << " in " << read;
  }
}

TEST_F(Answers, rows_whose_prompt_ends_inside_a_token_are_counted) {
  TokenizerOptions whole_words;
  whole_words.vocab_size = 300;
  bool given = false;
  const Tokenizer tokenizer = train_tokenizer(whole_words, [&]() -> std::optional<std::string> {
    if (std::exchange(given, true)) return std::nullopt;
    return "is two is two is two is two is two";
  });
  const Dataset data = open_dataset(options_for(R"({"prompt": "1+1 is", "completion": " two"}
{"prompt": "1+1 is ", "completion": "two"}
)"),
                                    tokenizer, 0);
  EXPECT_EQ(data.train_report.merged_prompts.count, 1U);
  EXPECT_TRUE(says(data.train_report.summary(), "rows.jsonl:2), so that asked alone"));
}

TEST_F(Answers, have_no_bits_per_byte_because_prompts_are_bytes_too) {
  const auto bytes_of = [&](const char* row) {
    const DataOptions options = options_for(row);
    const Dataset data = open_dataset(options, tokenizer_with(), 0);
    return training_source(data, options, 0)->next(1).at(0).text_bytes;
  };
  EXPECT_FALSE(bytes_of(R"({"prompt": "1+1=", "completion": "2"})"));
  EXPECT_TRUE(bytes_of(R"({"text": "1+1=2"})"));
}

TEST_F(Answers, everything_is_learned_if_so_wished) {
  const Tokenizer tokenizer = tokenizer_with();
  DataOptions options = options_for(R"({"prompt": "1+1=", "completion": "2"})");
  options.completion_only_loss = false;
  const Dataset data = open_dataset(options, tokenizer, 0);
  EXPECT_EQ(learned(*training_source(data, options, 0), tokenizer).substr(0, 5), ".+1=2");
}

TEST_F(Answers, of_conversations_what_the_assistant_says_is_learned) {
  const Tokenizer tokenizer = tokenizer_with(
      "{% for m in messages %}{{ m.role[0] }}:{{ m.content }};{% endfor %}"
      "{% if add_generation_prompt %}a:{% endif %}");
  const DataOptions options = options_for(
      R"({"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]})");
  const Dataset data = open_dataset(options, tokenizer, 0);
  EXPECT_EQ(learned(*training_source(data, options, 0), tokenizer).substr(0, 10), ".......yo;");
}

TEST_F(Answers, another_template_or_setting_is_other_data) {
  DataOptions options = options_for(R"({"prompt": "1+1=", "completion": "2"})");
  const auto key = [&](const std::string& chat_template) {
    return open_dataset(options, tokenizer_with(chat_template), 0).train[0].documents.fingerprint();
  };
  const std::string plain = key("");
  EXPECT_NE(key("{{ messages }}"), plain);
  options.completion_only_loss = false;
  EXPECT_NE(key(""), plain);
}

TEST_F(Answers, a_row_whose_answer_is_cut_off_is_an_error_that_shows_it) {
  const Tokenizer tokenizer = tokenizer_with();
  DataOptions options =
      options_for(R"({"prompt": "a prompt of many words, ", "completion": "and its answer"})");
  const auto message = [&] { return message_of([&] { open_dataset(options, tokenizer, 0); }); };
  EXPECT_TRUE(says(message(), "max_length is 16: nothing would be left to learn of it"));
  EXPECT_TRUE(says(message(), "a prompt of many words"));
  options.truncation = true;
  EXPECT_TRUE(says(message(), "nothing would be left"));
  options.max_length = 30;
  EXPECT_EQ(learned(*training_source(open_dataset(options, tokenizer, 0), options, 0), tokenizer),
            "........................and it");
  options.truncation = false;
  EXPECT_TRUE(says(message(), "truncation: true to cut such rows"));
}

TEST_F(Answers, a_damaged_mark_is_noticed) {
  const DataOptions options = options_for(R"({"prompt": "1+1=", "completion": "2"})");
  open_dataset(options, tokenizer_with(), 0);
  for (const auto& entry : fs::recursive_directory_iterator(folder / "cache"))
    if (entry.path().filename() == "targets.bin") fs::resize_file(entry.path(), 1);
  const Dataset again = open_dataset(options, tokenizer_with(), 0);  // made anew
  EXPECT_EQ(learned(*training_source(again, options, 0), tokenizer_with()).substr(0, 9),
            "....2</s>");
}

}  // namespace
}  // namespace lathe
