// lathe tokenizer: make a tokenizer from text.
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/progress.h"
#include "lathe/data/documents.h"
#include "lathe/text/train_tokenizer.h"

namespace lathe {
namespace {

struct TokenizerCommandOptions {
  std::vector<std::string> data;
  std::string column = "text", out;
  bool overwrite = false, json = false;
  TokenizerOptions tokenizer;

  DataSource source(size_t i) const { return {.path = data[i], .column = column}; }
  void fields(Fields& f) {
    f("data", data, "Files, folders and globs; .jsonl and .parquet are tables, anything else text.",
      {.placeholder = "FILES", .required = true});
    f("column", column, "The column that holds the text, in .jsonl and .parquet files.");
    f("out", out, "Directory to write; a model directory may be named.",
      {.placeholder = "DIR", .required = true});
    f("overwrite", overwrite, "Replace a tokenizer that is there already.");
    f("json", json, "Print one JSON object with the result.");
    f.group("Tokenizer");
    tokenizer.fields(f);
  }
};

std::string status(const TrainingProgress& p) {
  if (p.stage == "reading")
    return format("reading: {} MB of text, {} distinct words", p.done / 1'000'000, p.words);
  return format("{}: {} tokens of {}", p.stage, p.done, p.total);
}

int run_tokenizer(const TokenizerCommandOptions& o) {
  const std::filesystem::path out = o.out;
  require(o.overwrite || !std::filesystem::exists(out / "tokenizer.json"),
          "{} has a tokenizer already; --overwrite replaces it", o.out);
  // A wrong path is found before any work.
  for (size_t i = 0; i < o.data.size(); ++i) source_files(o.source(i));

  size_t at = 0;
  DocumentReport read;
  std::optional<DocumentReader> reader;
  const auto next_text = [&]() -> std::optional<std::string> {
    for (; at < o.data.size(); ++at, reader.reset()) {
      if (!reader) reader.emplace(source_files(o.source(at)), o.source(at));
      if (std::optional<DocumentPiece> piece = reader->next()) {
        read.documents += piece->begins;
        read.text_bytes += piece->text.size();
        return std::move(piece->text);
      }
      read += reader->report();
    }
    return std::nullopt;
  };
  ProgressLine line;
  TrainingProgress reached;
  const auto show = [&](const TrainingProgress& p) {
    reached = p;
    if (::isatty(STDERR_FILENO) == 1) line.show(status(p));
  };
  const Tokenizer tokenizer = train_tokenizer(o.tokenizer, next_text, show);
  if (reached.dropped > 0)
    line.print(format("left out {} rare words to stay within memory_mb", reached.dropped));
  line.end();
  tokenizer.save(out);
  const nlohmann::json result = {{"out", o.out},
                                 {"vocab_size", tokenizer.vocab_size()},
                                 {"data", to_json(read)},
                                 {"distinct_words", reached.words},
                                 {"dropped_words", reached.dropped}};
  print(stdout, o.json ? result.dump() + "\n"
                       : format("{}: {} tokens, made from {}\n", o.out, tokenizer.vocab_size(),
                                read.summary()));
  return 0;
}

}  // namespace

Command tokenizer_command() {
  return make_command<TokenizerCommandOptions>(
      {.name = "tokenizer",
       .summary = "Make a tokenizer from text",
       .description =
           "Writes tokenizer.json and tokenizer_config.json, as transformers reads them.",
       .positional = {"data"},
       .examples = {{"lathe tokenizer tunes/ --vocab-size 4096 --out tok", "byte-level BPE"},
                    {"lathe tokenizer a.parquet --model unigram --out tok", "as SentencePiece"}}},
      run_tokenizer);
}

}  // namespace lathe
