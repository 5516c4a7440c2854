"""Reads tunes in ABC notation: the notes with their lengths and pitches, bar by bar.

Covers what folk tunes use of the ABC 2.1 standard (abcnotation.com): note lengths, broken rhythm,
tuplets, chords, rests, repeats and endings, key signatures, changes of metre, unit and key.
Lengths count ticks, WHOLE of them to a whole note: enough that notes down to 1/128 and tuplets of
3, 5, 6, 7 and 9 are exact. Pitches are MIDI numbers (middle C is 60).
"""

import functools
import re
from dataclasses import dataclass, field
from fractions import Fraction

WHOLE = 128 * 3 * 3 * 5 * 7
LENGTH = r"(?:\d{0,4}/\d{1,4}|\d{0,4}/{1,4}|\d{1,4})?"
TOKEN = re.compile(
    rf"""
    (?P<text>"[^"\n]*") | (?P<grace>\{{[^}}\n]*\}}) | (?P<field>\[[A-Za-z]:[^\]\n]*\]) |
    (?P<tuplet>\(\d(?::\d{{0,2}}){{0,2}}) |
    (?P<chord>\[(?:(?:\^\^|__|[\^_=])?[A-Ga-g][,']*{LENGTH}-?\s*)+\]{LENGTH}) |
    (?P<bar>:*\|[|:\]]*|::+|\[\|[|:]*) (?P<ending>[ ]*\[?\d(?:[,-]\d)*)? |
    (?P<volta>\[\d(?:[,-]\d)*) |
    (?P<note>(?:\^\^|__|[\^_=])?[A-Ga-g][,']*{LENGTH}) | (?P<rest>[zxZ]{LENGTH}) |
    (?P<broken>>+|<+) | (?P<tie>-) | (?P<newline>\n) |
    (?P<mark>![^!\n]*!|[~.HLMOPSTuvJRkK])  | (?P<space>[\s`()*]|y\d*) | (?P<bad>.)
    """,
    re.VERBOSE,
)
NOTE = re.compile(rf"(\^\^|__|[\^_=])?([A-Ga-g])([,']*)({LENGTH})")
ACCIDENTAL = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
SEMITONE = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHARPS_OF_TONIC = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}
SHARPS_OF_MODE = {"": 0, "maj": 0, "ion": 0, "mix": -1, "dor": -2, "m": -3, "min": -3, "aeo": -3,
                  "phr": -4, "loc": -5, "lyd": 1}  # fmt: skip
KEY = re.compile(r"([A-G])([#b]?)\s*((?i:maj|ion|mix|dor|min|aeo|phr|loc|lyd)|m)?")


@dataclass
class Item:
    """One sign of a tune's body. `nominal` is the written length, `length` the sounding one."""

    kind: str  # note, rest, chord, tuplet, broken, tie
    text: str
    nominal: int = 0
    length: int = 0
    pitch: int | None = None  # of the highest note; None for a rest
    in_tuplet: bool = False


@dataclass
class Bar:
    items: list = field(default_factory=list)
    metre: int | None = None  # length of a full bar; None: free
    opens: bool = False  # a section (repeat, double bar, ending) starts here
    closes: bool = False
    repeat_start: bool = False
    repeat_end: bool = False
    ending: str = ""

    @property
    def notes(self):
        """Notes, chords and rests, in order."""
        return [item for item in self.items if item.kind in ("note", "rest", "chord")]

    @property
    def length(self):
        return sum(item.length for item in self.items)


@dataclass
class Tune:
    fields: list = field(default_factory=list)  # of the header: (letter, value)
    bars: list = field(default_factory=list)
    problems: list = field(default_factory=list)  # what could not be read
    changes: set = field(default_factory=set)  # fields that change in the body

    def get(self, letter, default=""):
        return next((value for key, value in self.fields if key == letter), default)


@functools.lru_cache(4096)
def parse_length(text):
    """The multiplier after a note: '' is 1, '3' is 3, '/' is 1/2, '//' is 1/4, '3/2' is 3/2."""
    if "/" not in text:
        return Fraction(int(text or 1))
    above, below = text.split("/", 1)
    slashes = below.count("/") + 1
    divisor = int(below) if below.isdigit() else 2**slashes
    return Fraction(int(above or 1), divisor) if divisor else Fraction(0)


