"""The mutants of a C source: constants, operators, conditions, statements, return values, and cells of tables."""
import dataclasses
import hashlib
import re
import string

from dev import mutate_source as source
from dev.mutate_source import Function, Token

# Binary and assignment operators; clang-format puts a space on both sides of each.
OPERATORS = {
    "<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",), "!=": ("==",),
    "+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",), "%": ("*",), "&": ("|",), "|": ("&",), "^": ("&",),
    "<<": (">>",), ">>": ("<<",), "&&": ("||",), "||": ("&&",),
    "+=": ("-=",), "-=": ("+=",), "*=": ("/=",), "/=": ("*=",), "|=": ("&=", "="), "&=": ("|=", "="),
    "<<=": (">>=",), ">>=": ("<<=",), "%=": ("*=",),
}
NEVER = ("assert", "_Static_assert", "static_assert")  # an assertion holds in every test, so a weaker one always lives


@dataclasses.dataclass(frozen=True)
class Mutant:
    """`text` of the source from `start` to `end` becomes `new`. `id` outlives changes elsewhere in the file."""
    file: str
    kind: str
    place: str
    line: int
    start: int
    end: int
    old: str
    new: str
    id: str

    def apply(self, text: str) -> str:
        """Line numbers stay as they are: an assertion has its own in it."""
        return text[:self.start] + self.new + "\n" * self.old.count("\n") + text[self.end:]


