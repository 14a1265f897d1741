"""payment-svc's statements: prepared as its role, planned by index, over many rows and over none; what they do to rows,
what the role may not do, and how an operator settles a payment."""
import datetime
import uuid

import psycopg2
import pytest

from testkit import plans

GROWING = {"payments", "refunds", "ledger", "inbox", "outbox"}
SERVICE = "payment-svc"
ORDERS = 100_000
(LOCK, READ_REFUNDS, INSERT, UPDATE, LEDGER, FIND_DUE, LOOK_AFTER, FIND_PUT_OFF, INSERT_REFUNDS,
 UPDATE_REFUNDS) = range(10)

# The payments of a day: nearly all are definite, a few are open or unknown.
FILL = f"""
INSERT INTO payments.payments (order_id, state, amount, currency, token, psp_id, reason, refunds, refunded_amount,
                               attempts, first_attempt_at, next_attempt_at, refund_requested, version, created_at)
SELECT gen_random_uuid(), state, 1998, 'EUR', CASE WHEN state IN ('processing', 'unknown') THEN 'pm_card_visa' END,
       CASE WHEN state IN ('captured', 'refunding', 'refunded') THEN 'pi_' || n END,
       CASE WHEN state IN ('declined', 'unknown') THEN 'because' END,
       (state IN ('refunding', 'refunded'))::int, CASE state WHEN 'refunded' THEN 1998 ELSE 0 END, 1,
       now() - n * interval '1 second',
       CASE WHEN state IN ('processing', 'refunding') THEN now() + (n % 600 - 300) * interval '1 second' END,
       state IN ('refunding', 'refunded'), 2, now() - n * interval '1 second'
FROM (SELECT n, CASE WHEN n % 1000 = 0 THEN 'processing' WHEN n % 1000 = 1 THEN 'refunding'
                     WHEN n % 10000 = 2 THEN 'unknown' WHEN n % 10 = 3 THEN 'declined'
                     WHEN n % 10 = 4 THEN 'refunded' ELSE 'captured' END AS state
      FROM generate_series(1, {ORDERS}) AS n) AS generated;

INSERT INTO payments.ledger (order_id, entry, amount, currency, psp_id)
SELECT order_id, entry, amount, currency, psp_id
FROM payments.payments, unnest(ARRAY['captured', 'refunded']) AS entry
WHERE state IN ('captured', 'refunding', 'refunded') AND (entry = 'captured' OR state = 'refunded');

WITH refunds AS (
    INSERT INTO payments.refunds (refund_id, order_id, state, number, amount, whole, restock, created_at)
    SELECT gen_random_uuid(), order_id, 'open', 2, 5, false, false, now()
    FROM payments.payments WHERE state = 'captured' LIMIT 10000 RETURNING order_id)
UPDATE payments.payments p SET promised_amount = 5 FROM refunds r WHERE p.order_id = r.order_id;
"""


@pytest.fixture(scope="module")
def database():
    made = plans.Database("payments", "payment_svc")
    yield made
    made.drop()


@pytest.fixture(scope="module")
def filled():
    made = plans.Database("payments", "payment_svc")
    with made.superuser() as connection, connection.cursor() as cursor:
        cursor.execute(FILL)
    plans.analyze(made)
    yield made
    made.drop()


@pytest.fixture(name="registry", scope="module")
def fixture_registry():
    return plans.statements(SERVICE)


# ---- plans


def test_plans_over_many_rows(filled):
    plans.assert_indexed(filled, SERVICE, GROWING)


@pytest.mark.parametrize("which", ["filled", "database"])
def test_what_is_due_is_found_by_the_index_of_open_payments(which, request, registry):
    connection = request.getfixturevalue(which).runtime()
    for number in (FIND_DUE, LOOK_AFTER):
        indexes = {node.get("Index Name") for node in plans.nodes(plans.plan(connection, registry[number]))}
        assert "payments_due" in indexes, indexes
    assert "payments_unknown" in indexes, indexes
    connection.close()


def test_the_index_of_open_payments_stays_small(filled):
    with filled.superuser() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size('payments.payments_due'), pg_relation_size('payments.payments_pkey')")
        due, key = cursor.fetchone()
        assert due * 20 < key


