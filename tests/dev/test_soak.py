"""The load programs' own parts: a constant arrival rate over a real socket, the soak run's verdict, its picture."""
import collections
import itertools
import json
import socket
import threading
import time
import xml.etree.ElementTree

import pytest

from load import plot, soak_verdict
from load.traffic import Answer, Ask, Mix, Placed, Traffic, encode, parse

ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"


class Edge:
    """Answers every request with an order, in two pieces; closes each connection after so many, and can stall."""

    def __init__(self, requests_per_connection=1000):
        self.requests_per_connection = requests_per_connection
        self.stall = None  # (from the how manieth request, seconds)
        self.dropped = ()  # numbers of the requests whose connection is closed instead of an answer
        self.bodies = []
        self.numbers = itertools.count()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread, which would take one more
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client, client.makefile("rb") as file:
            for _ in range(self.requests_per_connection):
                length, line = 0, file.readline()
                if not line:
                    return
                while (line := file.readline().strip()):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line[15:])
                self.bodies.append(file.read(length))
                if len(self.bodies) in self.dropped:
                    return
                if self.stall and len(self.bodies) == self.stall[0]:
                    time.sleep(self.stall[1])
                answer = b'{"order_id":"%d"}' % next(self.numbers)
                whole = ANSWER % (len(answer), answer)
                client.sendall(whole[:30])
                client.sendall(whole[30:])


@pytest.fixture
def edge():
    made = Edge()
    yield made
    if made.listener.fileno() >= 0:
        made.close()


def placing(edge, **options):
    return Traffic(edge.address, mix=Mix(reads=False), **options)


def test_requests_come_at_a_constant_rate(edge):
    traffic = placing(edge, connections=4, rate=100)
    took = traffic.run(count=200)
    assert took >= 1.98 and len(traffic.answers) == 200 and {one.status for one in traffic.answers} == {202}
    due = [answer.due for answer in traffic.answers]
    assert max(abs(at - number / 100) for number, at in enumerate(sorted(due))) < 0.001


def test_a_stall_is_told_by_all_that_were_due_meanwhile(edge):
    edge.stall = (50, 0.5)
    traffic = placing(edge, connections=1, rate=100)
    traffic.run(seconds=1.5)
    slow = [one.latency for one in traffic.answers if one.latency > 0.1]
    assert len(slow) >= 35 and max(slow) >= 0.5, sorted(slow)


def test_without_a_rate_every_connection_asks_as_soon_as_it_may(edge):
    traffic = placing(edge, connections=8)
    traffic.run(count=500)
    orders = [one for one in traffic.answers if one.kind == "order"]
    assert len(traffic.answers) == len(edge.bodies) == 500 and len(orders) == 495 == len(set(traffic.mix.accepted))


def test_a_connection_that_is_closed_is_made_anew_and_nothing_is_lost():
    edge = Edge(requests_per_connection=7)
    traffic = placing(edge, connections=3, rate=200)
    traffic.run(count=100)
    keys = {json.loads(body).get("idempotency_key") for body in edge.bodies}
    assert len(keys) == 100 and len(traffic.answers) == 100 and not traffic.refused()  # one of them cancels
    edge.close()


def test_a_burst_is_due_at_once(edge):
    traffic = Traffic(edge.address, 10, Placed(["A"]), rate=100, burst=10)
    traffic.run(count=30)
    traffic.close()
    assert sorted(collections.Counter(round(one.due, 6) for one in traffic.answers).items()) == [
        (0, 10), (0.1, 10), (0.2, 10)]


@pytest.mark.parametrize("dropped, repeats, refused", [((1,), True, 1), ((5,), True, 0), ((5,), False, 1),
                                                       ((5, 6), True, 1)])
def test_only_a_request_on_a_kept_connection_is_repeated_and_once(edge, dropped, repeats, refused):
    edge.dropped = dropped
    traffic = Traffic(edge.address, 1, Placed(["A"]), rate=200, repeats=repeats)
    traffic.run(count=30)
    traffic.close()
    assert len(traffic.answers) == 30 and [one.status for one in traffic.refused()] == [0] * refused


def test_traffic_of_its_own_thread_ends_with_the_block(edge):
    with Traffic(edge.address, 4, Placed(["A", "B"], host="shop", token="pm_x"), rate=200) as traffic:
        until = time.monotonic() + 10
        while len(traffic.answers) < 20 and time.monotonic() < until:
            time.sleep(0.01)
    count = len(traffic.answers)
    time.sleep(0.1)
    assert count >= 20 and traffic.statuses() == {202: count} and len(traffic.mix.accepted) == count
    assert all(json.loads(body)["payment"] == {"token": "pm_x"} for body in edge.bodies)


class Twice:
    """Sessions of two orders, with a pause between them."""

    def __init__(self):
        self.replies = []

    def session(self, number):
        for turn in range(2):
            if turn:
                yield 0.05
            self.replies.append((number, (yield Ask("order", encode("POST", "/api/orders", {"number": number})))))

    @staticmethod
    def is_acceptable(answer):
        return answer.status == 202


def test_a_session_gets_its_replies_and_its_pauses(edge):
    traffic = Traffic(edge.address, 2, Twice(), rate=50)
    traffic.run(count=10)
    traffic.close()
    assert len(traffic.answers) == 20 and not traffic.refused() and not traffic.failures
    for number in range(10):
        first, second = (reply for of, reply in traffic.mix.replies if of == number)
        assert second.began - first.ended >= 0.05 and json.loads(second.body)["order_id"]


