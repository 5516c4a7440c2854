"""The rules themselves: what each of them must find, and what it must leave alone."""

import pathlib
import stat
import tempfile
import unittest

import functions
import hygiene_test
import layering_test
import names_test
import readme_test
import size_test


class Layering(unittest.TestCase):
    CMAKE = """
lathe_module(base)
lathe_module(io DEPENDS base LIBRARIES json::json)
lathe_module(model TENSORS
  DEPENDS base io)
lathe_module(train TENSORS DEPENDS model)
"""

    def problems(self, name, text):
        return layering_test.problems(layering_test.modules(self.CMAKE), name, text)

    def test_an_include_that_is_not_listed_is_found(self):
        self.assertEqual(len(self.problems("lathe/io/x.h", '#include "lathe/model/y.h"\n')), 1)
        self.assertEqual(len(self.problems("lathe/base/x.h", "#  include <lathe/io/y.h>\n")), 1)

    def test_what_a_dependency_depends_on_is_not_listed(self):
        self.assertEqual(len(self.problems("lathe/train/x.h", '#include "lathe/io/y.h"\n')), 1)

    def test_cli_is_for_nobody(self):
        self.assertEqual(len(self.problems("lathe/train/x.h", '#include "cli/command.h"\n')), 1)

    def test_a_folder_that_is_no_module_is_found(self):
        self.assertEqual(len(self.problems("lathe/odd/x.h", "")), 1)

    def test_what_is_listed_and_base_are_allowed(self):
        text = '#include "lathe/base/a.h"\n#include "lathe/model/b.h"\n#include <vector>\n'
        self.assertEqual(self.problems("lathe/train/x.cpp", text), [])
        self.assertEqual(self.problems("lathe/model/x.cpp", '#include "lathe/io/b.h"\n'), [])


CPP = '''
#include <x>
#define MACRO(a) \\
  void f() { a; }
namespace a {
/* } */ struct S : public B {
  S(int a) : a_(a), b_{2} {
    if (a) {
    }
  }
  int get() const noexcept { return '}'; }
  enum class E { one, two };
};
template <class T, class = std::enable_if_t<true>>
auto free_one(T t) -> std::vector<T> {
  const char* text = "{ // {{";
  const auto raw = R"x(
    {{{
  )x";
  auto inner = [&](int i) {
    return i;
  };
  return {t};
}
const std::map<int, int> table = {
    {1, 2},
};
TEST(Thing, does_it) {
  EXPECT_TRUE(true);
}
}  // namespace a
'''


class Names(unittest.TestCase):
    ALLOWED = {"base": {"base"}, "io": {"base", "io"}, "model": {"base", "model"}}
    ONE = "namespace lathe {\nnamespace {\n\nint wide(int x) {\n  return deep(x);\n}\n\n}  // namespace\n}\n"

    def problems(self, headers=None, **sources):
        files = {"lathe/" + name.replace("_", "/") + ".cpp": text for name, text in sources.items()}
        return names_test.problems(files, headers or {}, self.ALLOWED)

    def test_a_name_in_two_files_of_a_folder_is_found(self):
        self.assertEqual(len(self.problems(io_a=self.ONE, io_b=self.ONE)), 1)
        self.assertEqual(self.problems(io_a=self.ONE, base_b=self.ONE), [])

    def test_a_name_that_hides_a_function_is_found(self):
        header = {"lathe/base/x.h": "int wide(double x);\n"}
        self.assertEqual(len(self.problems(header, io_a=self.ONE)), 1)
        self.assertEqual(self.problems({"lathe/model/x.h": "int wide(double x);\n"}, io_a=self.ONE), [])

    def test_constants_and_types_count_and_calls_do_not(self):
        text = "namespace {\nconstexpr const char* key = 0;\nstruct Row {\n  int deep();\n};\n}  // namespace\n"
        self.assertEqual(names_test.in_unnamed_namespaces(text), {"key", "Row"})
        self.assertEqual(names_test.in_unnamed_namespaces(self.ONE), {"wide"})


class Functions(unittest.TestCase):
    def test_cpp(self):
        found = functions.functions("x.cpp", CPP)
        self.assertEqual(
            [(name, length) for name, _, length in found],
            [("S", 4), ("get", 1), ("free_one", 11), ("TEST(Thing, does_it)", 3)],
        )

    def test_rust(self):
        text = 'impl<\'a> X<\'a> {\n  fn a(&self) -> Y {\n    r#"}"#;\n  }\n}\nmod b { fn c() {} }\n'
        self.assertEqual(functions.functions("x.rs", text), [("a", 2, 3), ("c", 6, 1)])

    def test_python_and_shell(self):
        text = "class A:\n    def f(self):\n        pass\ndef g(): pass\n"
        self.assertEqual(sorted(functions.functions("x.py", text)), [("f", 2, 2), ("g", 4, 1)])
        self.assertEqual(functions.functions("x.sh", "a() { b; }\nc() {\n  d\n}\n")[1], ("c", 2, 3))


