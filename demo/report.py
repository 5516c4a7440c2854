#!/usr/bin/env python3
"""Shows what the demo did: the learning curve, the table, the best tunes in notation and as MIDI.

    report.py --metrics METRICS.jsonl --scores SCORES.json --eval EVAL.json --counts COUNTS.json
              --xz BITS --seconds TRAINING_TIME --out DIR

writes into DIR all.abc, best.abc, curve.svg, score_N.svg (abcm2ps), tune_N.mid (abc2midi) and
index.html, a page that needs no other file but the MIDI ones. Prints the curve.
"""

import argparse
import html
import json
import pathlib
import re
import subprocess

import curve

SHOWN = 8

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Tunes composed by a model trained from nothing</title>
<style>
body {{ font: 16px/1.5 sans-serif; color: #222; max-width: 820px; margin: 2em auto; padding: 0 1em }}
table {{ border-collapse: collapse }} td, th {{ padding: .2em 1em .2em 0; text-align: left }}
td.number {{ text-align: right }} figure {{ margin: 2em 0 }} figure svg {{ max-width: 100% }}
pre {{ background: #f5f5f2; padding: .7em; overflow-x: auto }} .missed {{ color: #c1440e }}
</style>
<h1>Tunes composed by a model trained from nothing</h1>
<p>{train:,} tunes were read for training; {seconds:.0f} seconds of it gave this curve.</p>
<figure>{curve}</figure>
<table>{rows}</table>
<h2>The best of {tunes} tunes</h2>
{figures}
</html>
"""


def run(*command, folder):
    return subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)


def write_abc(texts, path):
    """The tunes in one file, numbered from 1; returns them one by one."""
    texts = [re.sub(r"(?m)^X:.*", f"X:{i}", text.strip(), count=1) for i, text in enumerate(texts, 1)]
    path.write_text("\n\n".join(texts) + "\n")
    return texts


def draw(texts, out):
    """Notation and MIDI of each tune: (tune, svg or None, MIDI's name or None)."""
    numbered = write_abc(texts, out / "best.abc")
    for old in [*out.glob("score_*.svg"), *out.glob("tune_*.mid")]:
        old.unlink()
    drawn = []
    for i, text in enumerate(numbered, 1):
        source = out / "one.abc"
        source.write_text(text + "\n")
        run("abcm2ps", "-q", "-g", "-s", "0.8", "-O", "one_", source.name, folder=out)
        run("abc2midi", source.name, "-o", f"tune_{i}.mid", folder=out)
        made, svg = out / "one_001.svg", out / f"score_{i}.svg"
        if made.exists():
            made.rename(svg)
        source.unlink()
        midi = f"tune_{i}.mid" if (out / f"tune_{i}.mid").exists() else None
        drawn.append((text, svg.read_text() if svg.exists() else None, midi))
    return drawn


def figure(text, svg, midi, facts):
    """One tune on the page. What the model wrote is shown as text only."""
    picture = re.sub(r"^.*?(?=<svg)", "", svg, flags=re.S) if svg else ""
    link = f'<a href="{midi}">{midi}</a>: ' if midi else ""
    return (
        f"<figure>{picture}<figcaption>{link}{facts['bars']} bars, "
        f"{facts['bars_fitting']} fit the metre, {facts['windows_copied']} of {facts['windows']} "
        f"four-bar windows are in a training tune<pre>{html.escape(text)}</pre></figcaption></figure>"
    )


def rows(summary, bits, xz):
    """The table: (what, found, aim)."""
    return [
        ("bits per byte of validation tunes", f"{bits:.3f}", f"below {xz:.3f}, xz -9", bits < xz),
        ("valid tunes", f"{summary['valid']:.0%}", "at least 80%", summary["valid"] >= 0.8),
        ("bars that fit the metre", f"{summary['fit']:.0%}", "at least 50%", summary["fit"] >= 0.5),
        ("four-bar windows copied", f"{summary['copied']:.1%}", "below 20%", summary["copied"] < 0.2),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("metrics", "scores", "eval", "counts", "out"):
        parser.add_argument(f"--{name}", required=True, type=pathlib.Path)
    parser.add_argument("--xz", required=True, type=float, help="bits per byte that xz needs")
    parser.add_argument("--seconds", required=True, type=float, help="how long training took")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    report = json.loads(options.scores.read_text())
    bits = json.loads(options.eval.read_text())["bits_per_byte"]
    counts = json.loads(options.counts.read_text())
    train, valid = curve.read_metrics(options.metrics)
    drawing = curve.svg(train, valid, options.xz) if train else ""
    (options.out / "curve.svg").write_text(drawing)

    write_abc([tune["text"] for tune in report["tunes"]], options.out / "all.abc")
    chosen = [report["tunes"][i] for i in report["best"][:SHOWN]]
    drawn = draw([tune["text"] for tune in chosen], options.out)
    table = "".join(
        f'<tr><td>{what}<td class="number{"" if met else " missed"}">{found}<td>{aim}'
        for what, found, aim, met in rows(report["summary"], bits, options.xz)
    )
    page = PAGE.format(
        train=counts["train"], seconds=options.seconds, curve=drawing,
        rows=table, tunes=report["summary"]["tunes"],
        figures="\n".join(figure(*each, tune) for each, tune in zip(drawn, chosen)),
    )  # fmt: skip
    (options.out / "index.html").write_text(page)
    if train:
        print(curve.plain(train, valid, options.xz))
    print(f"\n  validation: {bits:.3f} bits per byte; xz -9, given the training text: {options.xz:.3f}")


if __name__ == "__main__":
    main()
