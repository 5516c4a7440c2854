#include <gtest/gtest.h>

#include <random>

#include "lathe/base/file.h"
#include "lathe/options/value.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

std::string yaml_failure(const std::string& yaml) {
  return message_of([&] { parse_yaml(yaml, "r.yaml"); });
}

std::string json(const std::string& yaml) {
  return to_json(parse_yaml(yaml, "r.yaml"));
}

TEST(Yaml, types_scalars_by_the_core_schema) {
  EXPECT_EQ(json("[1, -2, +3, 0x10, 0o17, 1e3, 1.5, .5, 1., -1e-3]"),
            "[1,-2,3,16,15,1000.0,1.5,0.5,1.0,-0.001]");
  EXPECT_EQ(json("[true, False, TRUE, null, ~, Null, '']"),
            R"([true,false,true,null,null,null,""])");
  EXPECT_EQ(json("[yes, no, 1_000, 1e, 0x, -, 1.2.3, '1', \"true\", some words]"),
            R"(["yes","no","1_000","1e","0x","-","1.2.3","1","true","some words"])");
}

TEST(Yaml, an_empty_document_is_null) {
  EXPECT_TRUE(parse_yaml("", "r").is_null());
  EXPECT_TRUE(parse_yaml("# a remark\n", "r").is_null());
  EXPECT_TRUE(parse_yaml("---\n...\n", "r").is_null());
}

TEST(Yaml, values_know_their_lines) {
  const Value value = parse_yaml("a: 1\nb:\n  - x\n  - {y: 2}\nc: |\n  text\n", "r.yaml");
  EXPECT_EQ(value.find("a")->place.line, 1);
  EXPECT_EQ(value.entries[1].line, 2);
  EXPECT_EQ(value.find("b")->items[1].find("y")->place.line, 4);
  EXPECT_EQ(value.find("c")->scalar, "text\n");
  EXPECT_EQ(*value.find("b")->place.origin, "r.yaml");
}

TEST(Yaml, anchors_and_merges_are_followed) {
  EXPECT_EQ(json("a: &x {r: 8, n: q}\nb: *x\n"), R"({"a":{"r":8,"n":"q"},"b":{"r":8,"n":"q"}})");
  EXPECT_EQ(json("a: &x {r: 8, n: q}\nb: {<<: *x, r: 4}\n"),
            R"({"a":{"r":8,"n":"q"},"b":{"r":4,"n":"q"}})");
  EXPECT_EQ(json("- &x {r: 8}\n- &y {r: 2, s: 3}\n- {<<: [*x, *y]}\n"),
            R"([{"r":8},{"r":2,"s":3},{"r":8,"s":3}])");
  EXPECT_EQ(json("'<<': 1"), R"({"<<":1})");
  EXPECT_EQ(yaml_failure("a: {<<: 3}"), "reading r.yaml: line 1: expected a map after <<");
}

TEST(Yaml, refuses_an_alias_bomb) {
  std::string yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    yaml += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) yaml += (j ? ", *a" : "*a") + std::to_string(i - 1);
    yaml += "]\n";
  }
  EXPECT_TRUE(says(yaml_failure(yaml), "reading r.yaml: line 5: expected at most 100000 values"));
}

TEST(Yaml, refuses_anchors_that_would_keep_many_copies) {
  std::string yaml;
  for (int i = 0; i < 60; ++i) yaml += "&a" + std::to_string(i) + " [";
  for (int i = 0; i < 5000; ++i) yaml += "x, ";
  yaml += std::string(60, ']');
  EXPECT_TRUE(says(yaml_failure(yaml), "too much below anchors"));
}

TEST(Yaml, refuses_an_alias_of_itself) {
  EXPECT_EQ(yaml_failure("a: &x [1, *x]"),
            "reading r.yaml: line 1: an alias (*) of a node that contains it");
  EXPECT_TRUE(says(yaml_failure("a: *nowhere"), "reading r.yaml: line 1: bad YAML: "));
}

