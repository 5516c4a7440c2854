"""A name in an unnamed namespace is the only one in its folder, and hides no function of a header
that the folder may include: the build compiles several files of a folder as one, where the same
name would be another thing, or silently the other file's."""

import collections
import re

import layering_test
import tree

UNNAMED = re.compile(r"^namespace \{\n(.*?)^\}  // namespace$", re.S | re.M)
NO_NAME = "using|namespace|template|return|static_assert|TEST|INSTANTIATE|BENCHMARK"
TYPE = r"(?:struct|class|enum class) (\w+)"
FUNCTION = r"[\w:<>,&*\[\] ]+?[ &*](\w+)\("
VALUE = r"(?:constexpr|const|thread_local|static|inline)[\w:<>,&*\[\] ]*? [&*]*(\w+)(?:\[\w*\])* ?(?:=|\{|;)"
DEFINED = re.compile(rf"^(?!{NO_NAME})(?=\w)(?:{TYPE}|{FUNCTION}|{VALUE})", re.M)


def defined(text):
    """Names of what is defined or declared at the left margin."""
    return {a or b or c for a, b, c in DEFINED.findall(text)}


def in_unnamed_namespaces(text):
    return defined("".join(UNNAMED.findall(text)))


def folder_of(name):
    """The folder whose files are compiled together."""
    return "/".join(name.split("/")[:-1] if name.split("/")[0] != "lathe" else name.split("/")[:2])


def visible(folder, header, allowed):
    """Whether files of `folder` may include `header`."""
    if header.startswith("tests/"):
        return folder.startswith("tests/") and folder_of(header) in (folder, "tests/support")
    own = folder.split("/")[-1]
    if folder.startswith(("lathe/", "tests/")) and own in allowed:
        return header.startswith("lathe/") and header.split("/")[1] in reached(own, allowed)
    return header.startswith("lathe/") or folder == "cli"


def reached(module, allowed):
    """The modules that `module` depends on, with those that they depend on."""
    found, last = set(allowed[module]), None
    while found != last:
        last, found = found, found.union(*(allowed.get(m, {m}) for m in found))
    return found


def problems(sources, headers, allowed):
    """`sources` and `headers`: texts by file names."""
    declared = {name: defined(text) for name, text in headers.items()}
    found, places = [], collections.defaultdict(lambda: collections.defaultdict(list))
    for name, text in sources.items():
        folder = folder_of(name)
        for word in sorted(in_unnamed_namespaces(text)):
            places[folder][word].append(name)
            found += [
                f"{name}: {word} hides what {header} declares"
                for header in headers
                if word in declared[header] and visible(folder, header, allowed)
            ]
    for folder in places.values():
        found += [f"{word}: in {' and '.join(names)}" for word, names in folder.items() if len(names) > 1]
    return found


def main():
    files = [n for n in tree.files(".h", ".cpp") if n.split("/")[0] in ("lathe", "cli", "tests")]
    texts = {n: tree.read(n) for n in files if not n.endswith("kernels.cpp")}  # compiled apart
    sources = {n: t for n, t in texts.items() if n.endswith(".cpp")}
    headers = {n: t for n, t in texts.items() if n.endswith(".h")}
    allowed = layering_test.modules(tree.read("CMakeLists.txt"))
    tree.report(f"names of {len(sources)} files", problems(sources, headers, allowed))


if __name__ == "__main__":
    main()
