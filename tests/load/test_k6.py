"""Each k6 script, briefly, against one private stack: it keeps its bounds there, and says so when they are broken. The
scripts run under Node, on the part of k6's API that they use (k6_subset)."""
import concurrent.futures
import http.server
import json
import os
import subprocess
import threading
import time

import pytest

from dev import k6, token
from load.private_stack import private_stack
from lossy_proxy import LossyProxy
from testkit.client import wait_until
from testkit.edges import Edge

HERE = os.path.dirname(os.path.abspath(__file__))
PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"
SCRIPTS = k6.scripts()
RATE, SECONDS = 10, 3  # two cores carry the scripts, sanitized services and servers
AT_A_TIME = 2
# A busy machine starves Node's main thread, which takes all users' answers, for seconds, while the edge takes
# milliseconds: no latency counts here, and no request is given up early. A peak has few users; each is a thread.
PATIENT = {"P95_MS": "60000", "P99_MS": "60000", "TIMEOUT": "60s", "PEAK": "40"}
BROKEN = 99  # k6's exit status when a threshold is broken
SUBSET = os.path.join(HERE, "k6_subset", "k6.js")


def words_for(verb, file, **settings):
    given = [word for name, value in settings.items() for word in ("--env", f"{name}={value}")]
    return ["/usr/bin/node", SUBSET, verb, *given, file]


@pytest.fixture(scope="module")
def stack():
    with private_stack(PRESET, "k6") as made:
        yield made


class Run:
    """A script, run to its end: its status, what it said, and its figures."""

    def __init__(self, folder, name, url, **settings):
        summary = os.path.join(folder, "summary.json")
        words = words_for("run", SCRIPTS[name], BASE_URL=url, RATE=RATE, DURATION=f"{SECONDS}s", SUMMARY=summary,
                          **PATIENT | settings)
        done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
        self.status, self.said = done.returncode, done.stdout + done.stderr
        self.figures = {}
        if os.path.exists(summary):
            with open(summary, encoding="utf-8") as file:
                self.figures = {name: metric["values"] for name, metric in json.load(file).items()}


@pytest.fixture
def run(tmp_path):
    return lambda *words, **settings: Run(str(tmp_path), *words, **settings)


def inspected(name):
    done = subprocess.run(words_for("inspect", SCRIPTS[name]), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", SCRIPTS)
def test_requests_come_when_they_are_due(name):
    executors = {one["executor"] for one in inspected(name)["scenarios"].values()}
    assert executors <= {"constant-arrival-rate", "ramping-arrival-rate"}
    assert "dropped_iterations" in inspected(name)["thresholds"]


def test_the_load_test_s_own_bounds():
    options = inspected("load-test")
    scenario = options["scenarios"]["orders"]
    assert scenario["rate"] >= 100 and scenario["timeUnit"] == "1000ms"
    assert options["thresholds"]["latency{kind:order}"] == ["p(95)<500", "p(99)<1000"]
    assert options["thresholds"]["errors{kind:order}"] == ["rate<0.001"]


@pytest.fixture(scope="module")
def runs(stack, tmp_path_factory):
    """All scripts, some at a time."""
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {name: pool.submit(Run, str(tmp_path_factory.mktemp(name)), name, stack.url("edge")) for name in SCRIPTS}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_keeps_its_bounds(runs, name):
    done = runs[name].result()
    assert done.status == 0, done.said
    assert done.figures["iterations"]["count"] >= 0.4 * RATE * SECONDS, "as many as a ramp brings"
    judged = {metric: values for metric, values in done.figures.items() if "{" in metric}
    assert judged and all(values["avg"] > 0 for metric, values in judged.items() if metric.startswith("latency")), \
        f"a threshold that nothing was measured for: {judged}"


def test_an_operator_s_token_is_enough_for_an_edge_that_asks_for_one(stack, run, tmp_path):
    edge = Edge(stack, str(tmp_path), AUTH="own", OIDC_ISSUER=stack.url("edge"))
    try:
        wait_until(edge.has_keys, 30, "the keys")
        done = run("mixed", edge.url, TOKEN=token.log_in(stack, "operator"))
        assert done.status == 0, done.said
        assert run("mixed", edge.url).status != 0, "without a token nothing is accepted"
    finally:
        edge.stop()


def test_a_broken_threshold_fails_the_run(stack, run):
    done = run("load-test", stack.url("edge"), P95_MS="0")
    assert done.status == BROKEN and "latency{kind:order}" in done.said, done.said


def delete_an_order(stack, since, gone):
    """The first one since then that is CONFIRMED, behind everybody's back."""
    until = time.monotonic() + 30
    while not gone and time.monotonic() < until:
        gone.extend(row[0] for row in stack.sql("orders", f"""
            SELECT order_id FROM orders.order_list WHERE final AND created_at > '{since}' LIMIT 1"""))
        time.sleep(0.1)
    for order_id in gone:
        stack.sql("orders", f"DELETE FROM orders.order_events WHERE order_id = '{order_id}';"
                            f"DELETE FROM orders.orders WHERE order_id = '{order_id}';")


def test_one_lost_order_is_one_however_many_answers_were_lost(stack, run):
    """Orders whose answer was lost are there too; they must not make up for an order that is gone."""
    since, gone = stack.sql("orders", "SELECT now()")[0][0], []
    thief = threading.Thread(target=delete_an_order, args=(stack, since, gone))
    thief.start()
    with LossyProxy(stack.ports["edge"]) as proxy:
        done = run("load-test", proxy.url(), ERRORS="1")
    thief.join()
    assert gone and done.status == BROKEN and "orders_lost{kind:order}" in done.said, (gone, done.said)
    assert proxy.lost > 1 and done.figures["orders_lost{kind:order}"]["count"] == 1


class _Stalling(http.server.BaseHTTPRequestHandler):
    """Leaves the first order without an answer for longer than the run's TIMEOUT, and refuses the others."""
    stalled = threading.Event()

    def do_GET(self):
        self._answer(200)

    def do_POST(self):
        if self.stalled.is_set():
            self._answer(400)
        else:
            self.stalled.set()
            time.sleep(5)
            self.close_connection = True

    def _answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def test_a_request_is_given_up_after_the_timeout(run):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Stalling) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = run("load-test", f"http://127.0.0.1:{server.server_address[1]}", TIMEOUT="1s")
        server.shutdown()
    assert done.status != 0 and "/api/orders: timeout" in done.said, done.said


def test_nothing_is_asked_of_a_stack_that_is_not_there(run):
    done = run("load-test", "http://127.0.0.1:1")
    assert done.status not in (0, BROKEN) and "is the stack up?" in done.said, done.said


@pytest.mark.parametrize("name, value, allowed", (
    ("RATE", "many", "a number from 1 to 100000"), ("RATE", "0", "a number from 1 to 100000"),
    ("RATE", "1.5", "an integer"), ("DURATION", "5", "a time such as 30s"),
    ("BASE_URL", "localhost", "http://host:port"), ("P95_MS", "-1", "a number from 0"),
    ("TIMEOUT", "0s", "a time such as 30s")))
def test_a_setting_that_cannot_be_meant_is_named(name, value, allowed):
    done = subprocess.run(words_for("inspect", SCRIPTS["load-test"], **{name: value}), capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode != 0 and f"{name}={value}: must be {allowed}" in done.stderr, done.stderr