class Size(unittest.TestCase):
    def test_limits(self):
        for name, limit in {
            "lathe/io/a.cpp": 400, "lathe/io/a.h": 400, "rust/src/lib.rs": 400, "tests/io/a.cpp": 600,
            "cli/train.cpp": 100, "recipes/dpo.yaml": 30, "tests/golden/x.bin": None,
        }.items():  # fmt: skip
            self.assertEqual(size_test.limit_of(name), limit, name)

    def test_a_long_file_is_found(self):
        self.assertEqual(size_test.check("cli/a.cpp", "int a;\n" * 100)[1], [])
        self.assertEqual(len(size_test.check("cli/a.cpp", "int a;\n" * 101)[1]), 1)

    def test_a_long_function_is_found(self):
        body = "  a();\n"
        for lines, problems in ((58, 0), (59, 1)):
            text = "void f() {\n" + body * lines + "}\n"
            self.assertEqual(len(size_test.check("lathe/a/a.cpp", text)[1]), problems)


class Hygiene(unittest.TestCase):
    def test_what_must_not_stand_there_is_found(self):
        for text in (
            "x = /ho" "me/me/x\n", "cd /wo" "rk/a\n", "// TO" "DO later\n", "// X" "XX\n",
            "space \n", "no newline", "carriage\r\n", "<<<<<<" "< HEAD\n",
        ):  # fmt: skip
            self.assertEqual(len(hygiene_test.problems("a.cpp", text.encode())), 1, text)
        self.assertEqual(len(hygiene_test.problems("a.cpp", b"\xff\n")), 1)
        self.assertEqual(len(hygiene_test.problems("a.bin", bytes(1_000_001))), 1)

    def test_the_rest_is_left_alone(self):
        text = "mkstemp(\"nameX" "XXXXX\"); a/wo" "rk/b; todo\n"  # fmt: skip
        self.assertEqual(hygiene_test.problems("a.cpp", text.encode()), [])


LATHE = """#!/bin/sh
if [ "$1" != train ]; then echo "no command $1"; exit 2; fi
echo "--max-steps N  --seed N"
"""


class Readme(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.folder = pathlib.Path(self.scratch.name)
        (self.folder / "Makefile").write_text("test: all\n", encoding="utf-8")
        (self.folder / "build").mkdir()
        lathe = self.folder / "build/lathe"
        lathe.write_text(LATHE, encoding="utf-8")
        lathe.chmod(lathe.stat().st_mode | stat.S_IXUSR)

    def check(self, page):
        return readme_test.check("README.md", page, self.folder)

    def assert_good(self, page, ran, named):
        self.assertEqual(self.check(page), ([], ran, named))

    def assert_bad(self, page, words):
        found = self.check(page)[0]
        self.assertEqual(len(found), 1, found)
        self.assertIn(words, found[0])

    def test_blocks_run_in_order_in_one_folder(self):
        self.assert_good("```sh\necho a >f\n```\n\n```console\n$ cat f\na\n```\n", 2, 0)

    def test_a_failing_command_is_found(self):
        self.assert_bad("```sh\nfalse\ntrue\n```\n", "failed with 1")
        self.assert_bad("```sh\nfalse | true\n```\n", "failed with 1")

    def test_other_output_is_found(self):
        self.assert_bad("```console\n$ echo one\ntwo\n```\n", "expected")
        self.assert_bad("```console\n$ echo one\n```\n", "expected")
        self.assert_bad("```console\n$ echo one\none\nmore\n```\n", "expected")

    def test_numbers_and_left_out_lines_may_differ(self):
        page = "```console\n$ printf 'loss %s\\nx\\ny\\nend\\n' 2.5e-3\nloss 3.10\n...\nend\n```\n"
        self.assert_good(page, 1, 0)

    def test_a_continued_command_is_one(self):
        self.assert_good("```console\n$ echo a \\\n>   b\na b\n```\n", 1, 0)

    def test_a_block_not_run_needs_a_reason(self):
        self.assert_good("<!-- not run: long -->\n```sh\nfalse\n```\n", 0, 1)
        self.assert_bad("<!-- not run: -->\n```sh\nfalse\n```\n", "failed")

    def test_names_in_a_block_not_run_must_exist(self):
        page = "<!-- not run: long -->\n```sh\n{}\n```\n".format
        self.assert_good(page("make test  # and more\nbuild/lathe train r.yaml --max_steps 3"), 0, 1)
        self.assert_bad(page("cd x && make tset"), "no target tset")
        self.assert_bad(page("build/lathe tarin r.yaml"), "tarin --help-all` fails")
        self.assert_bad(page("build/lathe train r.yaml \\\n  --step 3"), "no option --step")

    def test_a_link_to_nothing_is_found(self):
        self.assert_good("[a](Makefile) [b](https://example.org) [c](#there)\n", 0, 0)
        self.assert_bad("[a](docs/none.md)\n", "does not exist")


if __name__ == "__main__":
    unittest.main()
