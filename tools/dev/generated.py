"""Files that programs print of themselves: written by ./dev generate, compared by tests/docs."""
import os
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
    return 0
