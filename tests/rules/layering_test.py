"""Includes go only where CMakeLists.txt lets them: a file of lathe/X may include lathe/Y only if Y
stands after DEPENDS of lathe_module(X). `base` is open to all, cli/ and tests may include all."""

import re

import tree

INCLUDE = re.compile(r'^\s*#\s*include\s*["<]((?:lathe|cli|tests|bench)/[^">]+)[">]', re.M)


def modules(text):
    """lathe_module(NAME [TENSORS] [DEPENDS names...] [LIBRARIES names...]) as {name: depends}."""
    found = {}
    for words in re.findall(r"^lathe_module\(([^)]*)\)", text, re.M):
        name, *rest = words.split()
        depends = rest[rest.index("DEPENDS") + 1 :] if "DEPENDS" in rest else []
        if "LIBRARIES" in depends:
            depends = depends[: depends.index("LIBRARIES")]
        found[name] = set(depends) | {"base", name}
    return found


def problems(allowed, name, text):
    """What is wrong with the includes of the file `name`."""
    own = name.split("/")[1]
    if own not in allowed:
        return [f"{name}: lathe/{own} is not a lathe_module of CMakeLists.txt"]
    found = []
    for target in INCLUDE.findall(text):
        top, other = target.split("/")[:2]
        if top != "lathe" or other not in allowed[own]:
            found.append(f"{name}: includes {target}, but lathe_module({own}) does not depend on it")
    return found


def main():
    allowed = modules(tree.read("CMakeLists.txt"))
    known = {"base"}
    found = []
    for name, depends in allowed.items():  # in the order of the file, so there is no circle
        known.add(name)
        found += [f"CMakeLists.txt: {name} depends on {d}, which comes later" for d in depends - known]
    sources = [n for n in tree.files(".h", ".cpp", ".cu") if re.match("lathe/[^/]+/", n)]
    for name in sources:
        found += problems(allowed, name, tree.read(name))
    tree.report(f"layering of {len(sources)} files in {len(allowed)} modules", found)


if __name__ == "__main__":
    main()
