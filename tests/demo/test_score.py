"""Promises of the demo's scripts: lengths and bars of ABC tunes, the canonical form, the checks."""

import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "demo"))

import bars  # noqa: E402
import curve  # noqa: E402
import notation  # noqa: E402
import prepare  # noqa: E402
import rewrite  # noqa: E402
import score  # noqa: E402
from notation import WHOLE  # noqa: E402

EIGHTH = WHOLE // 8
HEADER = "X:1\nT:A tune\nM:4/4\nL:1/8\nK:G\n"
WALTZ = HEADER.replace("4/4", "3/4")


def parse(body, header=HEADER):
    return notation.parse(header + body + "\n")


def lengths(body, header=HEADER):
    """Lengths of the notes of a body, in eighths."""
    tune = parse(body, header)
    return [note.length / EIGHTH for bar in tune.bars for note in bar.notes]


def fits(body, header=HEADER):
    return bars.bars_that_fit(parse(body, header))


def pitches(body, header=HEADER):
    return [note.pitch for bar in parse(body, header).bars for note in bar.notes]


def played(text):
    """The pitches that abc2midi plays, repeats played out."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "a.abc").write_text(text)
        subprocess.run(["abc2midi", "a.abc", "-o", "a.mid"], cwd=folder, capture_output=True, check=True)
        data = pathlib.Path(folder, "a.mid").read_bytes()
    return [note for on, note, loud in zip(data, data[1:], data[2:]) if on == 0x90 and 0 < loud < 128]


class Lengths(unittest.TestCase):
    def test_multipliers(self):
        self.assertEqual(lengths("A A2 A/ A// A/2 A/4 A3/2 A6 A3/"), [1, 2, 0.5, 0.25, 0.5, 0.25, 1.5, 6, 1.5])

    def test_accidentals_and_octaves_belong_to_the_note(self):
        self.assertEqual(lengths("^A,2 __b'3 =c''/ z4 x"), [2, 3, 0.5, 4, 1])

    def test_broken_rhythm(self):
        self.assertEqual(lengths("A>B A<B A2>B2 A>>B A<<<B"), [1.5, 0.5, 0.5, 1.5, 3, 1, 1.75, 0.25, 0.125, 1.875])

    def test_tuplets(self):
        self.assertEqual(lengths("(3ABc d"), [2 / 3] * 3 + [1])
        self.assertEqual(lengths("(2ABc"), [1.5, 1.5, 1])
        self.assertEqual(lengths("(3:2:4ABcdA"), [2 / 3] * 4 + [1])
        self.assertEqual(lengths("(3::2ABc"), [2 / 3] * 2 + [1])

    def test_a_five_tuplet_takes_three_in_compound_metre_and_two_otherwise(self):
        self.assertEqual(sum(lengths("(5ABcde")), 2)
        self.assertEqual(sum(lengths("(5ABcde", HEADER.replace("4/4", "6/8"))), 3)

    def test_chords_count_once(self):
        self.assertEqual(lengths("[CEG]2 [C2E2G2] [CEG]"), [2, 2, 1])

    def test_ornaments_words_and_slurs_have_no_length(self):
        self.assertEqual(lengths('{gag}A "Am"B !trill!c ~d .e (fg) vA uB'), [1] * 9)

    def test_the_unit_follows_the_metre_where_L_is_missing(self):
        self.assertEqual(lengths("A", "X:1\nM:2/4\nK:C\n"), [0.5])
        self.assertEqual(lengths("A", "X:1\nM:3/4\nK:C\n"), [1])

    def test_a_change_of_unit_in_the_body(self):
        self.assertEqual(lengths("A[L:1/16]A"), [1, 0.5])
        self.assertEqual(lengths("A|\nL:1/4\nA"), [1, 2])

    def test_what_cannot_be_read_is_a_problem(self):
        for body in ("A#", "]A", "A>", "-A", "(3A(3ABc"):
            self.assertTrue(parse(body).problems, body)
        self.assertFalse(parse("A>B|c2-c2|(3ABc|").problems)

    def test_damaged_text_never_raises(self):
        draw = random.Random(1)
        whole = HEADER + "|: D | (3ABc d>e [CEG]2 {g}f |1 c4 z4 :|2 [M:3/4] c6 |]\n"
        for _ in range(3000):
            text = list(whole)
            for _ in range(draw.randint(1, 12)):
                sign = draw.choice(["", chr(draw.randrange(10, 400)), draw.choice("|:[](/>9\n") * 9])
                text[draw.randrange(len(text))] = sign
            tune = notation.parse("".join(text))
            self.assertLessEqual(len(bars.bars_that_fit(tune)), len(tune.bars))
            bars.windows(tune)


class Pitches(unittest.TestCase):
    def test_middle_c_and_octaves(self):
        self.assertEqual(pitches("C c c' C,", "X:1\nK:C\n"), [60, 72, 84, 48])

    def test_key_signatures(self):
        for key, f in (("G", 66), ("F", 65), ("D Mixolydian", 66), ("Em", 66), ("Ador", 66), ("Dm", 65)):
            self.assertEqual(pitches("F", f"X:1\nK:{key}\n"), [f], key)
        self.assertEqual(pitches("B E", "X:1\nK:Bb\n"), [70, 63])

    def test_an_accidental_holds_until_the_bar_line(self):
        self.assertEqual(pitches("^F F =F F ^F | F", "X:1\nK:C\n"), [66, 66, 65, 65, 66, 65])


class BarsThatFit(unittest.TestCase):
    def test_full_long_and_short_bars(self):
        self.assertEqual(fits("ABcd efga | A8 | A7 | A9 | A8 |]"), [True, True, False, False, True])

    def test_metres(self):
        for metre, eighths in (("C", 8), ("C|", 8), ("6/8", 6), ("3/4", 6), ("9/8", 9), ("2/4", 4)):
            self.assertEqual(fits(f"A{eighths} | A{eighths} |", HEADER.replace("4/4", metre)), [True, True])

    def test_a_free_metre_has_no_bars_that_fit(self):
        self.assertEqual(fits("A8 | A8 |", HEADER.replace("4/4", "none")), [])

    def test_an_upbeat_needs_its_complement(self):
        self.assertEqual(fits("A2 | A8 | A6 |]"), [True, True, True])
        self.assertEqual(fits("A2 | A8 | A8 |]"), [False, True, True])
        self.assertEqual(fits("A2 | A8 | A5 |]"), [False, True, False])

    def test_an_upbeat_to_each_of_two_repeats(self):
        self.assertEqual(fits("|: A2 | A8 | A6 :|\n|: B2 | A8 | A6 :|"), [True] * 6)
        self.assertEqual(fits("A2 | A8 | A6 :: B2 | A8 | A6 :|"), [True] * 6)

    def test_a_bar_cut_by_a_double_bar(self):
        self.assertEqual(fits("A8 | A6 || A2 | A8 |"), [True] * 4)

    def test_first_and_second_endings(self):
        self.assertEqual(fits("|: A2 | A8 |1 A6 :|2 A8 |]"), [True] * 4)
        self.assertEqual(fits("|: A2 | A8 |1 A5 :|2 A8 |]"), [False, True, False, True])

    def test_a_short_bar_inside_a_section_does_not_fit(self):
        self.assertEqual(fits("A8 | A2 | A6 | A8 |"), [True, False, False, True])

    def test_a_change_of_metre(self):
        self.assertEqual(fits("A8 | [M:3/4] A6 | A6 | A8 |"), [True, True, True, False])

    def test_a_line_that_ends_with_a_full_bar_ends_the_bar(self):
        self.assertEqual(fits("A8\nA8\nA4\nA4"), [True, True, True])


class Windows(unittest.TestCase):
    BODY = "ABcd efga | A8 | B4 c4 | d2 e2 f4 |"

    def test_another_key_is_the_same_window(self):
        up = parse("ABcd efga | A8 | B4 c4 | d2 e2 f4 |", HEADER.replace("K:G", "K:C"))
        tone_up = parse("Bcde fgab | B8 | c4 d4 | e2 f2 g4 |", HEADER.replace("K:G", "K:D"))
        self.assertEqual(bars.windows(up), bars.windows(tone_up))

    def test_other_lengths_or_notes_are_another_window(self):
        one = bars.windows(parse(self.BODY))
        self.assertEqual(len(one), 1)
        self.assertNotEqual(one, bars.windows(parse(self.BODY.replace("A8", "A6A2"))))
        self.assertNotEqual(one, bars.windows(parse(self.BODY.replace("c4", "d4"))))

    def test_every_four_bars_in_a_row(self):
        self.assertEqual(len(bars.windows(parse("A8|B8|c8|d8|e8|f8|"))), 3)


class CanonicalForm(unittest.TestCase):
    def rewritten(self, text):
        return rewrite.rewrite(notation.parse(text))

    def test_titles_lose_their_page_numbers(self):
        for title, clean in (("Im Wald (5-78), S. 125", "Im Wald"), ("DER MÜLLER, S.53", "Der Muller")):
            self.assertEqual(rewrite.clean_title(title), clean)

    def test_header_unit_and_groups(self):
        text = "X: 77\nZ:somebody\nL:1/16\nT:The Tune % comment\nM:6/8\nQ:100\nK:G Major\n" + (
            '"G"d2|{a}g4f2 (e2d2B2)|A6 .B6|d12|g4f2 e4:|\n'
        )
        self.assertEqual(
            self.rewritten(text),
            "X:1\nT:The Tune\nM:6/8\nL:1/8\nK:G\nd | g2f edB | A3 B3 | d6 | g2f e2 :|\n",
        )

    def test_four_bars_a_line_and_the_last_bar_line(self):
        lines = self.rewritten(HEADER + "A8|" * 10).splitlines()[5:]
        self.assertEqual([line.count("|") for line in lines], [4, 4, 2])
        self.assertTrue(lines[-1].endswith("|]"))

    def test_a_repeat_has_its_first_sign_only_where_it_is_needed(self):
        def body(abc):
            return self.rewritten(HEADER + abc).split("K:G\n")[1]

        self.assertEqual(body("|:A8:|\n|:B8|c8:|"), "A8 :|\nB8 | c8 :|\n")
        self.assertEqual(body("A8||\n|:B8|c8:|"), "A8 ||\n|: B8 | c8 :|\n")
        self.assertEqual(body("A8:|\n|:B8|1c8:|2d8|]"), "A8 :|\n|: B8 |1 c8 :|2 d8 |]\n")

    @unittest.skipUnless(shutil.which("abc2midi"), "abc2midi is not installed (package abcmidi)")
    def test_repeats_are_played_as_before(self):
        for abc in ("|:A8|B8:|\n|:c8|d8:|", "A8|B8||\n|:c8|d8:|", "A8|B8:|\nc8|d8||\n|:e8|f8:|",
                    "|:A8|1B8:|2c8|]", "A8|B8:|\n|:c8|1d8:|2e8||\n|:f8|g8:|"):  # fmt: skip
            self.assertEqual(played(HEADER + abc + "\n"), played(self.rewritten(HEADER + abc)), abc)

    def test_ties_join_notes_in_a_bar_and_go_across_bar_lines(self):
        self.assertTrue(self.rewritten(HEADER + "A4-A4|B6-B2-|B8|").endswith("A8 | B8 | B8 |]\n"))
        self.assertTrue(self.rewritten(HEADER + "A4-c4|").endswith("A4 c4 |]\n"))

    def test_broken_rhythm_is_spelt_out(self):
        text = self.rewritten(HEADER + "ABcd A>B c2|A>>B c2 c<dA2|ABcd ABcd|")
        self.assertIn("ABcd A3/B/c2 | A7/4B/4c2 c/d3/A2 |", text)

    def test_the_melody_stays(self):
        body = "|:(3DEF|G2>A2 B>c d|^e2 [ce]2 z2 f/g/a|1 b8 :|2 c'8|]"
        before = notation.parse(HEADER + body)
        after = notation.parse(self.rewritten(HEADER + body))
        sounds = lambda tune: [(n.pitch, n.length) for bar in tune.bars for n in bar.notes]  # noqa: E731
        self.assertEqual(sounds(before), sounds(after))

    def test_writing_twice_changes_nothing(self):
        once = self.rewritten(HEADER + "|:A2|B>c (3def g4|a6:|\n|:g2|f8|e6:|")
        self.assertEqual(self.rewritten(once), once)

    def test_the_same_melody_in_another_key_is_found(self):
        known = prepare.Known()
        tune = parse("ABcd efga|A8|B4c4|d2e2f4|g8|" * 2)
        other = parse("Bcde fgab|B8|c4d4|e2f2g4|a8|" * 2, HEADER.replace("K:G", "K:A"))
        whole, parts = prepare.melody(tune), set(bars.windows(tune))
        self.assertEqual(known.meet(whole, parts), "")
        self.assertEqual(known.meet(prepare.melody(other), set()), "the same melody again")
        self.assertEqual(known.meet("another", parts), "nearly the same melody again")


@unittest.skipUnless(shutil.which("abc2midi"), "abc2midi is not installed (package abcmidi)")
class Checks(unittest.TestCase):
    GOOD = HEADER + "|: ABcd efga | A8 | Bcde fgab | B8 :|\n|: cBAG FGAB | c8 | dcBA GABc | G8 :|\n"

    def check(self, text, known=()):
        return score.check(text, set(known))

    def test_a_good_tune(self):
        result = self.check(self.GOOD)
        self.assertEqual((result["valid"], result["bars"], result["bars_fitting"]), (True, 8, 8))
        self.assertEqual(result["reasons"], [])
        self.assertEqual(result["rank"], 0.5)  # half of 16 bars

    def test_a_tune_that_ends_on_the_tonic_ranks_higher(self):
        self.assertEqual(self.check(self.GOOD.replace("G8 :|", "A8 :|"))["rank"], 0.4)
        self.assertEqual(self.check(self.GOOD.replace("G8 :|", "^F8 :|").replace("K:G", "K:F#m"))["rank"], 0.5)

    def test_every_header_is_needed(self):
        for letter in "XTMLK":
            without = "".join(line for line in self.GOOD.splitlines(True) if not line.startswith(letter + ":"))
            self.assertIn(f"no {letter}: line", self.check(without)["reasons"])

    def test_errors_of_abc2midi_count_and_warnings_do_not(self):
        for wrong in ("A#B2", "A2>B", "c4-d4", "[ABc", "|: A8 |: B8"):
            self.assertFalse(self.check(self.GOOD.replace("A8", wrong, 1))["valid"], wrong)
        short = self.check(self.GOOD.replace("A8", "A7", 1))
        self.assertEqual((short["valid"], short["bars_fitting"]), (True, 7))

    def test_eight_bars_and_thirty_notes(self):
        self.assertEqual(self.check(HEADER + "ABcdABcd|" * 7)["reasons"], ["only 7 bars"])
        self.assertEqual(self.check(HEADER + "A4A4|" * 8)["reasons"], ["only 16 notes"])

    def test_copied_windows_are_found_in_any_key(self):
        tune = notation.parse(self.GOOD)
        result = self.check(self.GOOD.replace("K:G", "K:G % the same"), bars.windows(tune))
        self.assertEqual(result["windows_copied"], result["windows"])
        self.assertEqual(result["rank"], 0)

    def test_one_bar_over_and_over_ranks_low(self):
        self.assertLess(self.check(HEADER + "ABcdABcd|" * 16)["rank"], 0.2)

    def test_nonsense_is_not_valid(self):
        for text in ("", "X:1", "hello\n" * 30, HEADER + "lorem ipsum " * 40, HEADER + "|" * 99):
            self.assertFalse(self.check(text)["valid"], text[:20])

    def test_the_report_pools_bars_and_puts_the_best_first(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            poor = self.GOOD.replace("A8", "A7").replace("B8", "B7")
            for name, texts in (("train", [WALTZ + "A6|" * 9]), ("tunes", [poor, self.GOOD, "X:1\n"])):
                lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
                (folder / f"{name}.jsonl").write_text(lines)
            done = subprocess.run(
                [sys.executable, ROOT / "demo" / "score.py", "--train", folder / "train.jsonl",
                 "--out", folder / "report.json", folder / "tunes.jsonl"],
                capture_output=True, text=True, check=True)  # fmt: skip
            report = json.loads((folder / "report.json").read_text())
        self.assertEqual(report["best"], [1, 0])
        self.assertAlmostEqual(report["summary"]["valid"], 2 / 3)
        self.assertAlmostEqual(report["summary"]["fit"], 14 / 16)
        self.assertEqual(report["summary"]["copied"], 0)
        self.assertIn("66.7%", done.stdout)


class LearningCurve(unittest.TestCase):
    def test_training_loss_is_shown_in_bits_per_byte(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "metrics.jsonl")
            lines = [{"step": i, "loss": 4 - i / 10} for i in range(1, 11)]
            lines.append({"step": 10, "eval_loss": 3.0, "eval_bits_per_byte": 2.0})
            path.write_text("".join(json.dumps(line) + "\n" for line in lines))
            train, valid = curve.read_metrics(path)
        self.assertEqual(valid, [(10, 2.0)])
        self.assertEqual(len(train), 10)
        self.assertAlmostEqual(train[-1][1], 2.0)
        drawing, plain = curve.svg(train, valid, 1.9), curve.plain(train, valid, 1.9)
        self.assertEqual(drawing.count("<polyline"), 3 + drawing.count("#e4e4e4"))
        self.assertIn("o", plain.splitlines()[11] + plain.splitlines()[10] + plain.splitlines()[9])


if __name__ == "__main__":
    unittest.main()
