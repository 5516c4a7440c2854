"""docs/options.md is what the program writes: options_test.py LATHE"""

import difflib
import subprocess
import sys

import tree

PAGE = "docs/options.md"
COMMAND = ["options", "--format", "markdown"]


def main():
    if not (tree.ROOT / PAGE).exists():
        print(f"skipped: {PAGE} does not exist")
        sys.exit(tree.SKIPPED)
    result = subprocess.run([sys.argv[1], *COMMAND], capture_output=True, text=True, check=True)
    difference = difflib.unified_diff(
        tree.read(PAGE).splitlines(), result.stdout.splitlines(), PAGE, "the program", lineterm="", n=1
    )
    tree.report(f"{PAGE} (write it with: lathe {' '.join(COMMAND)} >{PAGE})", list(difference))


if __name__ == "__main__":
    main()
