"""Reading C sources for ./dev mutate: tokens, brackets, functions, file-scope tables and enumerations."""
import bisect
import dataclasses
import re

KEYWORDS = frozenset("if else for while do switch case default return break continue goto sizeof".split())
TYPES = frozenset("void char short int long float double signed unsigned bool size_t ssize_t const static struct union "
                  "enum extern inline register volatile typedef".split())
PAIRS = {"(": ")", "[": "]", "{": "}"}
_TOKEN = re.compile(r"""
    (?P<comment>/\*.*?\*/|//[^\n]*)
  | (?P<directive>^[ \t]*\#(?:\\\n|/\*.*?\*/|[^\n])*)
  | (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
  | (?P<number>(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)[uUlLfF]*)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<punct>\.\.\.|<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[^\w\s\\])
""", re.X | re.S | re.M)
_DEFINE = re.compile(r"\s*#\s*define\s+\w+(?:\((?:[^()]|\\\n)*\))?")
_ENUM = re.compile(r"\benum\b[^{};()]*\{([^{}]*)\}")


@dataclasses.dataclass
class Token:
    """`macro`: it stands in the body of a #define. `mate`: the index of the other bracket, or None."""
    text: str
    kind: str
    start: int
    end: int
    macro: bool = False
    mate: int | None = None


@dataclasses.dataclass
class Function:
    """`first` and `last` are the indices of its braces."""
    name: str
    header: list[str]
    first: int
    last: int


def tokens(text: str) -> list[Token]:
    """Without comments and directives, but for the bodies of #defines."""
    found = _tokens(text, 0, len(text), False)
    for macro in (False, True):
        _match(found, macro)
    return found


def _tokens(text: str, at: int, end: int, macro: bool) -> list[Token]:
    found = []
    for match in _TOKEN.finditer(text, at, end):
        kind = match.lastgroup
        if kind == "directive" and not macro:
            body = _DEFINE.match(text, match.start(), match.end())
            if body:
                found += _tokens(text, body.end(), match.end(), True)
        elif kind != "comment":
            found.append(Token(match.group(), kind, match.start(), match.end(), macro))
    return found


def _match(found: list[Token], macro: bool) -> None:
    """Brackets within macros and outside of them match on their own."""
    open_ones: list[int] = []
    for index, token in enumerate(found):
        if token.macro != macro or token.kind != "punct":
            continue
        if token.text in PAIRS:
            open_ones.append(index)
        elif open_ones and token.text == PAIRS[found[open_ones[-1]].text]:
            token.mate = open_ones.pop()
            found[token.mate].mate = index


def functions(found: list[Token]) -> list[Function]:
    """Definitions at file scope."""
    result, index, header = [], 0, 0
    while index < len(found):
        token = found[index]
        if token.macro or token.text == ";":
            header = index + 1
        elif token.text == "{" and token.mate:
            if found[index - 1].text == ")" and found[index - 1].mate:
                name = found[found[index - 1].mate - 1].text
                words = [one.text for one in found[header:found[index - 1].mate - 1]]
                result.append(Function(name, words, index, token.mate))
                header = token.mate + 1
            index = token.mate
        elif token.mate and token.mate > index:
            index = token.mate
        index += 1
    return result


def tables(found: list[Token], inside: list[Function]) -> list[tuple[str, int, int]]:
    """Arrays with an initialiser at file scope: (name, indices of its braces)."""
    result = []
    for index, token in enumerate(found):
        if token.text != "=" or token.macro or index + 1 == len(found) or found[index + 1].text != "{":
            continue
        if found[index - 1].text != "]" or any(one.first < index < one.last for one in inside):
            continue
        if any(first < index < last for _, first, last in result):
            continue  # a designator
        name = index - 1
        while found[name].text == "]":
            name = found[name].mate - 1
        result.append((found[name].text, index + 1, found[index + 1].mate))
    return result


def items(found: list[Token], first: int, last: int) -> list[tuple[int, int]]:
    """The items between two brackets: indices of the first token and behind the last one."""
    result, begin, index = [], first + 1, first + 1
    while index <= last:
        if index == last or found[index].text == ",":
            if index > begin:
                result.append((begin, index))
            begin = index + 1
        elif found[index].mate and found[index].mate > index:
            index = found[index].mate
        index += 1
    return result


def enumerations(text: str) -> dict[str, list[str]]:
    """enumerator → all of its enumeration, from which a bare count is not left out."""
    result = {}
    clean = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
    for body in _ENUM.findall(clean):
        names = [re.split(r"\s*=", one.strip())[0] for one in body.split(",") if one.strip()]
        if len(names) > 1 and all(re.fullmatch(r"\w+", name) for name in names):
            result |= {name: names for name in names}
    return result


class Lines:
    """Lines of a text, to name a place."""

    def __init__(self, text: str):
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.text = text

    def number(self, at: int) -> int:
        return bisect.bisect_right(self.starts, at)

    def start(self, at: int) -> int:
        return self.starts[self.number(at) - 1]

    def line(self, at: int) -> str:
        return self.text[self.start(at):].split("\n", 1)[0].strip()
