"""wrk as the generator: in C and with keep-alive, it makes a closed loop for a few hundredths of what an order costs,
so that on two cores it is the system that is measured."""
import json
import os
import subprocess
import tempfile

from load.bench import FOLDER

TAIL = "done.lua"


class WrkError(Exception):
    """It ended badly, or said nothing."""


def _script(name, folder):
    """wrk takes one file: the requests, and what is said at the end."""
    path = os.path.join(folder, name)
    with open(path, "w", encoding="ascii") as whole:
        for part in (name, TAIL):
            with open(os.path.join(FOLDER, part), encoding="ascii") as file:
                whole.write(file.read())
    return path


def run(url, script, arguments, connections, seconds):
    """→ what done.lua says, and "cpu_ms": of wrk itself."""
    with tempfile.TemporaryDirectory(prefix="orderbus-wrk-") as folder:
        words = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s", "--timeout",
                 "10s", "--script", _script(script, folder), url, "--", *map(str, arguments)]
        with open(os.path.join(folder, "said"), "w+", encoding="utf-8") as said:
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            text = said.read()
    found = parse(text)
    if child.returncode != 0 or found is None:
        raise WrkError(f"wrk ended with {child.returncode}: {text.strip()}")
    return found | {"cpu_ms": (usage.ru_utime + usage.ru_stime) * 1000}


def parse(text):
    lines = [line for line in text.splitlines() if line.startswith("{")]
    return json.loads(lines[-1]) if lines else None
