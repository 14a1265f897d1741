"""Hooks of schemathesis: rules of the edge that a JSON Schema cannot express. The document says each in words."""
import itertools
import os
import uuid

import schemathesis

LOCAL_PART_BYTES = 64  # of an e-mail address
ID_CHARACTERS = 64
PRICE_STEP = 100  # a multiple of the steps of all currencies
# The caller, and one of its orders. Every second right request is about these.
KNOWN = {"user": os.environ["CONTRACT_USER"], "id": os.environ["CONTRACT_ORDER"]}
CALLERS = os.environ["CONTRACT_CALLERS"].split()
turn = itertools.count()


def _strings(schema, value):
    """Each string of a valid value, with its schema."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _strings(schema.get("properties", {}).get(name, {}), inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(schema.get("items", {}), inner)
    elif isinstance(value, str):
        yield schema, value


def _bytes(text):
    return len(text.encode("utf-8", "surrogatepass"))


def _fits(schema, body):
    """Bounds of bytes, and each product at most once."""
    if any(_bytes(text) > inner.get("x-maxBytes", len(text) * 4) for inner, text in _strings(schema, body)):
        return False
    if not isinstance(body, dict):
        return True
    if _bytes(str(body.get("email", "")).strip(" ").rpartition("@")[0]) > LOCAL_PART_BYTES:
        return False
    names = [str(one.get("product_id")) for one in body.get("items") or () if isinstance(one, dict)]
    return len(names) == len(set(names))


def _schema_of(operation):
    content = operation.definition.raw.get("requestBody", {}).get("content", {})
    return content.get("application/json", {}).get("schema", {})


def _plain_integers(value):
    """Integers are written without a fraction: 90.0 is none."""
    if isinstance(value, dict):
        return {name: _plain_integers(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain_integers(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _give_one_key(case):
    """The key is in the body or in the header, where a quotation mark at its begin needs one at its end."""
    if str(case.headers.get("Idempotency-Key", "")).startswith('"'):
        case.headers["Idempotency-Key"] = "made-by-the-test"
    if "idempotency_key" not in _schema_of(case.operation).get("properties", {}):
        return
    if isinstance(case.body, dict) and case.body.get("idempotency_key") is not None:
        case.headers.pop("Idempotency-Key", None)
    elif not case.headers.get("Idempotency-Key"):
        case.headers["Idempotency-Key"] = "made-by-the-test"


def _pay_now_or_later(case):
    """An order has its card now, or is paid later."""
    payment = case.body.get("payment") if isinstance(case.body, dict) else None
    if isinstance(payment, dict) and payment.get("when") == "later":
        payment.pop("token", None)
    elif isinstance(payment, dict) and payment.get("token") is None:
        payment["token"] = "pm_card_visa"


def _give_one_change(case):
    """Stock is set or changed, not both."""
    if "delta" not in _schema_of(case.operation).get("properties", {}) or not isinstance(case.body, dict):
        return
    if case.body.get("on_hand") is not None:
        case.body.pop("delta", None)
    elif case.body.get("delta") is None:
        case.body["on_hand"] = 1


def _give_one_payment(case):
    """A refund names its payment or its order, not both."""
    if "payment_id" in _schema_of(case.operation).get("properties", {}) and isinstance(case.body, dict):
        case.body.pop("payment_id" if case.body.get("order_id") is not None else "order_id", None)
        if case.body.get("payment_id") is None:
            case.body.setdefault("order_id", KNOWN["id"])


def _give_one_price(case):
    """Prices are multiples of 10 or 100 in some currencies."""
    if "price" in _schema_of(case.operation).get("properties", {}) and isinstance(case.body, dict):
        case.body["price"] -= case.body["price"] % PRICE_STEP


def _keep_cursors_apart(case):
    """`after` and `cursor` are one. A cursor by price has a price, another one of products is an id, and one of users
    holds an e-mail address."""
    query = case.query or {}
    if ("after" in query or "price" in str(query.get("sort")) or case.operation.path == "/api/users"
            or len(str(query.get("cursor"))) > ID_CHARACTERS):
        query.pop("cursor", None)


def _erases_a_user(case):
    return (case.method.upper(), case.operation.path) == ("DELETE", "/api/users/{user}")


def _ask_about_what_is_there(case):
    if next(turn) % 2 or _erases_a_user(case):
        return
    for name in set(case.path_parameters or ()) & set(KNOWN):
        case.path_parameters[name] = KNOWN[name]
    if isinstance(case.body, dict) and case.body.get("customer_id") is not None:
        case.body["customer_id"] = KNOWN["user"]


@schemathesis.hook
def before_call(context, case, kwargs):
    """Completes right requests. A wrong method is tried on a right path: a malformed one is 400 whatever the method. No
    caller is erased."""
    if _erases_a_user(case) and case.path_parameters.get("user") in CALLERS:
        case.path_parameters["user"] = str(uuid.uuid4())
    if case.method.upper() != case.operation.method.upper():
        for one in case.operation.definition.raw.get("parameters", ()):
            if one["in"] == "path":
                case.path_parameters[one["name"]] = one["schema"]["examples"][0]
    elif case.meta and case.meta.generation.mode.is_positive:
        case.body = _plain_integers(case.body)
        _give_one_key(case)
        _give_one_change(case)
        _pay_now_or_later(case)
        _give_one_payment(case)
        _give_one_price(case)
        _keep_cursors_apart(case)
        _ask_about_what_is_there(case)


@schemathesis.hook
def filter_case(context, case):
    if not case.meta or not case.meta.generation.mode.is_positive:
        return True
    return _fits(_schema_of(case.operation), case.body)
