"""Reads C sources as far as the tests of this folder need it: comments, string literals, includes."""
import os
import re

from dev import paths

TOKEN = re.compile(r"""
    (?P<comment> //[^\n]* | /\*.*?\*/ )
  | (?P<text> "(?:\\.|[^"\\\n])*" )
  | (?P<char> '(?:\\.|[^'\\\n])*' )
""", re.S | re.X)
VERBS = "SELECT|INSERT|UPDATE|DELETE|WITH|MERGE|TRUNCATE|CREATE|ALTER|DROP|GRANT|REVOKE|LOCK|COPY|LISTEN|NOTIFY|CALL"
SQL = re.compile(rf"\s*(({VERBS})\s)|(?i:\s*(select\s.*\sfrom|insert\s+into|update\s.*\sset|delete\s+from)\s)", re.S)


def read(name):
    with open(os.path.join(paths.ROOT, name), encoding="utf-8") as file:
        return file.read()


def _blank(found):
    """As many lines as before; a literal stays one."""
    lines = "\n" * found.group().count("\n")
    return lines or " " if found["comment"] else '""' if found["text"] else "' '"


def without_comments_and_texts(text):
    return TOKEN.sub(_blank, text)


def without_comments(text):
    return TOKEN.sub(lambda found: _blank(found) if found["comment"] else found.group(), text)


def texts(text):
    """The string literals; neighbours are one, as for the compiler."""
    joined, end = [], None
    code = without_comments(text)
    for found in TOKEN.finditer(code):
        if not found["text"]:
            continue
        if joined and not code[end:found.start()].strip():
            joined[-1] += found.group()[1:-1]
        else:
            joined.append(found.group()[1:-1])
        end = found.end()
    return joined


def is_sql(text):
    return SQL.match(text) is not None


def includes(text):
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', without_comments(text), re.M)
