// Tokenizers in GGUF files, against those they are of (tests/golden/gguf_tokenizer).
#include "lathe/text/gguf_tokenizer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lathe/io/json.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

using nlohmann::json;
using Templates = std::map<std::string, std::string>;

const fs::path golden_folder = fs::path(LATHE_TEST_DATA) / "golden/gguf_tokenizer";

const json& golden_ids() {
  static const json content = load_json(golden_folder / "golden.json");
  return content;
}

std::vector<std::string> lines() {
  return golden_ids().at("lines");
}

/// A file with the fields of another, but for those that `change` puts or that are `left_out`.
class Changed {
 public:
  Changed(const char* name, const std::vector<std::string>& left_out,
          const std::function<void(GgufFields&)>& change = {}) {
    const GgufFile file(golden_folder / name);
    GgufFields fields;
    if (change) change(fields);
    for (const GgufEntry& entry : file.fields().entries())
      if (!fields.has(entry.key) && std::ranges::count(left_out, entry.key) == 0) fields.put(entry);
    write_gguf(temporary_ / "x.gguf", fields, {});
  }
  fs::path path() const { return temporary_ / "x.gguf"; }
  std::string refusal() const {
    return message_of([&] { Tokenizer::load(path()); });
  }

 private:
  TemporaryFolder temporary_;
};

std::string refusal_with(const char* name, const std::function<void(GgufFields&)>& change) {
  return Changed(name, {}, change).refusal();
}

void expect_ids(const Tokenizer& tokenizer, const json& expected) {
  const std::vector<std::string> texts = lines();
  ASSERT_GE(texts.size(), 60u);
  ASSERT_EQ(texts.size(), expected.size());
  for (size_t i = 0; i < texts.size(); ++i)
    EXPECT_EQ(tokenizer.encode(texts[i]), expected[i].get<std::vector<int32_t>>())
        << json(texts[i]);
}

/// Writes a tokenizer as GGUF and reads it back.
Tokenizer through_gguf(const Tokenizer& tokenizer, int64_t rows) {
  const TemporaryFolder temporary;
  GgufFields fields;
  write_gguf_tokenizer(tokenizer, rows, fields);
  write_gguf(temporary / "x.gguf", fields, {});
  return Tokenizer::load(temporary / "x.gguf");
}

class GgufPre : public testing::TestWithParam<std::string> {
 protected:
  const Changed file{"bpe.gguf", {}, [](GgufFields& fields) {
                       fields.put_string("tokenizer.ggml.pre", GetParam());
                     }};
  const Tokenizer tokenizer = Tokenizer::load(file.path());
};

TEST_P(GgufPre, splits_text_as_the_models_tokenizer_does) {
  expect_ids(tokenizer, golden_ids().at("bpe").at(GetParam()));
}

