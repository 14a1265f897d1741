"""From one shard to four and back under load: no order is lost or doubled."""
import json
import os
import time

import pytest

from chaos import invariants
from dev import build, demo, orderctl, private, sharding
from dev.stack import Stack
from load.traffic import Mix, Traffic
from testkit import shards
from testkit.client import Api, wait_until

PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"
SHARDS, RATE, CLIENTS, EACH = 4, 20, 16, 120


@pytest.fixture(name="stack", scope="module")
def fixture_stack():
    with private.stack("reshard", lambda folder: Stack(folder, preset=PRESET)) as made:
        demo.seed(made)
        yield made


def queues(stack):
    listed = stack.broker.management.must("GET", "queues", "orderbus")
    return {one["name"]: one for one in listed}


def published(stack, name):
    return queues(stack)[name].get("message_stats", {}).get("publish", 0)


def assert_nothing_is_retired_while_it_is_read(stack):
    stack.reshard(1)
    said, status = stack.broker.retire_shards(build.programs(PRESET))
    stack.reshard(SHARDS)
    assert status == 1 and "1 consumers" in said
    assert said.splitlines()[-1] == f"nothing was deleted: {SHARDS * len(shards.QUEUES)} of them are in use"


def assert_operators_see_the_shards(stack):
    def said(*words):
        done = orderctl.run(stack, *words, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert said("topology", "diff") == "no difference\n"
    listed = Api(stack.url("edge")).get("/api/queues").json()["items"]
    work = [one for one in listed if one["kind"] == "work"]
    assert json.loads(said("--json", "broker", "probe"))["queues"] == len(work) + len(shards.QUEUES) * SHARDS
    read = {one["queue"]: one["consumers"] for one in listed if one["queue"] in shards.QUEUES}
    assert read == {name: 1 + SHARDS for name in shards.QUEUES}


def test_one_to_four_and_back_under_load(stack):
    mix = Mix(reads=False)

    def accept(count, what):
        wait_until(lambda: len(mix.accepted) >= count, 180, f"orders {what}")

    with Traffic(("127.0.0.1", stack.ports["edge"]), CLIENTS, mix, RATE, repeats=False):
        accept(EACH, "with one shard")
        sharding.grow(stack, SHARDS)
        before = len(mix.accepted)
        accept(before + EACH, "with four shards")
        wait_until(lambda: all(published(stack, name) for name in shards.names(SHARDS)), 30, "messages in every shard")
        assert_operators_see_the_shards(stack)
        assert_nothing_is_retired_while_it_is_read(stack)
        sharding.shrink(stack)
        before = len(mix.accepted)
        accept(before + EACH, "with one shard again")
    began = time.monotonic()
    found = invariants.check_at_rest(invariants.Sources.of_stack(stack, accepted=mix.accepted), 180)
    assert not found.violations(), "\n".join(found.lines())
    assert not set(shards.names(SHARDS)) & set(queues(stack))
    assert stack.broker.difference(build.programs(PRESET)) == ("no difference\n", 0)
    print(f"reshard: {len(mix.accepted)} orders, at rest after {time.monotonic() - began:.1f} s")
