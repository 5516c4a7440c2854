"""What PEFT computes with adapters on the tiny models of tests/golden/families.

usage: python make_adapters.py OUT_DIR FAMILIES_DIR [METHOD...]     (versions used: see versions.json beside the data)

OUT_DIR/FAMILY.METHOD gets adapter_config.json and adapter_model.safetensors as PEFT saves them, and golden.safetensors:
    ids                 tokens (rows, positions)
    logits              of the model with the adapter
    loss                of predicting each token from those before it, the mean
    gradient.NAME       of that loss, of each trained tensor of the adapter, by its name in the file
    losses              of ten steps of torch.optim.AdamW (lr 1e-2, no decay) on `ids`
    trained.NAME        each trained tensor after them, but for GPT-2's c_attn.bias: that of the keys has no gradient
                        but what rounding gives it
Adapters are float32; what is computed with them, float64, norms included, so that a difference is not PEFT's rounding. What
begins with zeros or ones is drawn, so that every gradient says something.

    pissa               has had five steps before it is saved; pissa_converted is that adapter, made one for the base as it was
    lora_plus           its steps are those of PEFT's LoRA+ (lr 1e-3, ratio 16; else its defaults)
"""
import json
import pathlib
import sys
import tempfile
import types

import peft
import torch
import transformers
from peft.optimizers import create_loraplus_optimizer
from safetensors.torch import load_file, save_file

OUT, FAMILIES = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
TARGETS = {"llama": ["q_proj", "v_proj", "down_proj"], "qwen2": ["k_proj", "o_proj", "gate_proj", "up_proj"],
           "gpt2": ["c_attn", "c_proj"]}
SCALED = {"llama": ["k_proj", "v_proj", "down_proj"], "qwen2": ["k_proj", "v_proj", "down_proj"],
          "gpt2": ["c_attn", "mlp.c_proj"]}  # of IA3; the last one has its input scaled
EMBEDDING = {"llama": ["embed_tokens", "v_proj"], "qwen2": ["embed_tokens", "k_proj"], "gpt2": ["wte", "c_attn"]}
METHODS = {
    "lora": dict(r=4, lora_alpha=10),
    "rslora": dict(r=3, lora_alpha=6, use_rslora=True, rank_pattern={"layers.1.self_attn.v_proj": 5, "h.1.attn.c_proj": 5},
                   alpha_pattern={"down_proj": 3}),
    "dora": dict(r=2, lora_alpha=8, use_dora=True),
    "ia3": {},
    "vera": dict(r=4, save_projection=True),
    "embedding": dict(r=3, lora_alpha=6),
    "output": dict(r=3, lora_alpha=6),
    "dora_ends": dict(r=3, lora_alpha=6, use_dora=True),
    "bias": dict(r=2, lora_alpha=4, bias="lora_only"),
    "bias_all": dict(r=2, lora_alpha=4, bias="all"),
    "lora_bias": dict(r=2, lora_alpha=6, lora_bias=True),
    "lora_plus": dict(r=3, lora_alpha=6),
    "pissa": dict(r=3, lora_alpha=6, init_lora_weights="pissa"),
}
FROZEN = ("base_model.vera_A", "base_model.vera_B", "embed_tokens.base_layer.weight", "wte.base_layer.weight", "lm_head.base_layer.weight")  # saved, not trained


def base_of(family):
    return transformers.AutoModelForCausalLM.from_pretrained(FAMILIES / family, dtype=torch.float32)


def config_of(family, method):
    settings = dict(task_type="CAUSAL_LM", target_modules=TARGETS[family]) | METHODS[method]
    if method == "ia3":
        return peft.IA3Config(**settings | dict(target_modules=SCALED[family], feedforward_modules=SCALED[family][-1:]))
    if method == "vera":
        return peft.VeraConfig(**settings)
    if method in ("embedding", "lora_plus"):
        settings["target_modules"] = EMBEDDING[family]
    if method == "output":
        settings["target_modules"] = ["lm_head", *TARGETS[family][:1]]
    if method == "dora_ends":
        settings["target_modules"] = [EMBEDDING[family][0], "lm_head"]
    if "bias" in method and family == "gpt2":
        settings["target_modules"] = ["c_fc", "c_proj"]
    return peft.LoraConfig(**settings)


