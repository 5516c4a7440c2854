#include "lathe/options/command_line.h"

#include <gtest/gtest.h>

#include "tests/options/example_options.h"
#include "tests/support/errors.h"

namespace lathe {
namespace {

using example::Recipe;
using Words = std::vector<std::string>;

/// `yaml` with `arguments` put over it.
Recipe parse(const std::string& yaml, const Words& arguments, const Words& positional = {}) {
  const FieldType type = describe_fields<Recipe>();
  Value values = parse_yaml(yaml, "recipe.yaml");
  for (const Setting& setting : parse_arguments(arguments, type, positional).settings)
    apply_setting(values, type, setting);
  Recipe recipe;
  read_options(recipe, values);
  return recipe;
}

std::string failure(const Words& arguments, const Words& positional = {}) {
  try {
    parse("model: m", arguments, positional);
  } catch (const UsageError& error) {
    return error.what();
  } catch (const Error& error) {
    return format("not wrong usage: {}", error.what());
  }
  return "no error";
}

TEST(CommandLine, overrides_the_recipe) {
  const Recipe recipe =
      parse("{model: m, learning_rate: 1, max_steps: 2}",
            {"--learning_rate", "1e-3", "--max-steps=7", "--output_dir", "-x", "--overwrite"});
  EXPECT_EQ(recipe.optimizer.learning_rate, 1e-3);
  EXPECT_EQ(recipe.max_steps, 7);
  EXPECT_EQ(recipe.output_dir, "-x");
  EXPECT_TRUE(recipe.overwrite);
}

TEST(CommandLine, a_name_overrides_an_alias_and_the_other_way_round) {
  EXPECT_EQ(parse("{model: m, lr: 1}", {"--learning-rate", "2"}).optimizer.learning_rate, 2);
  EXPECT_EQ(parse("{model: m, learning_rate: 1}", {"--lr", "2"}).optimizer.learning_rate, 2);
  EXPECT_EQ(parse("{model: m}", {"--lr", "2", "--learning_rate", "3"}).optimizer.learning_rate, 3);
}

TEST(CommandLine, switches_need_no_value) {
  EXPECT_TRUE(parse("{model: m, packing: no}", {"--packing"}).packing);
  EXPECT_FALSE(parse("model: m", {"--no-packing"}).packing);
  EXPECT_FALSE(parse("model: m", {"--no_sample-packing"}).packing);
  EXPECT_FALSE(parse("model: m", {"--packing", "off", "--seed", "3"}).packing);
  EXPECT_FALSE(parse("model: m", {"--packing=false"}).packing);
  EXPECT_EQ(failure({"--packing=maybe"}), "--packing: expected true or false, found \"maybe\"");
  EXPECT_EQ(failure({"--no-max_steps"}),
            "--no-max_steps: no such option; did you mean --max_steps?");
}

TEST(CommandLine, lists_take_words_flow_or_repetition) {
  const auto trainable = [](const Words& words) { return parse("model: m", words).trainable; };
  EXPECT_EQ(trainable({"--trainable", "a", "b", "--seed", "1"}), (Words{"a", "b"}));
  EXPECT_EQ(trainable({"--trainable", "[a, 'b c']"}), (Words{"a", "b c"}));
  EXPECT_EQ(trainable({"--trainable", "a", "--trainable=b"}), (Words{"a", "b"}));
  EXPECT_EQ(trainable({"--trainable", "a", "--trainable", "[b, c]"}), (Words{"b", "c"}))
      << "a whole list takes the place of what was given before";
  EXPECT_EQ(trainable({"--trainable", "[a, b]", "--trainable=[]"}), Words{});
  EXPECT_EQ(trainable({"--trainable", "a,b"}), (Words{"a", "b"}));
  EXPECT_EQ(trainable({"--trainable", "[ab]*"}), (Words{"[ab]*"}));
  EXPECT_EQ(trainable({"--trainable=[]"}), Words{});
  EXPECT_EQ(
      parse("{model: m, train_data: [x, y]}", {"--train_data", "a,b.txt"}).train_data.at(0).path,
      "a,b.txt");
}

TEST(CommandLine, nested_options_have_dots) {
  const Recipe made = parse("{model: {model_type: llama}}", {"--model.hidden-size", "256"});
  EXPECT_EQ(made.model.hidden_size, 256);
  EXPECT_EQ(made.model.model_type, "llama");
  EXPECT_EQ(parse("model: m", {"--base_model.hidden_size=8"}).model.path, "m");
  EXPECT_EQ(parse("", {"--model", "{model_type: gpt2}", "--model.hidden_size=8"}).model.model_type,
            "gpt2");
  EXPECT_EQ(parse("", {"--model", "m", "--model.hidden_size=8"}).model.path, "m");
}

TEST(CommandLine, elements_of_lists_have_numbers) {
  const std::string yaml = "{model: m, adapters: [{r: 1, name: a}, {r: 2}], datasets: x}";
  const Recipe recipe = parse(
      yaml, {"--adapters.0.lora_r", "9", "--adapters.2.name", "new", "--train_data.0.weight", "3"});
  EXPECT_EQ(recipe.adapters[0].r, 9);
  EXPECT_EQ(recipe.adapters[0].name, "a");
  EXPECT_EQ(recipe.adapters.at(2).name, "new");
  EXPECT_EQ(recipe.train_data.at(0).path, "x");
  EXPECT_EQ(recipe.train_data.at(0).weight, 3);
  EXPECT_EQ(failure({"--adapters.5.r", "1"}),
            "--adapters.5.r: expected a position from 0 to 0, found 5");
  EXPECT_EQ(failure({"--adapters.99999999999999999999.r", "1"}),
            "--adapters.99999999999999999999.r: no such option");
}

TEST(CommandLine, text_stays_as_it_is_typed) {
  const auto text = [](const std::string& word) {
    return parse("model: m", {"--output_dir", word}).output_dir;
  };
  for (const char* word : {"a: b", "# x", "[verse", "{a}", "'q'", "", " two  spaces ", "null",
                           "line\nbreak", "\xC3\xA9", "-1", "a=b", "~"})
    EXPECT_EQ(text(word), word);
  EXPECT_EQ(parse("model: m", {"--output_dir=--x"}).output_dir, "--x");
  EXPECT_EQ(failure({"--output_dir", "\xFF"}),
            "--output_dir: expected text in UTF-8, found other bytes");
}

TEST(CommandLine, null_unsets) {
  EXPECT_FALSE(parse("model: m", {"--seed", "null"}).seed);
  EXPECT_FALSE(
      parse("{model: m, max_grad_norm: 1}", {"--max_grad_norm", "~"}).optimizer.max_grad_norm);
}

TEST(CommandLine, anything_is_read_as_yaml) {
  EXPECT_EQ(to_json(parse("model: m", {"--extra", "{a: [1, x]}"}).extra), R"({"a":[1,"x"]})");
  EXPECT_TRUE(says(failure({"--extra", "{a: [1, 2}"}), "--extra: bad YAML: "));
  EXPECT_TRUE(says(failure({"--extra", "{a: ["}), "is a bracket left open?"));
}

TEST(CommandLine, says_what_is_wrong) {
  EXPECT_EQ(failure({"--lr", "fast"}), "--lr: expected a number > 0, found \"fast\"");
  EXPECT_EQ(failure({"--max-steps"}), "--max-steps: expected a value after it, found nothing");
  EXPECT_EQ(failure({"--output-dir", "--lr"}),
            "--output-dir: expected a value, found the option --lr; if that is the value, write "
            "--output-dir=--lr");
  EXPECT_EQ(failure({"--lerning-rate", "1"}),
            "--lerning-rate: no such option; did you mean --learning_rate?");
  EXPECT_EQ(failure({"--model.hiden_size=1"}),
            "--model.hiden_size: no such option; did you mean --model.hidden_size?");
  EXPECT_EQ(failure({"--fp16"}), "--fp16: no such option; use bf16: true");
  EXPECT_EQ(failure({"--model.hidden_size.x=1"}), "--model.hidden_size.x: no such option");
  EXPECT_EQ(failure({"-m", "x"}), "-m: no such option; options begin with --");
  EXPECT_EQ(failure({"word"}), "\"word\": one argument too many; options are written --name value");
  EXPECT_EQ(failure({"--adapters", "[{r: eight}]"}),
            "--adapters: \"adapters[0].r\": expected an integer from 1 to 4096, found \"eight\"");
  EXPECT_EQ(failure({"--model", "{path: a, model_type: llama}"}),
            "--model: give path or model_type, not both");
  EXPECT_EQ(failure({"--adapters", "[{rr: 1}]"}),
            "--adapters: \"adapters[0].rr\": no such option; did you mean \"r\"?");
}

TEST(CommandLine, words_without_an_option_are_the_positional_ones) {
  const Words order = {"output_dir", "trainable"};
  const Recipe recipe = parse("model: m", {"out", "--seed", "4", "a", "b"}, order);
  EXPECT_EQ(recipe.output_dir, "out");
  EXPECT_EQ(recipe.trainable, (Words{"a", "b"}));
  EXPECT_EQ(recipe.seed, 4);
  EXPECT_EQ(parse("model: m", {"--", "--seed"}, order).output_dir, "--seed");
  EXPECT_EQ(failure({"a", "b"}, {"output_dir"}), "\"b\": one argument too many");
}

TEST(CommandLine, help_is_noticed_anywhere) {
  const FieldType type = describe_fields<Recipe>();
  EXPECT_TRUE(parse_arguments({"--seed", "1", "-h"}, type, {}).help);
  EXPECT_TRUE(parse_arguments({"--help-all"}, type, {}).help_all);
  EXPECT_FALSE(parse_arguments({"--help"}, type, {}).help_all);
}

TEST(CommandLine, one_option_can_be_set_by_a_program) {
  const FieldType type = describe_fields<Recipe>();
  Value recipe = parse_yaml("model: m", "recipe.yaml");
  set_from_command_line(recipe, type, "model.hidden-size", "12");
  EXPECT_EQ(to_json(recipe), R"({"model":{"path":"m","hidden_size":12}})");
}

}  // namespace
}  // namespace lathe
