#include "lathe/options/document.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lathe/options/help.h"
#include "tests/options/example_options.h"

namespace lathe {
namespace {

using example::Recipe;

TEST(Help, shows_an_option_in_full) {
  struct Options {
    double temperature = 1;
    std::string prompt;
    std::vector<std::string> stop;
    std::string mode = "fast";
    bool json = false;
    bool cache = true;
    void fields(Fields& f) {
      f("prompt", prompt, "Text to continue.", {.required = true});
      f("json", json, "Print one JSON object.");
      f.group("Sampling");
      f("temperature", temperature,
        "Divides the logits before they become probabilities; 0 takes the likeliest token.",
        {.minimum = 0, .aliases = {"temp"}});
      f("stop", stop, "Texts that end the answer.", {.placeholder = "WORD"});
      f("mode", mode, "How.", {.choices = {"fast", "good"}});
      f("cache", cache, "Keep keys and values.", {.advanced = true});
    }
  };
  EXPECT_EQ(options_help(describe_fields<Options>(), {"prompt"}, {}),
            "\n"
            "Options:\n"
            "  [--prompt] TEXT             Text to continue. (required)\n"
            "  --json                      Print one JSON object.\n"
            "\n"
            "Sampling:\n"
            "  --temperature NUMBER        Divides the logits before they become\n"
            "                              probabilities; 0 takes the likeliest token.\n"
            "                              (default 1; >= 0; also --temp)\n"
            "  --stop WORD ...             Texts that end the answer.\n"
            "  --mode fast|good            How. (default fast)\n");
  EXPECT_NE(options_help(describe_fields<Options>(), {}, {.all = true})
                .find("--[no-]cache                Keep keys and values. (default on)\n"),
            std::string::npos);
}

TEST(Help, nested_options_are_named_or_shown) {
  const FieldType type = describe_fields<Recipe>();
  const std::string brief = options_help(type, {}, {.width = 100});
  EXPECT_NE(brief.find("What to learn from. Keys: path, weight. (also --datasets)"),
            std::string::npos);
  EXPECT_EQ(brief.find("--model.hidden_size"), std::string::npos);
  EXPECT_EQ(brief.find("--beta"), std::string::npos);
  const std::string all = options_help(type, {}, {.all = true});
  EXPECT_NE(all.find("--model.hidden_size INTEGER"), std::string::npos);
  EXPECT_NE(all.find("--adapters.N.at TEXT ..."), std::string::npos);
  EXPECT_NE(all.find("--beta"), std::string::npos);
}

TEST(Help, no_line_is_wider_than_asked) {
  for (const int width : {60, 80, 100}) {
    const std::string help =
        options_help(describe_fields<Recipe>(), {}, {.width = width, .all = true});
    for (size_t begin = 0; begin < help.size();) {
      const size_t end = help.find('\n', begin);
      EXPECT_LE(columns(help.substr(begin, end - begin)), static_cast<size_t>(width));
      EXPECT_FALSE(end > begin && help[end - 1] == ' ') << help.substr(begin, end - begin);
      begin = end + 1;
    }
  }
}

TEST(Help, wraps_at_spaces_and_keeps_line_breaks) {
  EXPECT_EQ(wrap("aa bb cc", 5, 0), "aa bb\ncc");
  EXPECT_EQ(wrap("aa bb cc", 7, 2), "aa bb\n  cc");
  EXPECT_EQ(wrap("a\n\nb", 80, 0), "a\n\nb");
  EXPECT_EQ(wrap("longer than five", 5, 0), "longer\nthan\nfive");
  EXPECT_EQ(wrap("\xC3\xA9\xC3\xA9 \xC3\xA9\xC3\xA9", 5, 0), "\xC3\xA9\xC3\xA9 \xC3\xA9\xC3\xA9");
}

TEST(Help, colour_only_where_asked) {
  const FieldType type = describe_fields<Recipe>();
  EXPECT_EQ(options_help(type, {}, {}).find('\033'), std::string::npos);
  EXPECT_NE(options_help(type, {}, {.colour = true}).find("\033[1m--model\033[0m TEXT"),
            std::string::npos);
}

TEST(Document, markdown_has_every_option) {
  const std::string page = options_markdown(describe_fields<Recipe>(), 3);
  EXPECT_NE(page.find("### Optimizer\n\n| option | type | default | |\n|---|---|---|---|\n"
                      "| `learning_rate` | number | `5e-05` | Peak learning rate. A number > 0. "
                      "Also `lr`. |\n"),
            std::string::npos);
  EXPECT_NE(page.find("| `model` | text or map | required | The model. Also "
                      "`model_name_or_path`, `base_model`. |\n"),
            std::string::npos);
  EXPECT_NE(page.find("### `adapters[]`\n"), std::string::npos);
  EXPECT_NE(page.find("| `max_grad_norm` | number | unset |"), std::string::npos);
  EXPECT_NE(page.find("On the command line only."), std::string::npos);
  EXPECT_NE(page.find("A text in the place of the map is its `path`."), std::string::npos);
}

TEST(Document, the_example_recipe_says_the_defaults) {
  const std::string yaml = options_yaml(describe_fields<Recipe>());
  EXPECT_NE(yaml.find("# Peak learning rate.\nlearning_rate: 5e-05\n"), std::string::npos) << yaml;
  EXPECT_NE(yaml.find("# model: text or map, required\n"), std::string::npos);
  EXPECT_EQ(yaml.find("overwrite"), std::string::npos);
  Recipe defaults;
  defaults.model.path = "m";
  EXPECT_EQ(changed_keys(to_value(example::read(yaml + "model: m\n")), to_value(defaults)),
            std::vector<std::string>{});
}

TEST(Document, the_schema_has_types_bounds_and_aliases) {
  const auto schema = nlohmann::json::parse(options_schema(describe_fields<Recipe>(), "A recipe"));
  const auto& properties = schema.at("properties");
  EXPECT_EQ(schema.at("title"), "A recipe");
  EXPECT_EQ(schema.at("additionalProperties"), false);
  EXPECT_EQ(properties.at("learning_rate").at("exclusiveMinimum"), 0);
  EXPECT_EQ(properties.at("learning_rate").at("default"), 5e-5);
  EXPECT_EQ(properties.at("lr").at("type"), "number");
  EXPECT_EQ(properties.at("lr_scheduler_type").at("enum").size(), 3U);
  EXPECT_EQ(properties.at("packing").at("type"), "boolean");
  EXPECT_FALSE(properties.contains("overwrite"));
  const auto& source = properties.at("train_data").at("anyOf").at(0).at("anyOf");
  EXPECT_EQ(source.at(0).at("type"), "string");
  EXPECT_EQ(source.at(1).at("allOf").at(0).at("required").at(0), "path");
  EXPECT_EQ(properties.at("train_data").at("anyOf").at(1).at("type"), "array");
  EXPECT_EQ(schema.at("allOf").at(0).at("anyOf").size(), 3U);
}

}  // namespace
}  // namespace lathe
