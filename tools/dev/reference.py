"""./dev reference: HTML and man pages of libbus's public headers, by Doxygen; what is undocumented is an error."""
import os
import subprocess

from dev import packages, paths
from dev.report import DevError, step

FOLDER = os.path.join(paths.ROOT, "build", "reference")


def make(headers, output, seconds=300):
    """The finished process of Doxygen and its check."""
    place = os.path.join(paths.ROOT, "libbus", "reference")
    return subprocess.run(["cmake", "-DDOXYGEN=doxygen", f"-DHEADERS={headers}", f"-DVERSION={paths.version()}",
                           f"-DFILTER={os.path.join(place, 'doxygen.awk')}", f"-DOUTPUT={output}",
                           "-P", os.path.join(place, "reference.cmake")],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, check=False)


def reference(_options):
    packages.ensure(packages.REFERENCE)
    done = make(os.path.join(paths.ROOT, "libbus", "include", "bus"), FOLDER)
    if done.returncode != 0:
        raise DevError(done.stdout.strip())
    step("HTML", os.path.join(FOLDER, "html", "index.html"))
    step("man", f"man -M {os.path.join(FOLDER, 'man')} bus_emit")
    return 0
