"""The SQL that a service prints (--print-sql): the statement that sets up each session, and those of its registries."""
import subprocess
from dataclasses import dataclass

SESSION = "session"


@dataclass(frozen=True)
class Statement:
    """params: one letter a parameter (bus/sql.h)."""
    name: str
    params: str
    sql: str


def _printed(program):
    text = subprocess.run([program, "--print-sql"], check=True, capture_output=True, text=True, timeout=30).stdout
    return [Statement(*entry.strip("\n").split("\n", 2)) for entry in text.split("\f") if entry.strip()]


def of(program):
    """The statements of its registries."""
    return [one for one in _printed(program) if one.name != SESSION]


def session(program):
    """The SQL that sets up each session: time-outs, the planner's settings, the schemas of names."""
    return next(one.sql for one in _printed(program) if one.name == SESSION)
