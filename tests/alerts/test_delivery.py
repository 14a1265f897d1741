"""A running Alertmanager delivers ServiceDown at once, and withholds the alerts that follow from it."""
import http.server
import json
import os
import queue
import subprocess
import threading
import time

import pytest
import requests

from conftest import ALERTS
from dev import paths, ports, runner
from test_alertmanager import CONFIG
from testkit.client import wait_until

EDGE, OTHER_EDGE = ({"service": "edge", "instance": f"10.0.0.{host}:8084"} for host in (1, 2))
TOKEN = "a-token"
BEARER = "Bearer " + TOKEN


class Relay(http.server.BaseHTTPRequestHandler):
    """Puts (path, token, alert names) of each notification into `seen` of its server."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        names = " ".join(sorted(alert["labels"]["alertname"] for alert in body["alerts"]))
        self.server.seen.put((self.path, self.headers["Authorization"], names))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def relay():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    server.seen = queue.Queue()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _configuration(folder, relay):
    """The product's, with the relay's address and a token."""
    with open(CONFIG, encoding="utf-8") as file:
        text = file.read()
    assert "http://127.0.0.1:9099/" in text
    os.makedirs(os.path.join(folder, "secrets"))
    for name, content in (("secrets/webhook-token", TOKEN),
                          ("alertmanager.yml", text.replace("127.0.0.1:9099", f"127.0.0.1:{relay.server_port}"))):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(content)
    return os.path.join(folder, "alertmanager.yml")


def _answers(url):
    try:
        return requests.get(url + "/-/ready", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


@pytest.fixture
def alertmanager(relay):
    """The URL of one that runs by itself."""
    address = f"127.0.0.1:{ports.pick_one()}"
    with runner.temporary_folder("alertmanager") as folder, open(os.path.join(folder, "log"), "wb") as log:
        process = subprocess.Popen(
            ["prometheus-alertmanager", f"--config.file={_configuration(folder, relay)}", "--cluster.listen-address=",
             f"--web.listen-address={address}", f"--storage.path={folder}"], stderr=log, cwd=paths.ROOT)
        try:
            wait_until(lambda: _answers(f"http://{address}"), 30, "Alertmanager")
            yield f"http://{address}"
        finally:
            process.kill()
            process.wait()


def send(url, *alerts):
    body = [{"labels": {"alertname": name, "severity": ALERTS[name]["labels"]["severity"]} | labels}
            for name, labels in alerts]
    assert requests.post(url + "/api/v2/alerts", json=body, timeout=5).status_code == 200


def withheld(url):
    """{(alert, instance)} of the alerts that another one inhibits"""
    return {(one["labels"]["alertname"], one["labels"].get("instance"))
            for one in requests.get(url + "/api/v2/alerts", timeout=5).json() if one["status"]["inhibitedBy"]}


def test_a_service_that_is_down_is_delivered_at_once_and_withholds_what_follows(relay, alertmanager):
    begin = time.monotonic()
    send(alertmanager, ("ServiceDown", EDGE), ("HighErrorRate", EDGE), ("HighErrorRate", OTHER_EDGE),
         ("BreakerOpen", OTHER_EDGE), ("AvailabilityBurnFast", {"service": "edge"}),
         ("AvailabilityBurnSlow", {"service": "edge"}), ("OutboxOld", {"service": "order-svc"}), ("DeadMansSwitch", {}))
    first = {relay.seen.get(timeout=20) for _ in range(2)}
    assert first == {("/pager", BEARER, "ServiceDown"), ("/dead-mans-switch", BEARER, "DeadMansSwitch")}
    assert time.monotonic() - begin < 8, "other pages wait for 10 s"
    wait_until(lambda: relay.seen.qsize() >= 3, 30, "the other pages")
    assert withheld(alertmanager) == {("HighErrorRate", EDGE["instance"]), ("BreakerOpen", OTHER_EDGE["instance"]),
                                      ("AvailabilityBurnSlow", None)}
    pages = [relay.seen.get() for _ in range(3)]
    assert sorted(pages) == sorted(("/pager", BEARER, name)
                                   for name in ("HighErrorRate", "AvailabilityBurnFast", "OutboxOld"))
