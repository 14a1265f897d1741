"""Other trees of the sources, in which tests build: a copy of the checkout that they change, and a release."""
import os
import re
import shutil
import subprocess

from dev import build, paths, runner

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"


def call(*words, cwd, **environment):
    done = subprocess.run(words, cwd=cwd, env=os.environ | environment, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=600, check=False)
    assert done.returncode == 0, f"{' '.join(words)}\n" + "\n".join(done.stdout.splitlines()[-60:])


class Tree:
    """Sources in a folder of their own."""

    def __init__(self, folder):
        self.folder = folder

    def build(self, *targets, settings=()):
        """Builds the targets, without one all, with the objects that ccache has of other folders; → the folder of the
        programs."""
        cache = {"CCACHE_BASEDIR": self.folder, "CCACHE_NOHASHDIR": "1"}
        call("cmake", "--preset", PRESET, *settings, cwd=self.folder, **cache)
        place = os.path.join(self.folder, "build", PRESET)
        wanted = ("--target", *targets) if targets else ()
        call("cmake", "--build", place, "--parallel", "2", *wanted, cwd=self.folder, **cache)
        return os.path.join(place, "bin")


class Copy(Tree):
    """The checkout as it is."""

    def __init__(self, folder):
        super().__init__(folder)
        for name in runner.tracked(""):
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            shutil.copy2(os.path.join(paths.ROOT, name), os.path.join(folder, name))

    def apply(self, patch):
        """→ the files that the patch changes."""
        call("git", "apply", "--unidiff-zero", patch, cwd=self.folder)
        with open(patch, encoding="utf-8") as file:
            return re.findall(r"^\+\+\+ b/(.*)$", file.read(), re.M)


def link_programs(folder, others, *names):
    """Fills a folder with the checkout's programs, but those of the names from another build."""
    os.mkdir(folder)
    for name in build.PROGRAMS:
        os.symlink(os.path.join(others if name in names else build.programs(PRESET), name),
                   os.path.join(folder, name))
    return folder
