"""One mutant on trial: the unit tests of its file, one program after the other, then seeds of the simulation."""
import contextlib
import dataclasses
import functools
import os
import re
import resource
import signal
import subprocess
import tempfile
import time

from dev import build, mutate_build, services
from dev.mutate_build import SEEDS, UNIT, Program
from dev.mutate_operators import Mutant
from dev.report import DevError

GRACE = 20  # seconds on top of eight times what a program takes as it is: the machine may be busy
SLOWER = 8
OUTPUT_MAX = 16 << 20
MEMORY_MAX = 1 << 30
LOOK_EVERY = 0.1
TIMEOUT, TOO_LARGE = "timeout", "memory"


@dataclasses.dataclass(frozen=True)
class Ended:
    """`stopped`: TIMEOUT or TOO_LARGE, or "": it ended by itself, with this status."""
    status: int
    stopped: str
    output: str
    seconds: float

    def failed(self) -> bool:
        return bool(self.stopped or self.status)


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0


def _watch(child: subprocess.Popen, seconds: float) -> str:
    """No limit of the kernel fits a program under the address sanitizer, which reserves terabytes."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=LOOK_EVERY)
            return ""
        if time.monotonic() > deadline:
            return TIMEOUT
        if _resident(child.pid) > MEMORY_MAX:
            return TOO_LARGE


def run(words: list[str], folder: str, seconds: float) -> Ended:
    """A program that may do anything: its time, output and memory are bounded, and its children end with it."""
    bounds = ["prlimit", f"--fsize={OUTPUT_MAX}", "--core=0", "--"]
    begin = time.monotonic()
    with tempfile.TemporaryFile() as output:
        with subprocess.Popen([*bounds, *words], cwd=folder, env=os.environ | services.SANITIZERS,
                              stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                              start_new_session=True) as child:
            try:
                stopped = _watch(child, seconds)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
        output.seek(0)
        text = output.read(OUTPUT_MAX).decode(errors="replace")
    return Ended(child.returncode, stopped, text, time.monotonic() - begin)


def reason(ended: Ended) -> str:
    """How a mutant was noticed: timeout, memory, assertion, sanitizer, invariant, crash, or by a test."""
    if ended.stopped:
        return ended.stopped
    if re.search(r": Assertion `", ended.output):
        return "assertion"
    if re.search(r"ERROR: AddressSanitizer|runtime error:", ended.output):
        return "sanitizer"
    if "[  ERROR   ] --- " in ended.output:
        return "test"
    if "LeakSanitizer" in ended.output:  # a test that failed leaks, too
        return "sanitizer"
    if "VIOLATED" in ended.output:
        return "invariant"
    if ended.status < 0 or ended.status >= 128 or "Test failed with exception" in ended.output:
        return "crash"
    return "test"


class Court:
    """Facts about all files: the time that each program takes as it is, measured when it is wanted first."""

    def __init__(self, folder: str, seeds: int):
        self.folder, self.seeds = folder, seeds

    @functools.cache
    def tests(self, name: str) -> list[Program]:
        return mutate_build.tests_of(name, self.folder)

    @functools.cache
    def simulated(self, name: str) -> bool:
        return mutate_build.is_simulated(name, self.folder)

    @functools.cache
    def runs(self, program: Program) -> list[tuple[tuple[str, ...], float]]:
        """Arguments and usual seconds: of one run of all cases, or of a run of each if they disturb one another."""
        whole = run([program.path()], program.folder, 300)
        if len(program.cases) > 1 and not whole.failed():
            return [((), whole.seconds)]
        return [(case, self._usual([program.path(), *case], program.folder)) for case in program.cases]

    @functools.cache
    def usual_seeds(self) -> float:
        return self._usual(self.simulation(os.path.join(build.programs(SEEDS), "simulation")), self.folder)

    def simulation(self, program: str) -> list[str]:
        return [program, "--seeds", str(self.seeds)]

    @staticmethod
    def _usual(words: list[str], folder: str) -> float:
        ended = run(words, folder, 300)
        if ended.failed():
            raise DevError(f"{' '.join(words)} fails as it is:\n{ended.output[-2000:]}")
        return ended.seconds

    def prepare(self, names: list[str]) -> None:
        for name in names:
            for program in self.tests(name):
                self.runs(program)
            if self.simulated(name):
                self.usual_seeds()


@dataclasses.dataclass(frozen=True)
class Verdict:
    """`by`: the program or the seed that killed it; `how`: see reason()."""
    killed: bool
    by: str = ""
    how: str = ""


def _linked(preset: str, target: str, mutant: Mutant, made: str, ret: str) -> None:
    errors = mutate_build.link(preset, target, mutant.file, made, ret)
    if errors:
        raise DevError(f"{target} does not link with the mutant {mutant.id}:\n{errors}")


def _by_tests(court: Court, mutant: Mutant, text: str, folder: str) -> Verdict:
    made, program = os.path.join(folder, "unit.o"), os.path.join(folder, "program")
    if not mutate_build.compile_text(UNIT, mutant.file, text, made):
        raise DevError(f"mutant {mutant.id} compiles in the preset {SEEDS} alone")
    for test in court.tests(mutant.file):
        _linked(UNIT, test.target, mutant, made, program)
        for arguments, usual in court.runs(test):
            ended = run([program, *arguments], test.folder, GRACE + SLOWER * usual)
            if ended.failed():
                return Verdict(True, os.path.basename(test.target), reason(ended))
    return Verdict(False)


def _by_seeds(court: Court, mutant: Mutant, text: str, folder: str) -> Verdict:
    made, program = os.path.join(folder, "seeds.o"), os.path.join(folder, "simulation")
    if not mutate_build.compile_text(SEEDS, mutant.file, text, made):
        raise DevError(f"mutant {mutant.id} no longer compiles")
    _linked(SEEDS, "bin/simulation", mutant, made, program)
    ended = run(court.simulation(program), folder, GRACE + SLOWER * court.usual_seeds())
    if not ended.failed():
        return Verdict(False)
    seed = re.search(r"VIOLATED +(seed \d+)", ended.output)
    return Verdict(True, f"simulation, {seed[1]}" if seed else "simulation", reason(ended))


def try_mutant(court: Court, mutant: Mutant, text: str) -> Verdict:
    """text: the source as it is."""
    changed = mutant.apply(text)
    with tempfile.TemporaryDirectory(dir=court.folder) as folder:
        verdict = _by_tests(court, mutant, changed, folder)
        if verdict.killed or not court.simulated(mutant.file):
            return verdict
        return _by_seeds(court, mutant, changed, folder)
