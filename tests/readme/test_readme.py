"""Runs the commands of the README: ./dev up, the first order, ./dev down; and checks its links."""
import json
import os
import re
import subprocess

import pytest

from dev import ports

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
    README = readme.read()
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.S)


def commands(block):
    """The block's commands without comments; continued lines joined."""
    joined = block.replace("\\\n", " ")
    return [line.split("  #")[0].strip() for line in joined.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """A stack by the README's own first command, where its ports are free; else on ports of its own."""
    state = os.path.join(os.environ.get("ORDERBUS_TEST_TMP") or str(tmp_path_factory.mktemp("readme")), "state")
    environment = {**os.environ, "ORDERBUS_STATE": state}
    if not all(ports.is_free(number) for number, _, _ in ports.TABLE.values()):
        chosen = iter(range(21500, 21600))
        for _, variable, _ in ports.TABLE.values():
            environment[variable] = str(next(port for port in chosen if ports.is_free(port)))

    def type_in(command):
        for number, variable, _ in ports.TABLE.values():
            command = command.replace(f"127.0.0.1:{number}/", f"127.0.0.1:{environment.get(variable, number)}/")
        done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True,
                              timeout=900, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout
    yield type_in
    type_in("./dev down")


def test_two_commands(started):
    up, test = commands(BLOCKS[0])
    assert test == "./dev test", "the second of the two commands is what is running now"
    said = started(up)
    assert "CONFIRMED" in said and "management" in said
    assert all(f"{role}'s token" in said for role in ("customer", "admin"))
    assert started("./dev token --admin").count(".") == 2


def test_first_order(started):
    first, *_ = commands(BLOCKS[1])
    order = json.loads(started(first))
    assert order["status"] == "CONFIRMED" and order["total"] == 2 * order["items"][0]["unit_price"]
    assert json.loads(started(first))["order_id"] == order["order_id"], "said again: the same order"


def test_look_around(started):
    orders, health = commands(BLOCKS[2])
    assert json.loads(started(orders))["items"][0]["status"] == "CONFIRMED"
    assert json.loads(started(health))["status"] == "UP"


def test_a_user_of_your_own(started):
    """The lines share variables, so one shell takes them all."""
    said = started("set -e\n" + "\n".join(commands(BLOCKS[3])))
    assert said.startswith('{"status":"accepted"}')
    assert "event: order.confirmed" in said and "event: end" in said
    assert '"amount":100' in said[said.index("event: end"):]


def test_libbus_installs(started, tmp_path):
    for command in commands(BLOCKS[4]):
        started(f"HOME={tmp_path}; {command}")
    assert (tmp_path / ".local" / "include" / "bus" / "worker.h").exists()


def test_links():
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    missing = [target for target in targets if not os.path.exists(os.path.join(ROOT, target))]
    assert targets and not missing
