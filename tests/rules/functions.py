"""The functions of a source file and their lengths, from the first line of the signature to the
closing brace: C++ and Rust by their braces, Python by its own parser, shell by its layout."""

import ast
import re

# What stands in the text but is not code: comments, strings, characters.
NOT_CODE = re.compile(
    r'R"([^(\s]*)\(.*?\)\1"'  # raw string of C++
    r"|//[^\n]*|/\*.*?\*/"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-zA-Z_])b?'(?:\\.[^']*|[^'\\])'",
    re.S,
)
RAW_STRING_OF_RUST = re.compile(r'r(#+)".*?"\1', re.S)
CONTROL = re.compile(r"^(?:\}?\s*else\b|(?:if|for|while|switch|catch|do|try|match|loop|unsafe)\b)")
# A scope that may hold functions: its braces are not a body.
SCOPE = re.compile(r"\b(?:namespace|class|struct|union|enum|concept|impl|mod|trait|extern)\b")
CPP_BODY = re.compile(
    r"\)\s*(?:const|noexcept|override|final|mutable|volatile|&{1,2}|->[^{;]*|requires[^{;]*"
    r"|:\s*[^:][^;]*|\([^()]*\)|\s)*$",
    re.S,
)
RUST_BODY = re.compile(r"\bfn\s+\w+", re.S)


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def braced(text, body):
    """(name, first line, number of lines) of every function that is not inside another."""
    text = RAW_STRING_OF_RUST.sub(blank, text) if body is RUST_BODY else text
    text = NOT_CODE.sub(blank, text)
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, text, flags=re.M)  # preprocessor
    # `start` is where the current statement begins; `open_braces` says of each open brace whether
    # a new statement begins behind it: not so in `value{1}`, which clang-format writes unspaced.
    open_braces, inside, start, parentheses, found = [], None, 0, 0, []
    for place, character in enumerate(text):
        if character in "()":
            parentheses += 1 if character == "(" else -1
        elif character == "{":
            head = text[start:place]
            spaced = head[-1:].isspace() or not head
            if inside is None and parentheses == 0 and spaced and is_body(head, body):
                first = start + len(head) - len(head.lstrip())
                inside = (len(open_braces), first, name_of(head))
            open_braces.append(spaced and parentheses == 0)
            start = place + 1 if open_braces[-1] and inside is None else start
        elif character == "}" and open_braces:
            ends_statement = open_braces.pop()
            if inside is not None and len(open_braces) == inside[0]:
                first = text.count("\n", 0, inside[1]) + 1
                found.append((inside[2], first, text.count("\n", 0, place) + 2 - first))
                inside = None
            start = place + 1 if ends_statement and inside is None else start
        elif character == ";" and inside is None and parentheses == 0:
            start = place + 1
    return found


def is_body(head, body):
    head = re.sub(r"\b(?:public|private|protected)\s*:", " ", head).strip()
    head = re.sub(r"^template\s*<[^{]*?>\s*(?=\w)", "", head)
    if CONTROL.match(head):
        return False
    if body is CPP_BODY and SCOPE.search(head.split("(")[0]):
        return bool(re.match(r'extern\s+"?\s*"?\s*\w+.*\)\s*$', head, re.S))
    return bool(body.search(head))


def name_of(head):
    names = re.findall(r"([~\w:]*operator\W+|[~\w:]+)\s*\(", head)
    if names and names[0] in ("TEST", "TEST_F", "TEST_P", "TYPED_TEST", "BENCHMARK"):
        return re.sub(r"\s+", " ", head.strip())
    fn = re.search(r"\bfn\s+(\w+)", head)
    return fn.group(1) if fn else names[0] if names else "lambda"


def python(text):
    """Methods count for themselves; a function within a function counts with it."""
    found, scopes = [], [ast.parse(text)]
    while scopes:
        for node in scopes.pop().body:
            if isinstance(node, ast.ClassDef):
                scopes.append(node)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found.append((node.name, node.lineno, node.end_lineno - node.lineno + 1))
    return found


def shell(text):
    found = []
    for match in re.finditer(r"^(\w+)\(\) *\{.*?(?:^\}|\}$)", text, re.M | re.S):
        found.append((match[1], text.count("\n", 0, match.start()) + 1, match[0].count("\n") + 1))
    return found


def functions(name, text):
    if name.endswith((".h", ".cpp", ".cu", ".cuh")):
        return braced(text, CPP_BODY)
    if name.endswith(".rs"):
        return braced(text, RUST_BODY)
    if name.endswith(".py"):
        return python(text)
    return shell(text) if name.endswith(".sh") else []
