"""Writes the seeds of the fuzzers into corpus/: small files of each kind, right and wrong.

    python tests/fuzz/make_corpus.py

What the fuzzers found is there besides, in files named found-*.
"""

import json
import pathlib
import struct

CORPUS = pathlib.Path(__file__).parent / "corpus"


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


SAFETENSORS = {
    "one": safetensors({"w": tensor("F32", [2, 2], 0, 16)}, bytes(16)),
    "two": safetensors({"__metadata__": {"format": "pt"}, "a": tensor("BF16", [3], 0, 6),
                        "b.c": tensor("I64", [], 6, 14)}, bytes(14)),
    "none": safetensors({}),
    "padded": safetensors(b'  {"w": {"dtype":"U8","shape":[0,4],"data_offsets":[0,0]}}   '),
    "overlap": safetensors({"a": tensor("F32", [1], 0, 4), "b": tensor("F32", [1], 2, 6)}, bytes(6)),
    "huge": safetensors({"w": tensor("F64", [2**40, 2**40], 0, 2**63)}),
    "long": struct.pack("<Q", 2**63) + b"{}",
    "short": b"\x02\0\0",
}  # fmt: skip

JSON = {
    "object": b'{"a": [1, -2.5e3, true, false, null, "\\u00e9\\ud83d\\ude00\\n"], "b": {}}',
    "number": b"18446744073709551616",
    "deep": b"[" * 200,
    "twice": b'{"a": 1, "a": 2}',
    "escape": b'"\\ud800"',
    "utf8": b'"\xff"',
    "empty": b"",
}

INDEX = {
    "right": b'{"metadata": {"total_size": 16}, "weight_map": {"w": "shard.safetensors"}}',
    "outside": b'{"weight_map": {"w": "../shard.safetensors"}}',
    "device": b'{"weight_map": {"w": "/dev/zero"}}',
    "missing": b'{"weight_map": {"v": "shard.safetensors"}}',
    "list": b'{"weight_map": ["w"]}',
}

ROWS = {
    "lines": b'{"text": "a"}\n\n{"text": "b", "n": 1}\r\n{"messages": [{"role": "user"}]}',
    "array": b'[{"text": "a"}, {"text": [1, {"b": null}]}]',
    "mark": b'\xef\xbb\xbf{"text": "a"}\n',
    "no-object": b'{"a": 1}\n[1]\n',
    "cut": b'{"a": 1}\n{"a": ',
}

BPE = {
    "version": "1.0",
    "added_tokens": [{"id": 6, "content": "<s>", "single_word": False, "lstrip": False,
                      "rstrip": False, "normalized": False, "special": True}],
    "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Lowercase"}]},
    "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "\\w+|\\s+"}, "behavior": "Isolated",
                      "invert": False},
    "post_processor": {"type": "TemplateProcessing", "single": [
        {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [6], "tokens": ["<s>"]}}},
    "decoder": {"type": "Replace", "pattern": {"String": "_"}, "content": " "},
    "model": {"type": "BPE", "unk_token": "u", "vocab": {"a": 0, "b": 1, "ab": 2, "l": 3, "o": 4,
                                                         "u": 5}, "merges": [["a", "b"]]},
}  # fmt: skip
WORD = {"type": "WordLevel", "vocab": {"hello": 0, "[UNK]": 1}, "unk_token": "[UNK]"}
PIECE = {"type": "WordPiece", "vocab": {"h": 0, "##e": 1, "[UNK]": 2}, "unk_token": "[UNK]",
         "continuing_subword_prefix": "##", "max_input_chars_per_word": 9}  # fmt: skip
UNIGRAM = {"type": "Unigram", "unk_id": 0, "vocab": [["u", 0.0], ["a", -1.5], ["▁", -2.0]],
           "byte_fallback": False}  # fmt: skip
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}

