"""Every Rust file is as rustfmt writes it."""

import shutil
import subprocess

import tree


def main():
    if not shutil.which("rustfmt"):
        tree.skip("rustfmt is not installed")
    command = ["rustfmt", "--check", "--files-with-diff", "--edition", "2021", "src/lib.rs"]
    result = subprocess.run(command, cwd=tree.ROOT / "rust", capture_output=True, text=True)
    problems = result.stdout.splitlines()
    if result.returncode != 0 and not problems:
        problems = [result.stderr]
    tree.report("format of the Rust files (mend with cargo fmt)", problems)


if __name__ == "__main__":
    main()
