"""llama.cpp reads the GGUF that Lathe writes: from a real model in F16, it splits texts into the same tokens, and its
perplexity is that of `lathe eval` within 0.1 %.

usage: python llama_cpp.py BUILD       in an empty folder (interop.sh calls it so)
"""
import json
import math
import shutil
import sys

from support.llama_cpp import TEXT, LlamaCpp
from support.real_models import MODELS, TEXTS, fetch, lathe_runner
from transformers import AutoTokenizer

lathe = lathe_runner(sys.argv[1])


def compare(name):
    source = fetch(name)
    directory, written = source.with_suffix(""), source.with_suffix(".F16.gguf")
    lathe("convert", source, directory, "--dtype", "float16")
    lathe("convert", directory, written, "--quant", "F16")
    tokenizer = AutoTokenizer.from_pretrained(directory)
    theirs = LlamaCpp(written)
    for text in [*TEXTS, TEXT]:
        ours = tokenizer(text, add_special_tokens=False).input_ids
        assert theirs.tokens(text) == ours, (text, ours, theirs.tokens(text))

    found = json.loads(lathe("eval", "--model", written, "--dtype", "float32", "--text", TEXT, "--json"))
    expected = math.exp(theirs.loss(tokenizer(TEXT).input_ids[: int(found["tokens"]) + 1]))
    off = found["perplexity"] / expected - 1
    print(f"{name}: the tokens of {len(TEXTS) + 1} texts are the same; perplexity over {found['tokens']:.0f} tokens "
          f"{found['perplexity']:.5f}, llama.cpp {expected:.5f}: {100 * off:+.4f} %")
    assert abs(off) < 1e-3
    shutil.rmtree(directory)


for model_name in MODELS:
    compare(model_name)