# ---- what the statements do


class Session:
    """The service's statements as its role, in a transaction that is rolled back at the end."""

    def __init__(self, database, registry):
        self.connection, self.registry = database.runtime(), registry
        self.cursor = self.connection.cursor()
        for statement in registry:
            plans.prepare(self.cursor, statement)

    def run(self, number, *values):
        text, values = plans.execute_text(self.registry[number], values)
        self.cursor.execute(text, values)
        return self.cursor.fetchall() if self.cursor.description else self.cursor.rowcount

    def insert(self, order, state="processing", amount=1998, currency="EUR", token="pm_card_visa", psp_id=None,
               refund_id=None, reason=None, refunds=0, refunded=0, promised=0, part=None, part_amount=0, attempts=1,
               first=None, due=None, wanted=False, trace=None, cause=None, state_text=None, version=1,
               attempt_of=None, attempt=0):
        columns = (order, attempt_of, attempt, state, amount, currency, token, psp_id, refund_id, reason, refunds,
                   refunded, promised, part, part_amount, attempts, first, due, wanted, trace, cause, state_text,
                   version)
        return self.run(INSERT, *[[column] for column in columns])


@pytest.fixture(name="session")
def fixture_session(database, registry):
    made = Session(database, registry)
    yield made
    made.connection.close()


NOW = datetime.datetime.now(datetime.timezone.utc)
LATER = NOW + datetime.timedelta(hours=1)
CAUSE = str(uuid.uuid4())
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_batch_is_written_locked_and_read_back(session):
    orders = sorted(str(uuid.uuid4()) for _ in range(3))
    for order in orders:
        assert session.insert(order, first=NOW, due=LATER, trace=TRACE, cause=CAUSE, state_text="a=1") == 1
    rows = session.run(LOCK, list(reversed(orders)))
    assert [row[0] for row in rows] == orders
    assert rows[0][1:] == (None, 0, "processing", 1998, "EUR", "pm_card_visa", None, None, None, 0, 0, 0, None, 0, 1,
                           NOW, LATER, False, TRACE, CAUSE, "a=1", 1)


def test_an_update_changes_what_it_is_given(session):
    orders = [str(uuid.uuid4()) for _ in range(2)]
    for order in orders:
        session.insert(order, first=NOW, due=LATER)
    assert session.run(UPDATE, orders, ["refunding", "declined"], [None, None], ["pi_1", None], ["re_1", None],
                       [None, "expired_card"], [2, 0], [5, 0], [12, 0], [CAUSE, None], [7, 0], [3, 1], [NOW, NOW],
                       [LATER, None], [True, False], [TRACE, None], [CAUSE, None], ["a=1", None],
                       [5, 2]) == 2
    rows = {row[0]: row[1:] for row in session.run(LOCK, orders)}
    assert rows[orders[0]] == (None, 0, "refunding", 1998, "EUR", None, "pi_1", "re_1", None, 2, 5, 12, CAUSE, 7, 3,
                               NOW, LATER, True, TRACE, CAUSE, "a=1", 5)
    assert rows[orders[1]] == (None, 0, "declined", 1998, "EUR", None, None, None, "expired_card", 0, 0, 0, None, 0, 1,
                               NOW, None, False, None, None, None, 2)


def test_only_what_is_due_is_found_the_longest_due_first(session):
    orders = [str(uuid.uuid4()) for _ in range(4)]
    for order, minutes in zip(orders, (-1, -3, 600, -2)):
        session.insert(order, due=NOW + datetime.timedelta(minutes=minutes))
    assert [row[0] for row in session.run(FIND_DUE, 0, 10)] == [orders[1], orders[3], orders[0]]
    assert [row[0] for row in session.run(FIND_DUE, 0, 1)] == [orders[1]]
    assert session.run(FIND_DUE, 10, 0) == []
    hour = 3600 * 1000 * 1000
    assert [row[0] for row in session.run(FIND_PUT_OFF, 10, 5 * hour)] == [orders[2]]
    assert session.run(FIND_PUT_OFF, 10, 11 * hour) == []


