"""The ports of a stack: their defaults, the variables that change them, and which are free."""
import os
import random
import re
import socket

from dev.report import DevError

# name: (default, variable, what listens there)
TABLE = {
    "edge": (8080, "ORDERBUS_EDGE_PORT", "edge"),
    "order-svc": (8081, "ORDERBUS_ORDER_PORT", "order-svc"),
    "inventory-svc": (8082, "ORDERBUS_INVENTORY_PORT", "inventory-svc"),
    "payment-svc": (8083, "ORDERBUS_PAYMENT_PORT", "payment-svc"),
    "edge-admin": (8084, "ORDERBUS_EDGE_ADMIN_PORT", "edge's health and metrics"),
    "psp-sandbox": (8090, "ORDERBUS_PSP_PORT", "psp-sandbox"),
    "postgres": (15432, "ORDERBUS_PG_PORT", "the private Postgres"),
    "amqp": (5673, "ORDERBUS_AMQP_PORT", "the private RabbitMQ"),
    "dist": (25673, "ORDERBUS_DIST_PORT", "the private RabbitMQ's distribution"),
    "epmd": (4370, "ORDERBUS_EPMD_PORT", "the private epmd"),
    "ui": (15672, "ORDERBUS_UI_PORT", "the private RabbitMQ's management"),
}
SERVER_PORTS = ("postgres", "amqp", "dist", "epmd", "ui")

# Below Linux's ephemeral range, so that no outgoing connection takes a port while its server restarts.
FREE_RANGE = (20000, 32000)


def is_free(port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _number(variable, text):
    if not re.fullmatch("[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise DevError(f"{variable}={text}: a port is a number from 1 to 65535")
    return int(text)


def _given(names):
    return {name: _number(TABLE[name][1], os.environ[TABLE[name][1]])
            for name in names if os.environ.get(TABLE[name][1])}


def _check_distinct(ports):
    seen = {}
    for name, port in ports.items():
        if port in seen:
            raise DevError(f"port {port} is meant for both {TABLE[seen[port]][2]} and {TABLE[name][2]}: "
                           f"set {TABLE[name][1]} to another")
        seen[port] = name


def configured(names=tuple(TABLE)):
    """The default ports, each changed by its variable."""
    ports = {name: TABLE[name][0] for name in names} | _given(names)
    _check_distinct(ports)
    return ports


def pick_free(names=tuple(TABLE)):
    """Ports that nobody listens on now; a port given by its variable is kept as it is."""
    ports = _given(names)
    _check_distinct(ports)
    for name in names:
        while name not in ports:
            candidate = random.randrange(*FREE_RANGE)
            if candidate not in ports.values() and is_free(candidate):
                ports[name] = candidate
    return ports


def require_free(ports, names):
    """Refuses a port that another program holds, and names the variable that changes it."""
    for name in names:
        if not is_free(ports[name]):
            _, variable, what = TABLE[name]
            raise DevError(f"port {ports[name]}, meant for {what}, is taken by another program: "
                           f"free it, or set {variable} to another port")
