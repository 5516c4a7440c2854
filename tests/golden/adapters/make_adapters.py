"""What PEFT computes with adapters on the tiny models of tests/golden/families.

usage: python make_adapters.py OUT_DIR FAMILIES_DIR     (versions used: see versions.json beside the data)

OUT_DIR/FAMILY.METHOD gets adapter_config.json and adapter_model.safetensors as PEFT saves them, and golden.safetensors:
    ids                 tokens (rows, positions)
    logits              of the model with the adapter
    loss                of predicting each token from those before it, the mean
    gradient.NAME       of that loss, of each tensor of the adapter, by its name in the file
    losses              of ten steps of torch.optim.AdamW (lr 1e-2, no decay) on `ids`
    trained.NAME        each tensor after them
All in float32; what begins with zeros is drawn, so that every gradient says something.
"""
import json
import pathlib
import sys

import peft
import torch
import transformers
from safetensors.torch import load_file, save_file

OUT, FAMILIES = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
TARGETS = {"llama": ["q_proj", "v_proj", "down_proj"], "qwen2": ["k_proj", "o_proj", "gate_proj", "up_proj"],
           "gpt2": ["c_attn", "c_proj"]}
METHODS = {
    "lora": dict(r=4, lora_alpha=10),
    "rslora": dict(r=3, lora_alpha=6, use_rslora=True, rank_pattern={"layers.1.self_attn.v_proj": 5, "h.1.attn.c_proj": 5},
                   alpha_pattern={"down_proj": 3}),
    "dora": dict(r=2, lora_alpha=8, use_dora=True),
}


def name_in_file(name):
    name = name.replace(".default", "")
    return name.removesuffix(".weight") if "lora_magnitude_vector" in name else name


def loss_of(model, ids):
    logits = model(input_ids=ids).logits
    return logits, torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, logits.size(-1)), ids[:, 1:].reshape(-1))


for family, targets in TARGETS.items():
    for method, settings in METHODS.items():
        torch.manual_seed(7)
        base = transformers.AutoModelForCausalLM.from_pretrained(FAMILIES / family, dtype=torch.float32)
        config = peft.LoraConfig(task_type="CAUSAL_LM", target_modules=targets, **settings)
        model = peft.get_peft_model(base, config).eval()  # GPT-2 has dropout
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.3)
            if "lora_magnitude" in name:
                weight.data *= 1 + 0.2 * torch.rand_like(weight)
        folder = OUT / f"{family}.{method}"
        model.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)
        saved = load_file(folder / "adapter_model.safetensors")
        ids = torch.randint(3, base.config.vocab_size, (2, 9))
        logits, loss = loss_of(model, ids)
        loss.backward()
        golden = {"ids": ids, "logits": logits.detach(), "loss": loss.detach()}
        weights = {name_in_file(n): w for n, w in model.named_parameters() if w.requires_grad}
        assert sorted(weights) == sorted(saved), sorted(set(weights) ^ set(saved))
        golden |= {f"gradient.{n}": w.grad.clone() for n, w in weights.items()}
        optimizer, losses = torch.optim.AdamW(weights.values(), lr=1e-2, weight_decay=0.0), []
        for _ in range(10):
            optimizer.zero_grad()
            _, loss = loss_of(model, ids)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        golden["losses"] = torch.stack(losses)
        golden |= {f"trained.{n}": w.detach().clone() for n, w in weights.items()}
        save_file({n: t.contiguous() for n, t in golden.items()}, folder / "golden.safetensors")
        print(folder.name, float(golden["losses"][0]), float(golden["losses"][-1]))
(OUT / "versions.json").write_text(json.dumps({"peft": peft.__version__, "transformers": transformers.__version__,
                                               "torch": torch.__version__}, indent=1) + "\n")
