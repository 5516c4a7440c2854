#include "lathe/data/dataset.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "lathe/text/train_tokenizer.h"
#include "tests/data/fixture.h"

namespace lathe {
namespace {

/// A byte-level tokenizer, made of a few words, with bos and eos.
Tokenizer small_tokenizer(int64_t vocab_size, bool with_roles = true) {
  TokenizerOptions options;
  options.vocab_size = vocab_size;
  options.min_frequency = 1;
  options.special_tokens = {"<s>", "</s>", "<pad>"};
  if (with_roles) {
    options.bos_token = "<s>";
    options.eos_token = "</s>";
    options.pad_token = "<pad>";
  }
  bool given = false;
  return train_tokenizer(options, [&]() -> std::optional<std::string> {
    if (std::exchange(given, true)) return std::nullopt;
    return "the quick brown fox jumps over the lazy dog, the quicker the better";
  });
}

struct DatasetTest : testing::Test {
  TemporaryFolder folder;
  Tokenizer tokenizer = small_tokenizer(300);
  int encoded = 0;  // sources that were not in the cache

  DataOptions options_for(std::vector<DataSource> train) {
    DataOptions options;
    options.train_data = std::move(train);
    options.cache_dir = (folder / "cache").string();
    options.max_length = 16;
    options.per_device_train_batch_size = 2;
    options.per_device_eval_batch_size = 2;
    return options;
  }
  std::string write(const std::string& name, std::string_view text) {
    write_text(folder / name, text);
    return (folder / name).string();
  }
  std::string write_lines(const std::string& name, int count, int first = 0) {
    std::string text;
    for (int i = first; i < first + count; ++i)
      text += nlohmann::json{{"text", format("the dog number {}", i)}}.dump() + "\n";
    return write(name, text);
  }
  Dataset open(const DataOptions& options, uint64_t seed = 0) {
    return open(options, tokenizer, seed);
  }
  Dataset open(const DataOptions& options, const Tokenizer& with, uint64_t seed = 0) {
    std::set<std::string> sources;
    Dataset dataset =
        open_dataset(options, with, seed, [&](const DataSource& source, const EncodeProgress& at) {
          sources.insert(source.path);
          EXPECT_LE(at.files_done, at.files);
        });
    encoded = static_cast<int>(sources.size());
    return dataset;
  }
  std::vector<std::string> texts(const DocumentSet& set, const Tokenizer& with) {
    std::vector<std::string> all;
    for (uint64_t i = 0; i < set.size(); ++i) {
      std::vector<int64_t> tokens(set[i].record().tokens);
      set[i].cache->read(set[i].document, 0, tokens);
      all.push_back(with.decode(std::vector<int32_t>(tokens.begin(), tokens.end()), false));
    }
    return all;
  }
  fs::path cache_folder() const {
    for (const auto& entry : fs::directory_iterator(folder / "cache"))
      if (entry.is_directory()) return entry.path();
    return {};
  }
  int64_t cache_folders() const {
    int64_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder / "cache"))
      count += entry.is_directory();
    return count;
  }
};

TEST_F(DatasetTest, documents_become_bos_text_eos) {
  const std::string path = write("a.jsonl", "{\"text\":\"the dog\"}\n{\"text\":\"\\u00e9 fox\"}\n");
  DataOptions options = options_for({{.path = path}});
  EXPECT_EQ(texts(open(options).train[0].documents, tokenizer)[0], "the dog</s>")
      << "a tokenizer that puts no bos before a text by itself";
  options.add_bos_token = true;
  EXPECT_EQ(texts(open(options).train[0].documents, tokenizer),
            (std::vector<std::string>{"<s>the dog</s>", "<s>é fox</s>"}));
  EXPECT_EQ(encoded, 1);
  options.add_bos_token = false;
  EXPECT_EQ(texts(open(options).train[0].documents, tokenizer)[0], "the dog</s>");
  EXPECT_EQ(encoded, 0);
  options.add_eos_token = false;
  EXPECT_EQ(texts(open(options).train[0].documents, tokenizer)[0], "the dog");
  const Tokenizer plain = small_tokenizer(300, false);
  const Dataset dataset = open(options, plain);
  EXPECT_EQ(texts(dataset.train[0].documents, plain)[1], "é fox");
  EXPECT_EQ(dataset.train_report.text_bytes, 13U);
}

TEST_F(DatasetTest, what_was_encoded_once_is_not_encoded_again) {
  const std::string path = write_lines("a.jsonl", 100);
  const DataOptions options = options_for({{.path = path}});
  const auto before = texts(open(options).train[0].documents, tokenizer);
  EXPECT_EQ(encoded, 1);
  const Dataset again = open(options);
  EXPECT_EQ(encoded, 0);
  EXPECT_EQ(texts(again.train[0].documents, tokenizer), before);
  EXPECT_EQ(again.train_report.documents, 100U);
  fs::rename(path, folder / "moved.jsonl");
  open(options_for({{.path = (folder / "moved.jsonl").string()}}));
  EXPECT_EQ(encoded, 0);
}