def parse_metre(text):
    """Length of a bar in ticks; None where the metre is free or unreadable."""
    text = text.strip()
    if text in ("C", "C|"):
        return WHOLE
    found = re.fullmatch(r"(\d{1,3})\s*/\s*(\d{1,3})", text)
    if not found or not int(found[1]) or not int(found[2]):
        return None
    length = Fraction(int(found[1]), int(found[2])) * WHOLE
    return int(length) if length.denominator == 1 else None


def parse_key(text):
    """(name, sharps) of a key such as 'Bb', 'E Minor', 'Ador'; None where it is none of these."""
    found = KEY.match(text.strip())
    if not found or text.strip() in ("Hp", "HP"):
        return None
    tonic, sign, mode = found[1], found[2], (found[3] or "").lower()
    mode = {"maj": "", "ion": "", "min": "m", "aeo": "m"}.get(mode, mode)
    sharps = SHARPS_OF_TONIC[tonic] + {"#": 7, "b": -7, "": 0}[sign] + SHARPS_OF_MODE[mode]
    return (tonic + sign + mode, sharps) if -7 <= sharps <= 7 else None


def signature(sharps):
    """Alteration of each letter in a key with that many sharps (negative: flats)."""
    order = "FCGDAEB"
    letters = order[:sharps] if sharps >= 0 else order[sharps:]
    return {letter: (1 if sharps > 0 else -1) for letter in letters}


