#include "lathe/options/fields.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/options/example_options.h"
#include "tests/support/errors.h"

namespace lathe {
namespace {

using example::read;
using example::Recipe;

std::string recipe_failure(const std::string& yaml) {
  return message_of([&] { read("model: m\n" + yaml); });
}

TEST(Fields, reads_every_type) {
  const Recipe recipe = read(
      "model: {model_type: llama, hidden_size: 256}\n"
      "train_data: [a.txt, {path: b.jsonl, weight: 0.1}]\n"
      "adapters: [{name: mood, at: '*.mlp', r: 4}, {at: [q, v]}]\n"
      "trainable: head\nlearning_rate: 3e-4\nbeta: 0\nmax_grad_norm: 1\nmax_steps: 1e3\n"
      "packing: no\nseed: ~\noutput_dir: 2024\nextra: {a: [1]}\nlr_scheduler_type: cosine\n");
  EXPECT_EQ(recipe.model.model_type, "llama");
  EXPECT_EQ(recipe.model.hidden_size, 256);
  EXPECT_FALSE(recipe.model.path);
  ASSERT_EQ(recipe.train_data.size(), 2U);
  EXPECT_EQ(recipe.train_data[0].path, "a.txt");
  EXPECT_EQ(recipe.train_data[0].weight, 1);
  EXPECT_EQ(recipe.train_data[1].weight, 0.1);
  ASSERT_EQ(recipe.adapters.size(), 2U);
  EXPECT_EQ(recipe.adapters[0].at, std::vector<std::string>{"*.mlp"});
  EXPECT_EQ(recipe.adapters[1].at, (std::vector<std::string>{"q", "v"}));
  EXPECT_EQ(recipe.adapters[1].r, 8);
  EXPECT_EQ(recipe.trainable, std::vector<std::string>{"head"});
  EXPECT_EQ(recipe.optimizer.learning_rate, 3e-4);
  EXPECT_EQ(recipe.optimizer.beta, 0);
  EXPECT_EQ(recipe.optimizer.max_grad_norm, 1.0);
  EXPECT_EQ(recipe.optimizer.schedule, "cosine");
  EXPECT_EQ(recipe.max_steps, 1000);
  EXPECT_FALSE(recipe.packing);
  EXPECT_FALSE(recipe.seed);
  EXPECT_EQ(recipe.output_dir, "2024");
  EXPECT_EQ(to_json(recipe.extra), R"({"a":[1]})");
}

TEST(Fields, leaves_what_is_not_given_at_its_default) {
  const Recipe recipe = read("model: some/where");
  EXPECT_EQ(recipe.model.path, "some/where");
  EXPECT_EQ(recipe.optimizer.learning_rate, 5e-5);
  EXPECT_EQ(recipe.trainable, std::vector<std::string>{"all"});
  EXPECT_EQ(recipe.seed, 1);
  EXPECT_TRUE(recipe.packing);
}

TEST(Fields, one_element_stands_for_a_list) {
  EXPECT_EQ(read("{model: m, train_data: a.txt}").train_data.at(0).path, "a.txt");
  EXPECT_EQ(read("{model: m, train_data: {path: a, weight: 2}}").train_data.at(0).weight, 2);
  EXPECT_TRUE(read("{model: m, trainable: []}").trainable.empty());
}

TEST(Fields, aliases_and_hyphens_name_the_same_option) {
  EXPECT_EQ(read("{model_name_or_path: m, lr: 1}").optimizer.learning_rate, 1);
  EXPECT_EQ(read("{base-model: m, learning-rate: 2}").optimizer.learning_rate, 2);
  EXPECT_EQ(read("{model: m, adapters: [{lora_r: 3}]}").adapters[0].r, 3);
  EXPECT_EQ(recipe_failure("lr: 1\nlearning_rate: 2\n"),
            "reading recipe.yaml: line 3: \"learning_rate\": the same option as \"lr\", which is "
            "given too; keep one of them");
  EXPECT_TRUE(
      says(recipe_failure("base_model: n"), "\"base_model\": the same option as \"model\""));
}

TEST(Fields, names_unknown_keys_with_the_nearest) {
  EXPECT_EQ(recipe_failure("lerning_rate: 1"),
            "reading recipe.yaml: line 2: \"lerning_rate\": no such option; did you mean "
            "\"learning_rate\"?");
  EXPECT_EQ(recipe_failure("sample_paking: 1"),
            "reading recipe.yaml: line 2: \"sample_paking\": no such option; did you mean "
            "\"packing\"?");
  EXPECT_EQ(recipe_failure("lora_r: 8"),
            "reading recipe.yaml: line 2: \"lora_r\": no such option; it belongs under "
            "\"adapters\"");
  EXPECT_EQ(recipe_failure("fp16: true"),
            "reading recipe.yaml: line 2: \"fp16\": no such option; use bf16: true");
  EXPECT_EQ(recipe_failure("qwertyuiop: true"),
            "reading recipe.yaml: line 2: \"qwertyuiop\": no such option");
  EXPECT_EQ(recipe_failure("adapters:\n  - r: 8\n    nmae: x\n"),
            "reading recipe.yaml: line 4: \"adapters[0].nmae\": no such option; did you mean "
            "\"name\"?");
}

TEST(Fields, says_what_was_expected_and_found) {
  const std::string at = "reading recipe.yaml: line 2: ";
  EXPECT_EQ(recipe_failure("learning_rate: fast"),
            at + "\"learning_rate\": expected a number > 0, found \"fast\"");
  EXPECT_EQ(recipe_failure("lr: 0"), at + "\"lr\": expected a number > 0, found \"0\"");
  EXPECT_EQ(recipe_failure("beta: 1"),
            at + "\"beta\": expected a number >= 0 and < 1, found \"1\"");
  EXPECT_EQ(recipe_failure("max_steps: 1.5"),
            at + "\"max_steps\": expected an integer >= 1, found \"1.5\"");
  EXPECT_EQ(recipe_failure("max_steps: 1_000"),
            at + "\"max_steps\": expected an integer >= 1, found \"1_000\"; write 1000");
  EXPECT_EQ(recipe_failure("max_steps: '5'"),
            at + "\"max_steps\": expected an integer >= 1, found \"5\"; leave out the quotes");
  EXPECT_EQ(recipe_failure("max_steps:"),
            at + "\"max_steps\": expected an integer >= 1, found nothing");
  EXPECT_EQ(recipe_failure("max_steps: [1]"),
            at + "\"max_steps\": expected an integer >= 1, found a list");
  EXPECT_EQ(recipe_failure("packing: 'true'"),
            at + "\"packing\": expected true or false, found \"true\"; leave out the quotes");
  EXPECT_EQ(recipe_failure("packing: 1"), at + "\"packing\": expected true or false, found \"1\"");
  EXPECT_EQ(recipe_failure("lr_scheduler_type: cosin"),
            at + "\"lr_scheduler_type\": expected one of linear, cosine, constant, found "
                 "\"cosin\"; did you mean \"cosine\"?");
  EXPECT_EQ(recipe_failure("output_dir: {a: b}"),
            at + "\"output_dir\": expected text, found a map");
  EXPECT_EQ(recipe_failure("adapters: [{r: 8}, {r: 5000}]"),
            at + "\"adapters[1].r\": expected an integer from 1 to 4096, found \"5000\"");
  EXPECT_EQ(recipe_failure("adapters: lora"),
            at + "\"adapters[0]\": expected a map, found \"lora\"");
  EXPECT_EQ(recipe_failure("train_data: [[a]]"),
            at + "\"train_data[0]\": expected text (path) or a map, found a list");
  EXPECT_EQ(recipe_failure("train_data:"),
            at + "\"train_data\": expected a list or one of its elements, found nothing");
}

TEST(Fields, long_values_are_cut_at_a_character) {
  std::string word;
  for (int i = 0; i < 40; ++i) word += "\xC3\xA9";
  const std::string message = recipe_failure("max_steps: x" + word);
  EXPECT_TRUE(message.ends_with("\xC3\xA9\"...")) << message;
  EXPECT_LT(message.size(), 170U);
}

TEST(Fields, numbers_keep_their_range) {
  EXPECT_EQ(read("{model: m, max_steps: 9223372036854775807}").max_steps, INT64_MAX);
  EXPECT_TRUE(says(recipe_failure("max_steps: 9223372036854775808"), "expected an integer >= 1"));
  EXPECT_TRUE(says(recipe_failure("max_steps: 1e300"), "expected an integer >= 1"));
  EXPECT_TRUE(says(recipe_failure("lr: 1e999"), "expected a number > 0, found \"1e999\""));
  EXPECT_TRUE(says(recipe_failure("lr: .inf"), "expected a number > 0, found \".inf\""));
  EXPECT_TRUE(says(recipe_failure("lr: .nan"), "expected a number > 0, found \".nan\""));
  EXPECT_TRUE(says(recipe_failure("lr: nan"), "found \"nan\""));
  EXPECT_TRUE(std::isinf(*read("{model: m, max_grad_norm: .inf}").optimizer.max_grad_norm));
  EXPECT_EQ(read("{model: m, max_steps: 0x10}").max_steps, 16);
}

struct Small {
  int8_t byte = 0;
  uint32_t count = 0;
  void fields(Fields& f) {
    f("byte", byte, "A byte.");
    f("count", count, "A count.");
  }
};

TEST(Fields, an_integer_must_fit_its_member) {
  Small small;
  read_options(small, parse_yaml("{byte: -128, count: 4294967295}", "r"));
  EXPECT_EQ(small.byte, -128);
  EXPECT_EQ(small.count, 4294967295U);
  EXPECT_EQ(message_of([&] { read_options(small, parse_yaml("byte: 128", "r")); }),
            "reading r: line 1: \"byte\": expected an integer from -128 to 127, found 128");
  EXPECT_TRUE(
      says(message_of([&] { read_options(small, parse_yaml("count: -1", "r")); }), "from 0 to"));
}

TEST(Fields, what_is_required_must_be_given) {
  EXPECT_EQ(message_of([] { read("packing: true"); }),
            "reading recipe.yaml: line 1: \"model\": missing: The model.");
  EXPECT_EQ(recipe_failure("train_data:\n  - weight: 2\n"),
            "reading recipe.yaml: line 3: \"train_data[0].path\": missing: File or glob.");
  EXPECT_EQ(message_of([] { read(""); }),
            "reading recipe.yaml: line 1: \"model\": missing: The model.");
}

TEST(Fields, a_check_fails_at_its_place) {
  EXPECT_EQ(message_of([] { read("packing: true\nmodel: {path: a, model_type: llama}"); }),
            "reading recipe.yaml: line 2: \"model\": give path or model_type, not both");
}

TEST(Fields, options_of_the_command_line_are_not_for_recipes) {
  EXPECT_EQ(recipe_failure("overwrite: true"),
            "reading recipe.yaml: line 2: \"overwrite\": not for recipes; give --overwrite on the "
            "command line");
}

TEST(Fields, a_recipe_is_a_map) {
  EXPECT_EQ(message_of([] { read("- a\n"); }),
            "reading recipe.yaml: line 1: expected a map, found a list");
}

TEST(Fields, the_resolved_recipe_reads_back) {
  Recipe recipe = read(
      "model: m/n\ntrain_data: [a.txt, {path: '*.b', weight: 1e-7}]\nadapters: [{at: [yes, '1']}]\n"
      "lr: 3e-4\nbeta: 0.95\nseed: ~\noutput_dir: 'no'\nextra: {deep: [1, 'x', ~]}\n");
  const Value value = to_value(recipe);
  EXPECT_EQ(to_yaml(value),
            "model: m/n\n"
            "train_data: [a.txt, {path: \"*.b\", weight: 1e-07}]\n"
            "adapters: [{name: default, at: [\"yes\", \"1\"], r: 8}]\n"
            "trainable: [all]\n"
            "learning_rate: 0.0003\n"
            "beta: 0.95\n"
            "lr_scheduler_type: linear\n"
            "max_steps: 1000\n"
            "packing: true\n"
            "seed: null\n"
            "output_dir: \"no\"\n"
            "extra: {deep: [1, x, null]}\n");
  const Recipe again = read(to_yaml(value));
  EXPECT_TRUE(same_value(to_value(again), value));
  EXPECT_EQ(again.train_data[1].weight, 1e-7);
  EXPECT_EQ(again.optimizer.beta, 0.95F);
  EXPECT_FALSE(again.seed);
}

TEST(Fields, tells_what_changed_between_two_runs) {
  const Value a = to_value(read("{model: m, train_data: [a, b], lr: 1e-3}"));
  const Value b =
      to_value(read("{model: {path: m, hidden_size: 2}, train_data: [a, {path: b, weight: 3}], "
                    "lr: 0.001, adapters: [], max_grad_norm: 1, packing: off}"));
  EXPECT_EQ(changed_keys(a, a), std::vector<std::string>{});
  EXPECT_EQ(changed_keys(a, b),
            (std::vector<std::string>{"model", "train_data[1]", "packing", "max_grad_norm"}));
}

struct Sizes {
  int64_t width = 0;
  int64_t height = 3;
  static constexpr const char* scalar_field = "width";
  void fields(Fields& f) {
    f("width", width, "By default that of the parent.", {.minimum = 1});
    f("height", height, "A height.", {.minimum = 1});
  }
};

struct Parent {
  Sizes sizes;
  int64_t depth = -1;
  void fields(Fields& f) {
    f("sizes", sizes, "Sizes.");
    f("depth", depth, "By default as deep as it gets.", {.minimum = 0});
  }
};

TEST(Fields, a_default_that_may_not_be_given_is_not_written) {
  EXPECT_EQ(to_yaml(to_value(Parent{})), "sizes: {}\n");
  EXPECT_EQ(to_yaml(to_value(Parent{{2, 3}, 0})), "sizes: 2\ndepth: 0\n");
  EXPECT_EQ(to_yaml(to_value(Parent{{2, 4}, -1})), "sizes: {width: 2, height: 4}\n");
  Parent parent{{5, 5}, 5};
  read_options(parent, parse_yaml("sizes: {}", "r"));
  EXPECT_EQ(parent.sizes.width, 5);
}

struct Twice {
  int a = 0;
  void fields(Fields& f) {
    f("a", a, "One.");
    f("b", a, "Two.", {.aliases = {"a"}});
  }
};

TEST(Fields, a_name_declared_twice_is_a_bug) {
  EXPECT_THROW(describe_fields<Twice>(), std::logic_error);
}

TEST(Fields, describes_names_types_and_defaults) {
  const FieldType type = describe_fields<Recipe>();
  EXPECT_EQ(type_name(find_field(type, "model")->type), "text or map");
  EXPECT_EQ(type_name(find_field(type, "datasets")->type), "list of (text or map)");
  EXPECT_EQ(type_name(find_field(type, "trainable")->type), "list of text");
  EXPECT_EQ(type_name(find_field(type, "seed")->type), "integer");
  EXPECT_TRUE(find_field(type, "seed")->type.optional);
  EXPECT_EQ(find_field(type, "lr")->name, "learning_rate");
  EXPECT_EQ(find_field(type, "lr")->field.group, "Optimizer");
  EXPECT_EQ(find_field(type, "max-steps")->field.group, "Run");
  EXPECT_EQ(to_json(find_field(type, "lr")->default_value), "5e-05");
  EXPECT_EQ(find_field(type, "nothing"), nullptr);
}

}  // namespace
}  // namespace lathe
