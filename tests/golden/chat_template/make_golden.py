"""Writes golden.json: what transformers makes of the templates and expressions in this folder.

    python tests/golden/chat_template/make_golden.py

Each template is rendered for conversations of chats.py, which go to conversations.json, and each
line of expressions.txt and each part of snippets.txt with the variables of variables.json; null is
an error. Masks are those of the tokenizers in ../tokenizer. versions.json says which versions did it.
refused.json, written by hand, lists what Lathe refuses of it, by the reason.
"""

import datetime
import json
import pathlib
import sys

import jinja2
import transformers
from chats import CONVERSATIONS, TOOLS, variant
from transformers.utils import chat_template_utils

PLAIN = ["user", "turns", "unicode", "reasoning", "blocks", "nothing", "two_users", "no_messages"]
WITH_TOOLS = ["tool_call", "tool_text", "tool_two", "tool_pending"]
HERE = pathlib.Path(__file__).parent
TIME = datetime.datetime(2026, 2, 3, 14, 5, 9)


class FixedTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return TIME


def conversations():
    chats = {name: {"messages": CONVERSATIONS[name], **variant()} for name in PLAIN}
    for name in WITH_TOOLS:
        prompt = name != "tool_text"
        chats[name] = {"messages": CONVERSATIONS[name], **variant(tools=TOOLS, prompt=prompt)}
    system = {"messages": CONVERSATIONS["system"]}
    chats["prompt"] = {**system, **variant(prompt=True, enable_thinking=False)}
    chats["continue"] = {"messages": CONVERSATIONS["turns"], **variant(continues=True)}
    blocks = {"messages": CONVERSATIONS["blocks"][:3]}
    chats["continue_blocks"] = {**blocks, **variant(continues=True)}
    return chats


def render(template, chat, spans):
    """The text and the spans of the assistant in bytes; None if transformers refuses."""
    messages = [{k: v for k, v in message.items() if v is not None} for message in chat["messages"]]
    try:
        texts, all_spans = chat_template_utils.render_jinja_template(
            [messages],
            tools=chat.get("tools"),
            documents=chat.get("documents"),
            chat_template=template,
            return_assistant_tokens_mask=spans,
            continue_final_message=chat.get("continue_final_message", False),
            add_generation_prompt=chat.get("add_generation_prompt", False),
            **chat.get("variables", {}),
        )
        text = texts[0]
        text.encode()
    except Exception:
        return None
    sizes = [0]
    for character in text:
        sizes.append(sizes[-1] + len(character.encode()))
    return [text, [[sizes[begin], sizes[end]] for begin, end in all_spans[0]] if spans else []]


def mask(tokenizer, template, chat):
    encoded = tokenizer.apply_chat_template(
        chat["messages"],
        tools=chat.get("tools"),
        chat_template=template,
        add_generation_prompt=chat.get("add_generation_prompt", False),
        return_assistant_tokens_mask=True,
        return_dict=True,
        **chat.get("variables", {}),
    )
    return {"ids": encoded["input_ids"], "mask": encoded["assistant_masks"]}


def main():
    chat_template_utils.datetime = FixedTime
    variables = json.loads((HERE / "variables.json").read_text(encoding="utf-8"))
    chats = conversations()
    text = json.dumps(chats, ensure_ascii=False, indent=1)
    (HERE / "conversations.json").write_text(text + "\n", encoding="utf-8")
    golden = {"time": int(TIME.replace(tzinfo=datetime.timezone.utc).timestamp())}
    plain = {"messages": [], "variables": variables}
    expressions = (HERE / "expressions.txt").read_text(encoding="utf-8").splitlines()
    snippets = (HERE / "snippets.txt").read_text(encoding="utf-8").split("\n-----\n")
    sources = [f"{{{{ {expression} }}}}" for expression in expressions] + snippets
    golden["snippets"] = [[source, render(source, plain, True)] for source in sources]
    golden["templates"], golden["masks"] = {}, {}
    for path in sorted((HERE / "templates").glob("*.jinja")):
        template = path.read_text(encoding="utf-8")
        golden["templates"][path.stem] = {
            name: render(template, chat, not chat.get("continue_final_message"))
            for name, chat in chats.items()
        }
    marked = (HERE / "templates/marked.jinja").read_text(encoding="utf-8")
    for kind in ("gpt4", "gpt2", "unigram"):
        tokenizer = transformers.AutoTokenizer.from_pretrained(HERE.parent / "tokenizer" / kind)
        golden["masks"][kind] = {
            name: mask(tokenizer, marked, chat)
            for name, chat in chats.items()
            if chat["messages"] and not chat.get("continue_final_message")
        }
    text = json.dumps(golden, ensure_ascii=False, separators=(",", ":"))
    (HERE / "golden.json").write_text(text.replace('],["', '],\n["') + "\n", encoding="utf-8")
    versions = {"transformers": transformers.__version__, "jinja2": jinja2.__version__,
                "python": sys.version.split()[0]}  # fmt: skip
    (HERE / "versions.json").write_text(json.dumps(versions, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
