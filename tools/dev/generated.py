"""What is written by programs and stands in the repository: ./dev generate writes it, tests/docs compare."""
import os
import re
import subprocess

from dev import build, paths
from dev.report import DevError

# file: (program, flag)
TABLE = {
    "edge/.env.example": ("edge", "--print-env"),
    "order-svc/.env.example": ("order-svc", "--print-env"),
    "inventory-svc/.env.example": ("inventory-svc", "--print-env"),
    "payment-svc/.env.example": ("payment-svc", "--print-env"),
    "infrastructure/psp-sandbox/.env.example": ("psp-sandbox", "--print-env"),
}

# Documents with results in them, between <!-- include FILE --> and <!-- end -->.
DOCUMENTS = ("docs/reliability.md", "docs/performance.md")
_INCLUDE = re.compile(r"(<!-- include (\S+) -->\n).*?(<!-- end -->)", re.S)


def with_results(text):
    """The document with each included file as it is now, but for its title; one that does not exist yet leaves its
    place empty."""
    def section(found):
        place = os.path.join(paths.ROOT, found[2])
        if not os.path.exists(place):
            return found[1] + found[3]
        with open(place, encoding="utf-8") as file:
            content = re.sub(r"\A# .*\n", "", file.read())
        return f"{found[1]}\n{content.strip()}\n\n{found[3]}"
    return _INCLUDE.sub(section, text)


def _refresh(name):
    place = os.path.join(paths.ROOT, name)
    with open(place, encoding="utf-8") as file:
        text = file.read()
    with open(place, "w", encoding="utf-8") as file:
        file.write(with_results(text))


def printed(preset, program, flag):
    command = [os.path.join(build.programs(preset), program), flag]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode != 0:
        raise DevError(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return done.stdout


def generate(options):
    preset = options.preset or build.default_preset()
    build.build_programs(preset)
    for name, (program, flag) in TABLE.items():
        with open(os.path.join(paths.ROOT, name), "w", encoding="utf-8") as file:
            file.write(printed(preset, program, flag))
    for name in DOCUMENTS:
        _refresh(name)
    return 0
