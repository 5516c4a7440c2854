"""Every C++ file is as clang-format 14 writes it (other versions write differently)."""

import shutil
import subprocess

import tree

VERSION = "14"


def find_clang_format():
    for name in (f"clang-format-{VERSION}", "clang-format"):
        if shutil.which(name):
            answer = subprocess.run([name, "--version"], capture_output=True, text=True, check=True)
            if f"version {VERSION}." in answer.stdout:
                return name
    return tree.skip(f"clang-format {VERSION} is not installed (Debian: clang-format-{VERSION})")


def main():
    sources = tree.files(".h", ".cpp", ".cu", ".cuh")
    command = [find_clang_format(), "--dry-run", "-Werror", *sources]
    result = subprocess.run(command, cwd=tree.ROOT, capture_output=True, text=True)
    problems = [line for line in result.stderr.splitlines() if ": error:" in line]
    if result.returncode != 0 and not problems:
        problems = [result.stderr]
    tree.report(f"format of {len(sources)} files (mend with clang-format -i)", problems)


if __name__ == "__main__":
    main()
