"""Databases that are restored to different moments: orderctl reconcile names what contradicts, repairs it, and orders
go on."""
import json
import re

import pytest

from chaos import invariants
from dev import account, orderctl
from load.private_stack import wait_until_final
from load.traffic import Mix, Traffic
from testkit.client import wait_until

NEW_ORDERS = 100
# The index of each database's moment, oldest first; None: the last commit.
SKEWS = {"orders are the oldest": {"orders": 0, "inventory": 2, "payments": 3, "users": 1},
         "orders are the newest": {"orders": None, "inventory": 1, "payments": 0, "users": 2},
         "inventory is the newest": {"orders": 1, "inventory": None, "payments": 2, "users": 0}}
SUMMARY = re.compile(r"(\d+) orders, (\d+) contradictions, (\d+) of them for a person, 0 orders too young to judge")


def reconcile(stack, *words):
    """→ (status, (orders, contradictions, by hand), the lines before)"""
    done = orderctl.run(stack, "reconcile", "--older", "0", *words, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    *lines, last = done.stdout.splitlines()
    return done.returncode, tuple(map(int, SUMMARY.fullmatch(last).groups())), sorted(lines)


def ids(stack, database, table):
    return {row[0] for row in stack.sql(database, f"SELECT order_id FROM {table};")}


def audit_lines(stack):
    return [json.loads(line) for line in (account.read_file(orderctl.audit_file(stack)) or "").splitlines()]


def place_more(stack):
    mix = Mix(reads=False)
    with Traffic(("127.0.0.1", stack.ports["edge"]), 8, mix, 20, repeats=False):
        wait_until(lambda: len(mix.accepted) >= NEW_ORDERS, 60, "new orders")
    return mix.accepted


@pytest.mark.parametrize("skew", SKEWS)
def test_databases_of_different_moments_are_made_to_fit(stack, disaster, recover, skew):
    moments = {database: None if index is None else disaster.moments[index]
               for database, index in SKEWS[skew].items()}
    restored = recover(moments).stack
    restored.start_service("psp-sandbox")
    known = ids(restored, "orders", "orders.orders")
    lost = (ids(restored, "inventory", "inventory.reservations") | set(disaster.accepted) |
            {line["order_id"] for line in invariants.read_ledger(restored.ledger()) if "order_id" in line}) - known

    status, (orders, contradictions, by_hand), lines = reconcile(restored)
    print(f"{skew}: {orders} orders, {contradictions} contradictions, {len(lost)} orders lost")
    assert status == 1 and orders >= 500 and contradictions > 10 and by_hand == 0
    assert reconcile(restored)[2] == lines, "the dry run has changed something"

    before = len(audit_lines(restored))
    assert reconcile(restored, "--repair")[0] == 0
    record = audit_lines(restored)[before:]
    assert [line.get("mark") for line in (record[0], record[-1])] == ["begin", "end"]
    repaired = sorted(f"{line['order_id']}: {line['text'].split(': ', 1)[1]} -> {line['text'].split(':', 1)[0]}"
                      for line in record if "order_id" in line)
    assert repaired == lines

    restored.start_services()
    assert wait_until_final(restored, 120)
    accepted = place_more(restored)
    found = invariants.check_at_rest(
        invariants.Sources.of_stack(restored, accepted=[*known, *accepted], lost=lost), 120)
    assert not found.violations(), "\n".join(found.lines())
    status, (_, contradictions, _), lines = reconcile(restored)
    assert (status, contradictions) == (0, 0), lines