TEST_P(GgufPre, is_found_by_what_it_does) {
  GgufFields fields;
  write_gguf_tokenizer(tokenizer, tokenizer.vocab_size() + 3, fields);
  const TemporaryFolder temporary;
  write_gguf(temporary / "x.gguf", fields, {});
  const GgufFile written(temporary / "x.gguf");
  EXPECT_EQ(written.fields().get_string("tokenizer.ggml.pre"), GetParam());
  EXPECT_EQ(written.fields().get_strings("tokenizer.ggml.tokens").size(),
            static_cast<size_t>(tokenizer.vocab_size()) + 3);
  expect_ids(Tokenizer::load(temporary / "x.gguf"), golden_ids().at("bpe").at(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Names, GgufPre,
                         testing::Values("gpt-2", "olmo", "smollm", "llama-bpe", "dbrx", "qwen2",
                                         "tekken", "gpt-4o"),
                         [](const auto& name) {
                           std::string plain = name.param;
                           std::ranges::replace(plain, '-', '_');
                           return plain;
                         });

TEST(GgufTokenizer, encodes_as_sentencepiece_does) {
  expect_ids(Tokenizer::load(golden_folder / "llama.gguf"), golden_ids().at("llama"));
  expect_ids(Tokenizer::load(golden_folder / "gemma.gguf"), golden_ids().at("gemma"));
}

TEST(GgufTokenizer, decodes_what_it_encoded) {
  for (const char* name : {"bpe.gguf", "llama.gguf", "gemma.gguf"}) {
    const Tokenizer tokenizer = Tokenizer::load(golden_folder / name);
    for (const std::string& line : lines())
      EXPECT_NE(tokenizer.decode(tokenizer.encode(line), false).find(line), std::string::npos)
          << name << json(line);
  }
}

TEST(GgufTokenizer, saved_files_encode_the_same) {
  for (const char* name : {"bpe.gguf", "llama.gguf", "gemma.gguf"}) {
    const TemporaryFolder temporary;
    const Tokenizer tokenizer = Tokenizer::load(golden_folder / name);
    tokenizer.save(temporary.path());
    const Tokenizer again = Tokenizer::load(temporary.path());
    for (const std::string& line : lines()) EXPECT_EQ(again.encode(line), tokenizer.encode(line));
  }
}

TEST(GgufTokenizer, sentencepiece_kinds_go_back_as_they_came) {
  for (const char* name : {"llama", "gemma"}) {
    const Tokenizer tokenizer = Tokenizer::load(golden_folder / (name + std::string(".gguf")));
    expect_ids(through_gguf(tokenizer, tokenizer.vocab_size()), golden_ids().at(name));
  }
}

TEST(GgufTokenizer, roles_and_template_are_kept) {
  const Tokenizer tokenizer = Tokenizer::load(golden_folder / "bpe.gguf");
  EXPECT_EQ(tokenizer.eos_id(), 0);
  EXPECT_TRUE(tokenizer.is_special(1));
  EXPECT_FALSE(tokenizer.is_special(2));
  const std::string wanted = golden_ids().at("template");
  EXPECT_EQ(tokenizer.files().chat_templates, (Templates{{"default", wanted}}));
  const json config = json::parse(tokenizer.files().config);
  EXPECT_EQ(config.at("chat_template"), wanted);
  EXPECT_EQ(config.at("model_max_length"), 512);
  const Tokenizer again = through_gguf(tokenizer, tokenizer.vocab_size());
  EXPECT_EQ(again.files().chat_templates, (Templates{{"default", wanted}}));
  EXPECT_EQ(again.eos_id(), 0);
}

TEST(GgufTokenizer, every_chat_template_is_kept) {
  TokenizerFiles files = Tokenizer::load(golden_folder / "bpe.gguf").files();
  files.chat_templates = {{"default", "d"}, {"tool_use", "t"}, {"../rag", "r"}};
  const Tokenizer tokenizer = Tokenizer::from_files(files);
  EXPECT_EQ(through_gguf(tokenizer, tokenizer.vocab_size()).files().chat_templates,
            (Templates{{"default", "d"}, {"tool_use", "t"}, {"___rag", "r"}}));
}

TEST(GgufTokenizer, ids_without_a_token_stay_without_one) {
  const Tokenizer tokenizer = Tokenizer::load(golden_folder / "bpe.gguf");
  const GgufFile file(golden_folder / "bpe.gguf");
  const auto tokens =
      static_cast<int64_t>(file.fields().get_strings("tokenizer.ggml.tokens").size());
  EXPECT_EQ(tokenizer.vocab_size(), tokens - 1);
}

TEST(GgufTokenizer, bos_and_eos_go_around_a_text_as_the_file_says) {
  const auto first = [](const Changed& file) { return Tokenizer::load(file.path()).encode("a"); };
  const auto with = [&](bool bos, bool eos) {
    return first(Changed("llama.gguf", {}, [&](GgufFields& fields) {
      fields.put_bool("tokenizer.ggml.add_bos_token", bos);
      fields.put_bool("tokenizer.ggml.add_eos_token", eos);
    }));
  };
  EXPECT_EQ(with(true, false).front(), 1);
  EXPECT_NE(with(false, false).front(), 1);
  EXPECT_EQ(with(false, true).back(), 2);
  EXPECT_EQ(first(Changed("llama.gguf", {})).front(), 1);  // the kind's default
  EXPECT_NE(first(Changed("bpe.gguf", {"tokenizer.ggml.add_bos_token"})).front(), 0);
  EXPECT_EQ(first(Changed("bpe.gguf", {"tokenizer.ggml.add_bos_token"},
                          [](GgufFields& fields) {
                            fields.put_string("tokenizer.ggml.pre", "llama-bpe");
                          }))
                .front(),
            0);
  EXPECT_TRUE(says(
      Changed("llama.gguf", {"tokenizer.ggml.bos_token_id"},
              [](GgufFields& fields) { fields.put_bool("tokenizer.ggml.add_bos_token", true); })
          .refusal(),
      "there is no bos_token"));
}

TEST(GgufTokenizer, an_unknown_kind_or_split_is_named) {
  EXPECT_TRUE(says(
      refusal_with("bpe.gguf",
                   [](GgufFields& fields) { fields.put_string("tokenizer.ggml.pre", "kimi-k2"); }),
      "how \"kimi-k2\" splits text is not known here, only gpt-2, phi-2"));
  EXPECT_TRUE(says(
      refusal_with("bpe.gguf",
                   [](GgufFields& fields) { fields.put_string("tokenizer.ggml.model", "bert"); }),
      "found \"bert\""));
  EXPECT_TRUE(says(Changed("bpe.gguf", {"tokenizer.ggml.pre"}).refusal(), "but it is missing"));
  EXPECT_TRUE(says(Changed("bpe.gguf", {"tokenizer.ggml.tokens"}).refusal(), "but it is missing"));
  EXPECT_TRUE(says(Changed("llama.gguf", {"tokenizer.ggml.scores"}).refusal(), "is missing"));
}

TEST(GgufTokenizer, arrays_that_do_not_fit_each_other_are_refused) {
  const auto refusal = [](const char* key, auto put) {
    return refusal_with("llama.gguf", [&](GgufFields& fields) { put(fields, key); });
  };
  const auto ints = [](std::vector<int32_t> values) {
    return [values](GgufFields& fields, const char* key) { fields.put_int32s(key, values); };
  };
  EXPECT_TRUE(says(refusal("tokenizer.ggml.token_type", ints({1, 2, 3})), "one a token, found 3"));
  EXPECT_TRUE(says(refusal("tokenizer.ggml.token_type", ints({7})), "integers from 1 to 6"));
  EXPECT_TRUE(says(refusal("tokenizer.ggml.scores", ints({1})), "expected an array of numbers"));
  const auto floats = [](GgufFields& fields, const char* key) {
    fields.put_float32s(key, std::vector<float>{1});
  };
  EXPECT_TRUE(says(refusal("tokenizer.ggml.scores", floats), "one a token, found 1"));
  const auto tokens = [](std::vector<std::string> values) {
    return [values](GgufFields& fields, const char* key) { fields.put_strings(key, values); };
  };
  EXPECT_TRUE(says(refusal("tokenizer.ggml.tokens", tokens({"a", "a"})), "\"a\" is there twice"));
  EXPECT_TRUE(says(refusal("tokenizer.ggml.tokens", tokens({"a\xff"})), "no valid UTF-8"));
  EXPECT_TRUE(says(refusal("tokenizer.ggml.tokens", tokens({})), ""));
  for (const uint32_t id : {1100U, 0x80000000U, 0xFFFFFFFFU})
    EXPECT_TRUE(says(refusal_with("llama.gguf",
                                  [&](GgufFields& fields) {
                                    fields.put_uint32("tokenizer.ggml.eos_token_id", id);
                                  }),
                     "integer from 0 to 1099"));
  EXPECT_TRUE(says(refusal_with("bpe.gguf",
                                [](GgufFields& fields) {
                                  fields.put_strings("tokenizer.ggml.merges",
                                                     std::vector<std::string>{"ab"});
                                }),
                   "two tokens with a space between, found \"ab\""));
  EXPECT_TRUE(says(refusal_with("bpe.gguf",
                                [](GgufFields& fields) {
                                  fields.put_strings("tokenizer.ggml.merges",
                                                     std::vector<std::string>{"absent token"});
                                }),
                   "absent"));
}

/// Moves one of two merges that make the same token to the end.
void move_a_merge_apart(json& merges) {
  std::string before;
  for (size_t i = 0; i < merges.size(); ++i) {
    const std::string made = merges[i][0].get<std::string>() + merges[i][1].get<std::string>();
    if (made == before) {
      const json moved = merges[i];
      merges.erase(i);
      merges.push_back(moved);
      return;
    }
    before = made;
  }
  FAIL() << "no token has two merges";
}

TEST(GgufTokenizer, what_gguf_cannot_say_is_not_written) {
  const auto refusal = [](const Tokenizer& tokenizer, int64_t rows) {
    GgufFields fields;
    return message_of([&] { write_gguf_tokenizer(tokenizer, rows, fields); });
  };
  const auto other = [](const char* kind) {
    return Tokenizer::load(fs::path(LATHE_TEST_DATA) / "golden/tokenizer" / kind);
  };
  EXPECT_TRUE(says(refusal(other("unigram"), 5000), "expected a BPE tokenizer, found Unigram"));
  EXPECT_TRUE(says(refusal(other("wordpiece"), 5000), "expected a BPE tokenizer"));
  EXPECT_TRUE(says(refusal(other("characters"), 5000), "no name for how this tokenizer splits"));
  const Tokenizer bpe = Tokenizer::load(golden_folder / "bpe.gguf");
  EXPECT_TRUE(says(refusal(bpe, bpe.vocab_size() - 1), "are tokenizer and model of each other?"));
  // Scores put every way to make a token in one place; merges in another order are not that.
  const TokenizerFiles llama = Tokenizer::load(golden_folder / "llama.gguf").files();
  const auto changed = [&](const std::function<void(json&)>& change) {
    json tokenizer = json::parse(llama.tokenizer);
    change(tokenizer);
    return refusal(Tokenizer::from_files({tokenizer.dump(), llama.config}), 1100);
  };
  EXPECT_EQ(changed([](json&) {}), "no error");
  EXPECT_TRUE(
      says(changed([](json& tokenizer) { move_a_merge_apart(tokenizer["model"]["merges"]); }),
           "a score for each token"));
  EXPECT_TRUE(says(changed([](json& tokenizer) { tokenizer["model"]["merges"].erase(300); }),
                   "a score for each token"));
  EXPECT_TRUE(says(changed([](json& tokenizer) {
                     tokenizer["normalizer"] = {{"type", "NFKC"}};
                   }),
                   "prepares text"));
  TokenizerFiles framed = llama;
  json config = json::parse(llama.config);
  config.erase("bos_token");
  config.erase("add_bos_token");
  config.erase("add_eos_token");
  framed.config = config.dump();
  EXPECT_TRUE(says(refusal(Tokenizer::from_files(framed), 1100), "ids [1] before and [] behind"));
}

TEST(GgufTokenizer, tokenizers_that_lathe_trains_go_through_gguf) {
  for (const char* kind : {"gpt2", "gpt4"}) {
    const fs::path tokenizers = fs::path(LATHE_TEST_DATA) / "golden/tokenizer";
    const Tokenizer tokenizer = Tokenizer::load(tokenizers / kind);
    const Tokenizer again = through_gguf(tokenizer, tokenizer.vocab_size());
    for (const std::string& line : lines()) EXPECT_EQ(again.encode(line), tokenizer.encode(line));
  }
}

}  // namespace
}  // namespace lathe
