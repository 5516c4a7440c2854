"""Writes the golden files of this folder.

    python make_gguf_models.py LLAMA_CPP        # a checkout of llama.cpp; versions: see versions.json

NAME.gguf            a tiny random model of each architecture, written by llama.cpp's converter in
                     F16 and without a tokenizer
logits.safetensors   `ids`, and for each model the logits that transformers computes from the
                     weights as they were before
"""

import importlib.metadata
import json
import pathlib
import re
import sys
import tempfile

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

here = pathlib.Path(__file__).parent
checkout = pathlib.Path(sys.argv[1])
sys.path[:0] = [str(checkout / "gguf-py"), str(checkout)]
import gguf  # noqa: E402
from conversion import ModelBase, get_model_class  # noqa: E402

SIZES = {
    "vocab_size": 61, "hidden_size": 24, "intermediate_size": 36, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 64,
    "tie_word_embeddings": False,
}  # fmt: skip
PLAIN = {"rope_type": "default", "rope_theta": 1000.0}
MODELS = {
    "llama": SIZES | {"rope_parameters": {
        "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}},
    "mistral": SIZES | {"sliding_window": None, "rope_parameters": PLAIN},
    "mixtral": SIZES | {"num_local_experts": 3, "num_experts_per_tok": 2, "intermediate_size": 12,
                        "sliding_window": None, "rope_parameters": PLAIN},
    "smollm3": SIZES | {"num_hidden_layers": 4, "tie_word_embeddings": True, "use_sliding_window": False,
                        "rope_parameters": PLAIN},
    "qwen2": SIZES | {"head_dim": 6, "tie_word_embeddings": True, "use_sliding_window": False,
                      "rope_parameters": {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0,
                                          "original_max_position_embeddings": 16}},
    "qwen3": SIZES | {"rope_parameters": PLAIN},
    "qwen3_moe": SIZES | {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 10,
                          "norm_topk_prob": True, "rope_parameters": PLAIN},
    "gemma2": SIZES | {"tie_word_embeddings": True, "query_pre_attn_scalar": 8, "sliding_window": 6,
                       "attn_logit_softcapping": 4.0, "final_logit_softcapping": 10.0},
    "gemma3_text": SIZES | {"num_hidden_layers": 7, "tie_word_embeddings": True, "hidden_size": 16,
                            "intermediate_size": 20, "query_pre_attn_scalar": 8, "sliding_window": 6,
                            "rope_parameters": {
                                "full_attention": {"rope_type": "linear", "rope_theta": 100000.0, "factor": 8.0},
                                "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}},
    "phi3": SIZES | {"hidden_size": 32, "sliding_window": 9, "original_max_position_embeddings": 12,
                     "partial_rotary_factor": 0.75, "rope_scaling": {
                         "type": "longrope", "short_factor": [1.0, 1.1, 1.2], "long_factor": [1.5, 2.5, 6.0]}},
    "olmo2": SIZES | {"head_dim": 6, "rope_parameters": PLAIN},
    "gpt2": {"vocab_size": 61, "n_embd": 24, "n_layer": 2, "n_head": 4, "n_positions": 32, "n_ctx": 32},
    "gpt_neox": SIZES | {"hidden_size": 32, "rotary_pct": 0.5},
}  # fmt: skip

# What transformers 5 leaves out and the converter still asks for.
LEFT_OUT = {"gpt2": {"n_ctx": 32}, "gpt_neox": {"rotary_pct": 0.5}}


def make_model(name, settings):
    torch.manual_seed(len(name) + ord(name[0]))
    settings = dict(settings)
    if name in ("gpt_neox", "olmo2", "qwen2", "gpt2"):
        settings.pop("head_dim", None)
    if name == "gpt_neox":
        settings.pop("num_key_value_heads")
    config = AutoConfig.for_model(name, **settings)
    config.bos_token_id = config.eos_token_id = config.pad_token_id = None
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager", experts_implementation="eager")
    with torch.no_grad():
        for key, weight in model.named_parameters():
            draw = torch.randn_like(weight)
            weight.copy_(1 + 0.3 * draw if re.search("norm|ln_", key) and key.endswith("weight") else 0.3 * draw)
            if name.startswith("gemma") and "norm" in key:
                weight.copy_(0.3 * draw)
            if weight.dim() > 1:  # what a file in F16 keeps
                weight.copy_(weight.half().float())
    return model.eval()


def convert(folder, name):
    """As convert_hf_to_gguf.py does, but for the vocabulary."""
    hparams = ModelBase.load_hparams(folder, False) | LEFT_OUT.get(name, {})
    kind = get_model_class(hparams["architectures"][0])
    kind.set_vocab = lambda self: self._set_vocab_none()
    converter = kind(
        folder, gguf.LlamaFileType.MOSTLY_F16, here / f"{name}.gguf", model_name=name, hparams=hparams
    )
    converter.write()


def main():
    torch.set_grad_enabled(False)
    # Beyond every window and original context.
    ids = torch.randint(61, (2, 28), generator=torch.Generator().manual_seed(3))
    tensors = {"ids": ids}
    for name, settings in MODELS.items():
        model = make_model(name, settings)
        tensors[name] = model(ids, use_cache=False).logits.float()
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder)
            # Of Gemma 3's embedding the rows with a token are kept.
            vocabulary = {"model": {"vocab": {str(i): i for i in range(61)}}, "added_tokens": []}
            (pathlib.Path(folder) / "tokenizer.json").write_text(json.dumps(vocabulary))
            convert(pathlib.Path(folder), name)
    save_file(tensors, here / "logits.safetensors")
    versions = {n: importlib.metadata.version(n) for n in ("torch", "transformers", "gguf")}
    versions["llama.cpp"] = sys.argv[2] if len(sys.argv) > 2 else "unknown"
    (here / "versions.json").write_text(json.dumps(versions, indent=1) + "\n")


main()
