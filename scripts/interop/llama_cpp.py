"""llama.cpp reads the GGUF that Lathe writes: from a real model in F16, it splits texts into the same tokens, and its
perplexity is that of `lathe eval` within 0.1 %.

usage: python llama_cpp.py BUILD       in an empty folder (interop.sh calls it so)
"""
import json
import math
import shutil
import sys
import urllib.request

import xllamacpp
from support.real_models import MODELS, TEXTS, fetch, lathe_runner
from transformers import AutoTokenizer

lathe = lathe_runner(sys.argv[1])
TEXT = (
    "A tide pool is a small world that is made anew twice a day. When the sea draws back, what stays behind in the "
    "hollows of the rock has to live for six hours with the sun, the rain and the gulls. Anemones fold themselves up "
    "until they look like drops of jelly; limpets press their shells into rings that they have ground to fit, each its "
    "own; crabs wait beneath the weed. Nothing of this is rest. The water warms, its salt grows stronger as it dries "
    "away, and the oxygen that the weeds give off by day is used up at night. An animal that lives here must bear more "
    "in one afternoon than its cousins in deep water bear in a year. Then the first wave of the returning tide spills "
    "over the edge, cold and full of food, and within minutes the pool is open again."
)


class LlamaCpp:
    """A model as llama.cpp computes it, with keys and values in float32."""

    def __init__(self, path):
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx, params.n_parallel, params.warmup, params.swa_full = 1024, 1, False, True
        params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
        params.verbosity = 0
        self.server = xllamacpp.Server(params)

    def ask(self, place, **question):
        request = urllib.request.Request(f"{self.server.listening_address}/{place}", json.dumps(question).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def tokens(self, text):
        return self.ask("tokenize", content=text, add_special=False, parse_special=False)["tokens"]

    def loss(self, ids):
        """The mean loss of each token but the first: that token is forced, its probability is what it was before."""
        losses = []
        for end in range(1, len(ids)):
            answer = self.ask("completion", prompt=ids[:end], n_predict=1, n_probs=1, cache_prompt=True,
                              samplers=["temperature"], temperature=1.0, logit_bias=[[ids[end], 1e6]])
            [place] = answer["completion_probabilities"]
            assert place["id"] == ids[end], (place, ids[end])
            losses.append(-place["logprob"])
        return sum(losses) / len(losses)


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
    ids = [tokenizer.bos_token_id, *tokenizer(TEXT, add_special_tokens=False).input_ids, tokenizer.eos_token_id]
    expected = math.exp(theirs.loss(ids[: int(found["tokens"]) + 1]))
    off = found["perplexity"] / expected - 1
    print(f"{name}: the tokens of {len(TEXTS) + 1} texts are the same; perplexity over {found['tokens']:.0f} tokens "
          f"{found['perplexity']:.5f}, llama.cpp {expected:.5f}: {100 * off:+.4f} %")
    assert abs(off) < 1e-3
    shutil.rmtree(directory)


for model_name in MODELS:
    compare(model_name)
