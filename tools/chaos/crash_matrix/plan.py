"""The rows of the matrix: every point that a program lists, with every fault that it takes, but for what is here."""
from dev import manifests
from dev.report import DevError

# The matrix's load is orders: a service that they do not reach says so in its service.json ("idle": why).
ORDERED = tuple(one for one in manifests.ON_BUS if "idle" not in one.suites.get("crash", {}))
SERVICES = tuple(one.name for one in ORDERED)
WITH_WORKERS = tuple(one.name for one in ORDERED if one.database)
LANES = 3  # stacks at a time
# {service: the part "crash" of its suites}: variables, points (further variables for some), more, short, unreachable.
OWN = {one.name: one.suites.get("crash", {}) for one in ORDERED}

# Preconditions of a point. "before": a fault that leads to the point. "first": a fault that kills the process, which is
# then started again for the row's own fault. "drains": the process is told to end. "at": the number of the hit that
# counts.
SETUP = {
    # Several, because a message that a lost connection brings again is decoded a second time.
    "worker.before-hold": {"before": "worker.decode=error@20..24", "at": 1},
    "worker.hold-published": {"before": "worker.decode=error@20..24", "at": 1},
    "worker.hold-confirmed": {"before": "worker.decode=error@20..24", "at": 1},
    "worker.before-sweep": {"at": 4},
    # Several publications, because one of them may be an answer, which has no row.
    "worker.swept": {"before": "worker.before-publish=disconnect@15..18", "at": 1},
    "worker.swept-published": {"before": "worker.before-publish=disconnect@15..18", "at": 1},
    "worker.reconnect-database": {"before": "worker.after-trip-1=disconnect@20", "at": 1},
    "worker.reconnect-broker": {"before": "worker.after-commit=disconnect@20", "at": 1},
    "worker.suspect-counted": {"first": "worker.before-ack=crash@20", "at": 1},
    "worker.between-publishes": {"at": 3},
    "worker.draining": {"drains": True, "at": 1},
    "worker.drained": {"drains": True, "at": 1},
    "query.draining": {"drains": True, "at": 1},
    "query.drained": {"drains": True, "at": 1},
    "query.reconnect-database": {"before": "query.after-trip=disconnect@3", "at": 1},
    "query.reconnect-broker": {"before": "query.after-commit=disconnect@3", "at": 1},
    "query.between-publishes": {"at": 1},
    "requester.lost": {"before": "requester.after-publish=disconnect@20", "at": 1},
    "edge.draining": {"drains": True, "at": 1},
    "edge.drained": {"drains": True, "at": 1},
    "worker.due-found": {"at": 2},
    "worker.due-pushed": {"at": 2},
    "worker.deadline-decided": {"at": 2},
    "worker.completion-decided": {"at": 10},
    "worker.bundle-cut": {"at": 8},
    # Pauses make batches large; one of them fails until parts of it are halved, too.
    "worker.bundle-halved": {
        "before": "worker.before-trip-1=delay:900@10..17,worker.before-trip-2=error@12..40", "at": 1},
    "worker.bundle-published": {"at": 8},
    "worker.bundle-confirmed": {"at": 8},
    "worker.bundle-partly-known": {"before": "worker.decode=error@20..60,worker.element-held=disconnect@1", "at": 1},
    "worker.bundle-swept": {"before": "worker.bundle-published=disconnect@8", "at": 1},
    "worker.element-held": {"before": "worker.decode=error@20..60", "at": 1},
    "requester.bundle-published": {"at": 8},
    "requester.bundle-confirmed": {"at": 8},
}
VARIABLES = {(service, point): variables
             for service, own in OWN.items() for point, variables in own.get("points", {}).items()}
# The first letters of a point's name tell how often it is reached a second.
AT = {"query.": 5, "payment.": 8, "http-client.": 8}
AT_ELSE = 25
# Points of bundles: so many clients come at the same moment, for only what waits at the same time travels together.
BUNDLES = ("worker.bundle-", "worker.element-", "requester.bundle-")
BURST = 8

# Pauses that are long enough to outlast a lease, a timeout of the other side, or a client.
DELAYS = {
    "worker.after-trip-1": 6000,       # the database ends a session that stands idle in a transaction
    "worker.commit-sent": 1500,
    "worker.after-commit": 2500,       # longer than the outbox waits for a confirm
    "worker.before-ack": 1500,
    "worker.swept": 3500,              # longer than the sweeper's lease
    "worker.draining": 2000,
    "payment.claimed": 3500,           # longer than the claim on a payment
    "payment.before-send": 3500,
    "http-client.sent": 1500,          # longer than the patience with the payment provider
    "payment.answered": 3500,
    "requester.before-publish": 2500,  # longer than the edge keeps a client waiting
    "requester.before-confirm": 2500,
    "requester.answer": 1500,
}

# A batch that fails again and again, and a process that dies again at a step of its recovery: (service, point, fault,
# hits, what killed it before or None).
MORE = [
    *((service, "worker.before-trip-2", "error", "20..32", None) for service in WITH_WORKERS),
    *((service, "worker.before-ack", "crash", "1", "worker.commit-sent=crash@20") for service in WITH_WORKERS),
    *((service, "worker.after-commit", "crash", "1", "worker.after-publish=crash@20") for service in WITH_WORKERS),
    *((service, "worker.after-trip-1", "crash", "1", "worker.decode=error@20..60,worker.element-held=crash@1")
      for service in WITH_WORKERS),
    *((service, *row) for service, own in OWN.items() for row in own.get("more", ())),
]

