"""Configuration of schemathesis, made from the document: which of an operation's statuses a right request may have, and
which a wrong one."""
import json

ROLES = ("customer", "operator", "admin")
# Refusals of the server itself, with the same words on every route: no right request with a token gets them.
SHARED = ("400", "401", "403", "408", "411", "412", "413", "415", "429", "431", "503")
# A right request may get these, for a reason that the schema cannot say and the description does.
RIGHT = {"POST /api/auth/logout": ["400"],  # neither a refresh token nor cookie, or both
         "POST /api/auth/refresh": ["400"],  # the same
         "POST /api/auth/reset": ["400"],  # the token in the body is unknown
         "POST /api/auth/token": ["400"],  # another grant, or credentials twice
         "POST /api/jobs": ["400"],  # a time that ends before it begins, or is too long; filters of another kind
         "GET /api/reports/kpis": ["400"],  # the same times
         "GET /api/reports/orders": ["400"],  # the same times, or totals
         "GET /api/reports/revenue": ["400"],  # the same times
         "POST /api/webhooks": ["400"],  # the URL is none that may be called
         "POST /api/webhooks/{webhook}/confirm": ["400"],  # not the code that was mailed
         "POST /api/webhooks/{webhook}/replay": ["400"],  # a delivery and a time
         "POST /webhooks/psp": ["400"]}  # not signed by the provider
# A wrong request may get these: it is one that has no body, where none is needed.
WRONG = {"POST /api/webhooks/{webhook}/replay": ["202"]}
# Its stream ends with the caller's token: a role that may open it makes no such request.
ENDLESS = "GET /api/events"
HEAD = """
[generation]
allow-x00 = true
"""


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def shared_words(document):
    """{status: the description that most operations have of it}: the server's own refusals."""
    found = {}
    for _, operation in operations(document):
        for status, response in operation["responses"].items():
            found.setdefault(status, []).append(response["description"])
    return {status: max(set(words), key=words.count) for status, words in found.items() if status in SHARED}


def least_role(operation):
    return next((scope for need in operation.get("security", ()) for scopes in need.values() for scope in scopes), None)


def is_low(operation, role):
    least = least_role(operation)
    return bool(least) and ROLES.index(role) < ROLES.index(least)


def of_right_requests(name, operation, role, shared):
    """Its own answers, and 403 where the role is too low."""
    own = [status for status, response in operation["responses"].items()
           if status != "400" and not status.startswith("5") and response["description"] != shared.get(status)]
    return sorted({*own, *RIGHT.get(name, ())} | ({"403"} if is_low(operation, role) else set()))


def of_wrong_requests(name, operation):
    own = {status for status in operation["responses"] if status.startswith("4")}
    return sorted({"405", *WRONG.get(name, ())} | own)


def configuration(document, role):
    """→ the text of schemathesis.toml. All checks stay on, of every operation that a role can end."""
    text, shared = HEAD, shared_words(document)
    for name, operation in operations(document):
        checks = {"positive_data_acceptance": of_right_requests(name, operation, role, shared),
                  "negative_data_rejection": of_wrong_requests(name, operation)}
        text += f"\n[[operations]]\ninclude-name = {json.dumps(name)}\n"
        if name == ENDLESS and not is_low(operation, role):
            text += "enabled = false\n"
            continue
        for check, statuses in checks.items():
            text += f"[operations.checks.{check}]\nexpected-statuses = {json.dumps(statuses)}\n"
    return text
