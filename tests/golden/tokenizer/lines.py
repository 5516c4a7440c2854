"""Varied lines to encode: scripts, emoji, white space, control characters, code, numbers.

make_lines(count) is the same list everywhere; no two counts share more than a beginning.
"""

SCRIPTS = [
    "The quick brown fox's friends didn't jump; they've REALLY won't. I'll say “yes” — or no…",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich; naïve façade, œuvre, Ærø",
    "Быстрая коричневая лиса перепрыгивает через ленивую собаку, объём ёлки",
    "快速的棕色狐狸跳过懒狗。今天天气很好，我们去公园吧！「你好」",
    "素早い茶色の狐がのろまな犬を飛び越える。カタカナとひらがな、ｱｲｳ",
    "다람쥐 헌 쳇바퀴에 타고파 한글 자모 ᄒ\u1161\u11ab",
    "الثعلب البني السريع يقفز فوق الكلب الكسول، ١٢٣ لَا",
    "השועל החום המהיר קופץ מעל הכלב העצלן שָׁלוֹם",
    "तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है क्षत्रिय",
    "สุนัขจิ้งจอกสีน้ำตาลกระโดดข้ามสุนัขขี้เกียจ",
    "Η γρήγορη καφέ αλεπού πηδάει πάνω από το τεμπέλικο σκυλί ΐ",
    "Ծույլ շան վրայով ցատկում է արագ աղվեսը, საქართველო, አማርኛ, ᏣᎳᎩ, ཞབས་བཟོ",
    "🙂👍🏽👩‍👩‍👧‍👦🏳️‍🌈🇩🇪🇯🇵❤️‍🔥☕️1️⃣🧑🏿‍🚀 🎵♪𝄞",
    "e\u0301 o\u0308\u0304 a\u0323\u0302 Z\u0351\u036b\u0343a\u0321l\u0334g\u0335o \u1e9b\u0323 ﬁ ﬀ ① ㎏ Ⅳ ½ ｆｕｌｌ　ｗｉｄｔｈ",
    "def f(x: int) -> str:\n\tif x >= 10_000:\n\t\treturn f\"{x:>8.3f}\"\n    # naïve ☃\n",
    "#include <vector>\nfor (auto& [k, v] : map) { sum += v->x[i++] << 2; } // a::b::c\r\n",
    "<a href=\"https://example.org/a/b?c=1&d=%20e#f\">x &amp; y</a> user.name+tag@mail.example.co.uk",
    "SELECT * FROM t WHERE a='it''s' AND b IN (1,2,3); {\"key\": [null, true, -1.5e-10]}",
    "X:1\nT:The Kesh\nM:6/8\nK:G\n|:G3 GAB|A3 ABd|edd gdd|edB dBA:|",
    "<|endoftext|> <s>x</s> <unk> [CLS] [MASK] <pad> <0x41> ▁ ▁▁ ## ##ing Ġ Ċ <|im_start|>",
]  # fmt: skip
PIECES = [
    " ", "  ", "   ", "\t", "\t\t", "\n", "\n\n", "\r\n", " \n ", "\u00a0", "\u2003", "\u3000",
    "\u200b", "\u200d", "\ufeff", "\u2028", "\u0085", "\u202e", "\x00", "\x01", "\x07", "\x1b[0m",
    "\x7f", "\ufffd", "\U0010ffff", "\ue000", "\u00ad", "0", "7", "42", "123", "1234", "12345",
    "3.14159", "1,000,000", "0x1F", "1e-9", "٣٤", "²³", "'", "''", "'s", "'S", "'LL", "n't", ".",
    "...", "!?", "—", "_", "__init__", "-", "--", "//", "/*", "*/", "=>", "===", "(", ")", "[0]",
    "{}", "a", "b", "A", "the", "and", " of", "ing", "ing ", "ß", "ẞ", "İ", "ı", "ǅ", "ﬃ", "你",
    "好", "のだ", "한", "\u0301", "\u0308", "\U0001f600", "\U0001f3fd", "\ufe0f",
]  # fmt: skip


class Draw:
    """A generator of 64 bits that does not depend on the version of Python."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % n

    def choice(self, items):
        return items[self.below(len(items))]


def make_line(draw):
    kind = draw.below(8)
    if kind == 0:
        return draw.choice(SCRIPTS)
    if kind == 1:  # words of one script in another order
        words = draw.choice(SCRIPTS).split(" ")
        return " ".join(draw.choice(words) for _ in range(1 + draw.below(12)))
    if kind == 2:  # parts of several scripts, cut anywhere
        parts = []
        for _ in range(1 + draw.below(4)):
            text = draw.choice(SCRIPTS)
            begin = draw.below(len(text))
            parts.append(text[begin : begin + 1 + draw.below(20)])
        return draw.choice(["", " ", "\n"]).join(parts)
    if kind == 3:
        return "".join(draw.choice(PIECES) for _ in range(draw.below(30)))
    if kind == 4:  # one piece many times
        return draw.choice(PIECES) * (1 + draw.below(40)) + draw.choice(PIECES)
    if kind == 5:
        digits = "".join(str(draw.below(10)) for _ in range(1 + draw.below(30)))
        return draw.choice(["", " ", "$", "-", "№ "]) + digits + draw.choice(["", "%", ".5", " km"])
    if kind == 6:  # any characters, surrogates left out
        points = (draw.choice([0x80, 0x800, 0x3000, 0x10000, 0x110000]) for _ in range(12))
        points = (draw.below(limit) for limit in points)
        return "".join(chr(p) for p in points if not 0xD800 <= p < 0xE000)
    words = SCRIPTS[0].split(" ") + SCRIPTS[1].split(" ")
    return "".join(draw.choice(words) + draw.choice(PIECES) for _ in range(1 + draw.below(15)))


def make_lines(count, seed=20250101):
    draw = Draw(seed)
    return [""] + SCRIPTS + [make_line(draw) for _ in range(count - len(SCRIPTS) - 1)]
