"""./dev issuers install: the issuers of tokens that the suite `attack` runs, in pinned versions."""
import os
import shutil
import subprocess

from dev import account, paths
from dev.report import DevError, step
from dev.state import State

SOURCE = os.path.join(paths.ROOT, "infrastructure", "issuers")
LOCK = "package-lock.json"
INSTALL_SECONDS = 900
NODE, NPM = "node", "npm"


class Issuers:
    """A folder of packages in the state folder; it is made again if the lock file changes."""

    def __init__(self):
        self._state = State(paths.default_state())
        self.folder = os.path.join(self._state.path, "issuers")
        self._mark = os.path.join(self.folder, "installed.json")  # the lock file of what is installed

    def installed(self):
        return account.read_file(self._mark) == account.read_file(os.path.join(SOURCE, LOCK))

    @staticmethod
    def missing():
        return "the issuers are not installed: ./dev issuers install"

    def install(self):
        if not self.installed():
            if shutil.which(NPM) is None:
                raise DevError("there is no npm: install Node.js 20.19 or later with npm")
            self._state.create()
            shutil.rmtree(self.folder, ignore_errors=True)
            os.makedirs(self.folder)
            for name in ("package.json", LOCK):
                shutil.copy(os.path.join(SOURCE, name), self.folder)
            self._run([NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            shutil.copy(os.path.join(SOURCE, LOCK), self._mark)
        return self.folder

    def _run(self, words):
        try:
            done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, check=False,
                                  timeout=INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            raise DevError(f"the issuers were not installed within {INSTALL_SECONDS} s") from None
        if done.returncode != 0:
            raise DevError(f"the issuers cannot be installed: {(done.stderr or done.stdout).strip()}")

    def words(self, script, *arguments):
        """The command of one issuer. The script is copied into the folder: Node looks for packages beside it."""
        place = os.path.join(self.folder, script)
        shutil.copy(os.path.join(SOURCE, script), place)
        return [NODE, place, *map(str, arguments)]


ISSUERS = Issuers()


def issuers(options):
    assert options.action == "install"
    step("issuers", ISSUERS.install())
    return 0
