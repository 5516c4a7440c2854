#!/usr/bin/env python3
"""Makes training text from folders of ABC tunes.

    prepare.py OUT FOLDER...

writes OUT/train.jsonl and OUT/valid.jsonl (one {"text": tune} a line), OUT/train.txt and
OUT/valid.txt (the same tunes, one after the other) and OUT/counts.json (how many tunes were read,
dropped and kept, and why). Every tune is written anew in one form (rewrite.py), so that a small
model need not learn a dozen habits of transcribers.

A tune that is there twice, in whatever key, is kept once; so is one that shares more than half of
its four-bar windows with another. So no melody of the validation tunes is in training.
"""

import collections
import concurrent.futures
import hashlib
import json
import pathlib
import re
import sys

import bars
import notation
from rewrite import Unusable, rewrite

FEWEST_BARS = 8
FEWEST_NOTES = 40  # score.py wants 30 of a composed tune
FITTING = 0.9  # share of bars as long as their metre; below it the metre or the bars are wrong
NEAR = 0.5  # share of four-bar windows that another tune has too; above it, the same tune again
VALID_ONE_IN = 20


def read_tunes(folder):
    """Every tune of the .abc files below `folder`, as text from its X: line to an empty line."""
    for path in sorted(pathlib.Path(folder).rglob("*.abc")):
        raw = path.read_bytes()
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
        text = re.sub(r"\r\n?", "\n", text)
        for part in re.split(r"(?m)^(?=X:)", text)[1:]:
            yield re.split(r"\n[ \t]*\n", part, maxsplit=1)[0]


def check(tune):
    """Raises Unusable where a tune is no use for learning."""
    notes = sum(note.pitch is not None for bar in tune.bars for note in bar.notes)
    if tune.problems or any(not note.length for bar in tune.bars for note in bar.notes):
        raise Unusable("signs that are not ABC 2.1")
    if tune.changes & {"V", "M", "K"}:
        raise Unusable("several voices, or a change of metre or key")
    if not notation.parse_metre(tune.get("M")):
        raise Unusable("no metre")
    if len(tune.bars) < FEWEST_BARS or notes < FEWEST_NOTES:
        raise Unusable(f"fewer than {FEWEST_BARS} bars or {FEWEST_NOTES} notes")
    fits = bars.bars_that_fit(tune)
    if sum(fits) < FITTING * len(fits):
        raise Unusable(f"fewer than {FITTING:.0%} of the bars fit the metre")


def melody(tune):
    """The tune's notes and lengths in a form that does not depend on its key."""
    return bars.windows(tune, len([bar for bar in tune.bars if bar.length]))[0]


class Known:
    """The tunes kept so far, to find those that come again."""

    def __init__(self):
        self.melodies = set()
        self.owners = collections.defaultdict(list)  # window -> tunes that have it

    def meet(self, whole, parts):
        """Keeps a tune; or says why not, where it has come before."""
        if whole in self.melodies:
            return "the same melody again"
        shared = collections.Counter(owner for part in parts for owner in self.owners[part])
        if shared and shared.most_common(1)[0][1] > NEAR * len(parts):
            return "nearly the same melody again"
        for part in parts:
            self.owners[part].append(len(self.melodies))
        self.melodies.add(whole)
        return ""


def prepare(text):
    """(tune in the canonical form, its melody, its windows), or the reason it is left out."""
    try:
        tune = notation.parse(text)
        check(tune)
        text = rewrite(tune)
    except Unusable as reason:
        return str(reason)
    tune = notation.parse(text)
    return text, melody(tune), set(bars.windows(tune))


def main(out, folders):
    counts, known = collections.Counter(), Known()
    splits = {"train": [], "valid": []}
    texts = [text for folder in folders for text in read_tunes(folder)]
    counts["read"] = len(texts)
    with concurrent.futures.ProcessPoolExecutor() as pool:
        for result in pool.map(prepare, texts, chunksize=100):
            reason = result if isinstance(result, str) else known.meet(result[1], result[2])
            if reason:
                counts[f"dropped: {reason}"] += 1
                continue
            number = int.from_bytes(hashlib.sha256(result[1].encode()).digest()[:8], "big")
            splits["train" if number % VALID_ONE_IN else "valid"].append((number, result[0]))
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    for name, tunes in splits.items():
        texts = [text for _, text in sorted(tunes)]  # sources mixed, the same way every time
        counts[name] = len(texts)
        counts[f"{name} bytes"] = sum(map(len, texts))
        (out / f"{name}.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
        (out / f"{name}.txt").write_text("".join(texts))
    (out / "counts.json").write_text(json.dumps(counts, indent=2) + "\n")
    width = max(map(len, counts))
    print("\n".join(f"  {name:{width}} {count:9,}" for name, count in counts.items()))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
