"""Pages of refunds that are not carried out: found by an index of their own, among the payments of a day."""
import pytest

from test_plans_payments import CAUSE, FILL, LATER, SERVICE, UPDATE_REFUNDS, Session
from testkit import plans

LIST_OPEN_REFUNDS = UPDATE_REFUNDS + 4  # behind the disputes' and the two of payments that are asked for
LAST = "ffffffff-ffff-4fff-bfff-"       # behind nearly all payments of the day


@pytest.fixture(name="registry", scope="module")
def fixture_registry():
    return plans.statements(SERVICE)


@pytest.fixture(name="filled", scope="module")
def fixture_filled():
    made = plans.Database("payments", "payment_svc")
    with made.superuser() as connection, connection.cursor() as cursor:
        cursor.execute(FILL)
    plans.analyze(made)
    yield made
    made.drop()


def test_they_are_found_by_an_index_of_their_own(filled, registry):
    connection = filled.runtime()
    nodes = plans.nodes(plans.plan(connection, registry[LIST_OPEN_REFUNDS]))
    assert "payments_open_refunds" in {node.get("Index Name") for node in nodes}
    connection.close()


def test_pages_are_read_behind_their_cursors(filled, registry):
    session = Session(filled, registry)
    orders = [f"{LAST}{number:012d}" for number in range(6)]
    captured = {"token": None, "psp_id": "pi_1"}
    session.insert(orders[0], "refunding", **captured, refunds=1, wanted=True, due=LATER)
    session.insert(orders[1], "refunded", **captured, refunds=1, refunded=1998, wanted=True)
    session.insert(orders[2], "unknown", reason="mismatch", wanted=True)
    session.insert(orders[3], "unknown", reason="mismatch")  # a charge of which nobody wants the money back
    session.insert(orders[4], "refunding", **captured, refunds=1, promised=5, part=CAUSE, part_amount=5, due=LATER)
    session.insert(orders[5], "captured", **captured)

    def listed(*pages):
        """pages: how many at most, behind which payment; → (page, payment)"""
        rows = session.run(LIST_OPEN_REFUNDS, [most for most, _ in pages], [behind for _, behind in pages])
        return [(row[0], str(row[1])) for row in rows]

    assert listed((10, orders[0])) == [(1, orders[2]), (1, orders[4])]
    assert listed((1, orders[0]), (10, orders[2]), (10, orders[4])) == [(1, orders[2]), (2, orders[4])]
    assert len(listed((50, "00000000-0000-0000-0000-000000000000"))) == 50
    session.connection.close()