def test_payments_that_never_failed_are_found_before_those_that_did(session):
    """However long the others are due; and each kind has a limit of its own."""
    orders = [str(uuid.uuid4()) for _ in range(6)]
    for order, (minutes, attempts) in zip(orders, ((-50, 9), (-40, 2), (-30, 1), (-20, 1), (-2, 0), (-1, 0))):
        session.insert(order, attempts=attempts, due=NOW + datetime.timedelta(minutes=minutes))
    first, failed = [orders[4], orders[5]], [orders[2], orders[3], orders[1], orders[0]]
    assert [row[0] for row in session.run(FIND_DUE, 10, 10)] == first + failed
    assert [row[0] for row in session.run(FIND_DUE, 1, 3)] == first[:1] + failed[:3]
    assert [row[0] for row in session.run(FIND_DUE, 10, 0)] == first


def test_gauges_count_what_an_operator_wants_to_know(session):
    assert session.run(LOOK_AFTER, 3) == [(0, 0, 0, 0)]
    session.insert(str(uuid.uuid4()), due=LATER)
    session.insert(str(uuid.uuid4()), "refunding", token=None, psp_id="pi_1", refunds=1, attempts=3, wanted=True,
                   due=LATER)
    session.insert(str(uuid.uuid4()), "refunding", token=None, psp_id="pi_1", refunds=1, attempts=2, wanted=True,
                   due=LATER)
    session.insert(str(uuid.uuid4()), "refunding", token=None, psp_id="pi_1", refund_id="re_1", refunds=1, attempts=9,
                   wanted=True, due=LATER)  # pending at the PSP is not failing
    session.insert(str(uuid.uuid4()), "unknown", reason="mismatch")
    assert session.run(LOOK_AFTER, 3)[0][:3] == (4, 1, 1)


def test_no_second_payment_and_no_second_capture_for_an_order(session):
    order = str(uuid.uuid4())
    session.insert(order, due=LATER)
    assert session.run(LEDGER, [order], ["captured"], [0], [1998], ["EUR"], ["pi_1"]) == 1
    session.connection.commit()
    for again in (lambda: session.insert(order, due=LATER),
                  lambda: session.run(LEDGER, [order], ["captured"], [0], [1998], ["EUR"], ["pi_2"])):
        with pytest.raises(psycopg2.errors.UniqueViolation):
            again()
        session.connection.rollback()


def add_refund(session, order, number, refund_id=None):
    refund_id = refund_id or str(uuid.uuid4())
    columns = (refund_id, order, "open", number, 5, False, None, False, None, NOW)
    assert session.run(INSERT_REFUNDS, *[[column] for column in columns]) == 1
    return refund_id


def test_open_refunds_are_read_and_those_that_are_named(session):
    """A key may have been used for another payment's refund. The shorter array is filled with NULL."""
    mine, other = (str(uuid.uuid4()) for _ in range(2))
    for order in (mine, other):
        session.insert(order, "captured", token=None, psp_id="pi_1")
    done, opened, named = (add_refund(session, order, number) for order, number in ((mine, 2), (mine, 3), (other, 2)))
    assert session.run(UPDATE_REFUNDS, [done], ["done"], ["re_1"]) == 1

    def found(orders, refunds):
        return sorted(row[0] for row in session.run(READ_REFUNDS, orders, refunds))

    assert found([mine], [None]) == [opened]
    assert found([mine, None], [named, done]) == sorted([opened, named, done])
    assert found([mine, other], [named, None]) == sorted([opened, named])
    assert found([mine], [str(uuid.uuid4())]) == [opened]


