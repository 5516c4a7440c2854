"""What AdapterHub's adapters computes with bottleneck adapters on the tiny models of tests/golden/families.

usage: python make_bottlenecks.py OUT_DIR FAMILIES_DIR [KIND...]     (versions used: see versions.json beside the data)

OUT_DIR/FAMILY.KIND gets adapter_config.json and adapter.safetensors as adapters saves them, and golden.safetensors as
make_adapters.py writes it; names are those in adapter.safetensors. Every weight is drawn: an adapter begins as nothing.
"""
import json
import pathlib
import sys

import adapters
import torch
import transformers
from safetensors.torch import load_file, save_file

OUT, FAMILIES = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
NAME = "tiny"
KINDS = {
    "seq_bn": adapters.SeqBnConfig(reduction_factor=5),
    "double_seq_bn": adapters.DoubleSeqBnConfig(reduction_factor=5),
    "par_bn": adapters.ParBnConfig(),
    "scaled": adapters.SeqBnConfig(reduction_factor={"0": 4, "default": 8}, scaling="learned", non_linearity="gelu"),
    "left_out": adapters.DoubleSeqBnConfig(leave_out=[0]),
}


def base_of(family):
    config = transformers.AutoConfig.from_pretrained(FAMILIES / family / "config4.json")
    model = transformers.AutoModelForCausalLM.from_pretrained(FAMILIES / family, config=config, dtype=torch.float32)
    adapters.init(model)
    return model


def loss_of(model, ids):
    logits = model(input_ids=ids).logits
    return logits, torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, logits.size(-1)), ids[:, 1:].reshape(-1))


for family in ("llama", "gpt2"):
    for kind, config in KINDS.items():
        if sys.argv[3:] and kind not in sys.argv[3:]:
            continue
        torch.manual_seed(7)
        model = base_of(family)
        model.add_adapter(NAME, config=config)
        model.train_adapter(NAME)
        model.eval()
        weights = {n: w for n, w in model.named_parameters() if w.requires_grad}
        for name, weight in weights.items():
            if name.endswith("scaling"):
                weight.data += 0.3 * torch.rand_like(weight)
            else:
                torch.nn.init.normal_(weight, std=0.4)
        folder = OUT / f"{family}.{kind}"
        model.save_adapter(str(folder), NAME, with_head=False, use_safetensors=True)
        saved = load_file(folder / "adapter.safetensors")
        assert sorted(weights) == sorted(saved) and all(torch.equal(w, saved[n]) for n, w in weights.items())
        ids = torch.randint(3, model.config.vocab_size, (2, 9))
        logits, loss = loss_of(model, ids)
        loss.backward()
        golden = {"ids": ids, "logits": logits.detach(), "loss": loss.detach()}
        golden |= {f"gradient.{n}": w.grad.clone() for n, w in weights.items()}
        assert all(w.grad.norm() > 0 for w in weights.values())
        again = base_of(family)
        again.load_adapter(str(folder), set_active=True, use_safetensors=True)
        with torch.no_grad():
            assert torch.equal(loss_of(again.eval(), ids)[0], logits)
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
path = OUT / "versions.json"
versions = json.loads(path.read_text()) if path.exists() else {}
versions |= {"adapters": adapters.__version__, "transformers for adapters": transformers.__version__,
             "torch for adapters": torch.__version__}
path.write_text(json.dumps(versions, indent=1) + "\n")