# Points that are in a program's list and that nothing can reach there: {point: {service: why}}.
UNREACHABLE = {"http.half-answer": {one.name: "it answers no POST" for one in ORDERED
                                    if not one.serves_clients}}
UNREACHABLE |= {point: {one.name: "it calls nobody over HTTP but a collector of spans" for one in ORDERED
                        if not (one.links or one.calls_strangers)}
                for point in ("http-client.sent", "http-client.head", "http-client.body")}
for _service, _own in OWN.items():
    for _point, _why in _own.get("unreachable", {}).items():
        UNREACHABLE.setdefault(_point, {})[_service] = _why
# Threads that answer queries run the same code in all services: one service takes every fault there, the others only
# crashes at these points.
QUERIES_IN_FULL = WITH_WORKERS[0]
QUERIES_ELSEWHERE = ("query.delivered", "query.after-commit", "query.before-ack", "query.drained")

# A row for each class of step, the most dangerous ones of each service.
SHORT = tuple(f"{service}/{row}" for service, own in OWN.items() for row in own.get("short", ()))


def lanes(found):
    """The rows of each lane, in their order: whole services, spread by how many rows they have."""
    count = {service: sum(row.service == service for row in found) for service in SERVICES}
    spread = [[] for _ in range(LANES)]
    for service in sorted(SERVICES, key=count.get, reverse=True):
        min(spread, key=lambda lane: sum(map(count.get, lane))).append(service)
    return [[row for row in found if row.service in services] for services in spread]


class Row:
    """One fault at one step of one service. hits: which ones of the step's, as the variable takes them."""

    def __init__(self, service, point, fault, hits, setup=None, variables=None):
        setup = setup or {}
        self.service = service
        self.point = point
        self.fault = fault
        self.hits = hits
        self.before = setup.get("before")
        self.first = setup.get("first")
        self.drains = setup.get("drains", False)
        self.burst = BURST if any(start in f"{point} {self.first}" for start in BUNDLES) else 1
        self.variables = variables or {}

    @property
    def name(self):
        again = "-again" if self.first else "-often" if ".." in self.hits else ""
        return f"{self.service}/{self.point}/{self.fault.split(':')[0]}{again}"

    @property
    def ends(self):
        """The fault, or what leads to it, ends the process."""
        return self.fault == "crash" or self.drains

    def switches(self):
        own = f"{self.point}={self.fault}@{self.hits}"
        return f"{self.before},{own}" if self.before else own


def listed(text):
    """Parses the output of --print-failpoints: {point: faults}."""
    found = {}
    for line in text.splitlines():
        point, *faults = line.split()
        found[point] = [fault.split(":")[0] for fault in faults]
    return found


def rows(points):
    """points: {service: {point: faults}} → every Row."""
    found = [row for service in SERVICES for point, faults in points[service].items()
             for row in _rows_of(service, point, faults)]
    for service, point, fault, hits, first in MORE:
        if point not in points[service]:
            raise DevError(f"{service} has no point {point}, which the plan names")
        if not _leads_anywhere(service, first):
            continue
        found.append(Row(service, point, fault, hits, {"first": first}))
    _check(found, points)
    return sorted(found, key=lambda row: SERVICES.index(row.service))


def _leads_anywhere(service, first):
    """Whether the points of the faults that a row begins with can be reached in this service."""
    points = [one.split("=")[0] for one in first.split(",")] if first else []
    return not any(service in UNREACHABLE.get(point, {}) for point in points)


def _rows_of(service, point, faults):
    if service in UNREACHABLE.get(point, {}):
        return
    setup = SETUP.get(point, {})
    hits = str(setup.get("at") or next((at for start, at in AT.items() if point.startswith(start)), AT_ELSE))
    for fault in ("crash", "error", "disconnect", "delay"):
        if fault not in faults or fault == "delay" and point not in DELAYS:
            continue
        if point.startswith("query.") and service != QUERIES_IN_FULL and (
                fault != "crash" or point not in QUERIES_ELSEWHERE):
            continue
        text = f"delay:{DELAYS[point]}" if fault == "delay" else fault
        yield Row(service, point, text, hits, setup, VARIABLES.get((service, point)))


def _check(found, points):
    """Checks that the points of the plan exist: a renamed point would lose its preconditions without notice."""
    known = {point for of in points.values() for point in of}
    lost = {*SETUP, *DELAYS, *UNREACHABLE, *QUERIES_ELSEWHERE} - known
    if lost:
        raise DevError(f"the plan names points that no program has: {' '.join(sorted(lost))}")
    names = [row.name for row in found]
    if len(set(names)) != len(names):
        raise DevError("two rows have one name")
    gone = set(SHORT) - set(names)
    if gone:
        raise DevError(f"the short form names rows that are not there: {' '.join(sorted(gone))}")


def choose(all_rows, only=(), short=False):
    """only: each SERVICE[/POINT[/FAULT]], its parts as they are written, or the beginning of a name followed by "*"."""
    chosen = [row for row in all_rows if not short or row.name in SHORT]
    if not only:
        return chosen
    names = {row.name for one in only for row in _named(all_rows, one)}
    return [row for row in all_rows if row.name in names]


def _named(all_rows, only):
    wanted = only.split("/")
    found = [row for row in all_rows if all(_fits(part, want) for part, want in zip(row.name.split("/"), wanted))]
    if not found or len(wanted) > 3:
        raise DevError(f"no row is {only}: ./dev chaos crash-matrix list names them", status=2)
    return found


def _fits(part, want):
    return part.startswith(want[:-1]) if want.endswith("*") else part == want
