"""The whole matrix on one stack: ./dev chaos crash-matrix."""
import functools
import itertools
import os
import time

from dev import build, paths
from dev.parallel import in_lanes
from dev.report import DevError, step

from chaos.verdict import Judge

from chaos import invariants, webhooks

from chaos.crash_matrix import plan, report, rows, stack

RESULTS = os.path.join(paths.ROOT, "chaos-testing", "results", "crash-matrix.md")


def run(preset, only=None, short=False, listing=False, record=True):
    """→ the exit status."""
    if preset == "release":
        raise DevError("a release has no failpoints: choose --preset dev, asan or tsan", status=2)
    step("build", f"preset {preset}")
    build.build_programs(preset)
    points = {service: plan.listed(stack.print_points(preset, service)) for service in plan.SERVICES}
    chosen = plan.choose(plan.rows(points), only, short)
    if listing:
        print(*(row.name for row in chosen), sep="\n")
        return 0
    # A row waits more than it works: each lane has a stack of its own.
    lanes = [lane for lane in plan.lanes(chosen) if lane]
    results = list(itertools.chain.from_iterable(in_lanes(functools.partial(_lane, preset), lanes)))
    print(report.total(results), flush=True)
    if record and not only and not short:
        _write(results)
    return 0 if all(result.good() for result in results) else 1


def _lane(preset, lane, interrupted):
    with stack.matrix_stack(preset, lane[0].service) as system, webhooks.told(system) as receiver:
        results = _all(system, itertools.takewhile(lambda _: not interrupted.is_set(), lane))
        for last in results[-1:]:
            last.problems += _at_the_end(system) + webhooks.problems(system, receiver)
        return results


def _all(system, chosen):
    judge, results, last = Judge(system), [], None
    for row in chosen:
        if last not in (None, row.service):
            system.restart_with(last, {})  # the switches of its last row are no longer its
        last = row.service
        result = rows.run(system, judge, row)
        results.append(result)
        print(report.line(result), *(f"    {text}" for text in result.texts()), sep="\n", flush=True)
    return results


def _at_the_end(system):
    """Everything once more over all orders; what is wrong now was right after the row that they came in."""
    found = invariants.check_at_rest(invariants.Sources.of_stack(system), rows.REST_SECONDS)
    return [f"at the end: {text}" for text in found.violations()]


def _write(results):
    day = time.strftime("%Y-%m-%d", time.gmtime())
    os.makedirs(os.path.dirname(RESULTS), exist_ok=True)
    lines = report.markdown(results, "./dev chaos crash-matrix", day, plan.UNREACHABLE)
    with open(RESULTS, "w", encoding="utf-8") as file:
        file.writelines(text + "\n" for text in lines)
    step("written", os.path.relpath(RESULTS, paths.ROOT))
