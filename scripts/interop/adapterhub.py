"""Bottlenecks both ways: what Lathe trains AdapterHub's `adapters` loads, what that saves Lathe loads, with the same loss
within 1e-5. `adapters` needs an older transformers, so it has an environment of its own: that in $ADAPTERHUB, or one made
here (2 GB).

usage: python adapterhub.py BUILD       in an empty folder (interop.sh calls it so)
"""
import json
import os
import pathlib
import subprocess
import sys

TEXT = "a short text about nothing in particular"
SIZES = {"llama": {}, "gpt2": {"model_type": "gpt2", "max_position_embeddings": 64}}
PRESETS = {"houlsby": "double_seq_bn", "pfeiffer": "seq_bn", "parallel": "par_bn"}


def in_their_environment(base, ours, theirs, preset):
    """Prints the loss with the adapter in `ours`, and that with one of its own, which it saves to `theirs`."""
    sys.path.pop(0)  # this folder, whose adapters.py is another
    import adapters
    import torch
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(tokenizer_file=f"{base}/tokenizer.json")
    ids = torch.tensor([[0, *tokenizer(TEXT, add_special_tokens=False)["input_ids"]]])  # as Lathe reads a text

    def loss_with(prepare):
        model = AutoModelForCausalLM.from_pretrained(base, torch_dtype=torch.float32)
        adapters.init(model)
        name = prepare(model)
        model.set_active_adapters(name)
        with torch.no_grad():
            return model, float(model.eval()(input_ids=ids, labels=ids).loss)

    def new(model):
        model.add_adapter("theirs", config=preset)
        for name, weight in model.named_parameters():
            if "adapters.theirs" in name:
                torch.nn.init.normal_(weight, std=0.2)
        return "theirs"

    _, loaded = loss_with(lambda model: model.load_adapter(ours, use_safetensors=True))
    torch.manual_seed(1)
    model, own = loss_with(new)
    model.save_adapter(theirs, "theirs", use_safetensors=True)
    print(json.dumps([loaded, own]))


def main():
    lathe, here = f"{sys.argv[1]}/lathe", pathlib.Path.cwd()
    python = pathlib.Path(os.environ.get("ADAPTERHUB", here / "environment")) / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", here / "environment"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "adapters==1.3.0", "torch"], check=True)

    def run(*command):
        return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True).stdout

    def ours(base, adapter):
        return json.loads(run(lathe, "eval", "--model", base, "--adapter", adapter, "--text", TEXT, "--json"))["loss"]

    pathlib.Path("words.txt").write_text(TEXT * 20)
    run(lathe, "tokenizer", "words.txt", "--vocab-size", "280", "--out", "tokenizer")
    worst = 0
    for family, more in SIZES.items():
        data = {"train_data": ["words.txt"], "max_length": 32, "per_device_train_batch_size": 2, "max_steps": 5, "bf16": False,
                "sample_tokens": 0, "cache_dir": "cache"}
        sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4} | more
        pathlib.Path("base.yaml").write_text(json.dumps(data | {"model": sizes, "tokenizer": "tokenizer", "output_dir": family}))
        run(lathe, "train", "base.yaml")
        base = f"{family}/model"
        for preset, name in PRESETS.items():
            folder = f"{family}.{preset}"
            adapter = {"peft_type": "BOTTLENECK", "preset": preset, "reduction_factor": 4}
            pathlib.Path("adapter.yaml").write_text(json.dumps(
                data | {"model": base, "adapter": adapter, "learning_rate": 1e-2, "output_dir": folder}))
            run(lathe, "train", "adapter.yaml")
            loaded, own = json.loads(run(python, __file__, "--theirs", base, f"{folder}/adapter", f"{folder}.hub", name)
                                     .splitlines()[-1])
            pairs = [(ours(base, f"{folder}/adapter"), loaded), (ours(base, f"{folder}.hub"), own)]
            difference = max(abs(a - b) / b for a, b in pairs)
            worst = max(worst, difference)
            print(f"{folder}: {loaded:.5f} trained by Lathe, {own:.5f} saved by adapters; largest difference {difference:.1e}",
                  flush=True)
    sys.exit(worst > 1e-5)


if __name__ == "__main__":
    if sys.argv[1] == "--theirs":
        in_their_environment(*sys.argv[2:])
    else:
        main()
