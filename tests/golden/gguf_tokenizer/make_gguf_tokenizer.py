"""Writes the golden files of this folder.

    python make_gguf_tokenizer.py        # versions used: see versions.json

bpe.gguf      a byte-level BPE tokenizer, written by ggml's gguf package; its tokenizer.ggml.pre is
              to be replaced by each of those in golden.json
llama.gguf    a SentencePiece BPE tokenizer with a space before each text, as Llama 2 has it
gemma.gguf    one without, with runs of spaces and newlines that users defined, as Gemma has it
golden.json   lines, and their ids: by tokenizers with the steps of the models' own tokenizer.json,
              and by sentencepiece
"""

import importlib.metadata
import io
import json
import pathlib
import platform
import sys

import gguf
import sentencepiece
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "tokenizer"))
from lines import make_lines  # noqa: E402

TEMPLATE = "{% for m in messages %}<|user|>{{ m['content'] }}{% endfor %}"
byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)


def split(pattern):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])  # fmt: skip


LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
TEKKEN = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
GPT4O = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
PRE = {  # pre-tokenizer, normalizer, ignore_merges
    "gpt-2": (byte_level, None, False),
    "olmo": (byte_level, normalizers.NFC(), False),
    "smollm": (pre_tokenizers.Sequence([pre_tokenizers.Digits(True), byte_level]), None, False),
    "llama-bpe": (split(LLAMA3), None, True),
    "dbrx": (split(LLAMA3), None, False),
    "qwen2": (split(QWEN2), normalizers.NFC(), False),
    "tekken": (split(TEKKEN), None, True),
    "gpt-4o": (split(GPT4O), None, False),
}
SPECIAL, DEFINED = ["<|endoftext|>", "<|user|>"], ["<tool>"]


def write_vocabulary(name, model, pre, tokens, types, *, scores=None, merges=None, bos, **flags):
    writer = gguf.GGUFWriter(here / name, "llama")
    writer.add_context_length(512)
    writer.add_tokenizer_model(model)
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    if scores is not None:
        writer.add_token_scores(scores)
    if merges is not None:
        writer.add_token_merges(merges)
    writer.add_bos_token_id(bos)
    writer.add_eos_token_id(flags.pop("eos"))
    for key, value in flags.items():
        getattr(writer, f"add_{key}")(value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def make_bpe(lines):
    """Ids of the lines by each pre-tokenizer, with the same vocabulary."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = split(r"\s?\S+|\s+")  # so that some merges cross borders of others
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=SPECIAL + DEFINED, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    tokenizer.train_from_iterator(make_lines(900)[300:], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    # A token that its merges do not make, for ignore_merges.
    tokens.append("Ġbrown")
    model["vocab"]["Ġbrown"] = len(tokens) - 1
    tokens.append(f"[PAD{len(tokens)}]")
    types = [3 if t in SPECIAL else 4 if t in DEFINED else 5 if t.startswith("[PAD") else 1 for t in tokens]
    write_vocabulary(
        "bpe.gguf", "gpt2", "gpt-2", tokens, types, merges=[" ".join(m) for m in model["merges"]],
        bos=0, eos=0, add_bos_token=False, chat_template=TEMPLATE,
    )  # fmt: skip
    ids = {}
    for name, (pre, normalizer, ignore) in PRE.items():
        merges = [tuple(m) for m in model["merges"]]
        made = Tokenizer(models.BPE(model["vocab"], merges, ignore_merges=ignore))
        made.pre_tokenizer, made.decoder = pre, decoders.ByteLevel()
        if normalizer:
            made.normalizer = normalizer
        made.add_special_tokens(SPECIAL)
        made.add_tokens(DEFINED)
        ids[name] = [made.encode(line).ids for line in lines]
    return ids


def make_sentencepiece(name, lines, *, prefix, defined):
    buffer = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([x for x in make_lines(900)[300:] if "\0" not in x]),
        model_writer=buffer, model_type="bpe", vocab_size=1100, byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False,
        add_dummy_prefix=prefix, user_defined_symbols=defined, character_coverage=0.98,
        minloglevel=2,
    )  # fmt: skip
    model = sentencepiece.SentencePieceProcessor(model_proto=buffer.getvalue())
    size = model.GetPieceSize()
    tokens = [model.IdToPiece(i) for i in range(size)]
    types = [
        2 if model.IsUnknown(i) else 3 if model.IsControl(i) else 6 if model.IsByte(i)
        else 4 if tokens[i] in defined else 1 for i in range(size)
    ]  # fmt: skip
    write_vocabulary(
        f"{name}.gguf", "llama", "default",
        [t.replace("▁", " ") if kind == 4 else t for t, kind in zip(tokens, types)], types,
        scores=[model.GetScore(i) if kind != 4 else -1000.0 for i, kind in enumerate(types)],
        bos=1, eos=2, unk_token_id=0, add_space_prefix=prefix,
    )  # fmt: skip
    return [[1, *model.EncodeAsIds(line)] for line in lines]


def main():
    # What looks like a special token is one in a text for tokenizers, and is not for sentencepiece;
    # and sentencepiece keeps U+2581 apart from spaces.
    unlike = ["\0", "▁", "<s>", "</s>", "<unk>"]
    lines = [x for x in make_lines(80) if not any(text in x for text in unlike)]
    lines += ["", " ", "  two", "a<tool>b <|user|> c", "x = 12345 + 678.90", "\n\n\n \n", "it's IT'S"]
    golden = {"lines": lines, "bpe": make_bpe(lines), "template": TEMPLATE}
    golden["llama"] = make_sentencepiece("llama", lines, prefix=True, defined=[])
    runs = ["▁" * n for n in range(2, 9)] + ["\n" * n for n in range(1, 4)] + ["<b>"]
    golden["gemma"] = make_sentencepiece("gemma", lines, prefix=False, defined=runs)
    (here / "golden.json").write_text(json.dumps(golden, ensure_ascii=False) + "\n", encoding="utf-8")
    versions = {"python": platform.python_version()}
    versions |= {n: importlib.metadata.version(n) for n in ("gguf", "sentencepiece", "tokenizers")}
    (here / "versions.json").write_text(json.dumps(versions, indent=1) + "\n")


main()
