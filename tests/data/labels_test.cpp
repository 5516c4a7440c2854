#include "lathe/data/labels.h"

#include <gtest/gtest.h>

#include "lathe/data/dataset.h"
#include "tests/data/fixture.h"
#include "tests/support/byte_tokenizer.h"

namespace lathe {
namespace {

using Names = std::vector<std::string>;
using Outputs = std::vector<float>;

LabelSet labels_of(const std::vector<std::string>& labels) {
  return find_labels(labels);
}

TEST(Labels, are_classes_in_the_order_of_the_alphabet_or_of_numbers) {
  const LabelSet names = labels_of({R"("pos")", R"("neg")", R"("pos")"});
  EXPECT_EQ(names.type, ProblemType::single_label_classification);
  EXPECT_EQ(names.names, Names({"neg", "pos"}));
  EXPECT_EQ(names.target(R"("pos")"), Outputs({0, 1}));
  EXPECT_EQ(labels_of({"10", "9", "-1"}).names, Names({"-1", "9", "10"}));
}

TEST(Labels, in_lists_are_several_of_one_text) {
  const LabelSet set = labels_of({R"(["b","a"])", "[]", R"(["c"])"});
  EXPECT_EQ(set.type, ProblemType::multi_label_classification);
  EXPECT_EQ(set.target(R"(["c","a"])"), Outputs({1, 0, 1}));
  EXPECT_EQ(set.target("[]"), Outputs({0, 0, 0}));
}

TEST(Labels, may_be_a_number_for_each_class) {
  const LabelSet set = labels_of({"[0.0,1.0,0.0]", "[1.0,1.0,0.0]"});
  EXPECT_EQ(set.names, Names({"0", "1", "2"}));
  EXPECT_EQ(set.target("[1.0,1.0,0.0]"), Outputs({1, 1, 0}));
  EXPECT_TRUE(says(message_of([&] { set.target("[1.0,0.0]"); }), "each of 3 classes"));
  const std::string error = message_of([] { labels_of({"[0,1,0,1]"}); });
  EXPECT_TRUE(says(error, "each once, found an array of 4")) << error;
  EXPECT_TRUE(says(error, "written 0.0 or 1.0")) << error;
}

TEST(Labels, that_are_fractions_are_numbers_to_predict) {
  const LabelSet set = labels_of({"0.5", "2", "-1e3"});
  EXPECT_EQ(set.type, ProblemType::regression);
  EXPECT_EQ(set.target("-3"), Outputs({-3}));
  const std::vector<std::string> ratings = {"1", "2", "3"};
  EXPECT_EQ(find_labels(ratings, ProblemType::regression).type, ProblemType::regression);
}

TEST(Labels, that_do_not_fit_are_errors) {
  EXPECT_TRUE(says(message_of([] { labels_of({"0.5", R"("a")"}); }), "found fractions and names"));
  EXPECT_TRUE(says(message_of([] { labels_of({R"("a")", R"("a")"}); }), "at least 2 classes"));
  const LabelSet set = labels_of({R"("a")", R"("b")"});
  EXPECT_TRUE(says(message_of([&] { set.target(R"("c")"); }), "c is not known; there are a, b"));
  EXPECT_TRUE(says(message_of([&] { set.target(R"(["a"])"); }), "one label for each text"));
}

TEST(Labels, that_are_numbers_may_be_places_of_names) {
  const LabelSet set = labels_of({R"("neg")", R"("pos")"});
  EXPECT_EQ(set.target("1"), Outputs({0, 1}));
  EXPECT_TRUE(says(message_of([&] { set.target("2"); }), "is not known"));
  EXPECT_TRUE(says(message_of([&] { set.target("-1"); }), "is not known"));
  EXPECT_EQ(labels_of({"1", "2"}).target("1"), Outputs({1, 0})) << "a name goes before a place";
  EXPECT_TRUE(says(message_of([] { labels_of({"1", "2"}).target("0"); }), "is not known"));
}

TEST(ProblemTypes, have_the_names_of_transformers) {
  for (const char* name :
       {"single_label_classification", "multi_label_classification", "regression"})
    EXPECT_EQ(problem_type_name(problem_type_named(name)), name);
  EXPECT_TRUE(says(message_of([] { problem_type_named("ranking"); }), "found ranking"));
}

struct LabelledTexts : testing::Test {
  TemporaryFolder folder;
  Tokenizer tokenizer = byte_tokenizer();

