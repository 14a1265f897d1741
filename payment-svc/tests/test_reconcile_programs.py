"""psp-records and payment-reconcile against a sandbox in which differences are planted."""
import concurrent.futures
import subprocess
import uuid

import pytest
import requests

from conftest import PSP_KEY, Program, program_path


@pytest.fixture(name="psp")
def fixture_psp(tmp_path):
    program = Program("psp-sandbox", tmp_path, {"PSP_KEY": PSP_KEY, "LEDGER_FILE": str(tmp_path / "ledger.jsonl")})
    program.start("/sandbox/ledger")
    yield program
    assert program.end() == 0


def post(psp, path, fields):
    answer = requests.post(psp.url + path, data=fields, headers={"Authorization": f"Bearer {PSP_KEY}"}, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def charge(psp, order, amount=1998):
    return post(psp, "/v1/payment_intents", {"amount": amount, "currency": "eur", "payment_method": "pm_card_visa",
                                             "confirm": "true", "metadata[order_id]": order})


def refund(psp, order, intent, amount):
    return post(psp, "/v1/refunds", {"payment_intent": intent, "amount": amount, "metadata[order_id]": order})


def records(psp, **changes):
    return subprocess.run([program_path("psp-records")], capture_output=True, text=True, timeout=60, check=False,
                          env={"PSP_URL": psp.url, "PSP_KEY": PSP_KEY, **changes})


def line(order, kind, amount, psp_id):
    return "\t".join((order, kind, str(amount), "EUR", psp_id, "1772000000")) + "\n"


def compare(folder, ours, theirs):
    (folder / "ours").write_text("".join(sorted(ours)))
    (folder / "theirs").write_text("".join(sorted(theirs)))
    return subprocess.run([program_path("payment-reconcile"), "ours", "theirs"], cwd=folder, capture_output=True,
                          text=True, timeout=60, check=False)


def test_each_planted_difference_is_named(psp, tmp_path):
    orders = sorted(str(uuid.uuid4()) for _ in range(130))  # two pages
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        intents = dict(zip(orders, pool.map(lambda order: charge(psp, order), orders)))
    same, lost, wrong, twice, returned, *_ = orders
    refund(psp, same, intents[same], 998)
    refund(psp, same, intents[same], 1000)
    ours = [line(order, "captured", 1998, intents[order]) for order in orders]
    ours += [line(same, "refunded", 998, "re_x"), line(same, "refunded", 1000, "charge_already_refunded")]
    done = records(psp)
    assert done.returncode == 0, done.stderr
    theirs = done.stdout.splitlines(keepends=True)
    assert len(theirs) == len(orders) + 2
    found = compare(tmp_path, ours, theirs)
    assert (found.returncode, found.stdout) == (0, "")

    here = str(uuid.uuid4())
    foreign, double = charge(psp, "not ours", 7), charge(psp, twice)
    refund(psp, returned, intents[returned], 5)
    planted = [one for one in ours if not one.startswith((lost, wrong))]
    planted += [line(wrong, "captured", 1997, intents[wrong]), line(here, "captured", 5, "pi_of_nobody")]
    found = compare(tmp_path, planted, records(psp).stdout.splitlines(keepends=True))
    first, last = sorted((intents[twice], double))
    assert found.returncode == 1
    assert sorted(found.stdout.splitlines()) == sorted([
        f"no order: missing here: capture {foreign} of 7 EUR",
        f"{lost}: missing here: capture {intents[lost]} of 1998 EUR",
        f"{wrong}: captured amount differs: here 1997, there 1998",
        f"{twice}: double: 2 captures at the provider, {first} to {last}",
        f"{returned}: missing here: refund of 5 EUR",
        f"{here}: missing there: capture pi_of_nobody of 5 EUR"])


def test_what_cannot_be_compared_is_neither_equal_nor_different(psp, tmp_path):
    assert records(psp, PSP_KEY="sk_test_wrong_key").returncode == 2
    assert records(psp, PSP_URL="http://psp.example").returncode == 2
    one, two = (line(str(uuid.UUID(int=number)), "captured", 1, "pi_1") for number in (1, 2))
    assert compare(tmp_path, [one, two], [one, two]).returncode == 0
    (tmp_path / "unsorted").write_text(two + one)
    (tmp_path / "garbage").write_text("garbage\n")
    for name in ("unsorted", "garbage", "absent"):
        done = subprocess.run([program_path("payment-reconcile"), "ours", name], cwd=tmp_path, capture_output=True,
                              text=True, timeout=60, check=False)
        assert done.returncode == 2 and name in done.stderr
