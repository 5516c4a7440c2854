#!/usr/bin/env python3
"""Checks tunes, prints a table, writes a report.

    score.py --train TRAIN.jsonl --out REPORT.json TUNES

TUNES is what `lathe generate --json` prints (.json), .jsonl (the tune under "text") or plain ABC,
where each tune starts with an X: line.

valid     X, T, M, L and K stand in the header; abc2midi writes a MIDI file, ends with status 0 and
          prints no line that starts with "Error" (its "Warning" lines, such as those on the length
          of bars, do not count); at least 8 bars and 30 notes.
fit       share of bars as long as the metre (bars.py has the rule for upbeats); in a tune with a
          free or unreadable metre no bar fits.
copied    share of four-bar windows that a training tune has too: the same intervals and the same
          lengths, in whatever key, wherever the bar lines are.
varied    share of bars that are not the same as an earlier one, at most 1/2, times two.
rank      which tunes to show first: valid * fit^2 * (1 - copied) * varied * min(1, bars / 16), and
          0.8 of that where the last note is not the tonic.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import tempfile

import bars
import notation

HEADERS = "XTMLK"
FEWEST_BARS = 8
FEWEST_NOTES = 30
AIMS = {"valid": ("at least", 0.8), "fit": ("at least", 0.5), "copied": ("below", 0.2)}


def read_tunes(path):
    text = pathlib.Path(path).read_text(encoding="utf-8", errors="replace")
    if str(path).endswith(".json"):
        return [one["prompt"] + one["text"] for one in json.loads(text)["completions"]]
    if str(path).endswith(".jsonl"):
        return [json.loads(line)["text"] for line in text.splitlines() if line.strip()]
    return re.split(r"(?m)^(?=X:)", text)[1:]


def midi_errors(text):
    """What abc2midi says is wrong with the tune, one string a complaint; empty: nothing."""
    with tempfile.TemporaryDirectory() as folder:
        source, midi = pathlib.Path(folder, "tune.abc"), pathlib.Path(folder, "tune.mid")
        source.write_text(text, encoding="utf-8")
        done = subprocess.run(
            ["abc2midi", source, "-o", midi], cwd=folder, capture_output=True, timeout=60, check=False
        )
        said = (done.stdout + done.stderr).decode("latin-1")
        errors = re.findall(r"(?mi)^error.*", said)
        if not errors and (done.returncode or not midi.exists()):
            errors = [f"abc2midi ended with status {done.returncode}"]
    return errors


def variety(tune):
    """How much of a tune is not the same bar again: 1 where at least half of its bars are new."""
    seen = [tuple((note.pitch, note.length) for note in bar.notes) for bar in tune.bars]
    return min(1.0, 2 * len(set(seen)) / len(seen)) if seen else 0.0


def ends_on_tonic(tune):
    """Whether the last note is the one that the key is named after."""
    pitches = [note.pitch for bar in tune.bars for note in bar.notes if note.pitch is not None]
    key = notation.parse_key(tune.get("K"))
    if not pitches or not key:
        return False
    tonic = notation.SEMITONE[key[0][0]] + key[0][1:2].count("#") - key[0][1:2].count("b")
    return (pitches[-1] - tonic) % 12 == 0


def check(text, known):
    """All findings on one tune. `known`: the windows of the training tunes."""
    tune = notation.parse(text)
    filled = [bar for bar in tune.bars if bar.length]
    notes = sum(note.pitch is not None for bar in filled for note in bar.notes)
    windows = bars.windows(tune)
    result = {
        "title": tune.get("T"),
        "metre": tune.get("M"),
        "key": tune.get("K"),
        "bars": len(filled),
        "bars_fitting": sum(bars.bars_that_fit(tune)),
        "notes": notes,
        "windows": len(windows),
        "windows_copied": sum(window in known for window in windows),
        "varied": round(variety(tune), 3),
    }
    reasons = [f"no {letter}: line" for letter in HEADERS if not tune.get(letter)]
    reasons += midi_errors(text)
    reasons += [f"only {len(filled)} bars"] * (len(filled) < FEWEST_BARS)
    reasons += [f"only {notes} notes"] * (notes < FEWEST_NOTES)
    fit, copied = share(result, "bars_fitting", "bars"), share(result, "windows_copied", "windows")
    rank = fit**2 * (1 - copied) * result["varied"] * min(1, len(filled) / 16)
    rank *= (1 if ends_on_tonic(tune) else 0.8) * (not reasons)
    return result | {"valid": not reasons, "reasons": reasons, "rank": round(rank, 4), "text": text}


def share(counts, part, whole):
    return counts[part] / counts[whole] if counts[whole] else 0.0


def summarise(results):
    """The three shares over all tunes; bars and windows are pooled."""
    keys = ("bars", "bars_fitting", "windows", "windows_copied")
    total = {key: sum(result[key] for result in results) for key in keys}
    total["tunes"] = len(results)
    total["tunes_valid"] = sum(result["valid"] for result in results)
    total["tunes_different"] = len({result["text"] for result in results})
    return total | {
        "valid": share(total, "tunes_valid", "tunes"),
        "fit": share(total, "bars_fitting", "bars"),
        "copied": share(total, "windows_copied", "windows"),
    }


def table(results, summary):
    names = {"valid": "valid tunes", "fit": "bars whose length fits the metre",
             "copied": "four-bar windows copied from training"}  # fmt: skip
    lines = [f"  {'':40} {'share':>7}   aim"]
    for key, (relation, aim) in AIMS.items():
        met = summary[key] >= aim if relation == "at least" else summary[key] < aim
        lines.append(f"  {names[key]:40} {summary[key]:7.1%}   {relation} {aim:.0%}"
                     f"{'' if met else '  MISSED'}")  # fmt: skip
    lines.append("")
    lines.append(f"  {'tune':>4}  {'rank':>5}  {'bars':>4}  {'fit':>4}  {'copied':>6}  title")
    for number in best(results)[:10]:
        result = results[number]
        fit, copied = share(result, "bars_fitting", "bars"), share(result, "windows_copied", "windows")
        lines.append(f"  {number + 1:4}  {result['rank']:5.2f}  {result['bars']:4}  {fit:4.0%}  "
                     f"{copied:6.0%}  {result['title'][:50]}")  # fmt: skip
    reasons = collections.Counter()
    for result in results:
        plain = (re.sub(r"line-char [-\d]+ :\s*|\d+ *", "", said) for said in result["reasons"])
        reasons.update(set(plain))
    lines += [f"  {count} not valid: {said}" for said, count in reasons.most_common(6)]
    return "\n".join(lines)


def best(results):
    """Numbers of the tunes, best first; invalid ones are left out."""
    order = sorted(range(len(results)), key=lambda i: (-results[i]["rank"], i))
    return [i for i in order if results[i]["valid"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--train", required=True, help="the training tunes, .jsonl")
    parser.add_argument("--out", required=True, help="where the report goes, .json")
    parser.add_argument("tunes", help="the tunes to check, .jsonl or .abc")
    options = parser.parse_args()
    known = set()
    for text in read_tunes(options.train):
        known.update(bars.windows(notation.parse(text)))
    results = [check(text, known) for text in read_tunes(options.tunes)]
    summary = summarise(results)
    report = {"summary": summary, "best": best(results), "tunes": results}
    pathlib.Path(options.out).write_text(json.dumps(report, indent=1) + "\n")
    print(table(results, summary))


if __name__ == "__main__":
    main()
