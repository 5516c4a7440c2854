"""Writes a tiny random model of each family with what transformers computes from it.

usage: python make_families.py OUT_DIR [NAME...]     (versions used: see versions.json beside the data)

With transformers 5, OUT_DIR/NAME gets the model as save_pretrained writes it and golden.safetensors:
    ids, short         tokens (rows, positions); `short` is what the continuation begins with
    logits, logits_short
    continuation       12 tokens by greedy decoding after each row of `short`
    loss               of predicting each token of `ids` from those before it: the sum, in float64
    norms, dots        of each parameter's gradient of that loss, by name: its norm, and its product with
                       the parameter; float64 (rows of one tensor, in the order of `names` in golden.json)
    gradient.NAME      of each vector (norms, biases), float64
In float64 the norms and the softmax are computed in float64 too: transformers rounds both to float32.

Mixtures of experts also have
    aux_loss             load_balancing_loss_func of `ids`
    aux_loss_masked      without the last 6 tokens of the second row
    trained_loss         the loss of training on `ids`: the mean, with router_aux_loss_coef times aux_loss
    aux_gradient.NAME    of aux_loss, of each router's weight; float64
Parameters have the names of the file: experts are apart there.

With transformers 4, OUT_DIR/NAME gets config4.json: the same model in its spelling.
"""
import contextlib
import json
import os
import sys

import torch
import transformers

OUT = sys.argv[1]
NEW = 12
COMMON = dict(vocab_size=89, hidden_size=24, intermediate_size=36, num_attention_heads=4, num_key_value_heads=2,
              max_position_embeddings=64, bos_token_id=1, eos_token_id=None, pad_token_id=0)
TOKENS = {k: COMMON[k] for k in ("bos_token_id", "eos_token_id", "pad_token_id")} | dict(vocab_size=61)
LOCAL, GLOBAL = "sliding_attention", "full_attention"

# Configuration classes of transformers 4 and 5 both take these arguments.
FAMILIES = {
    "llama": ("Llama", dict(
        num_hidden_layers=2, attention_bias=True, mlp_bias=True, rms_norm_eps=1e-5, rope_theta=500000.0, head_dim=8,
        rope_scaling=dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                          original_max_position_embeddings=16))),
    "smollm3": ("SmolLM3", dict(
        num_hidden_layers=3, no_rope_layers=[1, 0, 1], use_sliding_window=True, sliding_window=6, rope_theta=10000.0,
        tie_word_embeddings=True)),
    "mistral": ("Mistral", dict(num_hidden_layers=2, head_dim=10, sliding_window=5, rope_theta=1000.0)),
    "qwen2": ("Qwen2", dict(
        num_hidden_layers=3, use_sliding_window=True, sliding_window=7, max_window_layers=1, rope_theta=1000000.0,
        tie_word_embeddings=True,
        rope_scaling=dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16))),
    "qwen3": ("Qwen3", dict(num_hidden_layers=2, head_dim=8, attention_bias=True, rope_theta=100000.0)),
    "gemma2": ("Gemma2", dict(
        num_hidden_layers=3, head_dim=8, sliding_window=6, query_pre_attn_scalar=10, attn_logit_softcapping=4.0,
        final_logit_softcapping=10.0)),
    "gemma3_text": ("Gemma3Text", dict(
        num_hidden_layers=4, head_dim=8, sliding_window=6, query_pre_attn_scalar=12, rope_theta=100000.0,
        rope_local_base_freq=100.0, rope_scaling=dict(rope_type="linear", factor=8.0),
        layer_types=[LOCAL, LOCAL, GLOBAL, LOCAL])),
    "phi3": ("Phi3", dict(
        num_hidden_layers=2, hidden_size=32, head_dim=8, partial_rotary_factor=0.75, sliding_window=9,
        original_max_position_embeddings=12,
        rope_scaling=dict(type="longrope", short_factor=[1.0, 1.1, 1.2], long_factor=[1.5, 2.5, 6.0]))),
    "olmo2": ("Olmo2", dict(num_hidden_layers=2, attention_bias=True, rope_theta=500000.0)),
    "gpt2": ("GPT2", dict(n_embd=16, n_layer=2, n_head=4, n_inner=24, n_positions=32)),
    "gpt2_scaled": ("GPT2", dict(
        n_embd=12, n_layer=2, n_head=2, n_positions=32, activation_function="gelu", layer_norm_epsilon=1e-3,
        scale_attn_weights=False, scale_attn_by_inverse_layer_idx=True, tie_word_embeddings=False)),
    "gpt_neox": ("GPTNeoX", dict(
        hidden_size=24, intermediate_size=20, num_hidden_layers=2, num_attention_heads=3, max_position_embeddings=64,
        rotary_pct=0.5, rotary_emb_base=1000, layer_norm_eps=1e-4)),
    "gpt_neox_sequential": ("GPTNeoX", dict(
        hidden_size=16, intermediate_size=20, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=16,
        rotary_pct=1.0, use_parallel_residual=False, attention_bias=False, hidden_act="gelu_new",
        tie_word_embeddings=True, rope_scaling=dict(rope_type="dynamic", factor=2.0))),
    "mixtral": ("Mixtral", dict(
        vocab_size=61, num_hidden_layers=2, intermediate_size=12, num_local_experts=5, num_experts_per_tok=2,
        sliding_window=7, router_aux_loss_coef=0.1, rope_theta=1000.0)),
    "qwen3_moe": ("Qwen3Moe", dict(
        vocab_size=61, hidden_size=16, intermediate_size=20, num_hidden_layers=4, num_attention_heads=2,
        num_key_value_heads=1, head_dim=10, decoder_sparse_step=2, mlp_only_layers=[1], num_experts=6, num_experts_per_tok=3, moe_intermediate_size=8,
        router_aux_loss_coef=0.2, rope_theta=10000.0)),
}