class Finder:
    """All mutants of one source."""

    def __init__(self, name: str, text: str, enumerations: dict[str, list[str]]):
        self.name, self.text, self.enumerations = name, text, enumerations
        self.tokens = source.tokens(text)
        self.functions = source.functions(self.tokens)
        self.tables = source.tables(self.tokens, self.functions)
        self.lines = source.Lines(text)
        self.found: list[tuple[str, int, int, str]] = []

    def mutants(self) -> list[Mutant]:
        for index, token in enumerate(self.tokens):
            self._constant(index, token)
            self._operator(index, token)
            self._field(index, token)
        for one in self.functions:
            self._function(one)
        for _, first, last in self.tables:
            self._cells(first, last)
        return self._named()

    # ---- places ----

    def _span(self, first: int, behind: int) -> tuple[int, int]:
        return self.tokens[first].start, self.tokens[behind - 1].end

    def _text(self, first: int, behind: int) -> str:
        start, end = self._span(first, behind)
        return self.text[start:end]

    def _add(self, kind: str, first: int, behind: int, new: str) -> None:
        start, end = self._span(first, behind)
        if not any(start >= low and end <= high for low, high in self._sealed()):
            self.found.append((kind, start, end, new))

    def _sealed(self) -> list[tuple[int, int]]:
        """Arguments of assertions."""
        if not hasattr(self, "_assertions"):
            self._assertions = [
                (token.start, self.tokens[self.tokens[index + 1].mate].end) for index, token in enumerate(self.tokens)
                if token.text in NEVER and self.tokens[index + 1].mate]
        return self._assertions

    def _place_of(self, start: int) -> str:
        for one in self.functions:
            if start < self.tokens[one.last].end:
                if start >= self.lines.start(self.tokens[one.first].start):
                    return one.name
        for name, first, last in self.tables:
            if self.tokens[first].start <= start < self.tokens[last].end:
                return name
        return "file"

    def _named(self) -> list[Mutant]:
        seen: dict[str, int] = {}
        unique = dict.fromkeys(self.found)
        result = []
        for kind, start, end, new in sorted(unique, key=lambda one: (one[1], one[2], one[3])):
            old, place = self.text[start:end], self._place_of(start)
            begin = re.sub(r"\s+", " ", self.text[self.lines.start(start):start]).strip()
            key = "|".join((self.name, place, kind, self.lines.line(start), begin, re.sub(r"\s+", " ", old), new))
            seen[key] = seen.get(key, 0) + 1
            digest = hashlib.sha256(f"{key}|{seen[key]}".encode()).hexdigest()[:12]
            result.append(Mutant(self.name, kind, place, self.lines.number(start), start, end, old, new, digest))
        return result

    # ---- tokens ----

    def _constant(self, index: int, token: Token) -> None:
        for new in self._values(index, token):
            self._add("constant", index, index + 1, new)

    def _values(self, index: int, token: Token) -> list[str]:
        if token.text in ("true", "false"):
            return ["false" if token.text == "true" else "true"]
        if token.kind == "name" and token.text in self.enumerations and not self._is_label(index):
            names = self.enumerations[token.text]
            return [names[(names.index(token.text) + 1) % len(names)]]
        if token.kind != "number" or self._is_dimension(index):
            return []
        number = re.fullmatch(r"(\d+)([uUlL]*)", token.text)
        if not number:
            return [f"({token.text} * 2)"]
        value = int(number[1], 8 if len(number[1]) > 1 and number[1][0] == "0" else 10)
        return [f"{one}{number[2]}" for one in ((1,) if value == 0 else (value + 1, value - 1))]

    def _is_label(self, index: int) -> bool:
        """In `case NAME:` and `[NAME] =` another name clashes or moves all that follows."""
        before, behind = self.tokens[index - 1].text, self.tokens[index + 1:index + 3]
        designates = before == "[" and len(behind) == 2 and [one.text for one in behind] == ["]", "="]
        declares = before in ("{", ",") and behind and behind[0].text in (",", "=", "}") and self._in_enum(index)
        return before == "case" or designates or declares

    def _in_enum(self, index: int) -> bool:
        while index >= 0 and self.tokens[index].text not in ("{", ";"):
            index -= 1
        words = [one.text for one in self.tokens[max(index - 2, 0):index]]
        return "enum" in words

    def _is_dimension(self, index: int) -> bool:
        """The size of an array that is declared: a larger one behaves alike."""
        if self.tokens[index - 1].text != "[":
            return False
        begin = index
        while begin > 0 and self.tokens[begin - 1].text not in (";", "{", "}", "="):
            begin -= 1
        return self.tokens[begin].text in source.TYPES

    def _operator(self, index: int, token: Token) -> None:
        if token.kind != "punct":
            return
        if token.text in ("++", "--"):
            self._add("operator", index, index + 1, "--" if token.text == "++" else "++")
        elif token.text == "!":
            self._add("operator", index, index + 1, "")
        elif token.text == "?":
            self._negate_before(index)
        elif self.text[token.start - 1].isspace() and self.text[token.end].isspace():
            for new in OPERATORS.get(token.text, ()):
                self._add("operator", index, index + 1, new)

    def _negate_before(self, index: int) -> None:
        """The condition of `?`."""
        begin = index
        while begin > 0:
            before = self.tokens[begin - 1]
            if before.mate is not None and before.mate < begin - 1:
                begin = before.mate
            elif before.text in ("=", "return", ",", "(", "[", "{", "?", ":", ";", "|=", "+=", "-=", "&="):
                break
            elif before.macro != self.tokens[index].macro:
                break
            else:
                begin -= 1
        if begin < index and not self.tokens[index].macro:
            self._add("condition", begin, index, f"!({self._text(begin, index)})")

    def _field(self, index: int, token: Token) -> None:
        """`.field = value` in braces goes: it is then zero."""
        if token.text != "." or self.tokens[index - 1].text not in ("{", ",") or self.tokens[index + 2].text != "=":
            return
        end = index
        while self.tokens[end].text not in (",", "}", ")"):
            end = self.tokens[end].mate + 1 if self.tokens[end].mate and self.tokens[end].mate > end else end + 1
        if self.tokens[end].text != ")":
            self._add("initialiser", index, end + (self.tokens[end].text == ","), "")

    # ---- functions ----

    def _function(self, one: Function) -> None:
        for index in range(one.first + 1, one.last):
            word = self.tokens[index].text
            if self.tokens[index].macro:
                continue
            if word in ("if", "while") and self.tokens[index + 1].mate:
                self._negate(index + 2, self.tokens[index + 1].mate)
            elif word == "for" and self.tokens[index + 1].mate:
                self._for(index + 1)
            elif word == "return":
                self._return(index, one)
            if self._begins_statement(index):
                self._delete(index)

    def _negate(self, first: int, behind: int) -> None:
        if behind > first:
            self._add("condition", first, behind, f"!({self._text(first, behind)})")

    def _for(self, opening: int) -> None:
        parts = [index for index in range(opening, self.tokens[opening].mate) if self.tokens[index].text == ";"]
        if len(parts) == 2:
            self._negate(parts[0] + 1, parts[1])

    def _end_of_statement(self, index: int) -> int:
        while self.tokens[index].text != ";":
            mate = self.tokens[index].mate
            index = mate + 1 if mate and mate > index else index + 1
        return index

    def _return(self, index: int, one: Function) -> None:
        end = self._end_of_statement(index)
        if end == index + 1:
            return
        value = self._text(index + 1, end)
        if "*" in one.header:
            new = ["NULL"]
        elif "bool" in one.header:
            new = [f"!({value})"] if value not in ("true", "false") else []
        elif {"struct", "union", "void"} & set(one.header):
            new = []
        else:
            new = ["0", f"({value}) + 1"]
        for text in new:
            if text != value:
                self._add("return", index + 1, end, text)

    def _begins_statement(self, index: int) -> bool:
        before = self.tokens[index - 1]
        if before.text == ")":
            opener = self.tokens[before.mate - 1].text if before.mate else ""
            return opener in ("if", "for", "while", "switch")
        if before.text == ":":
            return not self._is_ternary(index - 1)
        return before.text in (";", "{", "}", "else") and not self._in_parentheses(index)

    def _is_ternary(self, index: int) -> bool:
        while index > 0 and self.tokens[index].text not in (";", "{", "}", "case", "default"):
            if self.tokens[index].text == "?":
                return True
            index -= 1
        return False

    def _in_parentheses(self, index: int) -> bool:
        """Between the semicolons of `for`, or in a compound literal."""
        one = next(one for one in self.functions if one.first < index < one.last)
        opener = [i for i in range(one.first + 1, index)
                  if self.tokens[i].mate and self.tokens[i].mate >= index and self.tokens[i].text in "({["]
        if not opener:
            return False
        inner = opener[-1]
        if self.tokens[inner].text != "{":
            return True
        return self.tokens[inner - 1].text not in (")", "else", "do", ":", ";", "{", "}") or (
            self.tokens[inner - 1].text == ")" and self._is_cast(self.tokens[inner - 1].mate))

    def _is_cast(self, opening: int) -> bool:
        return self.tokens[opening - 1].text not in ("if", "for", "while", "switch")

    def _delete(self, index: int) -> None:
        first = self.tokens[index]
        if first.text in ("break", "continue") or (first.text == "return" and self.tokens[index + 1].text == ";"):
            self._add("statement", index, index + 1, "")
            return
        if first.text in source.KEYWORDS | source.TYPES or first.text in ("}", "{", ";") or first.text in NEVER:
            return
        end = self._end_of_statement(index)
        if not self._is_declaration(index, end) and not self._is_cast_away(index, end):
            self._add("statement", index, end, "")

    def _is_declaration(self, index: int, end: int) -> bool:
        names = [one.kind == "name" for one in self.tokens[index:index + 3]]
        if self.tokens[index].kind != "name" or end - index < 2:
            return False
        second = self.tokens[index + 1]
        star = second.text == "*" and not self.text[second.end].isspace()
        return (names[1] or (star and names[2])) and self.tokens[index].text not in source.KEYWORDS

    def _is_cast_away(self, index: int, end: int) -> bool:
        """`(void)name;` does nothing."""
        return end - index == 4 and self._text(index, index + 3) == "(void)"

    # ---- tables ----

    def _cells(self, first: int, last: int) -> None:
        rows = self._rows(first, last)
        everything = list(dict.fromkeys(self._text(*cell) for row in rows for cell in row))
        for row in rows:
            texts = [self._text(*cell) for cell in row]
            for place, cell in enumerate(row):
                for new in self._other_cells(texts, place, everything):
                    self._add("cell", *cell, new)

    @staticmethod
    def _other_cells(texts: list[str], place: int, everything: list[str]) -> list[str]:
        """The next that differs in its row, and the next of the table; a text for a text, an address for an address."""
        here = texts[place]
        around = [text for text in texts[place + 1:] + texts[:place] if text != here and text[0] in _shape(here)]
        later = [text for text in everything[everything.index(here) + 1:] + everything[:everything.index(here)]
                 if text[0] in _shape(here)]
        return list(dict.fromkeys(around[:1] + [text for text in later if text not in around[:1]][:1]))

    def _rows(self, first: int, last: int) -> list[list[tuple[int, int]]]:
        """Rows of cells, whatever the depth: a value that starts with a field is a cell, a list is a row."""
        here, rows = [], []
        for begin, behind in source.items(self.tokens, first, last):
            while self.tokens[begin].text == "[" and self.tokens[self.tokens[begin].mate + 1].text == "=":
                begin = self.tokens[begin].mate + 2
            inner = self._row_within(begin, behind)
            if inner is None:
                here.append((begin, behind))
            else:
                rows += self._rows(*inner)
        return [here, *rows] if here else rows

    def _row_within(self, begin: int, behind: int) -> tuple[int, int] | None:
        """The brackets of a list of cells, or of a macro that takes a row of them."""
        token = self.tokens[begin]
        if token.text == "{" and self.tokens[begin + 1].text != ".":
            return begin, token.mate
        if token.kind == "name" and behind - begin > 1 and self.tokens[begin + 1].text == "(":
            if len(source.items(self.tokens, begin + 1, self.tokens[begin + 1].mate)) > 4:
                return begin + 1, self.tokens[begin + 1].mate
        return None


def _shape(cell: str) -> str:
    """How a cell may begin that can stand for this one."""
    return cell[0] if cell[0] in "\"&" else "{" + string.ascii_letters


def mutants(name: str, text: str, enumerations: dict[str, list[str]]) -> list[Mutant]:
    return Finder(name, text, enumerations).mutants()
