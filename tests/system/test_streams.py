"""An order's log as server-sent events: complete, in order, and resumed behind any event."""
import contextlib
import json
import threading

import pytest

from testkit.client import item, wait_until


def parse(lines):
    """Lines of text/event-stream; yields (id, event, data) as each event ends."""
    fields = {}
    for line in lines:
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield fields.get("id"), fields["event"], json.loads(fields["data"])
            fields = {}


@contextlib.contextmanager
def stream(api, order, headers=None, query=""):
    with api._session().get(f"{api.base}/api/orders/{order}/stream{query}", headers=headers, stream=True,
                            timeout=40) as response:
        yield response


def read_all(api, order, **options):
    with stream(api, order, **options) as response:
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "text/event-stream"
        return list(parse(response.iter_lines(decode_unicode=True)))


@pytest.fixture(name="final", scope="module")
def _final(api):
    placed = api.place(item("A"), headers={"Prefer": "wait=20"})
    assert placed.json()["status"] == "CONFIRMED"
    return placed.json()["order_id"]


def test_a_stream_is_the_log_and_ends_when_the_order_is_final(api, final):
    events = read_all(api, final)
    log = api.get(f"/api/orders/{final}/events?limit=100").json()["items"]
    assert events[-1] == (None, "end", {})
    assert [data for _, _, data in events[:-1]] == log
    assert [int(name) for name, _, _ in events[:-1]] == [entry["seq"] for entry in log]


def test_a_stream_goes_on_behind_any_event(api, final):
    whole = read_all(api, final)
    for sent in range(1, len(whole) - 1):
        assert read_all(api, final, headers={"Last-Event-ID": str(sent)}) == whole[sent:]
        assert read_all(api, final, query=f"?after={sent}") == whole[sent:]


def test_a_client_that_has_everything_does_not_come_back(api, final):
    last = api.get(f"/api/orders/{final}/events?limit=100").json()["items"][-1]["seq"]
    with stream(api, final, headers={"Last-Event-ID": str(last)}) as response:
        assert response.status_code == 204


def test_events_of_an_open_order_come_as_they_happen(api, stack):
    stack.signal("payment-svc", 19)
    try:
        order = api.place(item("A")).json()["order_id"]
        events = []

        def listen():
            events.extend(read_all(api, order))

        listener = threading.Thread(target=listen)
        listener.start()
        wait_until(lambda: api.get(f"/api/orders/{order}").json()["status"] == "RESERVED", 20, "the reservation")
        listener.join(0.1)
        assert listener.is_alive()
    finally:
        stack.signal("payment-svc", 18)
    listener.join(40)
    assert [name for _, name, _ in events][-1] == "end"
    assert [data for _, _, data in events[:-1]] == api.get(f"/api/orders/{order}/events?limit=100").json()["items"]


def test_what_opens_no_stream(api, final):
    for path, status in (("018f0000-0000-7000-8000-000000000001", 404), ("x", 404)):
        assert api.get(f"/api/orders/{path}/stream").status_code == status
    assert api.get(f"/api/orders/{final}/stream", headers={"Last-Event-ID": "x"}).status_code == 400
    assert api.get(f"/api/orders/{final}/stream?limit=1").status_code == 400
