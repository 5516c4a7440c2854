// lathe classify: label texts with a classifier.
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/labeller.h"
#include "cli/open_model.h"
#include "cli/progress.h"
#include "lathe/data/documents.h"
#include "lathe/io/json.h"
#include "lathe/io/line_reader.h"
#include "lathe/io/rows.h"
#include "lathe/io/utf8.h"

namespace lathe {
namespace {

constexpr size_t longest_line = size_t{64} << 20;  // bytes

struct ClassifyOptions {
  OpenModelOptions model;
  std::vector<std::string> files;
  std::optional<std::string> text;
  bool json = false;
  int64_t batch_size = 16;

  void fields(Fields& f) {
    f("text", text,
      "A text to label. Otherwise each line of the files, or of standard input, is one.");
    f("files", files,
      "Files with a text a line, or .jsonl and .parquet with the column text; -: standard input.",
      {.placeholder = "FILE"});
    f("json", json, "Print one JSON object a text, with all probabilities.");
    f("batch_size", batch_size, "Texts at once.", {.minimum = 1, .maximum = 65536});
    model.fields(f);
  }
  void check() const { require(!text || files.empty(), "expected either --text or files"); }
};

int run_classify(const ClassifyOptions& o) {
  OpenModel opened = open_model(o.model);
  require(opened.model->is_classifier(),
          "{} is a language model, not a classifier: train one with objective: classify",
          o.model.model);
  Labeller labeller(std::move(opened), static_cast<size_t>(o.batch_size), o.json);
  const auto add_lines = [&](LineReader lines) {
    while (const auto text = lines.next()) {
      require(is_valid_utf8(*text), "{}: expected UTF-8, found {}", lines.place(),
              show_text(*text));
      if (!text->empty()) labeller.add(std::string(*text), lines.place());
    }
  };
  const auto add_rows = [&](const std::string& file) {
    const std::unique_ptr<Rows> rows = open_rows(file, {"text"});
    for (size_t number = 1; const auto row = rows->next(); ++number) {
      const std::string place = format("{}:{}", file, number);
      const auto text = [&] {
        const Context reading("{}", place);
        return row->at("text").is_null() ? std::string() : get_string(*row, "text");
      };
      labeller.add(text(), place);
    }
  };
  const auto add_input = [&] { add_lines(LineReader::standard_input(longest_line)); };
  if (o.text) {
    labeller.add(*o.text, "--text");
  } else if (o.files.empty()) {
    add_input();
  } else {
    for (const std::string& file : o.files) {
      if (file == "-")
        add_input();
      else if (is_table(file))
        add_rows(file);
      else
        add_lines(LineReader(file, longest_line));
    }
  }
  labeller.flush();
  if (const std::string left_out = labeller.left_out(); !left_out.empty()) {
    require(!o.text, "--text: expected a text to label, found nothing");
    ProgressLine().print(left_out);
  }
  return 0;
}

}  // namespace

Command classify_command() {
  return make_command<ClassifyOptions>(
      {.name = "classify",
       .summary = "Label texts",
       .description = "A line of output for each text: its label, how probable the model finds it, "
                      "and the text.",
       .positional = {"files"},
       .examples = {{"lathe classify --model DIR --text \"What a film!\"", "one text"},
                    {"lathe classify --model DIR reviews.txt --json", "a text a line"}}},
      run_classify);
}

}  // namespace lathe