TEST_F(DatasetTest, anything_that_matters_makes_it_encode_again) {
  const std::string path = write("a.jsonl", "{\"text\":\"the dog\",\"body\":\"the fox\"}\n");
  open(options_for({{.path = path}}));
  open(options_for({{.path = path, .column = "body"}}));
  EXPECT_EQ(encoded, 1);
  const Tokenizer other = small_tokenizer(290);
  open(options_for({{.path = path}}), other);
  EXPECT_EQ(encoded, 1);
  write("a.jsonl", "{\"text\":\"the cat\",\"body\":\"the fox\"}\n");  // of the same size
  const Dataset changed = open(options_for({{.path = path}}));
  EXPECT_EQ(encoded, 1);
  EXPECT_EQ(texts(changed.train[0].documents, tokenizer)[0], "the cat</s>");
  const std::string text = write("b.txt", "X one\nX two\n");
  EXPECT_EQ(open(options_for({{.path = text}})).train[0].documents.size(), 1U);
  EXPECT_EQ(open(options_for({{.path = text, .document_start = "X"}})).train[0].documents.size(),
            2U);
  EXPECT_EQ(encoded, 1);
  open(options_for({{.path = text, .column = "other"}}));  // a text has no columns
  EXPECT_EQ(encoded, 0);
}

TEST_F(DatasetTest, a_damaged_cache_is_made_anew) {
  const DataOptions options = options_for({{.path = write_lines("a.jsonl", 20)}});
  const auto good = texts(open(options).train[0].documents, tokenizer);
  const fs::path cache = cache_folder();
  for (const std::string name : {"tokens.bin", "documents.bin", "meta.json"}) {
    const std::string content = read_file(cache / name);
    const auto expect_anew = [&] {
      EXPECT_EQ(texts(open(options).train[0].documents, tokenizer), good);
      EXPECT_EQ(encoded, 1);
      EXPECT_EQ(read_file(cache / name), content);
      EXPECT_EQ(cache_folders(), 1);
    };
    std::string flipped = content;
    flipped[content.size() / 2] ^= 4;
    write_text(cache / name, flipped);
    expect_anew();
    write_text(cache / name, content.substr(0, content.size() / 2));
    expect_anew();
    fs::remove(cache / name);
    expect_anew();
  }
}

TEST_F(DatasetTest, leftovers_of_killed_builders_are_removed) {
  const DataOptions options = options_for({{.path = write_lines("a.jsonl", 20)}});
  open(options);
  const fs::path cache = cache_folder();
  fs::rename(cache, cache.string() + ".tmp-1-1");
  fs::create_directories(cache.string() + ".damaged-1-1");
  open(options);
  EXPECT_EQ(encoded, 1);
  EXPECT_EQ(cache_folders(), 1);
}

TEST_F(DatasetTest, a_builder_that_is_stopped_leaves_nothing) {
  const DataOptions options = options_for({{.path = write_lines("a.jsonl", 20)}});
  EXPECT_THROW(open_dataset(options, tokenizer, 0,
                            [](const auto&, const auto&) { throw std::runtime_error("stop"); }),
               std::runtime_error);
  EXPECT_EQ(cache_folders(), 0);
  EXPECT_EQ(open(options).train[0].documents.size(), 20U);
}

