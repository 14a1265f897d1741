"""./dev contract install: the programs that compare and try the edge's contract, in pinned versions."""
import os
import shutil
import subprocess

from dev import packages, paths
from dev.gotool import GoTool
from dev.report import DevError, step
from dev.state import State

# Compares OpenAPI documents.
OASDIFF = GoTool("oasdiff", "infrastructure/contract/oasdiff", "github.com/oasdiff/oasdiff", "", (1, 26),
                 "./dev contract install")
# Names each Python package with its version and hashes.
REQUIREMENTS = os.path.join(paths.ROOT, "infrastructure", "contract", "requirements.txt")
PYTHON = "/usr/bin/python3"  # Debian's, which has pip by a package
INSTALL_SECONDS = 900


class Schemathesis:
    """A virtual environment in the state folder; it is made again if REQUIREMENTS changes."""

    def __init__(self):
        self._state = State(paths.default_state())
        self.folder = os.path.join(self._state.path, "schemathesis")
        self._mark = os.path.join(self.folder, "requirements.txt")

    def program(self, name="st"):
        return os.path.join(self.folder, "bin", name)

    def installed(self):
        return os.access(self.program(), os.X_OK) and _read(self._mark) == _read(REQUIREMENTS)

    def missing(self):
        return "schemathesis is not installed: ./dev contract install"

    def install(self):
        if not self.installed():
            step("schemathesis", "installing")
            packages.ensure(packages.CONTRACT)
            self._state.create()
            shutil.rmtree(self.folder, ignore_errors=True)
            self._run([PYTHON, "-m", "venv", "--without-pip", self.folder])
            self._run([PYTHON, "-m", "pip", "--python", self.program("python"), "install", "--quiet",
                       "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:",
                       "--requirement", REQUIREMENTS])
            shutil.copy(REQUIREMENTS, self._mark)
        return self.program()

    def _run(self, words):
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            raise DevError(f"schemathesis was not installed within {INSTALL_SECONDS} s") from None
        if done.returncode != 0:
            raise DevError(f"schemathesis cannot be installed: {(done.stderr or done.stdout).strip()}")


def _read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


SCHEMATHESIS = Schemathesis()


def contract(options):
    assert options.action == "install"
    step("oasdiff", OASDIFF.install())
    step("schemathesis", SCHEMATHESIS.install())
    return 0
