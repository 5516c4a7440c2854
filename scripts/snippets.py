"""Snippets with human ratings of sentiment from -4 to 4 (Hutto & Gilbert 2014): 10,605 of film reviews, 3,708 of product
reviews, 4,000 tweets, 5,190 of newspaper editorials. They come with vaderSentiment 3.3.2 on PyPI.

usage: python snippets.py FOLDER
writes FOLDER/{film,product,tweet,editorial}.{train,valid,test}.jsonl, rows of
  text, rating, label (negative: below -0.5, positive: above 0.5, otherwise neutral), origin
80, 10 and 10 %, by a hash of the text; FOLDER/instruct.{train,valid,test}.jsonl has film snippets as conversations, and
FOLDER/film.{zero,few}_shot.jsonl the test snippets as cloze questions, without examples and behind two of each label.
"""
import hashlib
import json
import pathlib
import subprocess
import sys
import tarfile

FILES = {"film": "movieReviewSnippets", "product": "amazonReviewSnippets", "tweet": "tweets",
         "editorial": "nytEditorialSnippets"}
THRESHOLD = 0.5
QUESTION = "Is the sentiment of this film review negative, neutral or positive? Answer with one word.\n\n"


def order(row):
    """By a hash: the files are sorted by rating."""
    return hashlib.sha256(b"order " + row["text"].encode()).digest()


def side(text):
    share = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32
    return "train" if share < 0.8 else "valid" if share < 0.9 else "test"


def label(rating):
    return "negative" if rating < -THRESHOLD else "positive" if rating > THRESHOLD else "neutral"


def fetch(folder):
    archive = folder / "vaderSentiment-3.3.2.tar.gz"
    if not archive.exists():
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "vaderSentiment",
                        "-d", folder, "vaderSentiment==3.3.2"], check=True)
    with tarfile.open(archive) as outer:
        inner = outer.extractfile("vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz")
        with tarfile.open(fileobj=inner) as tar:
            return {origin: tar.extractfile(f"hutto_ICWSM_2014/{name}_GroundTruth.txt").read().decode("utf-8", "replace")
                    for origin, name in FILES.items()}


def as_question(row):
    return f"Review: {row['text']}\nSentiment (negative, neutral or positive):"


def questions(rows, examples):
    """Rows of `lathe eval --cloze`."""
    shots = "".join(f"{as_question(e)} {e['label']}\n\n" for e in examples)
    return [{"prompt": shots + as_question(r), "choices": [" negative", " neutral", " positive"], "answer": " " + r["label"]}
            for r in rows]


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for origin, content in fetch(folder).items():
        rows = {"train": [], "valid": [], "test": []}
        for line in content.splitlines():
            parts = line.split("\t", 2)
            if len(parts) == 3 and parts[2].strip():
                rating, text = float(parts[1]), parts[2].strip()
                rows[side(text)].append({"text": text, "rating": round(rating, 4), "label": label(rating), "origin": origin})
        for part, chosen in rows.items():
            write(folder / f"{origin}.{part}.jsonl", chosen)
            if origin == "film":
                write(folder / f"instruct.{part}.jsonl",
                      [{"messages": [{"role": "user", "content": QUESTION + r["text"]},
                                     {"role": "assistant", "content": r["label"]}]} for r in sorted(chosen, key=order)[:2000]])
        if origin == "film":
            shown = [[r for r in rows["train"] if r["label"] == name][:2] for name in ("negative", "neutral", "positive")]
            write(folder / "film.zero_shot.jsonl", questions(rows["test"], []))
            write(folder / "film.few_shot.jsonl", questions(rows["test"], [r for pair in zip(*shown) for r in pair]))
        print(origin, {part: len(chosen) for part, chosen in rows.items()})


def write(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


main()
