"""./dev reconcile over a running stack: equal sides, and differences that are planted in the ledger."""
import time
import uuid

import pytest

from dev import reconcile
from dev.report import DevError
from testkit.client import item


def compare(stack, capfd, until=None):
    """→ the exit status and the lines that were printed."""
    capfd.readouterr()
    status = reconcile.compare(stack, 0, int(time.time()) + 5 if until is None else until)
    return status, capfd.readouterr().out.splitlines()


def test_differences_are_named_and_nothing_else(api, stack, capfd):
    lost, wrong, _kept = [api.complete(item("A"), token="pm_card_visa")["order_id"] for _ in range(3)]
    assert compare(stack, capfd) == (0, [])
    here = str(uuid.uuid4())
    row = f"FROM payments.ledger WHERE order_id = '{lost}' AND entry = 'captured'"
    intent = stack.sql("payments", f"SELECT psp_id {row}")[0][0]
    stack.sql("payments", f"DELETE {row}; UPDATE payments.ledger SET amount = 998 WHERE order_id = '{wrong}'; "
                          "INSERT INTO payments.ledger (order_id, entry, amount, currency, psp_id) "
                          f"VALUES ('{here}', 'captured', 5, 'EUR', 'pi_of_nobody')")
    try:
        status, lines = compare(stack, capfd)
        assert status == 1
        assert sorted(lines) == sorted([f"{lost}: missing here: capture {intent} of 999 EUR",
                                        f"{wrong}: captured amount differs: here 998, there 999",
                                        f"{here}: missing there: capture pi_of_nobody of 5 EUR"])
        assert compare(stack, capfd, until=int(time.time()) - 600) == (0, [])  # all of it is younger
    finally:
        stack.sql("payments", f"DELETE FROM payments.ledger WHERE order_id = '{here}'; "
                              f"UPDATE payments.ledger SET amount = 999 WHERE order_id = '{wrong}'; "
                              "INSERT INTO payments.ledger (order_id, entry, amount, currency, psp_id) "
                              f"VALUES ('{lost}', 'captured', 999, 'EUR', '{intent}')")


@pytest.mark.long
def test_a_provider_that_is_away_is_no_difference(api, stack):
    stack.stop_service("psp-sandbox")
    with pytest.raises(DevError) as caught:
        reconcile.compare(stack, 0, int(time.time()))
    assert caught.value.status == reconcile.FAILED
