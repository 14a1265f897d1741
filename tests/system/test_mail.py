"""E-mail on the whole stack, by a relay that is a real SMTP server: an address is confirmed, orders are mailed, and
relays that refuse, cut and hang lose no mail."""
import re
import uuid

import pytest

from testkit import relay as relays
from testkit.client import item, wait_until

SECONDS = 20
FROM = "shop@example.org"


@pytest.fixture(scope="module")
def relay(stack, api, tmp_path_factory):
    """The relay that notify-svc has for this module; attempts and leases are short, so that the module is."""
    del api
    ca, context = relays.authority(tmp_path_factory.mktemp("relay"))
    made = relays.Relay(context)
    made.start()
    password = tmp_path_factory.mktemp("secret") / "smtp-password"
    password.write_text(relays.PASSWORD)
    password.chmod(0o400)
    before = stack.overrides["notify-svc"]
    stack.overrides["notify-svc"] = before | {
        "SMTP_URL": f"smtp://127.0.0.1:{made.port}/notify.example", "SMTP_USER": relays.USER,
        "SMTP_PASSWORD_FILE": str(password), "SMTP_CA_FILE": ca, "MAIL_FROM": FROM, "MAIL_NAME": "Bücher",
        "MAIL_REFUSALS": "2", "DELIVERY_TIMEOUT_MS": "1000", "DELIVERY_LEASE_MARGIN_MS": "1000"}
    stack.stop_service("notify-svc")
    stack.start_service("notify-svc")
    yield made
    stack.overrides["notify-svc"] = before
    stack.stop_service("notify-svc")
    stack.start_service("notify-svc")
    made.stop()


@pytest.fixture(autouse=True)
def calm(relay):
    relay.to_recipient = relay.to_message = lambda _: "250 2.0.0 taken"


@pytest.fixture
def customer():
    return f"mail-{uuid.uuid4()}"


@pytest.fixture
def address(customer):
    return f"{customer}@example.org"


def add(api, customer, address, events=("order.confirmed",)):
    answer = api.post("/api/webhooks", {"customer_id": customer, "url": f"mailto:{address}", "events": list(events),
                                        "idempotency_key": str(uuid.uuid4())})
    assert answer.status_code == 201, answer.text
    return answer.json()


def confirm(api, relay, hook, address):
    """By the code in the mail that the address got."""
    (mail,) = wait_until(lambda: relay.to(address), SECONDS, "the mail with the code")
    code = re.search(r"^Code: (\w+)$", mail.get_body(("plain",)).get_content(), re.M)[1]
    answer = api.post(f"/api/webhooks/{hook['webhook_id']}/confirm", {"code": code})
    assert answer.status_code == 200 and answer.json()["status"] == "enabled", answer.text
    return code


def ready(api, relay, customer, address, events=("order.confirmed",)):
    hook = add(api, customer, address, events)
    confirm(api, relay, hook, address)
    return hook


def deliveries(api, hook):
    found = api.get(f"/api/webhooks/{hook['webhook_id']}/deliveries").json()["items"]
    return [one for one in found if one["event"] != "email.confirm"]


def wait_delivery(api, hook, status):
    def found():
        return [one for one in deliveries(api, hook) if one["status"] == status]
    return wait_until(found, SECONDS, f"a delivery {status}")[0]


def of_order(relay, address, order):
    return [one for one in relay.to(address) if order["order_id"] in one["Subject"]]


def test_an_order_is_mailed_to_a_confirmed_address_alone(api, relay, customer, address, stack):
    hook = add(api, customer, address)
    path = f"/api/webhooks/{hook['webhook_id']}"
    assert hook["status"] == "unconfirmed" and hook["secret"] is None
    api.complete(item("A"), customer=customer)  # nobody is told
    assert api.post(path + "/confirm", {"code": "0" * 32}).status_code == 400
    assert api.call("POST", path + "/enable").status_code == 409
    assert api.call("POST", path + "/rotate").status_code == 409
    code = confirm(api, relay, hook, address)
    order = api.complete(item("A", 2), customer=customer)
    (mail,) = wait_until(lambda: of_order(relay, address, order), SECONDS, "the mail")
    delivery = wait_delivery(api, hook, "delivered")
    assert [one["status"] for one in delivery["attempts"]] == [250]
    assert mail["Message-ID"] == f"<{delivery['delivery_id']}@example.org>" and mail["Date"].datetime is not None
    assert str(mail["From"]) == f"Bücher <{FROM}>" and str(mail["To"]) == address
    assert mail["Auto-Submitted"] == "auto-generated" and not mail.defects
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "2 x A, 9.99 EUR each\n" in text and "Total: 19.98 EUR" in text and "<td>A</td>" in html
    assert len(relay.to(address)) == 2 and all(tls for _, _, tls in relay.mails)
    assert_kept_private(stack, address, code)


