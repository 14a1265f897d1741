"""notify-svc's statements about deliveries and addresses: what is due, what gauges count, whom it tells, purges."""
import uuid

import pytest

from testkit import plans
from test_plans_payments import Session

(INSERT_MAIL_WINDOWS, TELL_DISABLED, FIND_DUE, LOOK_AFTER, PURGE_UNCONFIRMED) = (9, 11, 13, 14, 18)
NOBODY, KEY = "00000000-0000-0000-0000-000000000000", "a" * 64
ENDPOINT = """
INSERT INTO webhooks.endpoints (endpoint_id, customer_id, url, events, created_at, secret, status, failing_since)
VALUES (%s, %s, %s, %s, now() - %s::interval, repeat('s', 131), %s, now() - %s::interval)"""
DELIVERY = """
INSERT INTO webhooks.deliveries (delivery_id, endpoint_id, event, payload, created_at, status, attempts, failures,
                                 next_attempt_at)
VALUES (%s, %s, 'order.confirmed', '{}', now() - interval '1 hour', 'waiting', 0, 0, now() - %s::interval)"""


@pytest.fixture(scope="module")
def database():
    made = plans.Database("webhooks", "notify_svc")
    yield made
    made.drop()


class Webhooks(Session):
    def endpoint(self, url="https://example.org/", customer="ann", events=31, status="enabled", age="0", failing=None):
        made = str(uuid.uuid4())
        self.cursor.execute(ENDPOINT, (made, customer, url, events, age, status, failing))
        return made

    def delivery(self, endpoint, due="1 minute"):
        """due: for how long; negative: not yet"""
        made = str(uuid.uuid4())
        self.cursor.execute(DELIVERY, (made, endpoint, due))
        return made

    def rows(self, query):
        self.cursor.execute(query)
        return self.cursor.fetchall()


@pytest.fixture(name="session")
def fixture_session(database):
    made = Webhooks(database, plans.statements("notify-svc"))
    yield made
    made.connection.rollback()
    made.connection.close()


def test_what_is_due_names_addresses_and_whether_they_are_confirmed(session):
    hook, mail = session.endpoint(), session.endpoint("mailto:ann@example.org")
    new = session.endpoint("mailto:bob@example.org", status="unconfirmed")
    for endpoint in (session.endpoint(status="deleted"), hook, mail, new):
        session.delivery(endpoint)
    session.delivery(hook, "-1 minute")
    found = {row[1]: row[2:] for row in session.run(FIND_DUE, NOBODY, 10, 8)}
    assert found == {hook: (None, True), mail: ("mailto:ann@example.org", True), new: ("mailto:bob@example.org", False)}


def test_gauges_tell_how_long_a_delivery_is_due_by_kind(session):
    assert session.run(LOOK_AFTER) == [(0, 0, 0, 0)]
    hook, mail = session.endpoint(), session.endpoint("mailto:ann@example.org")
    session.delivery(hook, "1 minute")
    session.delivery(hook, "3 minutes")
    session.delivery(mail, "-1 minute")  # not due yet
    session.delivery(session.endpoint(failing="1 day"), "1 day")  # it waits for another one of a webhook that fails
    waiting, age, webhook, of_mail = session.run(LOOK_AFTER)[0]
    assert (waiting, age, webhook, of_mail) == (4, 3600_000_000, 180_000_000, 0)
    session.delivery(mail, "2 minutes")
    assert session.run(LOOK_AFTER)[0][3] == 120_000_000


def test_other_endpoints_of_the_customer_are_told_of_one_that_was_disabled(session):
    gone, wants = session.endpoint(), session.endpoint("mailto:ann@example.org", events=16)
    session.endpoint(events=15)
    session.endpoint(customer="bob")
    session.endpoint("mailto:new@example.org", status="unconfirmed")
    assert session.run(TELL_DISABLED, [gone], ["{}"]) == 1
    assert session.rows("SELECT endpoint_id, order_id, event, status FROM webhooks.deliveries") == [
        (wants, None, "webhook.disabled", "waiting")]


def test_an_address_that_is_not_confirmed_within_a_day_is_deleted(session):
    old = session.endpoint("mailto:old@example.org", status="unconfirmed", age="25 hours")
    session.endpoint("mailto:new@example.org", status="unconfirmed", age="23 hours")
    session.endpoint("mailto:ann@example.org", age="25 hours")
    assert session.run(PURGE_UNCONFIRMED) == 1
    assert session.rows("SELECT endpoint_id FROM webhooks.endpoints WHERE status = 'deleted'") == [(old,)]


def test_two_processes_that_begin_one_window_count_both_mails(session):
    for _ in range(2):
        session.run(INSERT_MAIL_WINDOWS, [KEY], ["2026-12-01"], [1])
    assert session.rows("SELECT mails FROM webhooks.mail_windows") == [(2,)]
