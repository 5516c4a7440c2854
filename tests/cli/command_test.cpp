#include "cli/command.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <new>

#include "lathe/base/file.h"
#include "tests/support/temporary_folder.h"

namespace lathe {
namespace {

struct EchoOptions {
  std::string recipe;
  std::string text = "none";
  std::vector<int64_t> numbers;
  std::string fail_as;
  bool overwrite = false;

  void fields(Fields& f) {
    f("recipe", recipe, "A YAML file.",
      {.placeholder = "RECIPE", .required = true, .command_line = true});
    f("text", text, "Some text.");
    f("numbers", numbers, "Some numbers.", {.minimum = 1});
    f("fail_as", fail_as, "How to fail.", {.advanced = true});
    f("overwrite", overwrite, "Replace what is there.", {.command_line = true});
  }
};

int echo(const EchoOptions& options) {
  if (options.fail_as == "error") fail("expected luck, found none");
  if (options.fail_as == "usage") throw UsageError("not like this");
  if (options.fail_as == "bug") throw std::logic_error("impossible");
  if (options.fail_as == "memory") throw std::bad_alloc();
  print(stdout, to_yaml(to_value(options)));
  return 0;
}

Command echo_command() {
  return make_command<EchoOptions>({.name = "echo",
                                    .summary = "Print the options it gets",
                                    .description = "For tests of the framework.",
                                    .positional = {"recipe"},
                                    .recipe = "recipe",
                                    .examples = {{"lathe echo a.yaml --text b", "prints b"}}},
                                   echo);
}

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

Outcome run(const std::vector<std::string>& arguments) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = run_program({echo_command()}, arguments);
  return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

/// Runs the program itself.
Outcome run_binary(const std::string& arguments) {
  const TemporaryFolder folder;
  const std::string command =
      std::string(LATHE_BINARY) + " " + arguments + " 2>" + (folder / "err").string();
  std::FILE* pipe = ::popen(command.c_str(), "r");
  std::string out;
  char buffer[4096];
  for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, n);
  const int status = ::pclose(pipe);
  return {WEXITSTATUS(status), out, read_file(folder / "err")};
}

class CommandFiles : public testing::Test {
 protected:
  std::string recipe(const std::string& yaml) {
    write_file_atomic(folder_ / "r.yaml", yaml);
    return (folder_ / "r.yaml").string();
  }
  TemporaryFolder folder_;
};

TEST_F(CommandFiles, the_command_line_goes_before_the_recipe) {
  const Outcome outcome =
      run({"echo", recipe("text: a\nnumbers: [1, 2]\n"), "--text", "b", "--overwrite"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "text: b\nnumbers: [1, 2]\nfail_as: \"\"\n");
  EXPECT_EQ(outcome.err, "");
}

TEST_F(CommandFiles, wrong_usage_is_2) {
  EXPECT_EQ(run({"echo", recipe(""), "--txt", "b"}).err,
            "error: --txt: no such option; did you mean --text?\n");
  EXPECT_EQ(run({"echo", recipe(""), "--txt", "b"}).code, 2);
  EXPECT_EQ(run({"echo", recipe(""), "--numbers", "0"}).err,
            "error: --numbers: expected an integer >= 1, found \"0\"\n");
  EXPECT_EQ(run({"echo", recipe(""), "--numbers", "0"}).code, 2);
  EXPECT_EQ(run({"echo"}).err.find("error: lathe echo: RECIPE is missing: A YAML file."), 0U);
  EXPECT_EQ(run({"echo"}).code, 2);
  EXPECT_EQ(run({"ecoh"}).err, "error: ecoh: no such command; did you mean echo?\n");
  EXPECT_EQ(run({"ecoh"}).code, 2);
  EXPECT_EQ(run({"--what"}).code, 2);
}

TEST_F(CommandFiles, a_wrong_recipe_is_a_clear_error) {
  const std::string path = recipe("text: a\nnumbers: [1, x]\n");
  const Outcome outcome = run({"echo", path});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "error: reading " + path +
                             ": line 2: \"numbers[1]\": expected an integer >= 1, found \"x\"\n");
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(run({"echo", (folder_ / "none.yaml").string()}).code, 1);
  EXPECT_EQ(run({"echo", recipe("just text")}).code, 1);
  EXPECT_EQ(run({"echo", recipe("overwrite: true")}).code, 1);
}

TEST_F(CommandFiles, exit_codes_say_who_is_to_blame) {
  const std::string path = recipe("");
  EXPECT_EQ(run({"echo", path, "--fail_as", "error"}).code, 1);
  EXPECT_EQ(run({"echo", path, "--fail_as", "error"}).err, "error: expected luck, found none\n");
  EXPECT_EQ(run({"echo", path, "--fail_as", "usage"}).code, 2);
  EXPECT_EQ(run({"echo", path, "--fail_as", "memory"}).code, 1);
  const Outcome bug = run({"echo", path, "--fail_as", "bug"});
  EXPECT_EQ(bug.code, 70);
  EXPECT_EQ(bug.err.find("error: impossible\nThis is a bug in Lathe"), 0U);
}

TEST(Command, help_teaches) {
  const std::string help =
      "Print the options it gets.\n"
      "\n"
      "Usage: lathe echo RECIPE [--key value ...]\n"
      "\n"
      "For tests of the framework.\n"
      "\n"
      "Examples:\n"
      "  lathe echo a.yaml --text b\n"
      "      prints b\n"
      "\n"
      "Options:\n"
      "  [--recipe] RECIPE           A YAML file. (required)\n"
      "  --text TEXT                 Some text. (default none)\n"
      "  --numbers INTEGER ...       Some numbers. (>= 1)\n"
      "  --overwrite                 Replace what is there.\n";
  const Outcome outcome = run({"echo", "--help"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out.substr(0, help.size()), help);
  EXPECT_EQ(run({"help", "echo"}).out, outcome.out);
  EXPECT_NE(run({"echo", "--help-all"}).out.find("--fail_as"), std::string::npos);
  EXPECT_EQ(outcome.out.find('\033'), std::string::npos);
}

TEST(Command, the_program_lists_its_commands) {
  const Outcome outcome = run({"--help"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.out.find("  echo      Print the options it gets\n"), std::string::npos);
  EXPECT_EQ(run({"help"}).out, outcome.out);
  EXPECT_EQ(run({}).code, 2);
  EXPECT_EQ(run({"--version"}).out.find("lathe "), 0U);
}

TEST(Binary, answers_and_refuses) {
  EXPECT_EQ(run_binary("--version").code, 0);
  const Outcome help = run_binary("--help");
  EXPECT_EQ(help.code, 0);
  EXPECT_NE(help.out.find("Usage: lathe COMMAND"), std::string::npos);
  EXPECT_EQ(run_binary("nonsense").code, 2);
  EXPECT_EQ(run_binary("options --format pdf").err,
            "error: --format: expected one of markdown, schema, yaml, found \"pdf\"\n");
}

TEST(Binary, says_when_standard_output_is_full) {
  const Outcome outcome = run_binary("options >/dev/full");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("writing to standard output"), std::string::npos);
}

TEST(Binary, the_page_of_options_is_up_to_date) {
  const Outcome page = run_binary("options");
  ASSERT_EQ(page.code, 0) << page.err;
  EXPECT_EQ(page.out, read_file(std::string(LATHE_SOURCE_DIR) + "/docs/options.md"))
      << "run: lathe options > docs/options.md";
}

}  // namespace
}  // namespace lathe