def assert_kept_private(stack, address, code):
    """The address stands in one table, the code in none, and neither in the log."""
    tables = [row[0] for row in stack.sql("webhooks", "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
                                                      "WHERE schemaname IN ('bus', 'webhooks')")]
    holding = {name for name in tables
               if stack.sql("webhooks", f"SELECT 1 FROM {name} t WHERE t::text LIKE '%{address}%' LIMIT 1")}
    assert holding == {"webhooks.endpoints"}
    assert not any(stack.sql("webhooks", f"SELECT 1 FROM {name} t WHERE t::text LIKE '%{code}%'") for name in tables)
    with open(stack.log("notify-svc"), encoding="utf-8", errors="replace") as log:
        text = log.read()
    assert address not in text and code not in text and relays.PASSWORD not in text


def test_a_mail_that_is_put_off_comes_later(api, relay, customer, address):
    hook = ready(api, relay, customer, address)
    replies = ["451 4.7.1 greylisted", "250 2.0.0 taken"]
    relay.to_recipient = lambda _: replies.pop(0) if replies else "250 2.0.0 taken"
    order = api.complete(item("A"), customer=customer)
    delivery = wait_delivery(api, hook, "delivered")
    assert [(one["status"], one["note"]) for one in delivery["attempts"]] == [(451, "451 4.7.1"), (250, "250 2.0.0")]
    assert len(of_order(relay, address, order)) == 1


def test_refusals_end_an_address_and_the_others_are_told(api, relay, customer, address):
    other = "other-" + address
    hook = ready(api, relay, customer, address)
    ready(api, relay, customer, other, ("webhook.disabled",))
    relay.to_recipient = lambda one: f"550 5.1.1 <{one}> unknown" if one == address else "250 2.0.0 taken"
    for _ in range(2):
        api.complete(item("A"), customer=customer)
    wait_until(lambda: api.get(f"/api/webhooks/{hook['webhook_id']}").json()["cause"] == "refused", SECONDS, "its end")
    found = deliveries(api, hook)
    assert [one["status"] for one in found] == ["failed"] * 2
    assert all([attempt["note"] for attempt in one["attempts"]] == ["550 5.1.1"] for one in found)
    (mail,) = wait_until(lambda: [one for one in relay.to(other) if "disabled" in one["Subject"]], SECONDS, "the news")
    assert hook["webhook_id"] in mail.get_body(("plain",)).get_content()


def test_a_cut_and_a_kill_repeat_the_same_mail_at_most(api, relay, customer, address, stack):
    hook = ready(api, relay, customer, address)
    replies = [None, 30]  # the first is cut behind its message, the second hangs until the process is killed
    relay.to_message = lambda _: replies.pop(0) if replies else "250 2.0.0 taken"
    order = api.complete(item("A"), customer=customer)
    wait_until(lambda: len(of_order(relay, address, order)) == 2, SECONDS, "the second attempt")
    stack.kill("notify-svc")
    stack.start_service("notify-svc")
    wait_delivery(api, hook, "delivered")
    mails = of_order(relay, address, order)
    assert len(mails) == 3 and len({one.as_bytes() for one in mails}) == 1


@pytest.mark.long
def test_P7_a_relay_of_another_ca_gets_nothing(api, relay, customer, address, tmp_path):
    hook = ready(api, relay, customer, address)
    good = relay.context
    relay.stop()
    relay.context = relays.authority(tmp_path)[1]
    relay.start()
    try:
        order = api.complete(item("A"), customer=customer)

        def notes():  # an earlier attempt may have met the connection that the relay before had left open
            noted = [one for delivery in deliveries(api, hook) for one in delivery["attempts"]]
            return [one for one in noted if "cert" in one["note"]]
        assert wait_until(notes, SECONDS, "an attempt")[0]["status"] is None
        assert not of_order(relay, address, order)
    finally:
        relay.stop()
        relay.context = good
        relay.start()
    wait_delivery(api, hook, "delivered")


@pytest.mark.parametrize("wrong", ["ann@localhost", "ann@example.org?bcc=bob@example.org", "ann@example.org%0d%0aBcc:x",
                                   "ann@example.org,bob@example.org"])
def test_P7_an_address_is_one_address(api, customer, wrong):
    answer = api.post("/api/webhooks", {"customer_id": customer, "url": f"mailto:{wrong}",
                                        "events": ["order.confirmed"], "idempotency_key": str(uuid.uuid4())})
    assert answer.status_code == 400 and "one address" in answer.json()["detail"], answer.text
