"""What the pages show is true: readme_test.py BUILD PAGE...

Every block of a page marked ```sh or ```console is run by bash, in the order of the page, in an
empty folder with a copy of the project and the finished program as build/lathe. In ```console,
commands stand behind `$ ` (continued behind `> `), and what they show below must be what comes
out; numbers may differ, and a line `...` stands for any lines. A block that cannot run here says
why in the comment above it:

    <!-- not run: takes five minutes -->

but even then its `make` targets, its commands of lathe and their options must exist. So must the
files that the page links to.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from typing import NamedTuple

import tree

BLOCK = re.compile(r"^(?:<!-- not run: *(\S.*?) *-->\n+)?```(sh|console)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
NUMBER = re.compile(r"\d+(?:[.,:]\d+)*(?:e[-+]?\d+)?")
LATHE = re.compile(r"^\s*(?:\S*/)?lathe\s+([a-z][a-z-]*)\b(.*)$")


class Block(NamedTuple):
    line: int
    why_not_run: str
    steps: list  # (command, expected lines or None)


def blocks(page):
    for match in BLOCK.finditer(page):
        line = page.count("\n", 0, match.start(2)) + 1
        if match[2] == "sh":
            yield Block(line, match[1], [(match[3], None)])
        else:
            yield Block(line, match[1], console_steps(match[3]))


def console_steps(text):
    steps = []
    for line in text.splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        elif line.startswith("> ") and steps and not steps[-1][1]:
            steps[-1] = (steps[-1][0] + "\n" + line[2:], [])
        elif steps:
            steps[-1][1].append(line)
    return steps


def normal(line):
    """A line without what differs from run to run: numbers, widths of columns."""
    return " ".join(NUMBER.sub("0", line).split())


def matches(expected, found):
    """Whether lines are as expected, where `...` stands for any number of them."""
    pattern = "".join(
        r"(?:[^\n]*\n)*?" if line.strip() == "..." else re.escape(normal(line)) + "\n"
        for line in expected
    )
    return re.fullmatch(pattern, "".join(normal(line) + "\n" for line in found)) is not None


def run(command, folder):
    # Without this, variables of the outer make would reach a make in the page.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "CI"}
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
    )  # fmt: skip
    return result.returncode, result.stdout


def problems_of_run(name, block, folder):
    for command, expected in block.steps:
        status, output = run(command, folder)
        where = f"{name}:{block.line}: {command.strip()}"
        if status != 0:
            return [f"{where}\n  failed with {status}:\n{output}"]
        if expected is not None and not matches(expected, output.splitlines()):
            return [f"{where}\n  expected:\n" + "\n".join(expected) + f"\n  found:\n{output}"]
    return []


def commands(text):
    """The single commands of a shell text, without comments."""
    text = re.sub(r"\\\n", " ", text)
    text = re.sub(r"(?:^|\s)#.*", "", text)
    return re.split(r"&&|\|\|?|;|\n", text)


def problems_of_names(name, block, folder, targets):
    """Checks a block that is not run as far as that goes: targets, commands and options exist."""
    found = []
    for command in (c for step in block.steps for c in commands(step[0])):
        where = f"{name}:{block.line}: {command.strip()}"
        words = command.split()
        if "make" in words:
            asked = [w for w in words[words.index("make") + 1 :] if re.fullmatch("[a-z-]+", w)]
            found += [f"{where}: no target {w} in Makefile" for w in asked if w not in targets]
        match = LATHE.match(command)
        if match:
            status, help_text = run(f"build/lathe {match[1]} --help-all", folder)
            if status != 0:
                found.append(f"{where}: `lathe {match[1]} --help-all` fails:\n{help_text}")
                continue
            known = set(re.findall(r"--[\w-]+", help_text.replace("_", "-")))
            for option in re.findall(r"(?<=\s)--[\w-]+", match[2]):
                if option.replace("_", "-") not in known:
                    found.append(f"{where}: lathe {match[1]} has no option {option}")
    return found


def copy_project(folder, build):
    for name in tree.files():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tree.ROOT / name, target)
    (folder / "build").symlink_to(build)


def check(name, page, folder):
    """(problems, blocks run, blocks not run) of one page."""
    found, ran, named = [], 0, 0
    makefile = folder / "Makefile"
    text = makefile.read_text(encoding="utf-8") if makefile.exists() else ""
    targets = set(re.findall(r"^([a-z-]+):", text, re.M))
    for target in LINK.findall(page):
        if not (folder / name).parent.joinpath(target).exists():
            found.append(f"{name}: links to {target}, which does not exist")
    for block in blocks(page):
        if block.why_not_run:
            named += 1
            found += problems_of_names(name, block, folder, targets)
        else:
            ran += 1
            found += problems_of_run(name, block, folder)
    return found, ran, named


def main():
    build, names = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    found = []
    for name in names:
        if not (tree.ROOT / name).exists():
            found.append(f"{name} does not exist")
            continue
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch)
            copy_project(folder, build)
            problems, ran, named = check(name, tree.read(name), folder)
        print(f"{name}: {ran} blocks run, {named} checked by their names")
        found += problems
    tree.report("pages", found)


if __name__ == "__main__":
    main()
