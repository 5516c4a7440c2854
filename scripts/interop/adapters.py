"""Adapters both ways: what Lathe trains PEFT loads, what PEFT saves Lathe loads, with the same loss within 1e-5.

usage: python adapters.py BUILD       in an empty folder (interop.sh calls it so)
"""
import json
import pathlib
import subprocess
import sys

import peft
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

lathe = f"{sys.argv[1]}/lathe"
root = pathlib.Path(__file__).parents[2]
TEXT = "a short text about nothing in particular"
TARGETS = {"llama": ["q_proj", "down_proj"], "qwen2": ["k_proj", "up_proj"], "gemma3_text": ["v_proj", "o_proj"],
           "gpt2": ["c_attn", "c_fc"], "gpt_neox": ["query_key_value", "dense"]}
SECOND = {"llama": "down_proj", "qwen2": "down_proj", "gemma3_text": "down_proj", "gpt2": "mlp.c_proj",
          "gpt_neox": "dense_4h_to_h"}  # the second layer of the MLP, whose input IA3 scales
METHODS = {"lora": {}, "rslora": {"use_rslora": True}, "dora": {"use_dora": True}, "pissa": {"init_lora_weights": "pissa"},
           "ia3": {}, "vera": {}, "output": {}, "embedding": {"use_dora": True}}
EMBEDDING = {"gpt2": "wte", "gpt_neox": "embed_in"}  # of the others embed_tokens
KINDS = {"ia3": "IA3", "vera": "VERA"}  # the others are LORA


def run(*command):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True).stdout


def loss_of(model):
    ids = torch.tensor([tokenizer(TEXT)["input_ids"]])
    with torch.no_grad():
        return float(model.eval()(input_ids=ids, labels=ids).loss)


def targets_of(family, method):
    ends = {"output": ["lm_head"], "embedding": [EMBEDDING.get(family, "embed_tokens")]}
    return TARGETS[family] + ends.get(method, [])


def ours_of(family, method, settings):
    if method == "ia3":
        return {"peft_type": "IA3", "target_modules": [TARGETS[family][0], SECOND[family]]}
    return {"peft_type": KINDS.get(method, "LORA"), "r": 4, "target_modules": targets_of(family, method), **settings}


def theirs_of(family, method, settings):
    if method == "ia3":
        return peft.IA3Config(target_modules=[TARGETS[family][0], SECOND[family]], feedforward_modules=[SECOND[family]],
                              task_type="CAUSAL_LM")
    kind = peft.VeraConfig if method == "vera" else peft.LoraConfig
    return kind(r=4, target_modules=targets_of(family, method), task_type="CAUSAL_LM", **settings)


pathlib.Path("words.txt").write_text(TEXT * 20)
run(lathe, "tokenizer", "words.txt", "--vocab-size", "280", "--out", "tokenizer")
tokenizer = AutoTokenizer.from_pretrained("tokenizer")
tokenizer.bos_token = None
worst = 0
for family, targets in TARGETS.items():
    torch.manual_seed(1)
    config = AutoConfig.from_pretrained(root / "tests/golden/families" / family, vocab_size=len(tokenizer), bos_token_id=None)
    base = AutoModelForCausalLM.from_config(config)
    base.save_pretrained(family)
    run("cp", "tokenizer/tokenizer.json", family)
    for method, settings in METHODS.items():
        name = f"{family}.{method}"
        pathlib.Path(f"{name}.yaml").write_text(json.dumps({
            "model": family, "adapter": ours_of(family, method, settings),
            "train_data": ["words.txt"], "max_length": 32, "per_device_train_batch_size": 2, "max_steps": 5, "bf16": False,
            "learning_rate": 1e-2, "sample_tokens": 0, "output_dir": name, "cache_dir": "cache"}))
        run(lathe, "train", f"{name}.yaml")

        def ours(adapter):
            return json.loads(run(lathe, "eval", "--model", family, "--adapter", adapter, "--text", TEXT, "--json"))["loss"]

        pairs = [(ours(f"{name}/adapter"), loss_of(peft.PeftModel.from_pretrained(
            AutoModelForCausalLM.from_pretrained(family, dtype=torch.float32), f"{name}/adapter")))]
        model = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(family, dtype=torch.float32),
                                    theirs_of(family, method, settings))
        for key, weight in model.named_parameters():
            if any(part in key for part in ("lora_B", "lora_embedding_A", "vera_lambda", "ia3_l")):
                weight.data += 0.2 * torch.randn_like(weight)
        model.save_pretrained(f"{name}.peft")
        pairs.append((ours(f"{name}.peft"), loss_of(model)))
        difference = max(abs(a - b) / b for a, b in pairs)
        worst = max(worst, difference)
        print(f"{name}: {pairs[0][0]:.5f} trained by Lathe, {pairs[1][0]:.5f} saved by PEFT; largest difference {difference:.1e}",
              flush=True)
sys.exit(worst > 1e-5)