@pytest.mark.parametrize("bad", [
    {"due": None},                                                     # open, and nobody would ever look again
    {"token": None},                                                   # a charge without what to charge
    {"state": "captured", "psp_id": "pi_1", "due": None},              # the token is kept longer than needed
    {"state": "captured", "token": None, "due": None},                 # captured without the PSP's id
    {"state": "declined", "token": None, "due": None},                 # no reason
    {"state": "refunded", "token": None, "psp_id": "pi_1", "due": None},
    {"state": "captured", "token": None, "psp_id": "pi_1", "due": None, "refunded": 1998},  # all came back
    {"state": "captured", "token": None, "psp_id": "pi_1", "due": None, "promised": 1999},
    {"state": "captured", "token": None, "psp_id": "pi_1", "due": None, "part": CAUSE, "part_amount": 5},
    {"state": "refunding", "token": None, "psp_id": "pi_1", "refunds": 1},  # nobody asked for it
    {"state": "refunding", "token": None, "psp_id": "pi_1", "refunds": 1, "refunded": 1990, "part": CAUSE,
     "part_amount": 9},
    {"state": "refunding", "token": None, "psp_id": "pi_1", "refunds": 1, "part": CAUSE},
    {"promised": 1},                                                   # of a charge that may yet be declined
    {"state": "paid"},
    {"amount": -1},
    {"amount": 1_000_000_000_001},
    {"currency": "EURO"},
    {"currency": None},
    {"state_text": "a" * 513},
    {"refund_id": "re_1"},                                             # of a payment that is not refunded
    {"token": "x" * 129},
    {"version": 0},
    {"attempt": 1},                                                    # of no order
    {"attempt_of": CAUSE},                                             # without a number
    {"attempt_of": CAUSE, "attempt": 21},
])
def test_a_row_that_breaks_a_rule_is_refused(session, bad):
    with pytest.raises(psycopg2.errors.CheckViolation):
        session.insert(str(uuid.uuid4()), **{"due": LATER, **bad})


# ---- rights


@pytest.mark.parametrize("attempt", [
    "UPDATE payments.payments SET amount = 1",
    "UPDATE payments.payments SET currency = 'USD'",
    "UPDATE payments.payments SET order_id = gen_random_uuid()",
    "DELETE FROM payments.payments",
    "TRUNCATE payments.payments",
    "UPDATE payments.ledger SET amount = 1",
    "UPDATE payments.refunds SET amount = 1",
    "DELETE FROM payments.refunds",
    "DELETE FROM payments.ledger",
    "TRUNCATE payments.ledger",
    "SELECT FROM payments.audit",
    "SELECT payments.settle(gen_random_uuid(), 'captured')",
    "UPDATE bus.inbox SET received_at = now()",
    "CREATE TABLE payments.mine (id int)",
    "CREATE TABLE public.mine (id int)",
    "CREATE SCHEMA mine",
])
def test_d1_d2_the_service_may_not(database, attempt):
    connection = database.runtime()
    with connection.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute(attempt)
    connection.close()


def test_p5_no_column_is_for_card_data(database):
    with database.superuser() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_schema = 'payments'")
        names = {row[0] for row in cursor.fetchall()}
    assert not [name for name in names for word in ("card", "pan", "cvc", "cvv", "expiry", "holder") if word in name]


# ---- settling


@pytest.fixture(name="unknown")
def fixture_unknown(database):
    """A function that makes a payment of unknown outcome, and a cursor of the database's owner."""
    connection = database.superuser()
    cursor = connection.cursor()
    cursor.execute(f'SET ROLE "{database.owner}"')

    def make(refund_requested=False):
        order = str(uuid.uuid4())
        cursor.execute("INSERT INTO payments.payments (order_id, state, amount, currency, token, reason, attempts,"
                       " refund_requested, version) VALUES (%s, 'unknown', 1998, 'EUR', 'pm_card_visa',"
                       " 'no_definite_answer', 90, %s, 7)", (order, refund_requested))
        return order

    yield make, cursor
    connection.close()


def read(cursor, order):
    cursor.execute("SELECT state, token, psp_id, reason, refunds, refunded_amount, next_attempt_at <= now(), version"
                   " FROM payments.payments WHERE order_id = %s", (order,))
    return cursor.fetchone()


def audit(cursor):
    cursor.execute("SELECT order_id FROM payments.audit")
    return cursor.fetchall()


