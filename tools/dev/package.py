"""./dev package: Debian packages of libbus, of each service and of the administrators' programs, by CPack."""
import glob
import os
import shutil
import subprocess

from dev import packages, paths, systems
from dev.report import DevError, step

BUILD = os.path.join(paths.ROOT, "build", "package")
FOLDER = os.path.join(paths.ROOT, "build", "packages")


def make():
    """Builds without tests and packs; → the packages' files."""
    packages.ensure(packages.UP + packages.PACKAGE)
    shutil.rmtree(FOLDER, ignore_errors=True)
    _run(["cmake", "--preset", "release", "-B", BUILD, "-DORDERBUS_TESTS=OFF"])
    _run(["cmake", "--build", BUILD, "--parallel", str(os.cpu_count() or 1)])
    _run(["cpack", "--config", os.path.join(BUILD, "CPackConfig.cmake"), "-B", FOLDER])
    shutil.rmtree(os.path.join(FOLDER, "_CPack_Packages"))
    return found()


def found():
    return sorted(glob.glob(os.path.join(FOLDER, "*.deb")))


def _run(words):
    done = subprocess.run(words, cwd=paths.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    if done.returncode != 0:
        raise DevError(f"{' '.join(words[:3])} failed\n{done.stdout[-8000:]}".rstrip())


def add_options(added):
    added.add_argument("action", nargs="?", choices=("system",),
                       help="system: make the Debian that the suite `packages` boots, instead")


def package(options):
    if options.action == "system":
        step("system", systems.MACHINE.install())
        return 0
    for path in make():
        step("package", os.path.relpath(path, paths.ROOT))
    return 0
