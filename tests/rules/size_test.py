"""A file is one idea: prints the table of sizes, longest first, and fails above the limits."""

import re
import sys

import functions
import tree

FUNCTION = 60
# The first pattern that fits a file gives its limit in lines.
LIMITS = [
    (r"cli/.*\.cpp", 100),
    (r"recipes/.*\.ya?ml", 30),
    (r"(tests|bench)/.*\.(cpp|h|py|sh|rs)", 600),
    (r"rust/tests/.*\.rs", 600),
    (r".*\.(cpp|h|cu|cuh|rs|py|sh|js|css|html|cmake)|CMakeLists\.txt|.*/CMakeLists\.txt|Makefile", 400),
]


def limit_of(name):
    return next((limit for pattern, limit in LIMITS if re.fullmatch(pattern, name)), None)


def check(name, text):
    """(lines, problems) of one file."""
    lines, limit = len(text.splitlines()), limit_of(name)
    found = [f"{name}: {lines} lines, at most {limit}"] if lines > limit else []
    for function, first, length in functions.functions(name, text):
        if length > FUNCTION:
            found.append(f"{name}:{first}: {function} has {length} lines, at most {FUNCTION}")
    return lines, found


def main():
    table, found = [], []
    for name in filter(limit_of, tree.files()):
        lines, problems = check(name, tree.read(name))
        table.append((lines, name))
        found += problems
    for lines, name in sorted(table, reverse=True):
        print(f"{lines:5}  {name}")
    lengths = sorted(lines for lines, _ in table)
    print(f"{sum(lengths)} lines in {len(lengths)} files, median {lengths[len(lengths) // 2]}")
    sys.stdout.flush()
    tree.report("sizes", found)


if __name__ == "__main__":
    main()
