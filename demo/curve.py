"""The learning curve of a run, as SVG and as plain text.

Both are drawn in bits per byte of the tunes' text, beside what xz needs. metrics.jsonl has training
loss in nats a token; the validations in it, which have both, say how many bits per byte that is.
"""

import json
import pathlib

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 20, 50
TRAIN, VALID, XZ = "#9db4c0", "#c1440e", "#555555"


def read_metrics(path):
    """(training points, validation points) as (step, bits per byte), from metrics.jsonl."""
    lines = [json.loads(line) for line in pathlib.Path(path).read_text().splitlines() if line]
    valid = [line for line in lines if line.get("eval_bits_per_byte") is not None]
    if not valid:
        return [], []
    ratio = valid[-1]["eval_bits_per_byte"] / valid[-1]["eval_loss"]
    return (
        [(line["step"], line["loss"] * ratio) for line in lines if "loss" in line],
        [(line["step"], line["eval_bits_per_byte"]) for line in valid],
    )


def bounds(train, valid, xz):
    """(largest x, smallest y, largest y) that show every validation and most of the training."""
    values = [y for _, y in valid] + [y for _, y in train[len(train) // 10 :]] + [xz]
    low, high = min(values), max(values)
    room = 0.08 * (high - low) or 0.1
    return max(x for x, _ in train + valid) or 1.0, low - room, high + room


def steps(low, high, most=6):
    """Round numbers between low and high."""
    size = 10.0 ** len(str(int(high - low)))
    while (high - low) / size < most / 2:
        size /= 2 if str(size).strip("0.")[:1] in "124" else 2.5
    first = int(low / size) + (low > 0)
    return [round(i * size, 6) for i in range(first, int(high / size) + 1)]


def svg(train, valid, xz):
    width, low, high = bounds(train, valid, xz)

    def place(x, y):
        y = min(max(y, low), high)
        return (
            f"{LEFT + (WIDTH - LEFT - RIGHT) * x / width:.1f},"
            f"{TOP + (HEIGHT - TOP - BOTTOM) * (high - y) / (high - low):.1f}"
        )

    def text(x, y, words, anchor="middle", colour="#333"):
        return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'

    def line(points, colour, thick, dashes=""):
        path = " ".join(place(*point) for point in points)
        dashes = f' stroke-dasharray="{dashes}"' if dashes else ""
        return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{thick}"{dashes}/>'

    parts = []
    for y in steps(low, high):
        parts.append(line([(0, y), (width, y)], "#e4e4e4", 1))
        parts.append(text(LEFT - 8, float(place(0, y).split(",")[1]) + 4, f"{y:g}", "end"))
    for x in steps(0, width):
        parts.append(text(float(place(x, low).split(",")[0]), HEIGHT - BOTTOM + 18, f"{x:g}"))
    parts.append(line([(0, xz), (width, xz)], XZ, 1.5, "6 4"))
    parts.append(line(train, TRAIN, 1.5))
    parts.append(line(valid, VALID, 2.5))
    for point in valid:
        x, y = place(*point).split(",")
        parts.append(f'<circle cx="{x}" cy="{y}" r="3.5" fill="{VALID}"/>')
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "steps"))
    names = [("training", TRAIN), ("validation", VALID), ("xz -9, given the training text", XZ)]
    for i, (name, colour) in enumerate(names):
        parts.append(text(WIDTH - RIGHT - 8, TOP + 16 + 18 * i, name, "end", colour))
    parts.append(text(LEFT, TOP - 6, "bits per byte", "start"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" font-family="sans-serif" font-size="13">\n' + "\n".join(parts) + "\n</svg>\n"
    )


def plain(train, valid, xz, columns=64, rows=12):
    """The same curve for a terminal: '.' training, 'o' validation, '-' xz."""
    width, low, high = bounds(train, valid, xz)
    grid = [[" "] * columns for _ in range(rows)]

    def put(x, y, sign):
        row = round((rows - 1) * (high - min(max(y, low), high)) / (high - low))
        grid[row][round((columns - 1) * x / width)] = sign

    for column in range(columns):
        put(width * column / (columns - 1), xz, "-")
    for x, y in train:
        put(x, y, ".")
    for x, y in valid:
        put(x, y, "o")
    lines = []
    for i, row in enumerate(grid):
        lines.append(f"  {high - (high - low) * i / (rows - 1):5.2f} |" + "".join(row).rstrip())
    lines.append("        +" + "-" * columns)
    lines.append(f"         0{'steps':^{columns - 8}}{width:6.0f}")
    lines.append("  bits per byte: . training   o validation   - xz -9 given the training text")
    return "\n".join(lines)
