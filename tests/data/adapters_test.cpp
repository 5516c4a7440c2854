// Rows that say which adapter learns them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lathe/data/dataset.h"
#include "tests/data/fixture.h"
#include "tests/support/byte_tokenizer.h"

namespace lathe {
namespace {

struct RowsOfAdapters : testing::Test {
  TemporaryFolder folder;
  Tokenizer tokenizer = byte_tokenizer(/*with_end=*/true);
  DataOptions options;
  const std::vector<std::string> names = {"films", "tweets"};

  RowsOfAdapters() {
    options.cache_dir = (folder / "cache").string();
    options.max_length = 8;
    options.per_device_train_batch_size = 4;
    options.per_device_eval_batch_size = 2;
  }
  /// Each text is f or t and digits, by which it is known.
  std::string write_rows(const std::string& name, int films, int tweets,
                         const char* column = "adapter") {
    std::string text;
    for (int i = 0; i < films + tweets; ++i) {
      const bool film = i < films;
      text += nlohmann::json{{"text", format("{}{}", film ? "f" : "t", 100 + i)},
                             {column, film ? "films" : "tweets"}}
                  .dump() +
              "\n";
    }
    write_text(folder / name, text);
    return (folder / name).string();
  }
  Dataset open() { return open_dataset(options, tokenizer, 0, {}, {}, names); }
  std::string message() {
    return message_of([&] { open(); });
  }
  std::string text_of(const Batch& batch, int64_t row) {
    const Tensor ids = batch.input_ids[row].to(at::kInt).contiguous();
    const auto* begin = ids.const_data_ptr<int32_t>();
    return tokenizer.decode(std::vector<int32_t>(begin, begin + ids.numel()), true);
  }
};

TEST_F(RowsOfAdapters, are_rows_of_one_adapter_each) {
  options.train_data = {{.path = write_rows("a.jsonl", 30, 10)}};
  const Dataset data = open();
  ASSERT_EQ(data.train.size(), 2U);
  const auto source = training_source(data, options, 1);
  std::map<int64_t, int> count;
  const int64_t batches = source->rows_per_epoch() / 4;
  for (int64_t i = 0; i < batches; ++i) {
    const Batch batch = source->next(1).at(0);
    ASSERT_EQ(batch.adapters.size(), 4U);
    for (int64_t row = 0; row < 4; ++row) {
      const int64_t adapter = batch.adapters[static_cast<size_t>(row)];
      const std::string text = text_of(batch, row);
      EXPECT_EQ(text.find(adapter == 0 ? 't' : 'f'), std::string::npos) << text;
      ++count[adapter];
    }
  }
  EXPECT_NEAR(count[0], 3 * count[1], 2) << "an epoch goes through all of both";
}

TEST_F(RowsOfAdapters, come_once_in_an_epoch_however_long_they_are) {
  std::string text;
  for (int i = 0; i < 20; ++i)
    for (const auto& [name, length] : {std::pair("films", 60), std::pair("tweets", 5)})
      text +=
          nlohmann::json{{"text", std::string(static_cast<size_t>(length), 'a')}, {"adapter", name}}
              .dump() +
          "\n";
  write_text(folder / "a.jsonl", text);
  options.train_data = {{.path = (folder / "a.jsonl").string()}};
  options.packing = false;
  const auto source = training_source(open(), options, 1);
  std::array<int, 2> rows{};
  for (int64_t i = 0; i < source->rows_per_epoch() / 4; ++i) {
    const Batch batch = source->next(1).at(0);
    for (const int64_t adapter : batch.adapters) ++rows.at(static_cast<size_t>(adapter));
  }
  EXPECT_NEAR(rows[0], 20 * 8, 2) << "61 tokens in rows of 8";
  EXPECT_NEAR(rows[1], 20, 2);
}

TEST_F(RowsOfAdapters, may_be_a_whole_source) {
  write_text(folder / "films.txt", "ffff fff ff");
  write_text(folder / "tweets.txt", "tt ttt tttt");
  options.train_data = {{.path = (folder / "films.txt").string(), .adapter = "films"},
                        {.path = (folder / "tweets.txt").string(), .adapter = "tweets"}};
  const Batch batch = training_source(open(), options, 1)->next(1).at(0);
  for (int64_t row = 0; row < 4; ++row) {
    const bool film = batch.adapters[static_cast<size_t>(row)] == 0;
    EXPECT_NE(text_of(batch, row).find(film ? 'f' : 't'), std::string::npos);
  }
  // The same file for another adapter is not what the cache has.
  options.train_data[1].path = options.train_data[0].path;
  EXPECT_EQ(open().train.at(1).documents.sources().at(0)->adapters().all().at(0), "tweets");
}

TEST_F(RowsOfAdapters, are_validated_by_adapter) {
  options.train_data = {{.path = write_rows("a.jsonl", 30, 10)}};
  options.valid_data = {{.path = write_rows("b.jsonl", 5, 3)}};
  const Dataset data = open();
  ASSERT_EQ(data.validation_parts.size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    const auto& [name, documents] = data.validation_parts[i];
    EXPECT_EQ(name, names[i]);
    EXPECT_EQ(documents.size(), i == 0 ? 5U : 3U);
    EvaluationBatches batches = validation_batches(data, options, 0, 1, &documents);
    while (const auto batch = batches.next())
      for (const int64_t adapter : batch->adapters) EXPECT_EQ(adapter, static_cast<int64_t>(i));
  }
}

TEST_F(RowsOfAdapters, need_a_name_that_is_known_and_each_adapter_needs_rows) {
  options.train_data = {{.path = write_rows("a.jsonl", 3, 0)}};
  EXPECT_TRUE(says(message(), "no row to train on names the adapter tweets"));
  options.train_data = {{.path = write_rows("b.jsonl", 3, 3, "for")}};
  EXPECT_TRUE(says(message(), "expected the column \"adapter\", with the name of the adapter"));
  EXPECT_TRUE(says(message(), "found \"for\", \"text\""));
  options.train_data[0].adapter_column = "for";
  EXPECT_EQ(open().train.size(), 2U);
  options.train_data[0].adapter = "books";
  EXPECT_TRUE(says(message(), "names the adapter \"books\", expected one of films, tweets"));
  write_text(folder / "c.txt", "ttt");
  options.train_data = {{.path = (folder / "c.txt").string()}};
  EXPECT_TRUE(says(message(), "expected adapter, the name"));
}

}  // namespace
}  // namespace lathe
