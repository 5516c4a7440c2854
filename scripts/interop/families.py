"""Every family that Lathe reads, back: the tiny models of tests/golden/families are written again by
Lathe, loaded by transformers, and compared with the originals: no weight missing or left over, all
weights and logits identical. Works with transformers 4 and 5.

usage: python families.py BUILD       in an empty folder (interop.sh calls it so)
"""
import pathlib
import shutil
import subprocess
import sys

import torch
import transformers
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

build, folder = pathlib.Path(sys.argv[1]), pathlib.Path.cwd()
golden = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/families"
names = sorted(path.parent.name for path in golden.glob("*/config.json"))


def load(path):
    model, report = AutoModelForCausalLM.from_pretrained(
        path, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
    wrong = {k: list(v) for k, v in report.items() if len(v) > 0}
    assert not wrong, f"{path}: {wrong}"
    return model.eval()


for name in names:
    subprocess.run([build / "lathe", "convert", golden / name, folder / name], check=True, capture_output=True)
    original = golden / name
    if transformers.__version__ < "5":
        original = folder / f"{name}-original"
        shutil.copytree(golden / name, original)
        (original / "config4.json").rename(original / "config.json")
    ours, theirs = load(folder / name), load(original)
    ids = load_file(golden / name / "golden.safetensors")["ids"]
    states = ours.state_dict(), theirs.state_dict()
    assert states[0].keys() == states[1].keys(), f"{name}: other weights"
    for key, weight in states[1].items():
        assert torch.equal(states[0][key], weight), f"{name}: {key} differs"
    with torch.no_grad():
        logits = ours(input_ids=ids).logits, theirs(input_ids=ids).logits
    assert torch.equal(*logits), f"{name}: logits differ by {(logits[0] - logits[1]).abs().max()}"
    assert ours.config.architectures == theirs.config.architectures, f"{name}: {ours.config.architectures}"
print(f"transformers {transformers.__version__} loads {len(names)} families with identical weights and logits")