  DataOptions options_for(std::string_view train, std::string_view valid = "") {
    write_text(folder / "train.jsonl", train);
    DataOptions options;
    options.train_data = {{.path = (folder / "train.jsonl").string()}};
    if (!valid.empty()) {
      write_text(folder / "valid.jsonl", valid);
      options.valid_data = {{.path = (folder / "valid.jsonl").string()}};
    }
    options.cache_dir = (folder / "cache").string();
    options.max_length = 8;
    options.shuffle = false;
    options.per_device_train_batch_size = 2;
    return options;
  }
};

constexpr const char* rows = R"({"text": "abc", "label": "x"}
{"text": "defg", "label": "y"}
{"text": "hi", "label": "x"}
)";

TEST_F(LabelledTexts, end_where_their_last_token_is) {
  const DataOptions options = options_for(rows);
  const Dataset data = open_dataset(options, tokenizer, 0, {}, {.wanted = true});
  EXPECT_EQ(label_counts(data), std::vector<int64_t>({2, 1}));
  const Batch batch = training_source(data, options, 0)->next(1).at(0);
  // Row 0: abc defg; row 1: hi abc. Both are eight wide at most.
  EXPECT_EQ(values(batch.ends), std::vector<int64_t>({2, 6, 8, 11}));
  EXPECT_EQ(values(batch.targets), std::vector<int64_t>({1, 0, 0, 1, 1, 0, 1, 0}));
}

TEST_F(LabelledTexts, longer_than_a_row_are_errors_unless_they_may_be_cut) {
  DataOptions options = options_for(rows, R"({"text": "a text of more than eight", "label": "x"})");
  const auto open = [&] { return open_dataset(options, tokenizer, 0, {}, {.wanted = true}); };
  EXPECT_TRUE(says(message_of([&] { open(); }), "max_length is 8: give a larger one"));
  options.truncation = true;
  const Dataset data = open();
  EvaluationBatches batches = validation_batches(data, options);
  int64_t texts = 0;
  while (const auto batch = batches.next()) texts += batch->ends.numel();
  EXPECT_EQ(texts, 1);
}

TEST_F(LabelledTexts, may_only_have_labels_that_are_known) {
  const DataOptions options = options_for(rows);
  const Labels labels{.wanted = true,
                      .known = LabelSet{ProblemType::single_label_classification, {"x", "z"}}};
  EXPECT_TRUE(says(message_of([&] { open_dataset(options, tokenizer, 0, {}, labels); }),
                   "the label y is not known; there are x, z"));
}

TEST_F(LabelledTexts, of_validation_have_labels_of_training) {
  const DataOptions options = options_for(rows, "{\"text\": \"a\", \"label\": \"z\"}\n");
  EXPECT_TRUE(says(message_of([&] { open_dataset(options, tokenizer, 0, {}, {.wanted = true}); }),
                   "the label z is not known; there are x, y"));
}

TEST_F(LabelledTexts, are_rows_and_plain_text_is_refused_each_time) {
  DataOptions options = options_for(rows);
  write_text(folder / "plain.txt", "abc");
  options.train_data = {{.path = (folder / "plain.txt").string()}};
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(says(message_of([&] { open_dataset(options, tokenizer, 0, {}, {.wanted = true}); }),
                     "texts without columns have no labels"));
  EXPECT_EQ(open_dataset(options, tokenizer, 0).train.size(), 1U);
}

TEST_F(LabelledTexts, without_a_label_are_errors_that_name_the_row) {
  const auto message = [&](std::string_view text) {
    return message_of([&] { open_dataset(options_for(text), tokenizer, 0, {}, {.wanted = true}); });
  };
  EXPECT_TRUE(
      says(message("{\"text\": \"a\", \"labels\": 1}\n"),
           "expected the column \"label\", which has the label; found \"text\", \"labels\""));
  EXPECT_TRUE(says(message("{\"text\": \"a\", \"label\": 1}\n{\"text\": \"b\", \"label\": null}\n"),
                   "train.jsonl:2"));
}

}  // namespace
}  // namespace lathe
