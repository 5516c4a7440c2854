"""A model in llama.cpp, and a text that no model has seen."""
import json
import urllib.request

import xllamacpp

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

    def __init__(self, path, adapter=None):
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx, params.n_parallel, params.warmup, params.swa_full = 1024, 1, False, True
        params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
        params.verbosity = 0
        if adapter:
            lora = xllamacpp.CommonAdapterLoraInfo()
            lora.path, lora.scale = str(adapter), 1.0
            params.lora_adapters = [lora]
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
