"""Forged events of the payment provider: only a right signature of this body and this time reaches payment-svc."""
import json
import time
import uuid

import pytest

from testkit.client import wait_until
from testkit.webhooks import code, event, sign
from testkit.wire import exchange, request

SECRET = "whsec_attack"
HINT = event(str(uuid.uuid4()), "pi_forged")
NOW = int(time.time())


def signed(text, seconds=None, secret=SECRET):
    return code(secret, f"{NOW if seconds is None else seconds}.{text}")


RIGHT = signed(HINT)
# name: the header, or several; none of them is right for HINT
FORGED = {
    "no header": [],
    "empty": [""],
    "time alone": [f"t={NOW}"],
    "code alone": [f"v1={RIGHT}"],
    "empty code": [f"t={NOW},v1="],
    "zeros": [f"t={NOW},v1={'0' * 64}"],
    "another secret": [sign("whsec_of_someone_else", HINT)],
    "an empty secret": [sign("", HINT)],
    "the secret without its prefix": [sign(SECRET.removeprefix("whsec_"), HINT)],
    "of another body": [sign(SECRET, HINT + " ")],
    "of no body": [sign(SECRET, "")],
    "of the body without the time": [f"t={NOW},v1={code(SECRET, HINT)}"],
    "of another time": [f"t={NOW},v1={signed(HINT, NOW - 1)}"],
    "six minutes old": [sign(SECRET, HINT, NOW - 360)],
    "an hour ahead": [sign(SECRET, HINT, NOW + 3600)],  # NOW is that of the suite's begin
    "old, with a new time before it": [f"t={NOW},{sign(SECRET, HINT, NOW - 360)}"],
    "old, with a new time behind it": [f"{sign(SECRET, HINT, NOW - 360)},t={NOW}"],
    "time with a sign": [f"t=+{NOW},v1={code(SECRET, f'+{NOW}.{HINT}')}"],
    "time with a blank": [f"t= {NOW},v1={code(SECRET, f' {NOW}.{HINT}')}"],
    "time in hexadecimal": [f"t={NOW:#x},v1={code(SECRET, f'{NOW:#x}.{HINT}')}"],
    "time with an exponent": [f"t={NOW}e0,v1={code(SECRET, f'{NOW}e0.{HINT}')}"],
    "time of no end": [f"t={'9' * 40},v1={code(SECRET, '9' * 40 + '.' + HINT)}"],
    "time below zero": [f"t=-{NOW},v1={code(SECRET, f'-{NOW}.{HINT}')}"],
    "an older scheme": [f"t={NOW},v0={RIGHT}"],
    "a later scheme": [f"t={NOW},v2={RIGHT}"],
    "code in capitals": [f"t={NOW},v1={RIGHT.upper()}"],
    "code cut short": [f"t={NOW},v1={RIGHT[:-1]}"],
    "code and more": [f"t={NOW},v1={RIGHT}0"],
    "code in quotation marks": [f't={NOW},v1="{RIGHT}"'],
    "names in capitals": [f"T={NOW},V1={RIGHT}"],
    "semicolons": [f"t={NOW};v1={RIGHT}"],
    "two headers that are right together": [f"t={NOW}", f"v1={RIGHT}"],
    "a hundred codes": [f"t={NOW}" + f",v1={'a' * 64}" * 100],
    "none": ["none"],
    "the word bearer": [f"Bearer {SECRET}"],
}


@pytest.fixture(scope="module")
def hooked(start_edge):
    return start_edge(PSP_WEBHOOK_SECRET=SECRET)


@pytest.fixture(scope="module")
def taken(stack):
    """A function: how many commands payment-svc has taken."""
    return lambda: int(stack.sql("payments", "SELECT count(*) FROM bus.inbox")[0][0])


def post(edge, body, signatures):
    headers = ["Content-Type: application/json", "Connection: close"]
    text = request("POST", "/webhooks/psp", headers=headers + [f"Stripe-Signature: {one}" for one in signatures],
                   body=body)
    answer, _ = exchange(edge.port, text)
    return answer.status


@pytest.mark.parametrize("name", FORGED)
def test_P4_a_forged_event_changes_nothing(hooked, taken, name):
    before = taken()
    assert post(hooked, HINT, FORGED[name]) in (400, 431)
    assert taken() == before


BODIES = ["", "{}", "[]", "null", "{", '{"id":"evt_1"}', '{"id":"evt_1","type":"refund.updated","data":[]}',
          '{"id":"evt_1","type":"refund.updated","data":{"object":"pi_1"}}', '{"id":"evt_1","type":7,"data":{}}',
          json.dumps({"id": "e" * 300, "type": "refund.updated", "data": {"object": {}}})]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body[:40] or "empty")
def test_P4_a_signed_body_that_is_no_event(hooked, taken, body):
    before = taken()
    assert post(hooked, body, [sign(SECRET, body)]) in (400, 411)
    assert taken() == before


def test_P4_a_replay_within_its_five_minutes_is_one_command(hooked, taken):
    body = event(str(uuid.uuid4()), "pi_replayed")
    before, signature = taken(), sign(SECRET, body)
    assert [post(hooked, body, [signature]) for _ in range(5)] == [204] * 5
    wait_until(lambda: taken() == before + 1, 20, "the command")
    time.sleep(1)
    assert taken() == before + 1
