"""./dev contract install: the programs that compare and try the edge's contract, in pinned versions."""
import os
import shutil
import subprocess

from dev import account, packages, paths
from dev.gotool import GoTool
from dev.report import DevError, step
from dev.state import State

# Compares OpenAPI documents.
OASDIFF = GoTool("oasdiff", "infrastructure/contract/oasdiff", "github.com/oasdiff/oasdiff", "", (1, 26),
                 "./dev contract install")
# Checks requests against Stripe's OpenAPI document.
STRIPE_MOCK = GoTool("stripe-mock", "infrastructure/contract/stripe-mock", "github.com/stripe/stripe-mock", "", (1, 26),
                     "./dev contract install")
PINNED = os.path.join(paths.ROOT, "infrastructure", "contract")
PYTHON = "/usr/bin/python3"  # Debian's, which has pip by a package
INSTALL_SECONDS = 900


class Environment:
    """
    Programs in a folder of the state folder, which is made again if the pinned file changes.

    pinned    names each package with its version and hashes
    place     folder of the programs below the own one
    sample    one of the programs
    """

    def __init__(self, name, pinned, place, sample):
        self.name = name
        self.pinned = pinned
        self.sample = sample
        self._state = State(paths.default_state())
        self.folder = os.path.join(self._state.path, name)
        self._place = place
        self._mark = os.path.join(self.folder, "installed-" + os.path.basename(pinned))

    def program(self, name=None):
        return os.path.join(self.folder, self._place, name or self.sample)

    def installed(self):
        return os.access(self.program(), os.X_OK) and account.read_file(self._mark) == account.read_file(self.pinned)

    def missing(self):
        return f"{self.name} is not installed: ./dev contract install"

    def install(self):
        if not self.installed():
            step(self.name, "installing")
            self.ensure_packages()
            self._state.create()
            shutil.rmtree(self.folder, ignore_errors=True)
            self.fill()
            shutil.copy(self.pinned, self._mark)
        return self.program()

    def run(self, words):
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            raise DevError(f"{self.name} was not installed within {INSTALL_SECONDS} s") from None
        if done.returncode != 0:
            raise DevError(f"{self.name} cannot be installed: {(done.stderr or done.stdout).strip()}")


class PythonPackages(Environment):
    """A virtual environment."""

    @staticmethod
    def ensure_packages():
        packages.ensure(packages.CONTRACT)

    def fill(self):
        self.run([PYTHON, "-m", "venv", "--without-pip", self.folder])
        self.run([PYTHON, "-m", "pip", "--python", self.program("python"), "install", "--quiet",
                  "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:", "--requirement",
                  self.pinned])


class Schemathesis(PythonPackages):
    """Beside schemathesis it has openapi-spec-validator."""

    def __init__(self):
        super().__init__("schemathesis", os.path.join(PINNED, "requirements.txt"), "bin", "st")


class NodePrograms(Environment):
    """The packages that folder/package-lock.json pins. They run nothing when installed."""

    def __init__(self, name, folder, sample):
        super().__init__(name, os.path.join(folder, "package-lock.json"), "node_modules/.bin", sample)

    @staticmethod
    def ensure_packages():
        if not shutil.which("npm"):  # other distributions of Node bring it along
            packages.ensure(packages.NPM)

    def fill(self):
        os.makedirs(self.folder)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(os.path.dirname(self.pinned), name), self.folder)
        self.run(["npm", "ci", "--prefix", self.folder, "--ignore-scripts", "--no-audit", "--no-fund"])


SCHEMATHESIS = Schemathesis()
# Spectral, and the program that makes a collection for Postman.
NODE_PROGRAMS = NodePrograms("contract-npm", os.path.join(PINNED, "npm"), "spectral")
# For the suite `browser`, which installs them itself: playwright-core, axe-core, lighthouse.
BROWSER_PROGRAMS = NodePrograms("browser-npm", os.path.join(paths.ROOT, "infrastructure", "browser"), "lighthouse")


PROGRAMS = {"oasdiff": OASDIFF, "stripe-mock": STRIPE_MOCK, "schemathesis": SCHEMATHESIS, "spectral": NODE_PROGRAMS}


def add_options(parser):
    parser.add_argument("action", choices=("install",))
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"some of: {' '.join(PROGRAMS)}; all of them")


def contract(options):
    assert options.action == "install"
    unknown = set(options.programs) - set(PROGRAMS)
    if unknown:
        raise DevError(f"no such program: {' '.join(sorted(unknown))}; there are {' '.join(PROGRAMS)}", status=2)
    for name in options.programs or PROGRAMS:
        step(name, PROGRAMS[name].install())
    return 0