TEST(Yaml, refuses_depth) {
  EXPECT_EQ(json(std::string(64, '[') + std::string(64, ']')).size(), 128U);
  const std::string message =
      "reading r.yaml: line 1: expected at most 64 levels of lists and maps";
  EXPECT_EQ(yaml_failure(std::string(65, '[') + std::string(65, ']')), message);
  EXPECT_TRUE(says(yaml_failure(std::string(100'000, '[')), "reading r.yaml: line 1: "));
  std::string chained = "a0: &a0 [[[[[[[[[[x]]]]]]]]]]\n";
  for (int i = 1; i < 8; ++i)
    chained += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [[[[[[[[[[*a" +
               std::to_string(i - 1) + "]]]]]]]]]]\n";
  EXPECT_TRUE(says(yaml_failure(chained), "expected at most 64 levels"));
  std::string dashes;
  for (int i = 0; i < 5000; ++i) dashes += "- ";
  EXPECT_TRUE(says(yaml_failure(dashes + "x"), "expected at most 64 levels"));
}

TEST(Yaml, refuses_too_many_values) {
  std::string yaml = "[";
  for (int i = 0; i < 100'001; ++i) yaml += "1,";
  EXPECT_TRUE(
      says(yaml_failure(yaml + "]"), "expected at most 100000 values, aliases (*) expanded"));
}

TEST(Yaml, refuses_a_key_given_twice) {
  EXPECT_EQ(yaml_failure("a: 1\nb: 2\na: 3\n"),
            "reading r.yaml: line 3: \"a\": this key stands here twice");
  EXPECT_TRUE(says(yaml_failure("x: {a: 1, a: 1}"), "\"a\": this key stands here twice"));
  EXPECT_TRUE(says(yaml_failure("a: 1\n'a': 1"), "twice"));
}

TEST(Yaml, refuses_keys_that_are_no_names) {
  EXPECT_TRUE(says(yaml_failure("{[a]: 1}"), "expected a name as a key, found a list or a map"));
  EXPECT_TRUE(says(yaml_failure("? {a: b}\n: 1"), "expected a name as a key"));
  EXPECT_TRUE(says(yaml_failure("{~: 1}"), "expected a name as a key"));
}

TEST(Yaml, refuses_bad_utf8_and_control_characters) {
  EXPECT_EQ(yaml_failure("a: 1\nb: \xFF\n"),
            "reading r.yaml: line 2: expected text in UTF-8, found the byte 0xff");
  EXPECT_TRUE(says(yaml_failure("a: \xC0\x80"), "byte 0xc0"));
  EXPECT_TRUE(says(yaml_failure("a: \xED\xA0\x80"), "byte 0xed"));
  EXPECT_TRUE(says(yaml_failure("a: \xF5\x80\x80\x80"), "byte 0xf5"));
  EXPECT_TRUE(says(yaml_failure("a: \xE2\x82"), "byte 0xe2"));
  EXPECT_TRUE(says(yaml_failure(std::string("a: \0", 4)), "byte 0x00"));
  EXPECT_TRUE(says(yaml_failure("a: \x04"), "byte 0x04"));
  EXPECT_EQ(json("\xEF\xBB\xBF"
                 "a: \xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\xB5"),
            "{\"a\":\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\xB5\"}");
}

TEST(Yaml, refuses_a_second_document_and_foreign_tags) {
  EXPECT_EQ(yaml_failure("a: 1\n---\nb: 2\n"),
            "reading r.yaml: expected one YAML document, found a second one (---)");
  EXPECT_EQ(yaml_failure("a: !!python/object:os.system 1"),
            "reading r.yaml: line 1: the tag \"tag:yaml.org,2002:python/object:os.system\" means "
            "nothing here; leave it out");
  EXPECT_EQ(json("[!!str 12, !!int 12]"), R"(["12",12])");
}

TEST(Yaml, names_the_line_of_bad_syntax) {
  EXPECT_TRUE(says(yaml_failure("a: 1\nb: [1, 2\n"), "reading r.yaml: line 3: bad YAML: "));
  EXPECT_TRUE(says(yaml_failure("a: 'open"), "reading r.yaml: line 1: bad YAML: "));
  EXPECT_TRUE(says(yaml_failure("a: b: c"), "reading r.yaml: line 1: bad YAML: "));
}

TEST(Yaml, reads_a_file_and_refuses_a_large_one) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "r.yaml", "a: [1, x]\n");
  EXPECT_EQ(to_json(load_yaml(folder / "r.yaml")), R"({"a":[1,"x"]})");
  write_file_atomic(folder / "large.yaml", std::string(1'000'001, '#'));
  EXPECT_TRUE(says(message_of([&] { load_yaml(folder / "large.yaml"); }), "large.yaml"));
  EXPECT_TRUE(says(message_of([&] { load_yaml(folder / "none.yaml"); }), "none.yaml"));
  EXPECT_EQ(yaml_failure(std::string(1'000'001, '#')),
            "reading r.yaml: expected at most 1000000 bytes, found 1000001");
}

TEST(Yaml, what_it_writes_it_reads_back) {
  const std::vector<std::string> texts = {"",
                                          " ",
                                          "a b",
                                          "yes",
                                          "null",
                                          "~",
                                          "1e3",
                                          "1_000",
                                          "0x1F",
                                          "a: b",
                                          "a #b",
                                          "- a",
                                          "*x",
                                          "&x",
                                          "[a]",
                                          "{a}",
                                          "\"",
                                          "\\",
                                          "'",
                                          "line\nbreak\n",
                                          "\t",
                                          "@x",
                                          "%x",
                                          "---",
                                          "...",
                                          "2001-01-01",
                                          "last_layers(2)",
                                          "../data/*.abc",
                                          "/abs/path",
                                          "C:\\x",
                                          "\xC3\xA9",
                                          "trailing ",
                                          "?",
                                          "<<"};
  Value list = Value::list();
  Value map = Value::map();
  for (const std::string& text : texts) {
    list.items.push_back(Value::of(text));
    map.set(text, Value::of(text));
  }
  Value all = Value::map();
  all.set("list", list);
  all.set("short", Value::list({Value::of(1), Value::of(0.1), Value::of(true), Value()}));
  all.set("map", map);
  all.set("deep", Value::list({Value::list({list, map}), Value::list(), Value::map()}));
  const std::string yaml = to_yaml(all);
  EXPECT_EQ(to_json(parse_yaml(yaml, "r")), to_json(all)) << yaml;
  EXPECT_TRUE(same_value(parse_yaml(yaml, "r"), all));
  EXPECT_EQ(to_yaml(parse_yaml(yaml, "r")), yaml);
}

TEST(Yaml, writes_for_people) {
  const Value value = parse_yaml(
      "train_data: [{path: 'a.txt', weight: 1}]\nmodel: x/y\nname: '12'\nlong:\n"
      "  - aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n  - "
      "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n"
      "  - {c: cccccccccccccccccccccccccc}\n",
      "r");
  EXPECT_EQ(to_yaml(value),
            "train_data: [{path: a.txt, weight: 1}]\n"
            "model: x/y\n"
            "name: \"12\"\n"
            "long:\n"
            "  - aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
            "  - bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n"
            "  - {c: cccccccccccccccccccccccccc}\n");
}

TEST(Yaml, damaged_text_is_an_error_and_nothing_else) {
  const std::string seed =
      "model: &m {model_type: llama, hidden_size: 256}\ntrain_data: [a.txt, {path: 'b', weight: "
      ".1}]\n"
      "text: |\n  two\n  lines\nother: *m\n? key\n: !!str 1\nmore: {<<: *m, \"x\": \"\\u00e9\"}\n";
  const std::string alphabet = "{}[]&*!|>'\"%@`#,:?-. \n\t~<a1\\";
  std::mt19937 random(7);
  int accepted = 0, refused = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string text = seed;
    const int edits = 1 + static_cast<int>(random() % 6);
    for (int edit = 0; edit < edits; ++edit) {
      const size_t at = random() % text.size();
      const char c = alphabet[random() % alphabet.size()];
      if (random() % 3 == 0)
        text.erase(at, random() % 8);
      else if (random() % 2 == 0)
        text.insert(at, 1 + random() % 3, c);
      else
        text[at] = c;
      if (text.empty()) text = "a";
    }
    const std::string message = yaml_failure(text);
    message == "no error" ? ++accepted : ++refused;
  }
  EXPECT_GT(accepted, 100);
  EXPECT_GT(refused, 100);
}

TEST(Value, tells_which_keys_changed) {
  const auto changed = [](const char* a, const char* b) {
    return changed_keys(parse_yaml(a, "a"), parse_yaml(b, "b"));
  };
  using Keys = std::vector<std::string>;
  EXPECT_EQ(changed("{a: 1, b: [x, {c: 2}]}", "{b: [x, {c: 2}], a: 1}"), Keys{});
  EXPECT_EQ(changed("{a: 1e-3, n: 1000, t: 'x', u: ~}", "{a: 0.001, n: 1e3, t: x}"), Keys{});
  EXPECT_EQ(changed("{a: 1, b: {c: 2}, d: [1, {e: 2}]}", "{a: 2, b: {c: 3}, d: [1, {e: 3}]}"),
            (Keys{"a", "b.c", "d[1].e"}));
  EXPECT_EQ(changed("{d: [1]}", "{d: [1, 2]}"), Keys{"d"});
  EXPECT_EQ(changed("{a: 1}", "{b: 1}"), (Keys{"a", "b"}));
  EXPECT_EQ(changed("{a: '1'}", "{a: 1}"), Keys{"a"});
  EXPECT_EQ(changed("{a: 'true'}", "{a: true}"), Keys{"a"});
  EXPECT_EQ(changed("{a: ''}", "{a: ~}"), Keys{"a"});
  EXPECT_EQ(changed("{a: 9007199254740993}", "{a: 9007199254740992}"), Keys{"a"});
}

}  // namespace
}  // namespace lathe
