"""Output of ./dev for its user: steps, warnings, and the one kind of error that ends a command."""
import sys


class DevError(Exception):
    """A failure whose text tells the user what is wrong and what to do about it."""

    def __init__(self, text, status=1):
        super().__init__(text)
        self.status = status


def step(name, text):
    """One line of progress: the part that it is about, then what happened."""
    print(f"{name:<14} {text}", flush=True)


def warn(text):
    print(f"dev: {text}", file=sys.stderr, flush=True)


def tail(path, lines=15):
    """The last lines of a log, indented, for an error message."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            last = file.readlines()[-lines:]
    except OSError:
        return ""
    return "".join("    " + line.rstrip("\n") + "\n" for line in last)
