"""The sandbox's lists, page by page."""


def read_all(sandbox, path, limit, more=""):
    """→ the objects of all pages, in order."""
    found, cursor = [], ""
    while True:
        answer = sandbox.get(f"{path}?limit={limit}{cursor}{more}")
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page["object"] == "list" and len(page["data"]) <= limit
        found += page["data"]
        if not page["has_more"]:
            return found
        cursor = f"&starting_after={page['data'][-1]['id']}"


def test_pages_show_every_object_once_newest_first(start):
    sandbox = start(SANDBOX_PENDING_MS="60000")
    made = [sandbox.charge(key=f"k{number}").json()["id"] for number in range(7)]
    declined = sandbox.charge("pm_card_chargeDeclined").json()["error"]["payment_intent"]["id"]
    pending = sandbox.charge("pm_sandbox_processing").json()["id"]
    refunds = [sandbox.post("/v1/refunds", {"payment_intent": intent, "amount": 5}).json()["id"] for intent in made[:3]]
    expected = [pending, declined, *reversed(made)]
    for limit in (1, 2, 3, 8, 9, 10, 100):
        found = read_all(sandbox, "/v1/payment_intents", limit)
        assert [one["id"] for one in found] == expected, limit
        assert [one["id"] for one in read_all(sandbox, "/v1/refunds", limit)] == refunds[::-1]
    for one in found:
        assert one == sandbox.get(f"/v1/payment_intents/{one['id']}").json()
    sandbox.restart()
    assert [one["id"] for one in read_all(sandbox, "/v1/payment_intents", 4)] == expected


def test_created_bounds_a_list(sandbox):
    intent = sandbox.charge().json()
    created = intent["created"]
    assert read_all(sandbox, "/v1/payment_intents", 10, f"&created%5Bgte%5D={created}") == [intent]
    assert read_all(sandbox, "/v1/payment_intents", 10, f"&created%5Bgte%5D={created + 1}") == []


def test_a_wrong_question_is_refused(sandbox):
    for query in ("limit=0", "limit=101", "limit=x", "limit=", "created%5Bgte%5D=-1", "limit=1&limit=2",
                  "starting_after=pi_nothing"):
        answer = sandbox.get("/v1/payment_intents?" + query)
        assert answer.status_code == 400, query
        assert answer.json()["error"]["type"] == "invalid_request_error"
    intent = sandbox.charge().json()["id"]
    assert sandbox.get("/v1/refunds?starting_after=" + intent).status_code == 400