class Reader:
    """State while the signs of a body are read from left to right."""

    def __init__(self, tune):
        self.tune = tune
        self.metre = parse_metre(tune.get("M", "C"))
        self.compound = False
        short = self.metre is not None and self.metre < 3 * WHOLE // 4
        self.unit = WHOLE // 16 if short else WHOLE // 8
        self.key = {}
        self.bar = Bar(metre=self.metre, opens=True)
        self.altered = {}  # accidentals that hold until the bar line
        self.tuplet = (0, Fraction(1))  # notes left, factor
        self.broken = None
        for letter, value in tune.fields:
            self.set_field(letter, value)

    def set_field(self, letter, value):
        if letter == "M":
            self.metre = parse_metre(value)
            self.bar.metre = self.metre
            self.compound = bool(re.match(r"\s*(6|9|12)\s*/", value))
        elif letter == "L":
            found = re.match(r"\s*1\s*/\s*(\d{1,3})\b", value)
            below = int(found[1]) if found else int(value.strip() == "1")
            if below in (1, 2, 4, 8, 16, 32, 64, 128):
                self.unit = WHOLE // below
            else:
                self.tune.problems.append(f"L:{value}")
        elif letter == "K":
            key = parse_key(value)
            if key:
                self.key = signature(key[1])
            elif value.strip().lower() not in ("none", ""):
                self.tune.problems.append(f"K:{value}")

    def pitch(self, accidental, letter, octave):
        name = letter.upper()
        place = (name, letter.islower(), octave)
        if accidental:
            self.altered[place] = ACCIDENTAL[accidental]
        change = self.altered.get(place, self.key.get(name, 0))
        octaves = 5 + letter.islower() + octave.count("'") - octave.count(",")
        return 12 * octaves + SEMITONE[name] + change

    def scaled(self, length, factor):
        """length * factor in whole ticks; a length finer than a tick is a problem of the tune."""
        ticks, rest = divmod(length * factor.numerator, factor.denominator)
        if rest:
            self.tune.problems.append(f"length {factor} of {length} ticks")
        return ticks

    def add(self, kind, text, nominal, pitch):
        length = nominal
        left, factor = self.tuplet
        if left:
            length = self.scaled(length, factor)
            self.tuplet = (left - 1, factor)
        if self.broken:
            before, sign = self.broken
            short = Fraction(1, 2 ** len(sign))
            first, second = (2 - short, short) if sign[0] == ">" else (short, 2 - short)
            before.length = self.scaled(before.length, first)
            length = self.scaled(length, second)
            self.broken = None
        self.bar.items.append(Item(kind, text, nominal, length, pitch, left > 0))

    def timed(self, kind, text):
        if kind == "rest":
            unit = (self.metre or WHOLE) if text[0] == "Z" else self.unit
            return self.add(kind, text, self.scaled(unit, parse_length(text[1:])), None)
        inside, _, outer = text[1:].rpartition("]") if kind == "chord" else (text, "", "")
        parts = NOTE.findall(inside)
        pitch = max(self.pitch(*part[:3]) for part in parts)
        multiplier = parse_length(parts[0][3])
        multiplier = multiplier * parse_length(outer) if outer else multiplier
        self.add(kind, text, self.scaled(self.unit, multiplier), pitch)

    def start_tuplet(self, text):
        numbers = [int(part) if part else 0 for part in text[1:].split(":")]
        p, q, r = (numbers + [0, 0])[:3]
        usual = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}.get(p, 3 if self.compound else 2)
        if p < 2 or self.tuplet[0]:
            return self.tune.problems.append(f"tuplet {text}")
        self.tuplet = (r or p, Fraction(q or usual, p))
        self.bar.items.append(Item("tuplet", text))

    def bar_line(self, text, ending=""):
        """Closes the bar and opens the next; a second line in a row adds to the first."""
        repeat_end, repeat_start = text.startswith(":"), text.endswith(":")
        section = repeat_end or repeat_start or "||" in text or "[" in text or "]" in text
        section = section or bool(ending)
        if self.bar.items:
            self.tune.bars.append(self.bar)
            self.bar = Bar(metre=self.metre)
        if self.tune.bars:
            self.tune.bars[-1].closes |= section
            self.tune.bars[-1].repeat_end |= repeat_end
        self.bar.opens |= section
        self.bar.repeat_start |= repeat_start
        self.bar.ending = ending.strip(" [") or self.bar.ending
        self.altered = {}

    def read(self, body):
        for found in TOKEN.finditer(body):
            kind, text = found.lastgroup, found[0]
            if found["bar"] is not None:
                self.bar_line(found["bar"], found["ending"] or "")
            elif kind == "volta":
                self.bar_line("", text)
            elif kind in ("note", "rest", "chord"):
                self.timed(kind, text)
            elif kind == "tuplet":
                self.start_tuplet(text)
            elif kind in ("broken", "tie"):
                notes = self.bar.notes
                if not notes:
                    self.tune.problems.append(f"{text!r} without a note before it")
                    continue
                self.bar.items.append(Item(kind, text))
                if kind == "broken":
                    self.broken = (notes[-1], text)
            elif kind == "field":
                self.change(text[1], text[3:-1])
            elif kind == "newline" and self.metre and self.bar.length == self.metre:
                self.bar_line("")  # a line that ends with a full bar may leave out the bar line
            elif kind == "bad":
                self.tune.problems.append(f"sign {text!r}")
        if self.broken:
            self.tune.problems.append("broken rhythm without a second note")
        if self.bar.items:
            self.tune.bars.append(self.bar)
        if self.tune.bars:
            self.tune.bars[-1].closes = True

    def change(self, letter, value):
        if letter in "MLKV":
            self.tune.changes.add(letter)
        self.set_field(letter, value)


def parse(text):
    """The tune in `text`: a header up to its K: line, then the body."""
    tune, body, header = Tune(), [], True
    for line in text.splitlines():
        line = re.sub(r"(?<!\\)%.*", "", line).rstrip()
        found = re.match(r"([A-Za-z]):(?![|:])(.*)", line)
        if header and found:
            tune.fields.append((found[1], found[2].strip()))
            header = found[1] != "K"
        elif found and found[1] in "MLKV":
            body.append(f"[{found[1]}:{found[2].strip()}]")
        elif line and not found and not header:
            body.append(line.rstrip("\\") + ("" if line.endswith("\\") else "\n"))
        elif line and header:
            tune.problems.append("text before K:")
    Reader(tune).read("".join(body))
    return tune
