"""./dev token: logs in as one of the users that ./dev makes for the running stack, and prints the access token."""
from dev import admin, demo, session
from dev.report import DevError

ROLES = ("customer", "operator", "admin")


def email(role):
    return f"{role}@orderbus.test"


def issue(stack, role):
    """As log_in; None where the stack's edge asks for no tokens."""
    return None if stack.auth == "off" else log_in(stack, role)


def log_in(stack, role):
    """→ an access token of this role's user, who is made at the first time."""
    answer = _log_in(stack, role)
    if answer[0] == 401:  # no such user, or one of another state folder
        _set_password(stack, role)
        answer = _log_in(stack, role)
    if answer[0] != 200:
        raise DevError(f"POST /api/auth/login answered {answer[0]} for {email(role)}: {answer[1].get('detail')}")
    return answer[1]["access_token"]


def _password(stack, role):
    return stack.state.secret(f"user-{role}")


def _log_in(stack, role):
    return demo.call(stack, "POST", "/api/auth/login", {"email": email(role), "password": _password(stack, role)})


def _set_password(stack, role):
    reset = admin.make(stack.database_url("users"), email(role), role)
    status, said = demo.call(stack, "POST", "/api/auth/reset", {"token": reset, "password": _password(stack, role)})
    if status != 200:
        raise DevError(f"POST /api/auth/reset answered {status} for {email(role)}: {said.get('detail')}")


def token(options):
    found = issue(session.required(), options.role)
    if found is None:
        raise DevError("this stack was started with AUTH=off: its edge asks for no token")
    print(found)
    return 0


def add_options(added):
    added.set_defaults(role="customer")
    for role in ROLES[1:]:
        added.add_argument(f"--{role}", dest="role", action="store_const", const=role,
                           help=f"of an {role}; default: of a customer")
