"""The ports of a stack: their defaults, the variables that change them, and which are free."""
import os
import random
import re
import socket

from dev import manifests
from dev.report import DevError

_SERVERS = {
    "postgres": (15432, "ORDERBUS_PG_PORT", "the private Postgres"),
    "amqp": (5673, "ORDERBUS_AMQP_PORT", "the private RabbitMQ"),
    "dist": (25673, "ORDERBUS_DIST_PORT", "the private RabbitMQ's distribution"),
    "epmd": (4370, "ORDERBUS_EPMD_PORT", "the private epmd"),
    "ui": (15672, "ORDERBUS_UI_PORT", "the private RabbitMQ's management"),
}
SERVER_PORTS = tuple(_SERVERS)
# Ports that only ./dev up --observe uses.
_OBSERVERS = {
    "prometheus": (19090, "ORDERBUS_PROMETHEUS_PORT", "the private Prometheus"),
    "alertmanager": (19093, "ORDERBUS_ALERTMANAGER_PORT", "the private Alertmanager"),
    "alert-relay": (19099, "ORDERBUS_ALERT_RELAY_PORT", "the receiver of the private Alertmanager"),
    "node-exporter": (19100, "ORDERBUS_NODE_EXPORTER_PORT", "the private node exporter"),
    "pg-exporter": (19187, "ORDERBUS_PG_EXPORTER_PORT", "the private Postgres exporter"),
    "victorialogs": (19428, "ORDERBUS_VICTORIALOGS_PORT", "the private VictoriaLogs"),
    "otelcol": (14318, "ORDERBUS_OTELCOL_PORT", "the private collector of spans"),
    "zipkin": (19411, "ORDERBUS_ZIPKIN_PORT", "the private Zipkin"),
    "broker-metrics": (15692, "ORDERBUS_BROKER_METRICS_PORT", "the metrics of the private RabbitMQ"),
}
OBSERVER_PORTS = set(_OBSERVERS)
# name: (default, variable, what listens there)
TABLE = {name: row for one in manifests.ALL for name, row in one.ports().items()} | _SERVERS | _OBSERVERS

_LOOPBACK, _ANY = "127.0.0.1", ""
_claims = []  # one socket for each port that this process chose; its name is taken until the process ends


def is_free(port, address=_LOOPBACK):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def is_served(port, address=_LOOPBACK):
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


def _free_range():
    """Outside the ephemeral range, so that no outgoing connection takes a port while its server restarts."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        low, high = map(int, file.read().split())
    spans = ((20000, low), (10000, low), (high + 1, 65536))  # best away from the default ports
    return next((span for span in spans if span[1] - span[0] >= 2000), (20000, 32000))


def _claim(port):
    """False if another process chose this port and has perhaps not started its server yet."""
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0orderbus-port-{port}")
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
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


def pick_one(others=()):
    """A port that nobody listens on now, and none of the others."""
    while True:
        candidate = random.randrange(*_free_range())
        # RabbitMQ wants its distribution port free on every address.
        if candidate not in others and is_free(candidate, _ANY) and _claim(candidate):
            return candidate


def pick_free(names=tuple(TABLE)):
    """Ports that nobody listens on now. The variables are not read: they describe the user's stack, which may run."""
    ports = {}
    for name in names:
        ports[name] = pick_one(ports.values())
    return ports


def require_free(ports, names):
    """Refuses a port that another program holds, and names the variable that changes it."""
    for name in names:
        if not is_free(ports[name]):
            _, variable, what = TABLE[name]
            raise DevError(f"port {ports[name]}, meant for {what}, is taken by another program: "
                           f"free it, or set {variable} to another port")
