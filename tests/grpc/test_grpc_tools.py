"""Calls of grpcurl, and the load of ghz."""
import json
import subprocess
import threading
import time
import uuid

from dev.grpc_tools import GHZ, GRPCURL, SERVICE

TOTAL, RATE = 20000, 150


def grpcurl(port, *words, fields=None, status=0):
    done = subprocess.run([GRPCURL.program(), "-plaintext", *(["-d", json.dumps(fields)] if fields is not None else []),
                           f"127.0.0.1:{port}", *words], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode == 0) == (status == 0), done.stdout + done.stderr
    return done.stdout if status == 0 else done.stderr


def test_reflection_shows_the_service(edges):
    listed = grpcurl(edges[0].grpc_port, "list").split()
    assert listed == ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", SERVICE]
    shown = grpcurl(edges[0].grpc_port, "describe", SERVICE)
    assert "rpc WatchOrder" in shown and "returns ( stream .orderbus.v1.WatchOrderResponse )" in shown
    assert "Symbol not found" in grpcurl(edges[0].grpc_port, "describe", "orderbus.v1.Nothing", status=1)


def test_an_order_is_placed_watched_and_listed_without_a_proto(edges, api):
    port = edges[0].grpc_port
    placed = json.loads(grpcurl(port, SERVICE + "/PlaceOrder", fields={
        "idempotency_key": str(uuid.uuid4()), "items": [{"product_id": "A", "quantity": 1}], "wait_seconds": 20}))
    order_id = placed["order"]["orderId"]
    api.note_accepted(order_id, 202)
    assert placed["order"]["status"] == "ORDER_STATUS_CONFIRMED"
    assert order_id in grpcurl(port, SERVICE + "/GetOrder", fields={"order_id": order_id})
    assert order_id in grpcurl(port, SERVICE + "/ListOrders", fields={"limit": 1})
    assert "order.confirmed" in grpcurl(port, SERVICE + "/WatchOrder", fields={"order_id": order_id})
    assert "FailedPrecondition" in grpcurl(port, SERVICE + "/CancelOrder", fields={"order_id": order_id}, status=1)
    assert '"SERVING"' in grpcurl(port, "grpc.health.v1.Health/Check", fields={})
    said = grpcurl(port, SERVICE + "/PlaceOrder", fields={"items": []}, status=1)
    assert "InvalidArgument" in said and "BadRequest" in said and "idempotency_key" in said, said


def test_no_call_is_lost_while_edges_are_restarted(edges, gateway, api, check, tmp_path):
    """20,000 orders behind nginx at a steady rate, while both edges stop and start in turn: each call is answered."""
    report = tmp_path / "report.json"
    data = json.dumps({"idempotency_key": "{{newUUID}}", "items": [{"product_id": "A", "quantity": 1}]})
    words = [GHZ.program(), "--insecure", "--call", SERVICE + ".PlaceOrder", "--data", data, "--total", str(TOTAL),
             "--rps", str(RATE), "--concurrency", "32", "--connections", "8", "--timeout", "30s", "--format", "json",
             "--output", str(report), f"127.0.0.1:{gateway.port}"]
    over = threading.Event()
    restarts = []

    def restart():
        while not over.wait(10):
            edge = edges[len(restarts) % 2]
            status, _ = edge.stop()
            assert status == 0
            edge.start()
            restarts.append(time.monotonic())
    thread = threading.Thread(target=restart)
    thread.start()
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=900, check=False)
    finally:
        over.set()
        thread.join(120)
    assert done.returncode == 0, done.stderr
    found = json.loads(report.read_text())
    print({"restarts": len(restarts), "rps": found["rps"], "codes": found["statusCodeDistribution"],
           "p99_ms": next(row["latency"] for row in found["latencyDistribution"] if row["percentage"] == 99) / 1e6})
    codes, errors = found["statusCodeDistribution"], found.get("errorDistribution", {})
    assert codes == {"OK": TOTAL}, (codes, errors)
    assert len(restarts) >= 4
    check()
