"""Writes cosines and sines of every RoPE scaling of the Llama family as transformers computes them.

usage: python make_rope.py OUT_DIR     (versions used: see versions.json beside the data)
"""
import json
import sys

import torch
import transformers
from safetensors.torch import save_file
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

OUT = sys.argv[1]
HEAD = 32
SCALINGS = {
    "default": {"rope_type": "default", "rope_theta": 10000.0},
    "large_theta": {"rope_type": "default", "rope_theta": 500000.0},
    "linear": {"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0},
    "dynamic": {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 2.0},
    "llama3": {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
               "high_freq_factor": 4.0, "original_max_position_embeddings": 64},
    "yarn": {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 64},
    "yarn_mscale": {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 40.0, "mscale": 0.9, "mscale_all_dim": 0.7,
                    "beta_fast": 24.0, "beta_slow": 2.0, "truncate": False, "original_max_position_embeddings": 64},
    "longrope": {"rope_type": "longrope", "rope_theta": 10000.0, "factor": 4.0,
                 "original_max_position_embeddings": 64,
                 "short_factor": [1.0 + i / 50 for i in range(HEAD // 2)],
                 "long_factor": [1.0 + i / 4 for i in range(HEAD // 2)]},
}
POSITIONS = {"short": [0, 1, 2, 17, 40, 63], "long": [0, 5, 63, 64, 200, 1000]}

tensors, configs = {}, {}
for name, rope in SCALINGS.items():
    config = LlamaConfig(vocab_size=8, hidden_size=2 * HEAD, intermediate_size=8, num_hidden_layers=1,
                         num_attention_heads=2, max_position_embeddings=256, rope_parameters=rope)
    configs[name] = config.to_dict()
    for length, positions in POSITIONS.items():
        module = LlamaRotaryEmbedding(config)
        cos, sin = module(torch.zeros(1), torch.tensor([positions]))
        tensors[f"{name}.{length}.cos"] = cos[0, :, : HEAD // 2].contiguous()
        tensors[f"{name}.{length}.sin"] = sin[0, :, : HEAD // 2].contiguous()
save_file(tensors, f"{OUT}/angles.safetensors")
json.dump({"configs": configs, "positions": POSITIONS}, open(f"{OUT}/configs.json", "w"), indent=1)
json.dump({"torch": torch.__version__, "transformers": transformers.__version__}, open(f"{OUT}/versions.json", "w"))