def architecture(name):
    return {"Gemma3Text": "Gemma3ForCausalLM", "GPT2": "GPT2LMHeadModel"}.get(name, name + "ForCausalLM")


def make_model(name, config):
    config._attn_implementation = "eager"  # the only one with soft-caps
    config._experts_implementation = "eager"
    model = getattr(transformers, architecture(name))(config).float().eval()
    with torch.no_grad():
        for key, p in model.named_parameters():
            # Everything random, so that nothing is one or zero by chance.
            if p.dim() == 1:
                p.add_(0.3 * torch.randn_like(p))
            else:
                p.normal_(0, 0.25 if "embed" not in key and "head" not in key else 0.6)
    return model


def exact_norm(self, x):
    eps = self.eps if hasattr(self, "eps") else self.variance_epsilon
    offset = 1.0 if type(self).__name__.startswith("Gemma") else 0.0
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * (self.weight + offset)


def exact_router(self, x):
    logits = torch.nn.functional.linear(x.reshape(-1, self.hidden_dim), self.weight)
    weights, experts = torch.softmax(logits, -1).topk(self.top_k, -1)
    if getattr(self, "norm_topk_prob", True):
        weights = weights / weights.sum(-1, keepdim=True)
    return logits, weights, experts


def exact_softmax(x, dim=None, dtype=None):
    return torch.softmax(x, dim)


def loss_sum(model, ids):
    logits = model(input_ids=ids).logits[:, :-1]
    return torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1),
                                             reduction="sum")


@contextlib.contextmanager
def exact(model):
    """All that `model` computes is in float64."""
    model.double()
    kept = {}
    for module in model.modules():
        for ending, forward in (("RMSNorm", exact_norm), ("TopKRouter", exact_router)):
            if type(module).__name__.endswith(ending):
                kept.setdefault(type(module), type(module).forward)
                type(module).forward = forward
    softmax, torch.nn.functional.softmax = torch.nn.functional.softmax, exact_softmax
    yield
    torch.nn.functional.softmax = softmax
    for cls, forward in kept.items():
        cls.forward = forward


def gradients(model, ids):
    """The loss and the gradient of each parameter, by its name in the file, all in float64."""
    with exact(model):
        loss = loss_sum(model, ids)
        loss.backward()
    found = {k: p.grad for k, p in model.named_parameters()}
    values = {k: p.detach() for k, p in model.named_parameters()}
    model.zero_grad()
    return loss.detach(), as_stored(model, found), as_stored(model, values)