TOKENIZER = {
    "bpe": json.dumps(BPE).encode(),
    "bytes": json.dumps({**BPE, "pre_tokenizer": BYTES, "decoder": BYTES}).encode(),
    "word": json.dumps({"model": WORD, "pre_tokenizer": {"type": "Whitespace"}}).encode(),
    "piece": json.dumps({"model": PIECE, "pre_tokenizer": {"type": "BertPreTokenizer"}}).encode(),
    "unigram": json.dumps({"model": UNIGRAM, "pre_tokenizer": {
        "type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}}).encode(),
    "backtracks": json.dumps({**BPE, "pre_tokenizer": {
        **BPE["pre_tokenizer"], "pattern": {"Regex": "(a+)+$"}}}).encode(),
}  # fmt: skip

CHAT_TEMPLATE = {
    "turns": b"""{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>
{{ m.content | trim }}{% if not loop.last %},{% endif %}{% endfor %}
-----
[{"role": "user", "content": " Hi "}, {"role": "assistant", "content": "\\u00e9"}]""",
    "marks": b"""{%- set ns = namespace(n=0) -%}
{%- for m in messages if m.role is defined -%}
  {%- generation %}{{ m.content.split('</think>')[-1].lstrip('\\n') ~ ns.n }}{% endgeneration -%}
  {%- set ns.n = ns.n + 1 %}{% if ns.n > 2 %}{% break %}{% endif -%}
{%- endfor -%}
-----
[{"role": "assistant", "content": "<think>x</think>\\n\\ny"}]""",
    "macros": b"""{% macro t(s, d=0) -%}
{% if s is mapping %}{% for k, v in s | dictsort %}{{ k }}: {{ t(v, d + 1) }};{% endfor %}
{%- else %}{{ s | tojson(indent=2) | indent(d) }}{% endif %}{%- endmacro %}
{{ t(tools[0]) }}{% call(x) t2() %}{{ x }}{% endcall %}{% macro t2() %}{{ caller(1) }}{% endmacro %}""",
    "filters": b"""{{ [3, 1, 2] | sort(reverse=true) | map('string') | join('-') | upper }}
{{ messages | selectattr('role', 'equalto', 'user') | list | length }}{{ (1, 2.5, none)[::-1] }}
{{ '%5.2f|%-4s' % (1.005, 'a') }}{{ '{:>8,}|{!r}'.format(1234567, 'x') }}{{ 7 // -2 ~ 2 ** 10 }}
{% filter title %}a b{% endfilter %}{% raw %}{{{% endraw %}{#- c -#}{{ strftime_now('%d %b %Y') }}
{% set x %}{{ 'a' if tools else 'b' }}{% endset %}{{ x[0:1] | default('z', true) | batch(2) | list }}
{{ {'a': [1, {'b': 'c\\u00e9'}]} | tojson }}{{ 'abc'.rsplit('b', 1) }}{{ range(3, 0, -1) | list }}""",
    "recursion": b"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "loops": b"{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
    "text": b"{{ '-' * 10**10 }}",
    "range": b"{% for i in range(10**9) %}{% endfor %}",
    "cycle": b"{% set n = namespace() %}{% set n.x = [n] %}{{ n.x }}",
    "twins": b"{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}"
             b"{% endfor %}{{ n.x }}",
    "recursive": b"{% for i in [1, [2, 3]] recursive %}{{ loop(i) if i is iterable else i }}{% endfor %}",
}  # fmt: skip


def string(text):
    return struct.pack("<Q", len(text)) + text


def gguf(entries=(), tensors=(), data=b"", version=3):
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(entries))
    for key, kind, value in entries:
        out += string(key) + struct.pack("<I", kind) + value
    offset = 0
    for name, shape, kind, size in tensors:
        out += string(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        out += struct.pack("<IQ", kind, offset)
        offset += -(-size // 32) * 32
    return out + bytes(-len(out) % 32) + data


def strings(*texts):
    return struct.pack("<IQ", 8, len(texts)) + b"".join(map(string, texts))


VOCABULARY = [
    (b"general.architecture", 8, string(b"llama")),
    (b"general.alignment", 4, struct.pack("<I", 32)),
    (b"tokenizer.ggml.model", 8, string(b"gpt2")),
    (b"tokenizer.ggml.pre", 8, string(b"default")),
    (b"tokenizer.ggml.tokens", 9, strings(b"a", b"b", b"ab", b"<s>")),
    (b"tokenizer.ggml.token_type", 9, struct.pack("<IQ4i", 5, 4, 1, 1, 1, 3)),
    (b"tokenizer.ggml.merges", 9, strings(b"a b")),
    (b"tokenizer.ggml.bos_token_id", 4, struct.pack("<I", 3)),
    (b"tokenizer.ggml.add_bos_token", 7, b"\1"),
    (b"tokenizer.chat_template", 8, string(b"{{ messages }}")),
]
PIECES = [
    (b"tokenizer.ggml.model", 8, string(b"llama")),
    (b"tokenizer.ggml.tokens", 9, strings(b"<unk>", b"a", b"b", b"ab")),
    (b"tokenizer.ggml.scores", 9, struct.pack("<IQ4f", 6, 4, 0, -1, -2, -3)),
    (b"tokenizer.ggml.token_type", 9, struct.pack("<IQ4i", 5, 4, 2, 1, 1, 1)),
]
GGUF = {
    "tokens": gguf(VOCABULARY, [(b"w", (32, 2), 8, 68), (b"b", (2,), 0, 8)], bytes(96 + 32)),
    "pieces": gguf(PIECES),
    "blocks": gguf([], [(b"q4_k", (256, 1), 12, 144), (b"q6_k", (256,), 14, 210)], bytes(160 + 224)),
    "version-2": gguf([(b"k", 10, struct.pack("<Q", 7))], version=2),
    "nested": gguf([(b"k", 9, struct.pack("<IQ", 9, 1) + struct.pack("<IQ", 4, 0))]),
    "endless": gguf([(b"k", 9, struct.pack("<IQ", 0, 2**63))]),
    "alignment": gguf([(b"general.alignment", 4, struct.pack("<I", 2**31))]),
    "magic": b"GGML" + bytes(40),
}

SEEDS = {
    "safetensors": SAFETENSORS,
    "json": JSON,
    "shard_index": INDEX,
    "rows": ROWS,
    "tokenizer": TOKENIZER,
    "chat_template": CHAT_TEMPLATE,
    "gguf": GGUF,
}

for target, seeds in SEEDS.items():
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in seeds.items():
        (folder / name).write_bytes(content)
