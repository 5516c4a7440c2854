"""Compares Lathe's rendering of published chat templates with transformers', byte by byte.

    python scripts/interop/chat_templates.py build

The templates are those that TRL brings along and those in the source distribution of
llama-cpp-python (in the folder TEMPLATES, otherwise downloaded), the conversations those of
tests/golden/chat_template, with and without tools, documents and generation prompt. Where a template marks what the assistant
writes, the masks of tokens must be equal too, for a tokenizer of each kind. A conversation that
transformers refuses, Lathe must refuse. Needs transformers and trl.
"""

import datetime
import json
import logging
import os
import pathlib
import subprocess
import sys
import tarfile

import transformers
import trl
from transformers.utils import chat_template_utils

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/golden/chat_template"))

from chats import CONVERSATIONS, VARIANTS  # noqa: E402

TIME = datetime.datetime(2026, 2, 3, 14, 5, 9)
TOKENIZERS = ["gpt4", "gpt2", "unigram"]
PACKAGE = "llama-cpp-python==0.3.36"


class FixedTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return TIME


def templates():
    found = sorted(pathlib.Path(trl.__file__).parent.glob("chat_templates/*.jinja"))
    folder = os.environ.get("TEMPLATES")
    if folder is None:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", ".",
                        "--no-binary", ":all:", PACKAGE], check=True)  # fmt: skip
        with tarfile.open(next(pathlib.Path().glob("llama_cpp_python-*.tar.gz"))) as archive:
            archive.extractall("sources", filter="data")
        folder = "sources"
    more = sorted(pathlib.Path(folder).rglob("models/templates/*.jinja"))
    print(f"{len(found)} templates of trl, {len(more)} of {PACKAGE}")
    return [(path.name, path.read_bytes().decode()) for path in found + more]


def tasks():
    for name, template in templates():
        for title, messages in CONVERSATIONS.items():
            for number, variant in enumerate(VARIANTS):
                yield f"{name}, {title}, variant {number}", {
                    "template": template,
                    "messages": messages,
                    "time": int(TIME.replace(tzinfo=datetime.timezone.utc).timestamp()),
                    **variant,
                }


def texts(task):
    """The task with its parts as JSON texts."""
    parts = {key: "" if task[key] is None else json.dumps(task[key])
             for key in ("messages", "tools", "documents", "variables")}  # fmt: skip
    return {**task, **parts}


def lathe(build, kind, work):
    pathlib.Path("chats.jsonl").write_text("".join(json.dumps(texts(task)) + "\n" for task in work))
    environment = dict(os.environ, LATHE_CHATS="chats.jsonl", LATHE_RESULT="rendered.jsonl",
                       LATHE_TOKENIZER=str(ROOT / "tests/golden/tokenizer" / kind))  # fmt: skip
    program = [build / "tests/test_text", "--gtest_filter=ChatTemplateInterop.*"]
    subprocess.run(program, check=True, env=environment, stdout=subprocess.DEVNULL)
    with open("rendered.jsonl", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def peer(task):
    messages = [{k: v for k, v in m.items() if v is not None} for m in task["messages"]]
    continues = task["continue_final_message"]
    try:
        rendered, spans = chat_template_utils.render_jinja_template(
            [messages], tools=task["tools"], documents=task["documents"], chat_template=task["template"],
            return_assistant_tokens_mask=not continues, continue_final_message=continues,
            add_generation_prompt=task["add_generation_prompt"], **task["variables"],
        )  # fmt: skip
        text = rendered[0]
        text.encode()
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    spans = [] if continues else spans[0]
    return {"text": text, "characters": spans, "spans": [
        [len(text[:begin].encode()), len(text[:end].encode())] for begin, end in spans
    ]}  # fmt: skip


def mask(tokenizer, text, spans):
    """As PreTrainedTokenizerBase.apply_chat_template makes assistant_masks."""
    encoded = tokenizer(text, add_special_tokens=False)
    result = [0] * len(encoded["input_ids"])
    for begin, end in spans:
        first = encoded.char_to_token(0, begin)
        last = encoded.char_to_token(0, end - 1)
        if first is None:
            break
        for token in range(first, last + 1 if last else len(result)):
            result[token] = 1
    return result


def difference(task, expected, found, tokenizer):
    if "error" in expected or "error" in found:
        return None if ("error" in expected) == ("error" in found) else "one of them refuses"
    if expected["text"] != found["text"]:
        return "other text"
    if task["continue_final_message"]:
        return None
    if expected["spans"] != found["spans"]:
        return "other spans"
    if expected["spans"] and mask(tokenizer, found["text"], expected["characters"]) != found["mask"]:
        return "other mask"
    return None


def main():
    chat_template_utils.datetime = FixedTime
    logging.disable(logging.WARNING)
    build = pathlib.Path(sys.argv[1]).resolve()
    names, work = zip(*tasks())
    expected = [peer(task) for task in work]
    bad = 0
    for kind in TOKENIZERS:
        tokenizer = transformers.AutoTokenizer.from_pretrained(ROOT / "tests/golden/tokenizer" / kind)
        counts = {}
        for name, task, wanted, found in zip(names, work, expected, lathe(build, kind, work)):
            kind_of = difference(task, wanted, found, tokenizer)
            counts[kind_of] = counts.get(kind_of, 0) + 1
            if kind_of is not None and counts[kind_of] <= 3:
                print(f"  {name}: {kind_of}\n  transformers {str(wanted)[-300:]}\n"
                      f"  lathe        {str(found)[-300:]}")  # fmt: skip
        equal = counts.pop(None, 0)
        bad += sum(counts.values())
        print(f"{kind}: {equal} of {len(work)} equal {counts or ''}")
    refused = sum("error" in answer for answer in expected)
    marked = sum(bool(answer.get("spans")) for answer in expected)
    print(f"{refused} refused by both, {marked} with marks")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
