"""Nothing stands in the project that only made sense where it was written."""

import re

import tree

LARGEST = 1_000_000  # bytes
# Written in pieces, so that this file does not break its own rules.
FORBIDDEN = {
    "an absolute path of somebody's machine": r"(?<![\w.])/(?:(?:home|Users)/\w+|ro" r"ot/|wo" r"rk/|tm" r"p/w\b)",
    "a note to self": r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b",
    "a registry's host": r"\b(?:files\.pythonhosted|pypi|static\.crates)\.(?:org|io)\b",
    "a merge conflict": r"^(?:<{7}|>{7})(?: |$)",
}
SPACE = re.compile(r"[ \t]+$", re.M)
# Lists that a program wrote, and data whose bytes are the point.
FREE = re.compile(r"rust/Cargo\.lock|LICENSE|(?:.*/)?golden/.*|tests/fuzz/.*")


def problems(name, data):
    found = []
    if len(data) > LARGEST:
        found.append(f"{name}: {len(data)} bytes, at most {LARGEST}")
    if FREE.fullmatch(name) or b"\0" in data:
        return found
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return found + [f"{name}: not UTF-8 at byte {error.start}"]
    for what, pattern in FORBIDDEN.items():
        for match in re.finditer(pattern, text, re.M):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{name}:{line}: {what}: {match[0].strip()}")
    if not name.endswith(".md"):
        for match in SPACE.finditer(text):
            found.append(f"{name}:{text.count(chr(10), 0, match.start()) + 1}: space at the end")
    if "\r" in text:
        found.append(f"{name}: carriage returns")
    if text and not text.endswith("\n"):
        found.append(f"{name}: no newline at the end")
    return found


def main():
    names = tree.files()
    found = []
    for name in names:
        found += problems(name, (tree.ROOT / name).read_bytes())
    tree.report(f"hygiene of {len(names)} files", found)


if __name__ == "__main__":
    main()
