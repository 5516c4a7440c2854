#include "lathe/io/glob.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

namespace fs = std::filesystem;

TEST(Glob, stars_and_question_marks_match_characters) {
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("*.txt", "a.txt"));
  EXPECT_TRUE(matches_glob("a*b*c", "a__b_b__c"));
  EXPECT_TRUE(matches_glob("*aab", "aaaaab"));
  EXPECT_TRUE(matches_glob("a?c", "aéc"));
  EXPECT_TRUE(matches_glob("?", "🎵"));
  EXPECT_TRUE(matches_glob("?", "\xff"));
  EXPECT_FALSE(matches_glob("*.txt", "a.text"));
  EXPECT_FALSE(matches_glob("a?c", "ac"));
  EXPECT_FALSE(matches_glob("", "a"));
  EXPECT_FALSE(matches_glob("a", ""));
}

TEST(Glob, sets_match_one_character_of_them) {
  EXPECT_TRUE(matches_glob("[abc]", "b"));
  EXPECT_TRUE(matches_glob("[a-c0-9]x", "7x"));
  EXPECT_TRUE(matches_glob("[!a-c]", "d"));
  EXPECT_TRUE(matches_glob("[^a-c]", "d"));
  EXPECT_TRUE(matches_glob("[]]", "]"));
  EXPECT_TRUE(matches_glob("[!]]", "x"));
  EXPECT_TRUE(matches_glob("[a-]", "-"));
  EXPECT_TRUE(matches_glob("[à-ü]", "é"));
  EXPECT_TRUE(matches_glob("[", "["));
  EXPECT_TRUE(matches_glob("[ab", "[ab"));
  EXPECT_TRUE(matches_glob("[*]", "*"));
  EXPECT_FALSE(matches_glob("[!a-c]", "b"));
  EXPECT_FALSE(matches_glob("[a-c]", "d"));
  EXPECT_FALSE(matches_glob("[a-c]", ""));
}

TEST(Glob, a_backslash_takes_the_next_character_as_it_is) {
  EXPECT_TRUE(matches_glob("\\*", "*"));
  EXPECT_FALSE(matches_glob("\\*", "a"));
  EXPECT_TRUE(matches_glob("\\[a]", "[a]"));
  EXPECT_TRUE(matches_glob("[\\]]", "]"));
}

TEST(Glob, many_stars_do_not_take_exponential_time) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a";
  EXPECT_FALSE(matches_glob(pattern + "b", std::string(5000, 'a')));
}

class ExpandPaths : public testing::Test {
 protected:
  ExpandPaths() {
    for (const char* name :
         {"a.txt", "b.txt", "c.jsonl", ".hidden.txt", "x/d.txt", "x/y/e.txt", "x/y/f.jsonl",
          "x/.cache/g.txt", "z/[1].txt", "z/1.txt", "z/{q}.txt"}) {
      fs::create_directories((folder_ / name).parent_path());
      std::ofstream(folder_ / name) << name;
    }
    fs::create_directory(folder_ / "empty");
    fs::create_directory_symlink("..", folder_ / "x/loop");
    fs::create_symlink("../a.txt", folder_ / "z/link.txt");
  }

  /// The files, as paths from the folder, separated by spaces.
  std::string expand(const std::vector<std::string>& paths) {
    std::string result;
    for (const fs::path& path : expand_paths(paths, folder_.path())) {
      EXPECT_TRUE(fs::exists(path));
      result += path.lexically_relative(folder_.path()).generic_string() + " ";
    }
    if (!result.empty()) result.pop_back();
    return result;
  }

  TemporaryFolder folder_;
};

TEST_F(ExpandPaths, files_are_themselves_whatever_their_name) {
  EXPECT_EQ(expand({"b.txt", "a.txt", "./a.txt", "x/../a.txt"}), "a.txt b.txt");
  EXPECT_EQ(expand({".hidden.txt"}), ".hidden.txt");
  EXPECT_EQ(expand({"z/[1].txt"}), "z/[1].txt");
  EXPECT_EQ(expand({"z/{q}.txt"}), "z/{q}.txt");
  EXPECT_EQ(expand({(folder_ / "a.txt").string()}), "a.txt");
}

TEST_F(ExpandPaths, folders_are_all_files_below_them_but_hidden_ones) {
  EXPECT_EQ(expand({"x"}), "x/d.txt x/y/e.txt x/y/f.jsonl");
  EXPECT_EQ(expand({"x/"}), "x/d.txt x/y/e.txt x/y/f.jsonl");
  EXPECT_EQ(expand({"z"}), "z/1.txt z/[1].txt z/link.txt z/{q}.txt");
}

TEST_F(ExpandPaths, patterns_match_each_part_of_a_path) {
  EXPECT_EQ(expand({"*.txt"}), "a.txt b.txt");
  EXPECT_EQ(expand({"./*.txt"}), "a.txt b.txt");
  EXPECT_EQ(expand({".*.txt"}), ".hidden.txt");
  EXPECT_EQ(expand({"?/y/*"}), "x/y/e.txt x/y/f.jsonl");
  EXPECT_EQ(expand({"x/*"}).substr(0, 7), "x/d.txt");
  EXPECT_EQ(expand({"[!a].*"}), "b.txt c.jsonl");
  EXPECT_EQ(expand({(folder_ / "*.jsonl").string()}), "c.jsonl");
  EXPECT_EQ(expand({"*.txt", "a*", "c.jsonl"}), "a.txt b.txt c.jsonl");
}

TEST_F(ExpandPaths, two_stars_match_any_number_of_folders) {
  EXPECT_EQ(expand({"**/*.jsonl"}), "c.jsonl x/y/f.jsonl");
  EXPECT_EQ(expand({"x/**/*.txt"}), "x/d.txt x/y/e.txt");
  EXPECT_EQ(expand({"**/**/y/**/*.txt"}), "x/y/e.txt");
  EXPECT_EQ(expand({"x/**"}), "x/d.txt x/y/e.txt x/y/f.jsonl");
}

TEST_F(ExpandPaths, braces_are_alternatives) {
  EXPECT_EQ(expand({"{a,b}.txt"}), "a.txt b.txt");
  EXPECT_EQ(expand({"*.{txt,jsonl}"}), "a.txt b.txt c.jsonl");
  EXPECT_EQ(expand({"{x/{d,y/e}.txt,c.jsonl}"}), "c.jsonl x/d.txt x/y/e.txt");
  EXPECT_EQ(expand({"a{,.txt}"}), "a.txt");
  EXPECT_EQ(expand({"z/\\{q\\}.*"}), "z/{q}.txt");
}

TEST_F(ExpandPaths, what_means_no_file_is_an_error_that_names_it) {
  EXPECT_TRUE(says(message_of([&] {
                     expand({"a.txt", "missing.txt"});
                   }),
                   "looking for missing.txt: no such file or folder"));
  EXPECT_TRUE(says(message_of([&] { expand({"*.abc"}); }), "looking for *.abc: no file matches"));
  EXPECT_TRUE(says(message_of([&] { expand({"empty"}); }), "no files in this folder"));
  EXPECT_TRUE(says(message_of([&] { expand({""}); }), "empty"));
  EXPECT_TRUE(says(message_of([&] {
                     expand(
                         {"{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"
                          "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"});
                   }),
                   "more than 10000 alternatives"));
}

}  // namespace
}  // namespace lathe
