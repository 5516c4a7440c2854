"""What the rules are checked on: the files of the project, tracked or about to be."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77  # ctest: not run


def files(*suffixes):
    """Paths relative to ROOT, those that end in one of `suffixes` if any are given."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, check=True, capture_output=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):  # unpacked from an archive
        listed = list(walk())
    return sorted(
        name
        for name in listed
        if name and name.endswith(suffixes or "") and (ROOT / name).is_file()
    )


def walk():
    for folder, subfolders, names in os.walk(ROOT):
        here = pathlib.Path(folder).relative_to(ROOT)
        subfolders[:] = [
            name
            for name in subfolders
            if (not name.startswith(".") or name == ".ci")
            and name not in ("__pycache__", "target", "out")
            and str(here / name) != "runs"
            and not (ROOT / here / name / "CMakeCache.txt").exists()
        ]
        yield from (str(here / name) for name in names)


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def skip(why):
    """Leaves the check out; under CI everything must be there."""
    print(f"skipped: {why}")
    sys.exit(1 if os.environ.get("CI") else SKIPPED)


def report(what, problems):
    for problem in problems:
        print(problem)
    print(f"{what}: {len(problems)} problem{'' if len(problems) == 1 else 's'}")
    sys.exit(1 if problems else 0)
