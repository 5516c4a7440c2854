"""Conversations that templates are tried with."""

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.\nSecond line: <b> & \"quotes\" 'single' é 你好 😀",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "The city"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                "days": {"type": "integer", "default": 3, "minimum": 1},
                "items": {"type": "array", "items": {"type": "number"}},
                "deep": {
                    "type": "object",
                    "properties": {
                        "x": {"type": ["string", "null"]},
                        "y": {"type": "boolean", "default": False},
                    },
                    "required": ["x"],
                },
            },
            "required": ["city"],
        },
    },
}
NOTHING = {
    "type": "function",
    "function": {
        "name": "noop",
        "description": "Does nothing.",
        "parameters": {"type": "object", "properties": {}},
        "return": {"type": "string", "description": "ok"},
    },
}
TOOLS = [WEATHER, NOTHING]


def user(content):
    return {"role": "user", "content": content}


def assistant(content, **more):
    return {"role": "assistant", "content": content, **more}


def system(content):
    return {"role": "system", "content": content}


def call(name, arguments, number="call12345"):
    return {"type": "function", "id": number, "function": {"name": name, "arguments": arguments}}


def result(content, name="get_weather", number="call12345"):
    return {"role": "tool", "name": name, "tool_call_id": number, "content": content}


def text(content):
    return {"type": "text", "text": content}


ARGUMENTS = {"city": "Paris", "days": 2, "items": [1.0, 2.5, 1e20], "deep": {"x": None, "y": True}}
TOOL_CALL = [
    user("Weather in Paris?"),
    assistant("", tool_calls=[call("get_weather", ARGUMENTS)]),
    result('{"temp": 21.5}'),
    assistant("It is 21.5 °C."),
    user("Thanks"),
]
TWO_CALLS = [call("get_weather", {"city": "A"}, "aaaaaaaaa"), call("noop", {}, "bbbbbbbbb")]

CONVERSATIONS = {
    "user": [user("Hello")],
    "system": [system("You are  a helpful\nassistant. "), user(" Hi \n")],
    "turns": [user("1+1?"), assistant("2"), user("And \t2+2?\n\n"), assistant("It's 4.\n")],
    "unicode": [
        system("Système – 你好"),
        user("😀👍🏽 <|im_end|> {{ x }} {% if %}"),
        assistant('\u200bÉé\u0301 <b>&amp;</b> "q" \\n'),
        user("مرحبا\r\nx"),
    ],
    "reasoning": [
        user("Q1"),
        assistant("<think>\nhmm\n</think>\n\nA1"),
        user("Q2"),
        assistant("A2", reasoning_content="let me think"),
        user("Q3"),
    ],
    "reasoning_last": [user("Q1"), assistant("A1", thinking="by its old name")],
    "tool_call": TOOL_CALL,
    "tool_text": [
        user("Weather in Paris?"),
        {"role": "assistant", "tool_calls": [call("get_weather", '{"city": "Paris"}')]},
        result("sunny"),
        assistant("Sunny."),
    ],
    "tool_two": [
        system("S"),
        user("Both"),
        assistant("I will call.", reasoning_content="need two", tool_calls=TWO_CALLS),
        result("1", "get_weather", "aaaaaaaaa"),
        result("2", "noop", "bbbbbbbbb"),
        assistant("done"),
    ],
    "tool_result": TOOL_CALL[:3],
    "tool_pending": TOOL_CALL[:2],
    "blocks": [
        system([text("sys")]),
        user([text("Hi "), text("there")]),
        assistant([text("Hello")]),
        user([{"type": "image"}, text("look")]),
    ],
    "media": [
        user([{"type": "image", "image": "x.png"}, {"type": "image_url", "image_url": {"url": "u"}},
              {"type": "video"}, {"type": "audio"}, text("look")]),
    ],
    "nothing": [user("x"), assistant(None, tool_calls=None), user("y")],
    "empty_text": [user(""), assistant("")],
    "developer": [{"role": "developer", "content": "D"}, user("u"), assistant("a")],
    "unknown_role": [{"role": "nobody", "content": "u"}],
    "two_users": [user("u"), user("v")],
    "assistant_first": [assistant("a"), user("v")],
    "channels": [
        user("u"),
        assistant("a", channel="analysis", thinking="T"),
        user("v"),
        assistant("b", reasoning="R"),
    ],
    "no_messages": [],
}  # fmt: skip

TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}


def variant(tools=None, prompt=False, documents=None, continues=False, **variables):
    return {
        "tools": tools,
        "documents": documents,
        "variables": {**TOKENS, **variables},
        "add_generation_prompt": prompt,
        "continue_final_message": continues,
    }


VARIANTS = [
    variant(),
    variant(continues=True),
    variant(prompt=True),
    variant(tools=[], prompt=True),
    variant(tools=TOOLS, prompt=True),
    variant(tools=TOOLS, enable_thinking=False),
    variant(prompt=True, enable_thinking=True, reasoning_effort="high", date_string="1 Jan 2030",
            builtin_tools=["browser", "python"], thinking=True, model_identity="Me",
            tools_in_user_message=False, custom_tools=None),
    variant(tools=TOOLS, prompt=True, enable_thinking=True, thinking_budget=100, tool_choice="auto",
            preserve_thinking=True, available_tools=["a"], xml_tools=TOOLS, python_tools=TOOLS),
    variant(documents=[{"title": "T1", "text": "Text 1"}, {"title": "T2", "text": "Text 2\n"}],
            citation_mode="accurate"),
]  # fmt: skip
