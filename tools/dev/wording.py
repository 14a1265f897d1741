"""Lint of sentences and sizes: how comments and messages begin, how files open, how long files and functions are."""
import ast
import io
import re
import tokenize

MAX_FILE = 500
MAX_FUNCTION = 70

# A sentence that begins so leaves the reader to look for its noun.
_BEGINNING = r"(?:What|Of|Where|Whoever|Nothing|Nobody)\b"
_AT_START = re.compile(rf"[\s*!/#>|-]*({_BEGINNING}[^.?!]*[.?!]?)")
_LATER = re.compile(rf"(?<=[.;!] )\s*({_BEGINNING}[^.?!]*[.?!]?)")
_C_PIECE = re.compile(r"/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"", re.S)
_C_FUNCTION = re.compile(r"^[A-Za-z_][^;{}#=]*\)[^;{}()#=]*\{\n.*?^\}", re.M | re.S)

# Beginnings of sentences that may stand, each with its reason.
EXCEPTIONS = ()
# Files that keep foreign sentences: records of runs, and the cases of this lint.
RECORDS = ("/results/", "tests/dev/test_wording.py")


def problems(name, text):
    """Lines "file:line: problem" for one file; its name chooses the rules."""
    found = [] if any(part in name for part in RECORDS) else list(_wording(name, text))
    if name.endswith((".c", ".h", ".py")) and text.strip():
        found += _size(name, text)
    return [f"{name}:{line}: {what}" for line, what in sorted(found)]


def _wording(name, text):
    pieces = _markdown(text) if name.endswith(".md") else _python(text) if name.endswith(".py") else _c(text)
    for line, piece in pieces:
        if "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}" in piece:
            yield line, 'quotation marks are "…"'
        for sentence in _sentences(piece):
            if not sentence.endswith("?") and not sentence.startswith(EXCEPTIONS):
                yield line, f'"{sentence[:60]}": name the noun; begin with it'


def _sentences(piece):
    piece = re.sub(r"\s*\n[\s*#]*", " ", piece).replace("`", "")
    start = _AT_START.match(piece)
    return ([start[1]] if start else []) + [found[1] for found in _LATER.finditer(piece)]


def _c(text):
    for found in _C_PIECE.finditer(text):
        piece = found[0][2:-2] if found[0].startswith("/*") else found[0][1:-1]
        yield text.count("\n", 0, found.start()) + 1, piece


def _python(text):
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string[1:]
        elif token.type == tokenize.STRING:
            yield token.start[0], token.string.lstrip("rbfuRBFU").strip("\"'")


def _markdown(text):
    """Paragraphs, list items and table cells; no headings, no code."""
    text = re.sub(r"^```.*?^```$", lambda found: "\n" * found[0].count("\n"), text, flags=re.M | re.S)
    for found in re.finditer(r"(?:^(?!#|\s*$).+\n?)+", text, re.M):
        line = text.count("\n", 0, found.start()) + 1
        for piece in re.split(r"(?<=\n)(?=\s*(?:[-*|]|\d+\.) ?)| \| ", found[0]):
            yield line, re.sub(r"^\s*(?:[-*|]|\d+\.)\s+", "", piece)
            line += piece.count("\n")


def _size(name, text):
    lines = text.count("\n")
    if lines > MAX_FILE:
        yield MAX_FILE + 1, f"{lines} lines; a file has at most {MAX_FILE}"
    if not re.search(r"\w[^.:]*[.:]", _opening(name, text)):
        yield 1, "no sentence opens the file; begin with a comment that says its job"
    for line, length in _functions(name, text):
        if length > MAX_FUNCTION:
            yield line, f"a function of {length} lines; it has at most {MAX_FUNCTION}"


def _opening(name, text):
    if name.endswith(".py"):
        return ast.get_docstring(ast.parse(text)) or ""
    found = re.match(r"/\*(.*?)\*/", text, re.S)
    return found[1] if found else ""


def _functions(name, text):
    if name.endswith(".py"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node.lineno, node.end_lineno - node.lineno + 1
        return
    for found in _C_FUNCTION.finditer(text):
        yield text.count("\n", 0, found.start()) + 1, found[0].count("\n") + 1
