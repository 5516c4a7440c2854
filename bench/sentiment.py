"""Sentiment of film snippets, fine-tuned in several ways by Lathe and by transformers from the same model, rows and
settings: accuracy and macro F1 on the test rows, seconds of each epoch, peak memory. A row that is done is not run again.

usage: PEERS/bin/python bench/sentiment.py MODEL DATA LATHE OUT [ROW ...]
  MODEL  a Hugging Face directory           DATA  film.{train,valid,test}.jsonl of scripts/snippets.py
  LATHE  the program                        OUT   a folder for runs and results
  ROW    such as lathe.last2.1: program (lathe, transformers), method (see PROMPTS and METHODS), seed; by default all, of
         seeds 1 to 3 where something is drawn
EPOCHS: as many for each method. Writes OUT/ROW.json each, and prints the table with a paired bootstrap over the test rows.
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import time

PROMPTS = ("zero_shot", "few_shot")  # nothing is trained: the likeliest of three words behind a prompt
METHODS = {  # what is trained, epochs, learning rate
    "head": ("trainable: [head]", 3, 1e-3),
    "last2": ("trainable: [last_layers(2), model.norm.weight]", 3, 2e-4),
    "full": ("trainable: [all]", 1, 3e-5),
    "lora": ("adapter: {peft_type: LORA, r: 8, lora_alpha: 16}", 3, 5e-4),
    "dora": ("adapter: {peft_type: LORA, r: 8, lora_alpha: 16, use_dora: true}", 3, 5e-4),
    "ia3": ("adapter: {peft_type: IA3}", 3, 3e-3),
    "sequential": ("adapter: {peft_type: BOTTLENECK, preset: houlsby}", 3, 5e-4),
    "parallel": ("adapter: {peft_type: BOTTLENECK, preset: parallel}", 3, 5e-5),
    # The same sequential adapter in three places.
    "mlp": ("adapter: {peft_type: BOTTLENECK, target_modules: [all-mlp]}", 3, 5e-4),
    "attention": ("adapter: {peft_type: BOTTLENECK, target_modules: [all-attention]}", 3, 5e-4),
    "blocks": ("adapter: {peft_type: BOTTLENECK, target_modules: [all-blocks]}", 3, 5e-4),
}
OF_TRANSFORMERS = (*PROMPTS, "head", "last2", "full")  # those that are run there too
TEXTS_A_STEP = 32
LABELS = ["negative", "neutral", "positive"]
if "EPOCHS" in os.environ:
    METHODS = {method: (trained, int(os.environ["EPOCHS"]), rate) for method, (trained, _, rate) in METHODS.items()}


def rows_of(path):
    return [json.loads(line) for line in path.open()]


def run(command, log):
    """Seconds and peak memory in MB of a command."""
    start = time.time()
    with log.open("w") as out:
        child = subprocess.Popen([str(c) for c in command], stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{command[0]} failed; see {log}")
    return time.time() - start, usage.ru_maxrss / 1024


def trained_numbers(log):
    """What the program says it trains."""
    return int(next(line.split()[1] for line in log.open() if line.startswith("trained: ")))


def lathe_row(program, model, data, out, method, seed):
    trained, epochs, rate = METHODS[method]
    folder = out / f"run.lathe.{method}.{seed}"
    recipe = out / f"lathe.{method}.{seed}.yaml"
    # Three packed rows of 256 tokens hold about as many snippets as transformers gets at a step.
    recipe.write_text(f"""model: {model}
