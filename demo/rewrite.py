"""Writes a tune that notation.py has read in one canonical form.

    X:1
    T:Acacia Reel
    M:2/4
    L:1/16
    K:G
    (3DEF | G2GA BcdB | cBcd e2(3def | gfge dBGB | cBAG FADF |
    ...

The melody, its bars and its repeats stay; what differs between transcribers goes: order of the
header, unit of length, chord symbols, fingerings, slurs, ornaments, words, line breaks. Notes stand
in groups of one beat, lines have four bars, lengths are figures. So what a small model has to learn
is music, and it has few signs to get wrong.
"""

import collections
import re
import unicodedata
from fractions import Fraction

import notation
from notation import WHOLE

UNITS = [4, 8, 16]  # the note that L: names: a fourth, an eighth, a sixteenth
BARS_A_LINE = 4


class Unusable(Exception):
    """The tune cannot be rewritten; the message is a reason to count."""


def clean_title(text):
    """ASCII letters, figures and simple signs, at most 40 of them; no page numbers of a source."""
    text = re.sub(r"\s*\(\d.*|,? *S\. *\d.*", "", text)
    text = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    text = text.encode("ascii", "ignore").decode()
    text = re.sub(r"\s+", " ", re.sub(r"[^A-Za-z0-9 .,'&()?!-]", " ", text)).strip(" .,-")
    if len(text) > 40:
        text = text[:41].rsplit(" ", 1)[0].strip(" .,-")
    return (text.title() if text.isupper() else text) or "Untitled"


def write_length(ticks, unit):
    """The multiplier after a note: '' for 1, '3', '/' for 1/2, '3/2'."""
    units = Fraction(ticks, unit)
    if units.denominator == 1:
        return "" if units == 1 else str(units)
    above = "" if units.numerator == 1 else str(units.numerator)
    return f"{above}/" + ("" if units.denominator == 2 else str(units.denominator))


def beat_group(metre):
    """Ticks of the groups that notes are written in: 'GABc dBGB' in 4/4, 'GAB dBG' in 6/8."""
    above, below = (2, 2) if metre == "C|" else map(int, metre.split("/"))
    if below >= 8:
        return 3 * WHOLE // below
    return WHOLE // 2 if (above, below) == (4, 4) else WHOLE // below


def spell_out(bars):
    """Makes each bar a plain row of notes, rests and tuplets, `nominal` being what is written.

    Broken rhythm (A>B) becomes lengths (A3/B/), and tied notes become one in a bar, two across a
    bar line: both signs are rare, tie one note to the next, and make a tune invalid when misplaced.
    """
    for bar in bars:
        for i in [i for i, item in enumerate(bar.items) if item.kind == "broken"]:
            for item in bar.items[max(i - 1, 0) : i + 2]:
                if item.in_tuplet:
                    raise Unusable("broken rhythm in a tuplet")
                item.nominal = item.length
        kept, tied = [], False
        for item in bar.items:
            before = kept[-1] if kept else None
            if item.kind == "tie":
                tied = True
            elif item.kind == "broken":
                continue
            elif tied and item.length and item.pitch is not None and item.pitch == before.pitch and not (
                item.in_tuplet or before.in_tuplet
            ):
                before.nominal = before.length = before.length + item.length
                tied = False
            else:
                kept.append(item)
                tied = False
        bar.items = kept


def highest_note(text):
    """The highest note of a chord, or the note itself, without its length."""
    def height(name):
        octave = name[1].islower() + name[2].count("'") - name[2].count(",")
        return octave, "CDEFGAB".index(name[1].upper())
    return "".join(max(notation.NOTE.findall(text), key=height)[:3])


def write_bar(bar, unit, group):
    """The signs of a bar, in groups of a beat; a shorter bar at a start ends on the beat."""
    upbeat = bar.opens and bar.length < bar.metre
    place = bar.metre - bar.length if upbeat else 0
    text, tuplet_left = "", 0
    for item in bar.items:
        if text and place % group == 0 and not tuplet_left:
            text += " "
        if item.kind == "tuplet":
            numbers = item.text[1:].split(":")
            tuplet_left = int(numbers[2]) if len(numbers) > 2 and numbers[2] else int(numbers[0])
            text += item.text
            continue
        tuplet_left = max(0, tuplet_left - 1)
        place += item.length
        text += "z" if item.kind == "rest" else highest_note(item.text)
        text += write_length(item.nominal, unit)
    return text


def place_repeats(bars):
    """(bars that a repeat starts at, bars that it ends at, starts that need no sign). A repeat goes
    back to the last edge of a section that is not an ending; where that is the start of the tune or
    the end of the repeat before, the sign '|:' says nothing new. Programs want it where endings
    follow."""
    starts, ends, plain, home = set(), set(), {0}, 0
    for i, bar in enumerate(bars):
        if i > 0 and (bar.opens or bars[i - 1].closes) and not bar.ending:
            home = i
            if i - 1 in ends:
                plain.add(i)
        if bar.repeat_end and home not in starts:
            starts.add(home)
            ends.add(i)
        if bar.ending and home > 0:
            plain.discard(home)
    return starts, ends, plain


def check_endings(bars, ends):
    """First and second endings come in pairs: '|1 ... :|2 ...'."""
    marked = [(i, bar.ending) for i, bar in enumerate(bars) if bar.ending]
    if [ending for _, ending in marked] != ["1", "2"] * (len(marked) // 2):
        raise Unusable("unusual endings")
    if any(i - 1 not in ends for i, ending in marked if ending == "2"):
        raise Unusable("unusual endings")


def write_body(bars, unit, group):
    starts, ends, plain = place_repeats(bars)
    check_endings(bars, ends)
    lines, line, full = [], "", 0
    for i, bar in enumerate(bars):
        after = bars[i + 1] if i + 1 < len(bars) else None
        ending = after.ending if after else ""
        line += "|: " if i in starts - plain else ""
        line += write_bar(bar, unit, group)
        full += bar.length == bar.metre
        section = bar.closes or (after and after.opens)
        if i in ends:
            line += " :|"
        elif section and not ending:
            line += " ||" if after else " |]"
        else:
            line += " |"
        if ending:
            line += ending + " "
        elif not after or section or full == BARS_A_LINE:
            lines.append(line)
            line, full = "", 0
        else:
            line += " "
    return "\n".join(lines)


def rewrite(tune):
    """The tune as text in the canonical form; changes `tune` on the way."""
    metre = re.sub(r"\s", "", tune.get("M")).replace("C|", "2/2").replace("C", "4/4")
    metre = "C|" if metre == "2/2" else metre
    key = notation.parse_key(tune.get("K"))
    if not key or notation.parse_metre(metre) is None:
        raise Unusable("no metre or no key")
    spell_out(tune.bars)
    lengths = collections.Counter(note.nominal for bar in tune.bars for note in bar.notes)
    below = max(UNITS, key=lambda below: (lengths[WHOLE // below], below == 8))
    body = write_body(tune.bars, WHOLE // below, beat_group(metre))
    title = clean_title(tune.get("T"))
    return f"X:1\nT:{title}\nM:{metre}\nL:1/{below}\nK:{key[0]}\n{body}\n"