TEST_F(DatasetTest, several_may_build_the_same_cache_at_once) {
  const DataOptions options = options_for({{.path = write_lines("a.jsonl", 3000)}});
  std::atomic<int> builders = 0;
  std::vector<std::thread> threads;
  std::vector<uint64_t> tokens(4);
  for (uint64_t& count : tokens)
    threads.emplace_back([&] {
      bool built = false;
      const Dataset dataset =
          open_dataset(options, tokenizer, 0,
                       [&](const auto&, const EncodeProgress& at) { built |= at.documents > 0; });
      count = dataset.train[0].documents.tokens();
      builders += built;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(builders, 1);
  for (const uint64_t count : tokens) EXPECT_EQ(count, tokens[0]);
  EXPECT_GT(tokens[0], 6000U);
}

TEST_F(DatasetTest, sources_without_weights_are_one_pool) {
  const DataOptions options = options_for(
      {{.path = write_lines("a.jsonl", 30)}, {.path = write_lines("b.jsonl", 10, 500)}});
  const Dataset dataset = open(options);
  ASSERT_EQ(dataset.train.size(), 1U);
  EXPECT_EQ(dataset.train[0].documents.size(), 40U);
  const auto source = training_source(dataset, options, 3);
  std::multiset<int64_t> seen, expected;
  for (int64_t row = 0; row < source->rows_per_epoch(); row += 2) {
    const auto ids = values(source->next(1).at(0).input_ids);
    seen.insert(ids.begin(), ids.end());
  }
  for (uint64_t i = 0; i < 40; ++i) {
    const DocumentRef document = dataset.train[0].documents[i];
    std::vector<int64_t> tokens(document.record().tokens);
    document.cache->read(document.document, 0, tokens);
    expected.insert(tokens.begin(), tokens.end());
  }
  // Rows beyond the end of the epoch, to fill the last batch, belong to the next.
  EXPECT_TRUE(std::ranges::includes(seen, expected));
  EXPECT_LT(seen.size(), expected.size() + 32);
}

TEST_F(DatasetTest, sources_with_weights_are_pools_of_their_own) {
  const DataOptions options =
      options_for({{.path = write_lines("a.jsonl", 30)},
                   {.path = write_lines("b.jsonl", 10, 500), .weight = 0.25}});
  const Dataset dataset = open(options);
  ASSERT_EQ(dataset.train.size(), 2U);
  EXPECT_EQ(dataset.train[0].weight, 1);
  EXPECT_EQ(dataset.train[1].weight, 0.25);
  EXPECT_EQ(dataset.train_report.documents, 40U);
}

TEST_F(DatasetTest, validation_is_split_off_by_content) {
  DataOptions options = options_for({{.path = write_lines("a.jsonl", 200)}});
  options.validation_split = 0.2;
  options.add_bos_token = true;
  const Dataset dataset = open(options, 1);
  const auto held_out = texts(dataset.validation, tokenizer);
  EXPECT_GT(held_out.size(), 15U);
  EXPECT_LT(held_out.size(), 70U);
  EXPECT_EQ(dataset.train[0].documents.size() + held_out.size(), 200U);
  EXPECT_EQ(texts(open(options, 1).validation, tokenizer), held_out);
  EXPECT_EQ(encoded, 0);
  EvaluationBatches batches = validation_batches(dataset, options);
  int64_t bytes = 0;
  while (const auto batch = batches.next()) bytes += batch->text_bytes.value();
  int64_t expected = 0;
  for (const std::string& text : held_out) expected += static_cast<int64_t>(text.size()) - 7;
  EXPECT_EQ(bytes, expected);  // without <s> and </s>
}

TEST_F(DatasetTest, valid_data_is_all_there_is_to_validate_on) {
  DataOptions options = options_for({{.path = write_lines("a.jsonl", 20)}});
  options.valid_data = {{.path = write_lines("b.jsonl", 7, 500)}};
  const Dataset dataset = open(options);
  EXPECT_EQ(dataset.validation.size(), 7U);
  EXPECT_EQ(dataset.valid_report.documents, 7U);
  EXPECT_EQ(dataset.train_report.documents, 20U);
  options.train_data.clear();
  EXPECT_EQ(open(options).validation.size(), 7U);
  EXPECT_TRUE(says(message_of([&] { training_source(open(options), options, 0); }),
                   "train_data: expected files to train on"));
}

TEST_F(DatasetTest, refuses_what_does_not_fit_together) {
  const std::string path = write_lines("a.jsonl", 20);
  const auto message = [&](auto change) {
    DataOptions options = options_for({{.path = path}});
    change(options);
    return message_of([&] { training_source(open(options), options, 0); });
  };
  EXPECT_TRUE(says(message([&](DataOptions& o) {
                     o.valid_data = o.train_data;
                     o.validation_split = 0.1;
                   }),
                   "expected valid_data or validation_split, found both"));
  EXPECT_TRUE(says(message([&](DataOptions& o) { o.valid_data = {{.path = path, .weight = 2}}; }),
                   "has a weight, which has no meaning there"));
  EXPECT_TRUE(says(message([](DataOptions& o) { o.train_data[0].weight = 0; }),
                   "weight: expected a number > 0, found 0"));
  EXPECT_TRUE(says(message([](DataOptions& o) { o.validation_split = 1; }),
                   "validation_split: expected a share in [0, 1), found 1"));
  EXPECT_TRUE(says(message([](DataOptions& o) { o.validation_split = 1e-9; }),
                   "leaves none to validate on"));
  EXPECT_TRUE(says(message([](DataOptions& o) { o.validation_split = 0.999999; }),
                   "leaves none to train on"));
  EXPECT_TRUE(says(message([](DataOptions& o) { o.cache_dir = ""; }), "cache_dir"));
  EXPECT_TRUE(says(message([](DataOptions& o) { o.max_length = 1; }), "max_length"));
  EXPECT_TRUE(says(message([](DataOptions& o) { o.train_data[0].column = "body"; }),
                   "expected the column \"body\", found \"text\""));
}

TEST_F(DatasetTest, no_usable_document_is_an_error_that_says_why) {
  write("in/a.txt", "");
  write("in/b.txt", "\xFF");
  const std::string message =
      message_of([&] { open(options_for({{.path = (folder / "in").string()}})); });
  EXPECT_TRUE(says(message, "no document that can be used in 2 files"));
  EXPECT_TRUE(says(message, "b.txt:1"));
  EXPECT_EQ(cache_folders(), 0);
}

TEST_F(DatasetTest, what_was_left_out_is_known_from_the_cache_too) {
  write("in/a.txt", "the dog");
  write("in/b.txt", "\xFF");
  const DataOptions options = options_for({{.path = (folder / "in").string()}});
  const std::string first = open(options).train_report.summary();
  EXPECT_EQ(open(options).train_report.summary(), first);
  EXPECT_EQ(encoded, 0);
  EXPECT_NE(first.find("left out 1: 1 not UTF-8"), std::string::npos) << first;
}

}  // namespace
}  // namespace lathe
