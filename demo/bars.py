"""Two questions about a tune that notation.py has read: which of its bars are as long as its metre,
and which four-bar windows it has, for finding them again in other tunes."""


def bars_that_fit(tune):
    """One True or False for each bar of a tune whose metre is not free.

    A bar fits when it is as long as its metre. A shorter bar at the edge of a section fits when,
    together with the shorter bar on the other side of that edge, it makes one full bar. The other
    side of a section's end is the next section's start, the start it repeats from, its own start or
    the tune's start.
    """
    bars = [bar for bar in tune.bars if bar.metre is not None and bar.length]
    lengths = [bar.length for bar in bars]
    starts = [i for i, bar in enumerate(bars) if i == 0 or bar.opens or bars[i - 1].closes]
    fits = [bar.length == bar.metre for bar in bars]
    home = 0
    for section, start in enumerate(starts):
        end = starts[section + 1] if section + 1 < len(starts) else len(bars)
        if not bars[start].ending:
            home = start
        last = end - 1
        for first in {end if end < len(bars) else 0, home, start, 0}:
            if first != last and lengths[first] + lengths[last] == bars[last].metre:
                fits[last] = fits[first] = True
    return fits


def windows(tune, size=4):
    """The `size`-bar windows of a tune, in a form that does not depend on the key it is in: each
    note's distance in semitones from the window's first note, and its length."""
    bars = [[(note.pitch, str(note.length)) for note in bar.notes] for bar in tune.bars]
    bars = [bar for bar in bars if bar]
    found = []
    for start in range(len(bars) - size + 1):
        notes = [note for bar in bars[start : start + size] for note in bar]
        base = next((pitch for pitch, _ in notes if pitch is not None), None)
        if base is not None:
            found.append(" ".join(
                f"{'z' if pitch is None else pitch - base}:{length}" for pitch, length in notes))
    return found
