"""No log of the stack, after all that the suite did with it, holds anything secret or personal."""
import glob
import os
import uuid

from chaos.stack import PLENTY
from testkit.client import item, wait_until

PERSON = {"email": "canary.person@example.org", "password": "canary-Pass-phrase-731", "name": "Canaria Person"}
CARD_TOKEN = "pm_card_visa_canary"
CUSTOMER = str(uuid.uuid4())


def test_no_log_holds_a_secret_or_a_person(stack, api, prometheus):
    login = {key: PERSON[key] for key in ("email", "password")}
    wait_until(lambda: api.post("/api/auth/register", PERSON).status_code == 202, 60, "registration")
    wait_until(lambda: api.post("/api/auth/login", login).status_code == 200, 60, "a login")
    answer = api.post("/api/auth/login", login)
    tokens = [value for key, value in answer.json().items() if key.endswith("token") and isinstance(value, str)]
    api.post("/api/auth/login", {"email": PERSON["email"], "password": "canary-Wrong-phrase-732"})
    order = api.place(item(PLENTY[0]), customer=CUSTOMER, token=CARD_TOKEN).json()["order_id"]
    api.wait_final(order)
    api.get(f"/api/orders?customer_id={CUSTOMER}")
    assert tokens, answer.text
    secrets = stack.state.read("secrets.json")
    canaries = [*PERSON.values(), "canary-Wrong-phrase-732", CARD_TOKEN, CUSTOMER, *tokens, *secrets.values()]
    logs = {path: read(path) for path in glob.glob(os.path.join(stack.state.path, "logs", "*"))}
    assert any(order in text for text in logs.values()), "the order's id is in a log"
    found = {(os.path.basename(path), word) for path, text in logs.items() for word in canaries if word in text}
    assert found == set()


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