@pytest.mark.parametrize("outcome, refund_requested, expected", [
    ("captured", False, ("captured", None, "pi_9", None, 0, 0, True, 8)),
    ("captured", True, ("refunding", None, "pi_9", None, 1, 0, True, 8)),
    ("refunded", True, ("refunded", None, "pi_9", None, 0, 1998, True, 8)),
    ("declined", False, ("declined", None, "pi_9", "settled", 0, 0, True, 8)),
    ("failed", True, ("failed", None, "pi_9", "settled", 0, 0, True, 8)),
])
def test_an_operator_settles_what_is_unknown(unknown, outcome, refund_requested, expected):
    make, cursor = unknown
    order = make(refund_requested)
    cursor.execute("SELECT payments.settle(%s, %s, 'pi_9')", (order, outcome))
    assert cursor.fetchone()[0] == expected[0]
    assert read(cursor, order) == expected
    assert (order,) not in audit(cursor)


@pytest.mark.parametrize("outcome, state, refunded, left_open", [
    ("refunded", "captured", 500, ["00000000-0000-4000-8000-000000000002"]),
    ("captured", "refunding", 0, ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"]),
])
def test_an_operator_settles_the_refund_of_a_part(unknown, outcome, state, refunded, left_open):
    """The refund that waits behind it goes on."""
    make, cursor = unknown
    order = make()
    cursor.execute("BEGIN")
    cursor.execute("INSERT INTO payments.ledger (order_id, entry, amount, currency, psp_id)"
                   " VALUES (%s, 'captured', 1998, 'EUR', 'pi_9')", (order,))
    for number in (1, 2):
        cursor.execute("INSERT INTO payments.refunds (refund_id, order_id, state, number, amount, whole, restock,"
                       " created_at) VALUES (%s, %s, 'open', %s, 500, false, false, now())",
                       (f"00000000-0000-4000-8000-00000000000{number}", order, number))
    cursor.execute("UPDATE payments.payments SET psp_id = 'pi_9', refunds = 1, promised_amount = 1000,"
                   " refund_amount = 500, refund_id = '00000000-0000-4000-8000-000000000001'"
                   " WHERE order_id = %s", (order,))
    cursor.execute("SELECT payments.settle(%s, %s, 're_9')", (order, outcome))
    assert cursor.fetchone()[0] == state
    assert read(cursor, order)[:6] == (state, None, "pi_9", None, 2 if state == "refunding" else 1, refunded)
    cursor.execute("SELECT refund_id::text FROM payments.refunds WHERE order_id = %s AND state = 'open' ORDER BY 1",
                   (order,))
    assert [row[0] for row in cursor.fetchall()] == left_open
    assert (order,) not in audit(cursor)
    cursor.execute("ROLLBACK")


def test_the_legs_of_each_movement_sum_to_zero(filled):
    with filled.superuser() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM (SELECT FROM payments.legs GROUP BY order_id, entry, refund"
                       " HAVING sum(amount) <> 0 OR count(*) <> 2) AS wrong")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT account, sum(amount)::bigint FROM payments.legs GROUP BY account ORDER BY account")
        (customer, paid), (provider, owed) = cursor.fetchall()
        assert (customer, provider) == ("customer", "provider") and paid == -owed != 0


def test_only_what_is_unknown_can_be_settled(unknown):
    make, cursor = unknown
    order = make()
    cursor.execute("SELECT payments.settle(%s, 'failed')", (order,))
    for arguments in ((order, "failed"), (str(uuid.uuid4()), "failed"), (make(), "processing"), (make(), None)):
        with pytest.raises(psycopg2.errors.RaiseException):
            cursor.execute("SELECT payments.settle(%s, %s)", arguments)


def test_money_is_not_settled_without_the_psps_id(unknown):
    make, cursor = unknown
    with pytest.raises(psycopg2.errors.RaiseException):
        cursor.execute("SELECT payments.settle(%s, 'captured')", (make(),))


def test_what_was_captured_cannot_be_settled_as_failed(unknown):
    make, cursor = unknown
    order = make(True)
    cursor.execute("INSERT INTO payments.ledger (order_id, entry, amount, currency, psp_id)"
                   " VALUES (%s, 'captured', 1998, 'EUR', 'pi_9')", (order,))
    with pytest.raises(psycopg2.errors.RaiseException):
        cursor.execute("SELECT payments.settle(%s, 'failed')", (order,))
    cursor.execute("SELECT payments.settle(%s, 'refunded', 'pi_9')", (order,))
    assert (order,) not in audit(cursor)


def test_the_audit_sees_what_does_not_add_up(filled):
    with filled.superuser() as connection, connection.cursor() as cursor:
        assert audit(cursor) == []
        cursor.execute("DELETE FROM payments.ledger WHERE (order_id, entry) IN"
                       " (SELECT order_id, 'captured' FROM payments.payments WHERE state = 'captured' LIMIT 1)")
        assert len(audit(cursor)) == 1
        cursor.execute("INSERT INTO payments.ledger (order_id, entry, amount, currency, psp_id)"
                       " VALUES (gen_random_uuid(), 'captured', 1, 'EUR', 'pi_ghost')")
        assert len(audit(cursor)) == 2


# ---- taking over what only the provider knows


ADOPT = "SELECT payments.adopt(%s, NULL, 0, 1998, 'EUR', 'pi_9', %s, 're_9')"


@pytest.mark.parametrize("refunded, expected", [
    (0, ("captured", None, "pi_9", None, 0, 0, True, 2)), (500, ("captured", None, "pi_9", None, 1, 500, True, 2)),
    (1998, ("refunded", None, "pi_9", None, 1, 1998, True, 2)),
])
def test_a_capture_without_a_payment_is_taken_over(unknown, refunded, expected):
    _, cursor = unknown
    order = str(uuid.uuid4())
    cursor.execute(ADOPT, (order, refunded))
    assert read(cursor, order) == expected
    assert (order,) not in audit(cursor)


@pytest.mark.parametrize("refunded, expected", [
    (0, ("refunding", None, "pi_9", None, 1, 0, True, 8)), (500, ("refunding", None, "pi_9", None, 2, 500, True, 8)),
    (1998, ("refunded", None, "pi_9", None, 1, 1998, True, 8)),
])
def test_a_refund_that_was_asked_for_goes_on_after_the_capture_is_taken_over(unknown, refunded, expected):
    make, cursor = unknown
    order = make(refund_requested=True)
    cursor.execute(ADOPT, (order, refunded))
    assert read(cursor, order) == expected
    assert (order,) not in audit(cursor)


def test_a_payment_that_was_voided_is_captured_all_the_same(unknown):
    _, cursor = unknown
    order = str(uuid.uuid4())
    cursor.execute("INSERT INTO payments.payments (order_id, state, amount, reason, refund_requested, version) "
                   "VALUES (%s, 'voided', 0, 'voided', true, 1)", (order,))
    cursor.execute(ADOPT, (order, 0))
    assert read(cursor, order) == ("refunding", None, "pi_9", None, 1, 0, True, 2)


def test_a_refund_is_taken_over_once(unknown):
    _, cursor = unknown
    order = str(uuid.uuid4())
    for refunded in (0, 1998, 1998):
        cursor.execute(ADOPT, (order, refunded))
    cursor.execute("SELECT entry, refund, amount FROM payments.ledger WHERE order_id = %s ORDER BY 1", (order,))
    assert cursor.fetchall() == [("captured", 0, 1998), ("refunded", 1, 1998)]
    assert (order,) not in audit(cursor)


@pytest.mark.parametrize("captured, psp_id, refunded, said", [
    (1997, "pi_9", 0, "is of 1998 EUR, not of 1997 EUR"), (1998, "pi_8", 0, "was captured as pi_9, not as pi_8"),
    (1998, "pi_9", 1999, "are no amounts of one payment"), (1998, "pi_9", 499, "500 is refunded here, and 499")])
def test_records_that_contradict_a_payment_are_refused(unknown, captured, psp_id, refunded, said):
    _, cursor = unknown
    order = str(uuid.uuid4())
    cursor.execute("BEGIN")
    cursor.execute(ADOPT, (order, 500))
    with pytest.raises(psycopg2.Error, match=said):
        cursor.execute("SELECT payments.adopt(%s, NULL, 0, %s, 'EUR', %s, %s, 're_9')",
                       (order, captured, psp_id, refunded))
    cursor.execute("ROLLBACK")
