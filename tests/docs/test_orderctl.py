"""orderctl's manual and completion name what its --help names, and the completion's queues are the topology's."""
import os
import re
import subprocess

import pytest

from dev import build, manifests, paths

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"


def text_of(name):
    with open(os.path.join(paths.ROOT, "orderctl", name), encoding="utf-8") as file:
        return file.read()


def output(program, *words):
    done = subprocess.run([os.path.join(build.programs(PRESET), program), *words], capture_output=True, text=True,
                          timeout=60, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def usage():
    return output("orderctl", "--help")


def test_the_manual_and_the_completion_name_every_option(usage):
    options = set(re.findall(r"--[a-z-]+", usage))
    assert {"--json", "--canary", "--env-file"} <= options
    manual = text_of("man/orderctl.1").replace("\\-", "-")
    completion = text_of("completion/orderctl.bash")
    assert {name for name in options if name not in manual} == set()
    assert {name for name in options if not re.search(rf"(?<![\w-]){name}(?![\w-])", completion)} == set()


def test_the_manual_and_the_completion_name_every_verb(usage):
    verbs = set(re.findall(r"orderctl \[OPTION…\] ([a-z]+)", usage))
    assert {"order", "outbox", "dead"} <= verbs == set(complete("orderctl", ""))
    manual = text_of("man/orderctl.1")
    assert {verb for verb in verbs if not re.search(rf'^\.BR? "?{verb}\b', manual, re.M)} == set()


def test_the_manual_names_every_variable(usage):
    variables = set(re.findall(r"^  ([A-Z][A-Z_]+) ", usage, re.M))
    assert len(variables) == 16 + 2 * len(manifests.FOR_OPERATORS)
    assert {name for name in variables if name not in text_of("man/orderctl.1")} == set()


def test_the_manual_is_well_formed():
    done = subprocess.run(["man", "--warnings", "-l", os.path.join(paths.ROOT, "orderctl/man/orderctl.1")],
                          capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "MANWIDTH": "100"}) if \
        os.path.exists("/usr/bin/man") else None
    if done is None:
        pytest.skip("man is not installed")
    assert done.returncode == 0 and done.stderr == "" and "EXIT STATUS" in done.stdout


def complete(*words):
    script = (f"source orderctl/completion/orderctl.bash; COMP_WORDS=({' '.join(repr(one) for one in words)}); "
              f"COMP_CWORD={len(words) - 1}; _orderctl; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    done = subprocess.run(["bash", "-c", script], cwd=paths.ROOT, capture_output=True, text=True, timeout=20,
                          check=True)
    return done.stdout.split()


def test_the_completion_completes():
    assert complete("orderctl", "") == ["order", "stuck", "outbox", "topology", "broker", "dead", "audit", "replay",
                                        "pay", "reconcile", "simulate"]
    assert complete("orderctl", "topology", "") == ["diff"] and complete("orderctl", "broker", "") == ["probe"]
    assert complete("orderctl", "outbox", "order-svc", "inventory-s") == ["inventory-svc"]
    assert complete("orderctl", "outbox", "") == [one.name for one in manifests.FOR_OPERATORS]
    assert complete("orderctl", "dead", "re") == ["retry"]
    assert complete("orderctl", "--ca") == ["--canary"]
    declared = output("bus-topology", "print")
    dead = set(re.findall(r"^queue (\S+)\.dead\b", declared, re.M))
    assert set(complete("orderctl", "dead", "list", "")) == dead and dead
