"""The reference of libbus: complete, readable as man pages, installed; and an undocumented function is an error."""
import os
import re
import shutil
import subprocess

import pytest

from dev import paths, reference

HEADERS = os.path.join(paths.ROOT, "libbus", "include", "bus")
with open(os.path.join(paths.ROOT, "libbus", "README.md"), encoding="utf-8") as readme:
    README = readme.read()
FUNCTION = re.compile(r"^(?!typedef|#| |/|\*)[\w *]*?\b(bus_\w+)\((?!\*)", re.M)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("reference")
    done = reference.make(HEADERS, place)
    assert done.returncode == 0, done.stdout
    return place


def functions():
    for name in sorted(set(os.listdir(HEADERS)) - {"failpoint.h"}):  # of test builds alone
        with open(os.path.join(HEADERS, name), encoding="utf-8") as file:
            yield from FUNCTION.findall(file.read())


def test_every_function_has_a_man_page(made):
    names = set(functions())
    pages = set(os.listdir(made / "man" / "man3"))
    assert len(names) > 400 and not {name for name in names if f"{name}.3" not in pages}
    assert not {page for page in pages if not page.startswith("bus_")}


def test_a_man_page_says_what_the_header_says(made):
    done = subprocess.run(["man", "-M", str(made / "man"), "bus_park"], text=True, capture_output=True, check=False,
                          env=os.environ | {"MANWIDTH": "400", "MANPAGER": "cat"})
    assert done.returncode == 0, done.stderr
    assert "Dead-letters the input with that reason" in done.stdout and "decide" in done.stdout


def test_the_html_has_every_header(made):
    pages = os.listdir(made / "html")
    for name in os.listdir(HEADERS):
        assert name.replace("_", "__").replace(".h", "_8h.html") in pages, name
    assert "index.html" in pages


@pytest.mark.parametrize("name, line, text", [
    ("arena.h", "void bus_arena_free(struct bus_arena *arena);", r"bus_arena_free\(struct\s+bus_arena \*arena\)"),
    ("clock.h", "BUS_C_BEGIN", r"bus_undocumented\(void\)"),
])
def test_an_undocumented_function_is_an_error(tmp_path, name, line, text):
    shutil.copytree(HEADERS, tmp_path / "bus")
    header = tmp_path / "bus" / name
    source = header.read_text(encoding="utf-8")
    assert source.count(line) == 1
    before, _, after = source.partition(line)
    if name == "arena.h":
        before = before[:before.rindex("/*")]
    else:
        after = "\nint bus_undocumented(void);" + after
    header.write_text(before + line + after, encoding="utf-8")
    done = reference.make(tmp_path / "bus", tmp_path / "out")
    said = re.sub(r"\s+", " ", done.stdout)
    assert done.returncode != 0 and re.search(text, said) and "is not documented" in said


def test_it_is_installed_by_the_commands_of_the_readme(tmp_path):
    blocks = re.findall(r"^```sh\n(.*?)^```", README, re.M | re.S)
    install, = (text for text in blocks if "cmake -S . -B build/libbus" in text)
    build, = (text for text in blocks if "bus_reference" in text)
    done = subprocess.run(["bash", "-euc", install + build], cwd=paths.ROOT, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False,
                          env=os.environ | {"HOME": str(tmp_path), "MANPAGER": "cat"})
    assert done.returncode == 0, done.stdout[-4000:]
    assert "Emits a command or event" in re.sub(r"\s+", " ", done.stdout)
    prefix = tmp_path / ".local" / "share"
    assert (prefix / "man" / "man3" / "bus_emit.3").exists()
    assert (prefix / "doc" / "libbus" / "html" / "index.html").exists()
