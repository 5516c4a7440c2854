// The Lathe side of scripts/interop/tokenizer.py, which gives LATHE_TOKENIZER (a directory),
// LATHE_LINES (a JSON array of texts) and LATHE_RESULT (the file to write).
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "lathe/base/file.h"
#include "lathe/io/json.h"
#include "lathe/text/tokenizer.h"

namespace lathe {
namespace {

using nlohmann::json;

json id_or_null(const std::optional<int32_t>& id) {
  return id ? json(*id) : json(nullptr);
}

TEST(TokenizerInterop, encodes_lines_for_the_comparison) {
  const char* directory = std::getenv("LATHE_TOKENIZER");
  const char* source = std::getenv("LATHE_LINES");
  const char* result = std::getenv("LATHE_RESULT");
  if (!directory || !source || !result) GTEST_SKIP() << "run by scripts/interop/tokenizer.py";
  const Tokenizer tokenizer = Tokenizer::load(directory);
  const auto lines = load_json(source).get<std::vector<std::string>>();
  const std::vector<std::string_view> texts(lines.begin(), lines.end());
  const auto encoded = tokenizer.encode_batch(texts);
  json all = json::array(), text = json::array();
  for (const std::vector<int32_t>& ids : encoded) {
    all.push_back(tokenizer.decode(ids, false));
    text.push_back(tokenizer.decode(ids, true));
  }
  const json out = {{"ids", encoded},
                    {"all", all},
                    {"text", text},
                    {"size", tokenizer.vocab_size()},
                    {"bos", id_or_null(tokenizer.bos_id())},
                    {"eos", id_or_null(tokenizer.eos_id())},
                    {"pad", id_or_null(tokenizer.pad_id())},
                    {"unk", id_or_null(tokenizer.unk_id())}};
  write_file_atomic(result, out.dump());
}

}  // namespace
}  // namespace lathe