objective: classify
train_data: [{data}/film.train.jsonl]
{trained}
max_length: 256
per_device_train_batch_size: 3
num_train_epochs: {epochs}
learning_rate: {rate}
lr_scheduler_type: linear
warmup_ratio: 0.1
weight_decay: 0.01
logging_steps: 1
save_steps: 0
seed: {seed}
output_dir: {folder}
cache_dir: {out}/cache
""")
    seconds, memory = run([program, "train", recipe, "--overwrite"], out / f"lathe.{method}.{seed}.log")
    texts = out / "test.txt"
    texts.write_text("".join(row["text"] + "\n" for row in rows_of(data / "film.test.jsonl")))
    result = folder / ("adapter" if trained.startswith("adapter") else "model")
    model_and_adapter = ["--model", model, "--adapter", result] if result.name == "adapter" else ["--model", result]
    answers = subprocess.run([program, "classify", *model_and_adapter, texts, "--json"], check=True,
                             capture_output=True, text=True).stdout
    weights = [f for f in result.iterdir() if f.suffix == ".safetensors"]
    return {"bytes": sum(f.stat().st_size for f in weights), "trained": trained_numbers(out / f"lathe.{method}.{seed}.log"), "seconds": seconds, "memory": memory, "predicted": [json.loads(a)["label"] for a in answers.splitlines()]}


def lathe_prompt_row(program, model, data, out, method):
    log = out / f"lathe.{method}.1.log"
    questions = data / f"film.{method}.jsonl"
    seconds, memory = run([program, "eval", "--model", model, "--cloze", questions, "--dtype", "bfloat16", "--json"], log)
    answers = json.loads(next(line for line in log.open() if line.startswith("{")))["answers"]
    return {"seconds": seconds, "memory": memory, "epochs": [], "predicted": [a["likeliest"].strip() for a in answers]}


def transformers_row(model, data, out, method, seed):
    result = out / f"transformers.{method}.{seed}.part"
    seconds, memory = run([sys.executable, __file__, "--transformers", model, data, result, method, seed],
                          out / f"transformers.{method}.{seed}.log")
    return json.loads(result.read_text()) | {"seconds": seconds, "memory": memory}


def train_with_transformers(model_path, data, result, method, seed):
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, get_linear_schedule_with_warmup
    data, (_, epochs, rate) = pathlib.Path(data), METHODS[method]
    torch.manual_seed(int(seed))
    tokenizer = AutoTokenizer.from_pretrained(model_path)
    model = AutoModelForSequenceClassification.from_pretrained(model_path, num_labels=3, dtype=torch.float32)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    model.config.pad_token_id = tokenizer.pad_token_id
    last = [f"layers.{model.config.num_hidden_layers - i}." for i in (1, 2)]
    for name, weight in model.named_parameters():
        weight.requires_grad = (method == "full" or name == "score.weight" or
                                (method == "last2" and (name == "model.norm.weight" or any(l in name for l in last))))
    weights = [w for w in model.parameters() if w.requires_grad]
    optimizer = torch.optim.AdamW([{"params": [w for w in weights if w.dim() > 1], "weight_decay": 0.01},
                                   {"params": [w for w in weights if w.dim() == 1], "weight_decay": 0.0}], lr=rate)
    train = [(tokenizer(r["text"], truncation=True, max_length=256)["input_ids"], LABELS.index(r["label"]))
             for r in rows_of(data / "film.train.jsonl")]
    steps = epochs * -(-len(train) // TEXTS_A_STEP)
    schedule = get_linear_schedule_with_warmup(optimizer, steps // 10, steps)

    def logits(rows):
        batch = tokenizer.pad({"input_ids": rows}, return_tensors="pt")
        with torch.autocast("cpu", torch.bfloat16):
            return model(**batch).logits.float()

    order, epoch_seconds = random.Random(int(seed)), []
    for _ in range(epochs):
        start = time.time()
        order.shuffle(train)
        for at in range(0, len(train), TEXTS_A_STEP):
            rows = train[at:at + TEXTS_A_STEP]
            loss = torch.nn.functional.cross_entropy(logits([ids for ids, _ in rows]), torch.tensor([y for _, y in rows]))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            print(f"{loss.item():.4f} {time.time() - start:.1f}", flush=True)
        epoch_seconds.append(time.time() - start)
    model.eval()
    test, predicted = [tokenizer(r["text"])["input_ids"] for r in rows_of(data / "film.test.jsonl")], []
    with torch.no_grad():
        for at in range(0, len(test), TEXTS_A_STEP):
            predicted += [LABELS[i] for i in logits(test[at:at + TEXTS_A_STEP]).argmax(1).tolist()]
    pathlib.Path(result).write_text(json.dumps({"predicted": predicted, "epochs": epoch_seconds}))


def ask_transformers(model_path, data, result, method):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained(model_path, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(model_path, dtype=torch.bfloat16).eval()
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    questions, predicted = rows_of(pathlib.Path(data) / f"film.{method}.jsonl"), []
    with torch.no_grad():
        for at in range(0, len(questions), 8):
            asked = [(q["prompt"], choice) for q in questions[at:at + 8] for choice in q["choices"]]
            ids = [tokenizer(prompt + choice)["input_ids"] for prompt, choice in asked]
            # How many tokens each has behind its prompt: those are predicted.
            ends = [len(row) - len(tokenizer(prompt)["input_ids"]) for row, (prompt, _) in zip(ids, asked)]
            logits = model(**tokenizer.pad({"input_ids": ids}, return_tensors="pt"), logits_to_keep=max(ends) + 1).logits
            log_probs = logits.float().log_softmax(-1)
            sums = [sum(log_probs[i, j - end - 1, row[j - end]].item() for j in range(end))
                    for i, (row, end) in enumerate(zip(ids, ends))]
            for q, i in zip(questions[at:at + 8], range(0, len(sums), 3)):
                predicted.append(q["choices"][max(range(3), key=lambda c: sums[i + c])].strip())
    pathlib.Path(result).write_text(json.dumps({"predicted": predicted, "epochs": []}))


def lathe_epochs(metrics):
    """Seconds of each epoch, by the speed of each step that metrics.jsonl has."""
    lines = [json.loads(line) for line in metrics.open()]
    seconds, before = {}, 0
    for line in lines:
        if "tokens_per_second" in line:
            epoch = int(line["epoch"] - 1e-9)
            seconds[epoch] = seconds.get(epoch, 0) + (line["tokens"] - before) / line["tokens_per_second"]
            before = line["tokens"]
    return [seconds[epoch] for epoch in sorted(seconds)]


def scores(predicted, actual):
    f1 = []
    for label in LABELS:
        right = sum(p == a == label for p, a in zip(predicted, actual))
        f1.append(2 * right / max(1, predicted.count(label) + actual.count(label)))
    return sum(p == a for p, a in zip(predicted, actual)) / len(actual), sum(f1) / len(f1)


def table(out, actual):
    done = {path.stem: json.loads(path.read_text()) for path in sorted(out.glob("*.*.[0-9].json"))}
    for name, row in done.items():
        accuracy, f1 = scores(row["predicted"], actual)
        epochs = " ".join(f"{s:.0f}" for s in row["epochs"])
        print(f"{name:22s} accuracy {accuracy:.4f}, macro F1 {f1:.4f}, {row['seconds']:.0f} s in all, epochs {epochs} s, "
              f"{row['memory']:.0f} MB" + (f", {row['trained']} trained, {row['bytes'] / 1e6:.1f} MB of files" if "trained" in row else ""))
    draw = random.Random(1)
    for method in (*PROMPTS, *METHODS):
        seeds = [s for s in "123" if all(f"{p}.{method}.{s}" in done for p in ("lathe", "transformers"))]
        if not seeds:
            continue
        gain = [sum((done[f"lathe.{method}.{s}"]["predicted"][i] == a) - (done[f"transformers.{method}.{s}"]["predicted"][i] == a)
                    for s in seeds) / len(seeds) for i, a in enumerate(actual)]
        means = sorted(sum(draw.choices(gain, k=len(gain))) / len(gain) for _ in range(2000))
        print(f"{method}: Lathe - transformers over {len(seeds)} seeds: {sum(gain) / len(gain):+.4f}, "
              f"95 % of resamples of the test rows in {means[50]:+.4f} to {means[1949]:+.4f}")


def main():
    model, data, lathe, out = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], pathlib.Path(sys.argv[4])
    out.mkdir(parents=True, exist_ok=True)
    names = sys.argv[5:] or [f"{p}.{m}.{s}" for s in (1, 2, 3) for m in (*PROMPTS, *METHODS) for p in ("lathe", "transformers")
                             if (p == "lathe" or m in OF_TRANSFORMERS) and (s == 1 or m in METHODS)]
    for name in names:
        program, method, seed = name.split(".")
        if (out / f"{name}.json").exists():
            continue
        if program == "lathe" and method in PROMPTS:
            row = lathe_prompt_row(lathe, model, data, out, method)
        elif program == "lathe":
            row = lathe_row(lathe, model, data, out, method, seed)
            row["epochs"] = lathe_epochs(out / f"run.lathe.{method}.{seed}" / "metrics.jsonl")
        else:
            row = transformers_row(model, data, out, method, seed)
        (out / f"{name}.json").write_text(json.dumps(row))
    table(out, [row["label"] for row in rows_of(data / "film.test.jsonl")])


if __name__ == "__main__":
    if sys.argv[1] == "--transformers" and sys.argv[5] in PROMPTS:
        ask_transformers(*sys.argv[2:6])
    elif sys.argv[1] == "--transformers":
        train_with_transformers(*sys.argv[2:])
    else:
        main()