def test_a_session_that_fails_is_told_and_the_others_go_on(edge):
    class Failing(Twice):
        def session(self, number):
            yield from super().session(number)
            assert number != 3

    traffic = Traffic(edge.address, 2, Failing(), rate=100)
    traffic.run(count=10)
    traffic.close()
    assert len(traffic.answers) == 20 and ["assert number != 3" in text for text in traffic.failures] == [True]


def test_an_answer_that_does_not_come_is_given_up(edge):
    edge.stall = (1, 1.0)
    traffic = Traffic(edge.address, 1, Twice(), rate=100, patience=0.2)
    traffic.run(count=1)
    traffic.close()
    statuses = [reply.status for _, reply in traffic.mix.replies]
    assert statuses == ["timeout", 202] and [one.status for one in traffic.answers] == [0, 202]


def test_begun_sessions_are_ended_after_a_stop_and_no_new_ones_begin(edge):
    traffic = Traffic(edge.address, 4, Twice(), rate=100)
    traffic.start()
    time.sleep(0.2)
    traffic.stop()
    assert len(traffic.mix.replies) == 2 * traffic.number and traffic.under_way() == []


def test_each_client_of_a_closed_loop_is_told_apart(edge):
    traffic = Traffic(edge.address, 5, Placed(["A"]))
    traffic.run(count=100)
    traffic.close()
    served = collections.Counter(one.client for one in traffic.answers)
    assert set(served) == set(range(5)) and min(served.values()) > 0


def test_nobody_there_is_a_failure_of_each_request(edge):
    edge.close()
    traffic = placing(edge, connections=2, rate=100)
    traffic.run(count=10)
    assert [one.status for one in traffic.refused()] == [0] * 10


def test_an_answer_is_taken_as_a_whole_or_not_at_all():
    whole = ANSWER % (4, b"body")
    assert [parse(whole[:size]) for size in range(len(whole))] == [None] * len(whole)
    assert parse(whole)[:2] == (202, b"body")


# The verdict

def sample(at, anon=3000, fds=50, threads=8, waiting=3, outbox=5, suspects=0):
    one = {"anon": anon, "rss": anon + 4000, "threads": threads, "fds": fds, "sockets": fds - 10}
    return {"at": at, "programs": {name: dict(one) for name in (*soak_verdict.SERVICES, "psp-sandbox")},
            "queues": {"order-svc": waiting, "order-svc.dead": 1000}, "remembered": 0,
            "rows": {"orders": {"outbox": outbox, "suspects": suspects, "inbox": int(at)}}}


def verdict(change=None, answers=None, refused=(), violations=()):
    samples = [sample(5.0 * n, **(change(n) if change else {})) for n in range(360)]
    answers = answers or [Answer(n / 10, 0.01, "order", 202) for n in range(18000)]
    found = soak_verdict.checks(samples, answers, refused, violations, 10, 300, 1.0)
    return {check.what for check in found if check.ok is False}


def of_each(what):
    return {f"{name}: {what}" for name in soak_verdict.SERVICES}


def test_a_quiet_run_is_good():
    assert verdict() == set()


def test_memory_that_jumps_about_is_good():
    assert verdict(lambda n: {"anon": 3000 + 500 * (n % 7)}) == set()


@pytest.mark.parametrize("change, wrong", [
    (lambda n: {"anon": 3000 + 2 * n}, of_each("RssAnon")),                    # 1.4 MiB an hour
    (lambda n: {"fds": 50 + n // 60}, of_each("fds") | of_each("sockets")),
    (lambda n: {"threads": 8 + n // 300}, of_each("threads")),
    (lambda n: {"waiting": 2 * n}, {"messages in queues"}),
    (lambda n: {"outbox": 2 * n}, {"outbox rows"}),
    (lambda n: {"suspects": int(n == 100)}, {"suspects"}),
])
def test_what_grows_is_found(change, wrong):
    assert verdict(change) == wrong


def test_slower_answers_are_found():
    slow = [Answer(n / 10, 0.02 if n > 16000 and n % 20 == 0 else 0.01, "order", 202) for n in range(18000)]
    assert verdict(answers=slow) == {"latency p99"}


def test_too_little_load_is_found():
    assert verdict(answers=[Answer(n / 9, 0.01, "order", 202) for n in range(16200)]) == {"requests"}


def test_refusals_and_violations_are_found():
    assert verdict(refused=["x"], violations=["y"]) == {"refused or failed", "invariants violated"}


def test_the_slope_is_the_fitted_line_s():
    assert soak_verdict.slope([(x, 3 + 2 * x + (-1) ** x) for x in range(1000)]) == pytest.approx(2, abs=0.001)


# The picture

def test_the_picture_is_small_and_well_formed_and_keeps_peaks():
    points = [(5.0 * n, 100 if n == 777 else 1) for n in range(2000)]
    text = plot.svg({"a < b": {"edge": points, "order-svc": points}}, 10000)
    root = xml.etree.ElementTree.fromstring(text)
    lines = [one for one in root.iter("{http://www.w3.org/2000/svg}polyline")]
    heights = [float(pair.split(",")[1]) for pair in lines[0].get("points").split()]
    assert len(lines) == 2 and len(heights) <= plot.POINTS_MAX and min(heights) == plot.TOP and len(text) < 8000


@pytest.mark.parametrize("value, above", [(0.3, 0.5), (1, 1), (1.1, 2), (7, 10), (101, 200), (999, 1000)])
def test_axes_end_at_round_numbers(value, above):
    assert plot.ceiling(value) == pytest.approx(above)
