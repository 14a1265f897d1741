"""Which mutants ./dev mutate takes: the files, a seeded sample spread over them, and how sure its share is."""
import fnmatch
import glob
import math
import os
import random

from dev import mutate_operators, mutate_source, paths
from dev.mutate_operators import Mutant
from dev.report import DevError

# Decisions, their tables, and the pipeline.
FILES = (
    "order-svc/src/*_decide.c", "order-svc/src/*_evolve.c", "order-svc/src/*_table.c",
    "inventory-svc/src/*_decide.c", "inventory-svc/src/*_evolve.c", "inventory-svc/src/*_table.c",
    "payment-svc/src/*_decide.c", "payment-svc/src/*_evolve.c", "payment-svc/src/*_table.c",
    "libbus/src/core/aggregate.c", "libbus/src/core/effects.c", "libbus/src/core/backoff.c",
    "libbus/src/core/breaker.c", "libbus/src/pipeline/*.c",
)
HEADERS = ("*-svc/src/*.h", "libbus/include/bus/*.h", "libbus/src/*/*.h")
SURE = 1.96  # standard deviations: 95 %


def _glob(patterns: tuple[str, ...]) -> list[str]:
    return sorted({os.path.relpath(place, paths.ROOT) for pattern in patterns
                   for place in glob.glob(os.path.join(paths.ROOT, pattern))})


def files(pattern: str | None = None) -> list[str]:
    """Those of FILES that one of the globs between commas names; one without a slash is compared with the last part."""
    found = _glob(FILES)
    if pattern:
        found = [name for name in found if any(
            fnmatch.fnmatch(name if "/" in one else os.path.basename(name), one) for one in pattern.split(","))]
    if not found:
        raise DevError(f"no mutated file is called {pattern}", status=2)
    return found


def read(name: str) -> str:
    with open(os.path.join(paths.ROOT, name), encoding="utf-8") as file:
        return file.read()


def candidates(names: list[str]) -> dict[str, list[Mutant]]:
    """file → all of its mutants"""
    known: dict[str, list[str]] = {}
    for header in _glob(HEADERS):
        known |= mutate_source.enumerations(read(header))
    return {name: mutate_operators.mutants(name, read(name), known | mutate_source.enumerations(read(name)))
            for name in names}


def quotas(sizes: dict[str, int], wanted: int) -> dict[str, int]:
    """In proportion to the sizes, by the largest remainder; at least one of each."""
    total = sum(sizes.values())
    wanted = min(wanted, total)
    exact = {name: size * wanted / total for name, size in sizes.items() if size}
    result = {name: max(1, int(share)) for name, share in exact.items()}
    for name in sorted(exact, key=lambda one: int(exact[one]) - exact[one]):
        if sum(result.values()) < wanted and result[name] < sizes[name]:
            result[name] += 1
    return result


def shuffled(mutants: list[Mutant], seed: int) -> list[Mutant]:
    """By the seed and the file alone, so that a change of one file leaves the sample of the others."""
    result = list(mutants)
    if result:
        random.Random(f"{seed} {result[0].file}").shuffle(result)
    return result


def interval(killed: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if count == 0:
        return 0.0, 1.0
    share, square = killed / count, SURE * SURE
    middle = share + square / (2 * count)
    half = SURE * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    return (middle - half) / (1 + square / count), (middle + half) / (1 + square / count)
