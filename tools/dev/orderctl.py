"""./dev order: orderctl with the URLs of the running stack."""
import argparse
import os
import subprocess

from dev import build, manifests, reconcile, services, session, token

PROGRAM = "orderctl"


def add_options(parser):
    parser.add_argument("id", metavar="ID", help="the order's id")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    parser.epilog = "The exit status is 0 if nothing is to be done, 1 if somebody must act, 2 for trouble, 3 if no " \
                    "place knows the order."


def add_words(parser):
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="for orderctl")


def order(options):
    stack = session.required()
    return run(stack, "order", options.id, *(["--json"] if options.json else [])).returncode


def orderctl(options):
    words = options.arguments[1:] if options.arguments[:1] == ["--"] else options.arguments
    return run(session.required(), *words).returncode


def variables(stack):
    """The URLs for orderctl: the operator's role in each database that has one, the operator's user, and the users of
    the services for dead undo."""
    of_operators = manifests.FOR_OPERATORS
    found = {one.database_variable: stack.database_url(one.database, one.roles[manifests.OPERATOR])
             for one in of_operators}
    found |= {one.broker_variable: stack.amqp_url(one.broker_user) for one in of_operators}
    provider = stack.services["payment-svc"].variables()
    found |= {name: provider[name] for name in reconcile.PROVIDER if name in provider}
    return found | stack.broker.variables("operator") | {
        "ORDERCTL_AUDIT_FILE": audit_file(stack),
        "RABBITMQ_MANAGEMENT_URL": stack.broker.management_url("operator"), "EDGE_URL": stack.url("edge"),
        "ORDERS_LOG_DATABASE_URL": stack.database_url("orders", "order_svc")} | {
            f"{name.upper()}_REPAIR_DATABASE_URL": stack.database_url(name, f"{name}_migrator")
            for name in ("orders", "payments")}


def audit_file(stack):
    return os.path.join(stack.state.folder("work"), "orderctl-audit.jsonl")


def run(stack, *words, given=None, **options):
    """Runs orderctl. The URLs, which hold passwords, go by the environment: arguments can be read by every user."""
    program = os.path.join(build.programs(stack.preset), PROGRAM)
    if not os.path.exists(program):
        build.build(stack.preset, [f"bin/{PROGRAM}"])
    bearer = token.issue(stack, "operator") if "simulate" in words else None  # no other verb asks the edge
    environment = ({"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"} | services.SANITIZERS | variables(stack) |
                   ({"EDGE_TOKEN": bearer} if bearer else {}) | (given or {}))
    return subprocess.run([*build.launcher(program), program, *words], env=environment, check=False, **options)
