"""The sandbox as payment-svc sees it."""

import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import pytest
import requests

from conftest import KEY

DECLINES = [
    ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
]


def error_of(answer):
    return answer.json()["error"]


def test_a_charge_is_captured(sandbox):
    answer = sandbox.charge(key="charge-1")
    assert answer.status_code == 200
    intent = answer.json()
    assert intent["object"] == "payment_intent"
    assert intent["status"] == "succeeded"
    assert (intent["amount"], intent["amount_received"], intent["currency"]) == (1998, 1998, "eur")
    assert intent["metadata"] == {"order_id": "order-1"}
    assert intent["id"].startswith("pi_") and intent["latest_charge"].startswith("ch_")
    assert sandbox.get(f"/v1/payment_intents/{intent['id']}").json() == intent
    [entry] = sandbox.ledger()
    assert entry["type"] == "captured"
    assert (entry["id"], entry["idempotency_key"], entry["order_id"]) == (intent["id"], "charge-1", "order-1")
    assert (entry["amount"], entry["currency"], entry["answer"]) == (1998, "eur", intent)


@pytest.mark.parametrize(("method", "code", "decline_code"), DECLINES)
def test_a_declined_card(sandbox, method, code, decline_code):
    answer = sandbox.charge(method, key="charge-1")
    assert answer.status_code == 402
    error = error_of(answer)
    assert (error["type"], error["code"], error["decline_code"]) == ("card_error", code, decline_code)
    assert error["payment_intent"]["status"] == "requires_payment_method"
    again = sandbox.charge(method, key="charge-1")
    assert (again.status_code, again.json()) == (402, answer.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert [entry["type"] for entry in sandbox.ledger()] == ["declined"]
    intent = sandbox.get(f"/v1/payment_intents/{error['payment_intent']['id']}")
    assert (intent.status_code, intent.json()["status"]) == (200, "requires_payment_method")


def test_an_unknown_token(sandbox):
    answer = sandbox.charge("pm_nothing", key="charge-1")
    assert answer.status_code == 400
    assert error_of(answer)["type"] == "invalid_request_error"
    assert "No such PaymentMethod" in error_of(answer)["message"]
    assert sandbox.ledger() == []


WRONG_KEYS = [None, KEY, "Bearer", "Basic " + KEY, "bearer" + KEY] + [
    "Bearer " + wrong for wrong in ["wrong", KEY + "x", KEY[:-1], KEY + KEY, " " + KEY, KEY.upper()]
]


@pytest.mark.parametrize("given", WRONG_KEYS)
def test_every_route_needs_the_key(sandbox, given):
    headers = {"Authorization": given} if given else {}
    for method, path in [
        ("POST", "/v1/payment_intents"),
        ("GET", "/v1/payment_intents/pi_1"),
        ("POST", "/v1/refunds"),
        ("GET", "/v1/refunds/re_1"),
        ("GET", "/sandbox/ledger"),
    ]:
        answer = requests.request(method, sandbox.url + path, headers=headers, timeout=5)
        assert answer.status_code == 401
        assert error_of(answer)["type"] == "invalid_request_error"
    assert requests.get(sandbox.url + "/health", timeout=5).json() == {"status": "UP"}


def test_the_key_is_in_no_log(sandbox):
    sandbox.charge(key="charge-1")
    sandbox.stop()
    assert KEY not in sandbox.log_file.read_text()


def test_the_same_key_replays(sandbox):
    first = sandbox.charge(key="charge-1")
    assert "Idempotent-Replayed" not in first.headers
    for _ in range(3):
        again = sandbox.charge(key="charge-1")
        assert (again.status_code, again.content) == (200, first.content)
        assert again.headers["Idempotent-Replayed"] == "true"
    assert len(sandbox.ledger()) == 1


def test_the_same_key_with_other_parameters(sandbox):
    intent = sandbox.charge(key="k").json()["id"]
    for answer in [
        sandbox.charge(key="k", amount=1999),
        sandbox.charge("pm_card_visa_chargeDeclined", key="k"),
        sandbox.charge(key="k", order="order-2"),
        sandbox.post("/v1/refunds", {"payment_intent": intent}, key="k"),
    ]:
        assert answer.status_code == 400
        assert error_of(answer)["type"] == "idempotency_error"
    assert len(sandbox.ledger()) == 1


def test_without_a_key_every_call_counts(sandbox):
    assert sandbox.charge().json()["id"] != sandbox.charge().json()["id"]
    assert len(sandbox.ledger()) == 2


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_malformed_key(sandbox, key):
    assert sandbox.charge(key=key).status_code == 400
    assert sandbox.ledger() == []


def in_parallel(count, work):
    results = [None] * count
    barrier = threading.Barrier(count)

    def run(index):
        barrier.wait()
        results[index] = work(index)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("latency", ["0", "300"])
def test_fifty_equal_keys_at_once_are_one_capture(start, latency):
    sandbox = start(LATENCY_MS=latency)
    answers = in_parallel(50, lambda _: sandbox.charge(key="charge-1"))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {200, 409} and 200 in statuses
    captures = [a for a in answers if a.status_code == 200 and "Idempotent-Replayed" not in a.headers]
    assert len(captures) == 1
    if latency != "0":
        assert error_of(answers[statuses.index(409)])["type"] == "idempotency_error"
    assert len({answer.content for answer in answers if answer.status_code == 200}) == 1
    assert len(sandbox.ledger()) == 1
    assert sandbox.charge(key="charge-1").headers["Idempotent-Replayed"] == "true"


def test_fifty_keys_at_once_are_fifty_captures(sandbox):
    answers = in_parallel(50, lambda index: sandbox.charge(key=f"charge-{index}", order=f"order-{index}"))
    assert [answer.status_code for answer in answers] == [200] * 50
    entries = sandbox.ledger()
    assert len(entries) == 50
    assert {entry["order_id"] for entry in entries} == {f"order-{index}" for index in range(50)}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_everything_survives_a_restart(sandbox, number):
    first = sandbox.charge(key="charge-1")
    declined = sandbox.charge("pm_card_visa_chargeDeclined", key="charge-2")
    refund = sandbox.post("/v1/refunds", {"payment_intent": first.json()["id"], "amount": 98}, key="refund-1")
    before = sandbox.ledger()
    sandbox.restart(number)
    assert sandbox.ledger() == before
    for answer, again in [
        (first, sandbox.charge(key="charge-1")),
        (declined, sandbox.charge("pm_card_visa_chargeDeclined", key="charge-2")),
        (refund, sandbox.post("/v1/refunds", {"payment_intent": first.json()["id"], "amount": 98}, key="refund-1")),
    ]:
        assert (again.status_code, again.json()) == (answer.status_code, answer.json())
        assert again.headers["Idempotent-Replayed"] == "true"
    assert sandbox.charge(key="charge-1", amount=5).status_code == 400
    assert sandbox.post("/v1/refunds", {"payment_intent": first.json()["id"], "amount": 1901}).status_code == 400
    assert sandbox.post("/v1/refunds", {"payment_intent": first.json()["id"]}).json()["amount"] == 1900


def test_a_torn_line_is_cut_off_and_logged(sandbox):
    sandbox.charge(key="charge-1")
    before = sandbox.ledger()
    sandbox.stop()
    with open(sandbox.ledger_file, "ab") as ledger:
        ledger.write(b'{"type":"captured","id":"pi_')
    sandbox.start()
    assert sandbox.ledger() == before
    assert "torn" in sandbox.log_file.read_text()
    assert sandbox.charge(key="charge-2").status_code == 200
    assert len(sandbox.ledger()) == 2


def test_a_killed_sandbox_has_what_it_answered(start):
    sandbox = start()
    answered = []
    stop = threading.Event()

    def charge(index):
        number = 0
        while not stop.is_set():
            key = f"charge-{index}-{number}"
            try:
                answer = sandbox.charge(key=key, timeout=5)
            except requests.RequestException:
                return
            if answer.status_code == 200:
                answered.append((key, answer.json()["id"]))
            number += 1

    threads = [threading.Thread(target=charge, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.7)
    sandbox.stop(signal.SIGKILL)
    stop.set()
    for thread in threads:
        thread.join()
    sandbox.start()
    captured = {entry["idempotency_key"]: entry["id"] for entry in sandbox.ledger()}
    assert len(answered) > 10
    assert all(captured[key] == intent for key, intent in answered)


def test_a_timeout_is_captured_and_replays_at_once(start):
    sandbox = start(SANDBOX_TIMEOUT_MS="20000")
    with pytest.raises(requests.Timeout):
        sandbox.charge("pm_sandbox_timeout", key="charge-1", timeout=0.5)
    started = time.monotonic()
    again = sandbox.charge("pm_sandbox_timeout", key="charge-1")
    assert time.monotonic() - started < 1
    assert again.status_code == 200
    assert again.headers["Idempotent-Replayed"] == "true"
    assert [entry["type"] for entry in sandbox.ledger()] == ["captured"]


def test_a_late_decline_replays_at_once(start):
    sandbox = start(SANDBOX_TIMEOUT_MS="20000")
    with pytest.raises(requests.Timeout):
        sandbox.charge("pm_sandbox_timeout_declined", key="charge-1", timeout=0.5)
    assert sandbox.charge("pm_sandbox_timeout_declined", key="charge-1").status_code == 402
    assert [entry["type"] for entry in sandbox.ledger()] == ["declined"]


def test_a_patient_client_gets_the_late_answer(sandbox):
    started = time.monotonic()
    assert sandbox.charge("pm_sandbox_timeout", key="charge-1").status_code == 200
    assert 1.4 < time.monotonic() - started < 4


def test_an_error_once(sandbox):
    assert sandbox.charge("pm_sandbox_error_once", key="charge-1").status_code == 500
    assert sandbox.ledger() == []
    assert sandbox.charge("pm_sandbox_error_once", key="charge-1").status_code == 200
    assert len(sandbox.ledger()) == 1
    assert sandbox.charge("pm_sandbox_error_once", key="charge-2").status_code == 500


def test_an_error_always(sandbox):
    for _ in range(3):
        answer = sandbox.charge("pm_sandbox_error", key="charge-1")
        assert (answer.status_code, error_of(answer)["type"]) == (500, "api_error")
    assert sandbox.ledger() == []


def test_a_rate_limit_once(sandbox):
    answer = sandbox.charge("pm_sandbox_429_once", key="charge-1")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert sandbox.charge("pm_sandbox_429_once", key="charge-1").status_code == 200


def test_a_hang_ends_with_its_client(sandbox):
    with pytest.raises(requests.Timeout):
        sandbox.charge("pm_sandbox_hang", key="charge-1", timeout=0.5)
    deadline = time.monotonic() + 3
    answer = None
    while time.monotonic() < deadline:  # the key is free again once the sandbox has seen the client go
        try:
            answer = sandbox.charge("pm_sandbox_hang", key="charge-1", timeout=0.3)
        except requests.Timeout:
            break
        assert answer.status_code == 409
    assert time.monotonic() < deadline
    assert sandbox.ledger() == []


def test_refunds(sandbox):
    intent = sandbox.charge(key="charge-1", amount=100).json()
    answer = sandbox.post("/v1/refunds", {"payment_intent": intent["id"], "amount": 30}, key="refund-1")
    assert answer.status_code == 200
    refund = answer.json()
    assert (refund["object"], refund["status"], refund["amount"]) == ("refund", "succeeded", 30)
    assert (refund["payment_intent"], refund["charge"]) == (intent["id"], intent["latest_charge"])
    assert sandbox.get(f"/v1/refunds/{refund['id']}").json() == refund
    too_much = sandbox.post("/v1/refunds", {"payment_intent": intent["id"], "amount": 71}, key="refund-2")
    assert (too_much.status_code, error_of(too_much)["code"]) == (400, "charge_already_refunded")
    rest = sandbox.post("/v1/refunds", {"payment_intent": intent["id"]}, key="refund-3").json()
    assert rest["amount"] == 70
    nothing_left = sandbox.post("/v1/refunds", {"payment_intent": intent["id"]}, key="refund-4")
    assert (nothing_left.status_code, error_of(nothing_left)["code"]) == (400, "charge_already_refunded")
    assert [entry["type"] for entry in sandbox.ledger()] == ["captured", "refunded", "refunded"]
    assert sandbox.ledger()[1]["payment_intent"] == intent["id"]


def test_refunds_at_once_never_exceed_the_charge(sandbox):
    intent = sandbox.charge(key="charge-1", amount=100).json()["id"]
    in_parallel(20, lambda index: sandbox.post("/v1/refunds", {"payment_intent": intent, "amount": 30}, f"r-{index}"))
    assert sum(entry["amount"] for entry in sandbox.ledger() if entry["type"] == "refunded") == 90


def test_what_is_not_there(sandbox):
    declined = error_of(sandbox.charge("pm_card_visa_chargeDeclined"))["payment_intent"]["id"]
    assert sandbox.get("/v1/payment_intents/pi_nothing").status_code == 404
    assert sandbox.get("/v1/refunds/re_nothing").status_code == 404
    assert sandbox.post("/v1/refunds", {"payment_intent": "pi_nothing"}).status_code == 404
    answer = sandbox.post("/v1/refunds", {"payment_intent": declined})
    assert answer.status_code == 400
    assert sandbox.get("/v1/nothing").status_code == 404


def test_bodies_of_another_kind(sandbox):
    headers = {"Authorization": f"Bearer {KEY}"}
    url = sandbox.url + "/v1/payment_intents"
    assert requests.post(url, json={"amount": 1}, headers=headers, timeout=5).status_code == 415
    assert sandbox.post("/v1/payment_intents", "amount=1&amount=2").status_code == 415  # requests sends no type
    typed = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
    for body in [b"amount=1&amount=2", b"amount=%zz", b"amount=%00", b"amount=%ff"]:
        assert requests.post(url, data=body, headers=typed, timeout=5).status_code == 400
    assert requests.post(url, data=b"x" * 20000, headers=typed, timeout=5).status_code == 413
    assert sandbox.ledger() == []


def test_a_large_ledger_is_streamed_whole(sandbox):
    in_parallel(40, lambda index: [sandbox.charge(key=f"c-{index}-{number}") for number in range(5)])
    assert len(sandbox.ledger()) == 200


def test_metrics(sandbox):
    sandbox.charge(key="charge-1")
    text = requests.get(sandbox.url + "/metrics", timeout=5).text
    route = 'listener="psp-sandbox",method="POST",route="/v1/payment_intents",status="200"'
    assert f"http_requests_total{{{route}}} 1\n" in text
    assert "process_resident_anon_bytes" in text


def test_a_stop_answers_what_is_under_way(start):
    sandbox = start(SANDBOX_TIMEOUT_MS="60000")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(sandbox.charge("pm_sandbox_timeout", key="charge-1")))
    thread.start()
    time.sleep(0.5)
    started = time.monotonic()
    assert sandbox.stop() == 0
    assert time.monotonic() - started < 5
    thread.join()
    assert answers[0].status_code == 200


def test_the_readme_has_the_configuration_and_every_token():
    printed = subprocess.run(
        [os.environ["PSP_SANDBOX"], "--print-markdown"], capture_output=True, text=True, timeout=10, check=True
    ).stdout
    folder = pathlib.Path(__file__).parent.parent
    readme = (folder / "README.md").read_text()
    assert printed.strip() in readme
    tokens = re.findall(r'\{"(pm_\w+)", PSP_', (folder / "src" / "charge.c").read_text())
    assert len(tokens) == 32
    assert all(f"`{token}`" in readme for token in tokens)


def refused_start(**settings):
    return subprocess.run(
        [os.environ["PSP_SANDBOX"]], env={"PATH": os.environ["PATH"], **settings}, capture_output=True, timeout=10
    )


def test_a_wrong_configuration_stops_the_start(sandbox, tmp_path):
    assert b"PSP_KEY" in refused_start().stderr
    good = {"PSP_KEY": KEY, "LEDGER_FILE": str(tmp_path / "x")}
    assert b"LEDGER_FILE" in refused_start(PSP_KEY=KEY).stderr
    assert b"PORT" in refused_start(PORT="99999", **good).stderr
    taken = refused_start(PORT=str(sandbox.port), **good)
    assert taken.returncode != 0
    assert f"127.0.0.1:{sandbox.port}".encode() in taken.stderr
    owned = refused_start(PSP_KEY=KEY, LEDGER_FILE=str(sandbox.ledger_file), PORT="1")
    assert owned.returncode != 0 and b"another process" in owned.stderr
    assert KEY.encode() not in taken.stderr + owned.stderr


# ---- statuses that are not final


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


TURNS = [
    ("pm_sandbox_processing", "processing", "succeeded", "captured"),
    ("pm_sandbox_processing_declined", "processing", "requires_payment_method", "declined"),
    ("pm_sandbox_processing_canceled", "processing", "canceled", "canceled"),
    ("pm_sandbox_requires_action", "requires_action", "succeeded", "captured"),
    ("pm_sandbox_requires_action_declined", "requires_action", "requires_payment_method", "declined"),
    ("pm_sandbox_requires_confirmation", "requires_confirmation", "succeeded", "captured"),
    ("pm_sandbox_requires_capture", "requires_capture", "succeeded", "captured"),
    ("pm_sandbox_requires_capture_canceled", "requires_capture", "canceled", "canceled"),
]
REFUND_TURNS = [
    ("pm_card_pendingRefund", "pending", "succeeded", "refunded"),
    ("pm_sandbox_refund_pending", "pending", "succeeded", "refunded"),
    ("pm_sandbox_refund_requires_action", "requires_action", "succeeded", "refunded"),
    ("pm_sandbox_refund_fails_later", "pending", "failed", "refund_failed"),
    ("pm_sandbox_refund_canceled_later", "requires_action", "canceled", "refund_canceled"),
]


def test_an_intent_turns_final_and_its_key_keeps_the_first_answer(start):
    sandbox = start(SANDBOX_PENDING_MS="400")
    first = {token: sandbox.charge(token, key=token) for token, *_ in TURNS}
    for token, status, final, fact in TURNS:
        intent = first[token].json()
        assert (first[token].status_code, intent["status"], intent["amount_received"]) == (200, status, 0)
        wait_for(lambda: sandbox.get(f"/v1/payment_intents/{intent['id']}").json()["status"] == final)
        again = sandbox.charge(token, key=token)
        assert (again.content, again.headers["Idempotent-Replayed"]) == (first[token].content, "true")
        assert [e["type"] for e in sandbox.ledger() if e["id"] == intent["id"]] == ["pending", fact]
    before = sandbox.ledger()
    sandbox.restart()
    assert sandbox.ledger() == before
    for token, _, final, _ in TURNS:
        assert sandbox.get(f"/v1/payment_intents/{first[token].json()['id']}").json()["status"] == final


def test_a_refund_turns_final_and_one_that_failed_can_be_made_again(start):
    sandbox = start(SANDBOX_PENDING_MS="300")
    for token, status, final, fact in REFUND_TURNS:
        intent = sandbox.charge(token).json()
        refund = sandbox.post("/v1/refunds", {"payment_intent": intent["id"]}).json()
        assert refund["status"] == status
        second = sandbox.post("/v1/refunds", {"payment_intent": intent["id"]})
        assert error_of(second)["code"] == "charge_already_refunded"  # the money is set aside
        wait_for(lambda: sandbox.get(f"/v1/refunds/{refund['id']}").json()["status"] == final)
        assert [e["type"] for e in sandbox.ledger() if e["id"] == refund["id"]] == ["refund_pending", fact]
        third = sandbox.post("/v1/refunds", {"payment_intent": intent["id"]})
        assert third.status_code == (400 if final == "succeeded" else 200)
        if final != "succeeded":
            assert third.json()["status"] == "succeeded"


def test_a_status_that_is_final_at_once(sandbox):
    for token, status, fact in [("pm_sandbox_requires_payment_method", "requires_payment_method", "declined"),
                                ("pm_sandbox_canceled", "canceled", "canceled")]:
        answer = sandbox.charge(token)
        assert (answer.status_code, answer.json()["status"]) == (200, status)
        assert sandbox.get(f"/v1/payment_intents/{answer.json()['id']}").json() == answer.json()
        assert sandbox.ledger()[-1]["type"] == fact
    intent = sandbox.charge("pm_sandbox_refund_failed").json()["id"]
    assert sandbox.post("/v1/refunds", {"payment_intent": intent}).json()["status"] == "failed"
    assert sandbox.post("/v1/refunds", {"payment_intent": intent}).json()["status"] == "succeeded"


def test_a_killed_sandbox_finishes_what_was_pending(start):
    sandbox = start(SANDBOX_PENDING_MS="700")
    intents = [sandbox.charge("pm_sandbox_processing").json()["id"],
               sandbox.charge("pm_sandbox_processing_forever").json()["id"]]
    sandbox.restart(signal.SIGKILL)
    wait_for(lambda: sandbox.get(f"/v1/payment_intents/{intents[0]}").json()["status"] == "succeeded")
    assert sandbox.get(f"/v1/payment_intents/{intents[1]}").json()["status"] == "processing"
    assert [e["type"] for e in sandbox.ledger()].count("captured") == 1