def as_stored(model, tensors):
    from transformers.core_model_loading import revert_weight_conversion
    stored = revert_weight_conversion(model, tensors)
    return {"embed_out.weight" if "gpt_neox.embed_in.weight" in stored and k == "lm_head.weight" else k: t
            for k, t in stored.items()}


def router_losses(model, ids):
    """What balances the experts of a mixture; `model` is in float64 behind this."""
    mask = torch.ones_like(ids)
    mask[1, -6:] = 0
    with torch.no_grad():
        plain = model(input_ids=ids, labels=ids, output_router_logits=True)
        masked = model(input_ids=ids, attention_mask=mask, output_router_logits=True)
    for logits in plain.router_logits:
        best = logits.softmax(-1).topk(model.config.num_experts_per_tok + 1, -1).values
        assert (best[:, -2] - best[:, -1]).min() > 1e-4, "two experts nearly equal: take another seed"
    found = {"aux_loss": plain.aux_loss, "aux_loss_masked": masked.aux_loss, "trained_loss": plain.loss}
    with exact(model):
        model(input_ids=ids, output_router_logits=True).aux_loss.backward()
    gates = {k: p.grad for k, p in model.named_parameters() if k.endswith("mlp.gate.weight")}
    model.zero_grad()
    return found | {f"aux_gradient.{k}": g for k, g in as_stored(model, gates).items()}


def greedy(model, ids):
    """Each row by itself, and each next token clearly the likeliest."""
    rows = []
    for row in ids:
        done = model.generate(row[None], max_new_tokens=NEW, do_sample=False, eos_token_id=None, use_cache=False)[0]
        rows.append(done[len(row):])
        logits = model(input_ids=done[None, :-1]).logits[0, len(row) - 1:]
        best = logits.topk(2).values
        assert (best[:, 0] - best[:, 1]).min() > 1e-3, "two tokens nearly equal: take another seed"
    return torch.stack(rows)


def write_golden(folder, model):
    import safetensors.torch
    ids = torch.randint(2, model.config.vocab_size, (2, 20))
    short = torch.randint(2, model.config.vocab_size, (2, 9))
    with torch.no_grad():
        tensors = {"ids": ids, "short": short, "logits": model(input_ids=ids).logits,
                   "logits_short": model(input_ids=short).logits, "continuation": greedy(model, short)}
    if hasattr(model.config, "num_experts_per_tok"):
        tensors |= router_losses(model, ids)
    loss, found, values = gradients(model, ids)
    assert all(g.norm() > 0 for g in found.values()), "a parameter makes no difference: take another seed"
    names = list(found)
    tensors["loss"] = loss
    tensors["norms"] = torch.stack([found[k].norm() for k in names])
    tensors["dots"] = torch.stack([(found[k] * values[k]).sum() for k in names])
    tensors |= {f"gradient.{k}": g for k, g in found.items() if g.dim() == 1}
    safetensors.torch.save_file({k: t.contiguous() for k, t in tensors.items()}, f"{folder}/golden.safetensors")
    with open(f"{folder}/golden.json", "w") as f:
        json.dump({"names": names}, f, indent=1)


def main():
    five = int(transformers.__version__.split(".")[0]) >= 5
    for seed, (model_type, (name, arguments)) in enumerate(FAMILIES.items()):
        if sys.argv[2:] and model_type not in sys.argv[2:]:
            continue
        torch.manual_seed(seed)
        folder = f"{OUT}/{model_type}"
        os.makedirs(folder, exist_ok=True)
        config = getattr(transformers, name + "Config")(**(TOKENS if name.startswith("GPT") else COMMON) | arguments)
        if five:
            model = make_model(name, config)
            model.save_pretrained(folder)
            os.remove(f"{folder}/generation_config.json")
            write_golden(folder, model)
        else:
            config.architectures = [architecture(name)]
            config.torch_dtype = "float32"
            config.to_json_file(f"{folder}/config4.json")
    path = f"{OUT}/versions.json"
    versions = json.load(open(path)) if os.path.exists(path) else {}
    key = "transformers" if five else "transformers for config4.json"
    versions |= {key: transformers.__version__} | ({"torch": torch.__version__} if five else {})
    json.dump(versions, open(path, "w"))


main()
