"""Code that stands twice: sim_c finds runs of tokens that may differ in names; TOKENS of a run must be equal."""
import difflib
import os
import re
import subprocess
import tempfile

TOKENS = 60
# Copies that are known: sorted pairs of names. A pair without a copy is refused.
KNOWN = set()
TOKEN = re.compile(r'/\*.*?\*/|\s+|("(?:\\.|[^"\\])*"|\w+|->|.)', re.S)
RUN = re.compile(r"^(\S+): line (\d+)-(\d+)\s*\|(\S+): line (\d+)-(\d+)\s*\[\d+\]", re.M)


def functions(text):
    """The lines of function bodies in their places, without constant tables: their rows are equal by nature."""
    lines, inside, table = [], False, False
    for line in text.splitlines():
        inside = inside or bool(re.match(r"\S.*\) \{$|\s+.*\) \{$", line))
        table = table or inside and line.startswith("  static const ")
        lines.append(line if inside and not table else "")
        table = table and not line.endswith(";")
        inside = inside and not line.startswith("}")
    return lines


def tokens(lines):
    return [found.group(1) for found in TOKEN.finditer("\n".join(lines)) if found.group(1)]


def equal(some, others):
    """How many tokens two runs share in the same order."""
    return sum(block.size for block in difflib.SequenceMatcher(None, some, others, False).get_matching_blocks())


def problems(sources):
    """sources: name → text. → a line for each run of TOKENS equal tokens that stands twice, and for each pair of KNOWN
    without one"""
    bodies = {name: functions(text) for name, text in sources.items()}
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in bodies.items():
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
        names = "".join(f"{name}\n" for name in bodies)
        output = subprocess.run(["sim_c", "-i", "-n", "-T", "-r", str(TOKENS)], cwd=folder, input=names,
                                capture_output=True, text=True, check=True, timeout=60).stdout
    found, gone = [], set(KNOWN)
    for here, first, last, there, first_there, last_there in RUN.findall(output):
        some = tokens(bodies[here][int(first) - 1:int(last)])
        others = tokens(bodies[there][int(first_there) - 1:int(last_there)])
        count = equal(some, others)
        pair = tuple(sorted((here, there)))
        if count >= TOKENS:
            gone.discard(pair)
        if count >= TOKENS and pair not in KNOWN:
            found.append(f"{here}:{first}: {count} tokens as in {there}:{first_there}")
    found += [f"tools/dev/copies.py: {one} and {other} hold no copy: take them off KNOWN" for one, other in gone]
    return sorted(found)