def draw(model, method):
    for name, weight in model.named_parameters():
        if method == "pissa" or not weight.requires_grad:
            continue
        if "lora_B" in name or "vera_lambda" in name:
            torch.nn.init.normal_(weight, std=0.3)
        elif "lora_embedding_A" in name:
            torch.nn.init.normal_(weight, std=0.1)
        elif "lora_magnitude" in name:
            weight.data *= 1 + 0.2 * torch.rand_like(weight)
        elif "ia3_l" in name or name.endswith(".bias"):
            weight.data += 0.3 * torch.randn_like(weight)


def name_in_file(name):
    name = name.replace(".default", "")
    return name.removesuffix(".weight") if "lora_magnitude_vector" in name else name


def trained_weights(model):
    return {name_in_file(n): w for n, w in model.named_parameters() if w.requires_grad}


def loss_of(model, ids):
    logits = model(input_ids=ids).logits
    return logits, torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, logits.size(-1)), ids[:, 1:].reshape(-1))


def optimizer_of(model, method):
    if method == "lora_plus":
        return create_loraplus_optimizer(model, torch.optim.AdamW, lr=1e-3, loraplus_lr_ratio=16)
    return torch.optim.AdamW(trained_weights(model).values(), lr=1e-2, weight_decay=0.0)


def steps(model, optimizer, ids, count):
    losses = []
    for _ in range(count):
        optimizer.zero_grad()
        _, loss = loss_of(model, ids)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    optimizer.zero_grad()
    return torch.stack(losses)


def save(model, folder, **arguments):
    model.save_pretrained(folder, **arguments)
    (folder / "README.md").unlink(missing_ok=True)


def exact_norm(norm, x):
    return norm.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon)


def in_float64(model):
    for module in model.modules():
        if type(module).__name__.endswith("RMSNorm"):  # which computes in float32 otherwise
            module.forward = types.MethodType(exact_norm, module)
    return model.double()


def write_golden(model, method, folder, ids):
    saved, weights = load_file(folder / "adapter_model.safetensors"), trained_weights(model)
    assert sorted(weights) == sorted(n for n in saved if not n.endswith(FROZEN)), sorted(set(weights) ^ set(saved))
    assert all(torch.equal(w, saved[n]) for n, w in weights.items())
    in_float64(model)
    logits, loss = loss_of(model, ids)
    loss.backward()
    golden = {"ids": ids, "logits": logits.detach(), "loss": loss.detach()}
    golden |= {f"gradient.{n}": w.grad.clone() for n, w in weights.items()}
    assert all(w.grad.norm() > 0 for w in weights.values())
    golden["losses"] = steps(model, optimizer_of(model, method), ids, 10)
    golden |= {f"trained.{n}": w.detach().clone() for n, w in weights.items() if not n.endswith("c_attn.bias")}
    save_file({n: (t.float() if t.is_floating_point() else t).contiguous() for n, t in golden.items()}, folder / "golden.safetensors")
    print(folder.name, float(golden["losses"][0]), float(golden["losses"][-1]))


def check_loaded(family, folder, ids, logits):
    """The adapter of `folder` makes of the base what it made of the model it was saved from; that model."""
    model = peft.PeftModel.from_pretrained(base_of(family), folder, is_trainable=True).eval()
    with torch.no_grad():
        assert (loss_of(model, ids)[0] - logits).abs().max() < 1e-5 * logits.abs().max()
    return model


for family in TARGETS:
    for method in METHODS:
        if sys.argv[3:] and method not in sys.argv[3:]:
            continue
        torch.manual_seed(7)
        base = base_of(family)
        model = peft.get_peft_model(base, config_of(family, method)).eval()  # GPT-2 has dropout
        draw(model, method)
        folder = OUT / f"{family}.{method}"
        ids = torch.randint(3, base.config.vocab_size, (2, 9))
        if method == "pissa":
            with tempfile.TemporaryDirectory() as start:
                save(model, pathlib.Path(start) / "start")
                steps(model, optimizer_of(model, method), ids, 5)
                save(model, OUT / f"{family}.pissa_converted", path_initial_model_for_weight_conversion=f"{start}/start")
        save(model, folder)
        with torch.no_grad():
            logits, _ = loss_of(model, ids)
        check_loaded(family, folder, ids, logits)
        write_golden(model, method, folder, ids)
        if method == "pissa":
            folder = OUT / f"{family}.pissa_converted"
            write_golden(check_loaded(family, folder, ids, logits), "pissa_converted", folder, ids)
path = OUT / "versions.json"
versions = json.loads(path.read_text()) if path.exists() else {}
versions |= {"peft": peft.__version__, "transformers": transformers.__version__, "torch": torch.__version__}
path.write_text(json.dumps(versions, indent=1) + "\n")
