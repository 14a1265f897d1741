"""Building for ./dev mutate: one object of a mutant, and programs that have it in the place of the archive's."""
import dataclasses
import functools
import json
import os
import shlex
import subprocess

from dev import build, paths
from dev.report import DevError

UNIT = "asan"  # the preset of unit tests: a sanitizer's report kills, too
SEEDS = "release"  # the preset of the simulation, and of the comparison of objects
LABELS = {"unit", "alloc"}
PLANTED = "-DORDERBUS_BUGS"  # a source that is also compiled with planted bugs is mutated without them


@dataclasses.dataclass(frozen=True)
class Program:
    """A test program, whose cases may share a process or must not; arguments of each."""
    target: str
    folder: str
    cases: tuple[tuple[str, ...], ...]

    def path(self) -> str:
        return os.path.join(build.folder(UNIT), self.target)


@functools.cache
def _entries(preset: str) -> dict[str, dict]:
    with open(os.path.join(build.folder(preset), "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    return {os.path.relpath(entry["file"], paths.ROOT): entry
            for entry in sorted(entries, key=lambda entry: PLANTED not in entry["command"])}


def _without_cache(words: list[str]) -> list[str]:
    """A mutant is compiled once: it need not be kept."""
    return words[1:] if os.path.basename(words[0]) == "ccache" else words


def compile_words(preset: str, name: str, ret: str) -> tuple[list[str], str]:
    """→ words that compile the standard input as if it were the file, and the folder to run them in"""
    entry = _entries(preset).get(name)
    if entry is None:
        raise DevError(f"{name} is not compiled in the preset {preset}")
    words = _without_cache(shlex.split(entry["command"]))
    at = words.index("-o")
    kept = [word for word in words[:at] + words[at + 2:] if word not in ("-c", "-g", "-Werror", entry["file"])]
    return [*kept, "-w", "-g0", "-iquote", os.path.dirname(entry["file"]), "-x", "c", "-c", "-", "-o",
            ret], entry["directory"]


def compile_text(preset: str, name: str, text: str, ret: str) -> bool:
    """Compiles; false: the text is not C."""
    words, folder = compile_words(preset, name, ret)
    source = f'#line 1 "{name}"\n{text}'  # an assertion has the name in it, wherever the checkout lies
    done = subprocess.run(words, cwd=folder, input=source, text=True, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, timeout=300, check=False)
    return done.returncode == 0


@functools.cache
def _link_words(preset: str, target: str) -> tuple[str, ...]:
    done = subprocess.run(["ninja", "-C", build.folder(preset), "-t", "commands", target], capture_output=True,
                          text=True, check=True)
    words = _without_cache([word for word in shlex.split(done.stdout.splitlines()[-1]) if word not in (":", "&&")])
    return tuple(word for word in words if word != "-g")


def link(preset: str, target: str, name: str, replacement: str, ret: str) -> str:
    """Links the target with this object of the source `name`: in the place of its own, or before the archives, so that
    their member is not taken. → "" or the errors"""
    own = "/".join(["", *name.split("/")[-2:]]) + ".o"
    words = [word for word in _link_words(preset, target) if not word.endswith(own)]
    first = next(index for index, word in enumerate(words) if word.endswith(".o"))
    words[words.index("-o") + 1] = ret
    done = subprocess.run([*words[:first], replacement, *words[first:], "-Wl,--strip-debug"],
                          cwd=build.folder(preset), capture_output=True, text=True, timeout=300, check=False)
    return "" if done.returncode == 0 else done.stderr or "the linker failed"


def symbols(path: str) -> set[str]:
    """Functions and data that an object or a program defines and shows to others."""
    done = subprocess.run(["nm", "--defined-only", "--extern-only", path], capture_output=True, text=True, check=True)
    return {line.split()[-1] for line in done.stdout.splitlines() if line.split()[1:2] and
            line.split()[1] in "TDRB"}


@functools.cache
def _all_programs() -> tuple[Program, ...]:
    done = subprocess.run(["ctest", "--test-dir", build.folder(UNIT), "--show-only=json-v1"], capture_output=True,
                          text=True, check=True)
    found: dict[tuple[str, str], list] = {}
    for test in json.loads(done.stdout)["tests"]:
        properties = {one["name"]: one["value"] for one in test["properties"]}
        if not LABELS & set(properties.get("LABELS", ())):
            continue
        target = os.path.relpath(test["command"][0], build.folder(UNIT))
        found.setdefault((target, properties["WORKING_DIRECTORY"]), []).append(tuple(test["command"][1:]))
    return tuple(Program(*place, tuple(cases)) for place, cases in found.items())


def part(name: str) -> str:
    return name.split("/", 1)[0]


def programs(name: str) -> list[Program]:
    """All of the file's part; CTest names those alone that are built."""
    place = os.path.join(build.folder(UNIT), part(name), "tests")
    found = [one for one in _all_programs() if (one.folder + "/").startswith(place + "/")]
    if not found:
        raise DevError(f"no unit test stands in {part(name)}/tests")
    return found


def tests_of(name: str, folder: str) -> list[Program]:
    """Programs of the file's part that contain it. Those whose name shares a word with the file's come first."""
    made = os.path.join(folder, "as-it-is.o")
    if not compile_text(UNIT, name, _text(name), made):
        raise DevError(f"{name} does not compile")
    own = symbols(made)
    found = [one for one in programs(name) if own & symbols(one.path())]
    words = set(os.path.basename(name)[:-2].split("_")) - {part(name).split("-", 1)[0]}
    return sorted(found, key=lambda one: not words & set(os.path.basename(one.target).split("_")))


def is_simulated(name: str, folder: str) -> bool:
    made = os.path.join(folder, "as-it-is.o")
    return compile_text(SEEDS, name, _text(name), made) and bool(
        symbols(made) & symbols(os.path.join(build.programs(SEEDS), "simulation")))


def _text(name: str) -> str:
    with open(os.path.join(paths.ROOT, name), encoding="utf-8") as file:
        return file.read()
