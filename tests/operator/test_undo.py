"""orderctl dead undo and audit: what a run of dead retry has sent goes back as it was, and each run is on record."""
import json
import uuid

import pytest

from testkit.client import wait_until
from dev import orderctl
from test_redrive import QUEUE, bury, dead, products, put_dead, run


def ready(stack):
    """None: the broker has not counted yet"""
    return stack.broker.management.must("GET", "queues", stack.broker.admin.path, QUEUE).get("messages_ready")


def runs(stack, *words):
    """→ the runs of the record, oldest first: (id, action, the whole line)"""
    status, text = run(stack, *words, "audit")
    assert status == 0, text
    return [(line.split()[1], line.split()[2], line) for line in text.splitlines()[1:]]


def shown(stack):
    """→ what dead show prints, without the order of the messages"""
    return sorted(run(stack, "dead", "show", QUEUE)[1].split("\n\n"))


@pytest.fixture
def empty(stack):
    yield
    stack.start_services()
    run(stack, "--all", "dead", "drop", QUEUE)
    assert dead(stack) == 0


def test_an_undone_run_leaves_what_was_before_and_nothing_is_taken_twice(stack, empty):
    stack.stop_service(QUEUE)
    bury(stack, 20, "undone")
    before = shown(stack)
    status, text = run(stack, "--all", "--canary", "0", "--rate", "1000", "dead", "retry", QUEUE)
    assert status == 0 and dead(stack) == 0, text
    found = runs(stack, "--action", "dead.retry")[-1]
    assert "20 of 20; done: 20 sent" in found[2]
    status, text = run(stack, "--dry-run", "dead", "undo", found[0])
    assert (status, text) == (0, f"20 messages were sent to {QUEUE}: 0 taken, 0 came back; 20 would be looked for\n")
    status, text = run(stack, "dead", "undo", found[0])
    assert status == 0 and "done: 20 put back, 0 taken, 0 came back, 0 not found" in text, text
    assert dead(stack) == 20 and shown(stack) == before
    wait_until(lambda: ready(stack) == 0, 30, "an empty work queue")
    assert run(stack, "--all", "--canary", "0", "--rate", "1000", "dead", "retry", QUEUE)[0] == 0
    stack.start_service(QUEUE)
    wait_until(lambda: products(stack, "undone") == 20, 60, "all products")
    status, text = run(stack, "dead", "undo", runs(stack, "--action", "dead.retry")[-1][0])
    assert status == 1 and "done: 0 put back, 20 taken, 0 came back, 0 not found" in text, text
    assert dead(stack) == 0


def test_undo_reads_the_queue_of_any_service_on_the_bus(stack):
    service = "notify-svc"
    stack.stop_service(service)
    event = {"order_id": str(uuid.uuid4()), "customer_id": "ann", "total": 100, "currency": "EUR"}
    put_dead(stack, service, "order.confirmed.v1", [event], "order-svc")
    before = run(stack, "dead", "show", service)[1]
    assert run(stack, "--all", "--canary", "0", "dead", "retry", service)[0] == 0
    status, text = run(stack, "dead", "undo", runs(stack, "--action", "dead.retry")[-1][0])
    assert status == 0 and "done: 1 put back" in text and run(stack, "dead", "show", service)[1] == before, text
    stack.start_service(service)
    assert run(stack, "--all", "dead", "drop", service)[0] == 0


def test_undo_leaves_the_messages_of_others_in_the_queue(stack, empty):
    stack.stop_service(QUEUE)
    bury(stack, 3, "first")
    assert run(stack, "--all", "--canary", "0", "dead", "retry", QUEUE)[0] == 0
    first = runs(stack, "--action", "dead.retry")[-1][0]
    bury(stack, 4, "second")
    assert run(stack, "--all", "--canary", "0", "dead", "retry", QUEUE)[0] == 0
    status, text = run(stack, "dead", "undo", first)
    assert status == 0 and "done: 3 put back" in text and dead(stack) == 3, text
    stack.start_service(QUEUE)
    wait_until(lambda: products(stack, "second") == 4, 60, "the messages of the other run")
    assert products(stack, "first") == 0


def test_undo_is_refused_without_a_run_or_the_queues_reader(stack, empty):
    stack.stop_service(QUEUE)
    first, = bury(stack, 1, "refused")
    assert run(stack, "dead", "drop", QUEUE, first)[0] == 0
    dropped = runs(stack)[-1][0]
    bury(stack, 1, "refused")
    assert run(stack, "--all", "--canary", "0", "dead", "retry", QUEUE)[0] == 0
    sent = runs(stack)[-1][0]
    for words, given, what in (
            (("dead", "undo", "x"), {}, "takes the id of a run"), (("dead", "undo"), {}, "takes the id of a run"),
            (("dead", "undo", first), {}, "has no such run"),
            (("dead", "undo", dropped), {}, "only a run of dead retry"),
            (("dead", "undo", sent), {"ORDERCTL_AUDIT_FILE": ""}, "ORDERCTL_AUDIT_FILE must name"),
            (("dead", "undo", sent), {"INVENTORY_RABBITMQ_URL": ""}, "must name the broker as its reader, " + QUEUE),
            (("dead", "undo", sent), {"INVENTORY_RABBITMQ_URL": stack.amqp_url("operator")},
             "the user operator does not read " + QUEUE)):
        done = orderctl.run(stack, *words, given=given, capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and what in done.stderr, (words, done.stderr)
    wait_until(lambda: ready(stack) == 1, 30, "the message in its queue")


def test_the_record_has_all_runs_and_their_messages(stack, empty, tmp_path):
    first, second = bury(stack, 2, "audited")
    assert run(stack, "dead", "drop", QUEUE, first)[0] == 0
    run_id, action, line = runs(stack)[-1]
    assert action == "dead.drop" and f" dead.drop {QUEUE} by " in line and line.endswith(": 1 of 1; done")
    status, text = run(stack, "audit", run_id)
    assert status == 0 and [one.split()[1] for one in text.splitlines()] == ["begin", "dead.drop", "end"]
    assert first in text and second not in text
    status, text = run(stack, "--json", "audit", run_id)
    assert [json.loads(one)["run"] for one in text.splitlines()] == [run_id] * 3
    assert "BUS_E_DB_DATA" in json.loads(text.splitlines()[1])["tries"][0]["line"]
    assert len(runs(stack, "--limit", "1")) == 1 and runs(stack, "--action", "dead.other") == []
    old = tmp_path / "old.jsonl"
    old.write_text('{"at":"2026-03-01T12:00:00.000Z","action":"dead.drop","mark":"begin"}\nno JSON\n')
    for words, given, status, what in (
            (("audit",), str(old), 0, "1 lines are of no run"), (("audit",), str(old), 0, "1 lines are no record"),
            (("audit",), "/absent/file", 2, "cannot open the audit file"), (("audit",), "", 2, "must name the file"),
            (("audit", first), str(old), 2, "has no such run"), (("audit", "x"), str(old), 2, "at most one id")):
        done = orderctl.run(stack, *words, given={"ORDERCTL_AUDIT_FILE": given}, capture_output=True, text=True,
                            timeout=60)
        assert done.returncode == status and what in done.stdout + done.stderr, (words, given, done)
