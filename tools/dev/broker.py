"""Prepares RabbitMQ for the services: a virtual host, one user each with narrow permissions, and the topology."""
import json
import os
import re
import subprocess

from dev import build, manifests, urls
from dev.certificates import OPERATOR
from dev.management import Management
from dev.report import DevError

CONNECTIONS = 100  # of one user
LOGINS = 6  # on a busy machine a broker that makes its queues answers a login later than a program waits
DEFINITIONS_SECONDS = 60  # three nodes that share a busy machine take their time
USERS = (*(one.broker_user for one in manifests.ON_BUS), "operator")
TAGS = {"operator": "management"}  # it may list what is in its virtual host


class Broker:
    """`admin_url` is an administrator's URL whose path is the virtual host. certificates: of our own broker, if it has
    TLS."""

    def __init__(self, state, admin_url, management_url, certificates=None):
        self.state = state
        self.admin = urls.broker(admin_url)
        self.management = Management.from_url(management_url, certificates)
        self._management_url = management_url
        self._variables = certificates.broker_variables(OPERATOR) if certificates else {}
        self.shards = 1

    def management_url(self, user):
        """The management API for one of USERS that may ask it."""
        url = urls.Url(self._management_url, ("http", "https"), 15672)
        return url.text(user, self.state.secret("amqp-" + user))

    def url(self, user=None):
        """The URL for one of USERS; without one the administrator's."""
        return self.admin.text() if user is None else self.admin.text(user, self.state.secret("amqp-" + user))

    def variables(self, user=None):
        """Those of an operator's program for one of USERS; without one the administrator's."""
        return {"RABBITMQ_URL": self.url(user)} | self._variables | self.shard_variables()

    def shard_variables(self):
        return {"QUEUE_SHARDS": str(self.shards)} if self.shards > 1 else {}

    def set_up(self, programs):
        """Users first, then what they may do, then exchanges and queues; all of it as often as one likes."""
        api, vhost = self.management, self.admin.path
        api.must("PUT", "vhosts", vhost, body={})
        self._allow_administrator(vhost)
        for user in USERS:
            api.must("PUT", "users", user, body={"password": self.state.secret("amqp-" + user),
                                                 "tags": TAGS.get(user, "")})
            for limit in ("max-connections", "max-channels"):
                api.must("PUT", "user-limits", user, limit, body={"value": CONNECTIONS})
        self.apply(programs)
        self._retire()

    def apply(self, programs):
        self.permit(programs)
        self.declare(programs)

    def permit(self, programs):
        """Sets what each user may do."""
        definitions = _definitions(programs, self.admin.path, self._disk_bytes(), self.shard_variables())
        self.management.must("POST", "definitions", body=definitions, seconds=DEFINITIONS_SECONDS)

    def declare(self, programs):
        _run([os.path.join(programs, "bus-topology"), "apply"], self.variables(), tries=LOGINS)

    def shard_queues(self):
        """Each shard of a queue as the management API describes it, with the messages that the shard has counted."""
        found = self.management.must("GET", "queues", self.admin.path,
                                     query="?disable_stats=true&enable_queue_totals=true")
        return [one for one in found if re.fullmatch(r".+\.\d\d", one["name"])]

    def retire_shards(self, programs):
        """Runs bus-topology retire; → (its text, its status)."""
        return _call([os.path.join(programs, "bus-topology"), "retire"], self.variables())

    def _disk_bytes(self):
        """Half of what is free on the fullest node: what queues may hold together, 1 GiB at least."""
        free = [node.get("disk_free") for node in self.management.must("GET", "nodes")]
        return max(1 << 30, min((size for size in free if isinstance(size, int)), default=16 << 30) // 2)

    def _retire(self):
        """Earlier versions retried through one exchange for all. Messages behind it come back by themselves."""
        status, _ = self.management.call("DELETE", "exchanges", self.admin.path, "bus.retry")
        if status not in (204, 404):
            raise DevError(f"RabbitMQ does not delete the exchange bus.retry: {status}")

    def difference(self, programs):
        """Runs bus-topology diff over exchanges, queues and bindings; → (its text, its status)."""
        return _call([os.path.join(programs, "bus-topology"), "diff", "--bindings", "-"], self.variables(),
                     self._bindings())

    def _bindings(self):
        """As rabbitmqctl list_bindings source_name destination_name routing_key prints them."""
        listed = self.management.must("GET", "bindings", self.admin.path)
        return "".join(f"{one['source']}\t{one['destination']}\t{one['routing_key']}\n" for one in listed)

    def _allow_administrator(self, vhost):
        self.management.must("PUT", "permissions", vhost, self.admin.user,
                             body={"configure": ".*", "write": ".*", "read": ".*"})

    def publish(self, programs, kind, bodies):
        """Publishes JSON bodies as the operator, each confirmed by the broker."""
        lines = "".join(json.dumps(body) + "\n" for body in bodies)
        _run([os.path.join(programs, "bus-send"), kind], self.variables("operator"), lines)


def _definitions(programs, vhost, disk_bytes, variables):
    return json.loads(_run([os.path.join(programs, "bus-topology"), "definitions", "--vhost", vhost,
                            "--disk", str(disk_bytes)], variables))


def _run(words, variables=None, text="", tries=1):
    """tries: of a call that does the same as often as one likes, if the broker does not answer in time."""
    said, status = _call(words, variables, text)
    while status != 0 and tries > 1 and "request timed out" in said:
        tries -= 1
        said, status = _call(words, variables, text)
    if status != 0:
        raise DevError(f"{os.path.basename(words[0])} failed: {said}")
    return said


def _call(words, variables=None, text=""):
    """→ (what it printed, its status). The URL, which holds a password, goes by the environment: arguments can be read
    by every user."""
    try:
        done = subprocess.run([*build.launcher(words[0]), *words], input=text, capture_output=True, text=True,
                              timeout=60, check=False, env=os.environ | (variables or {}))
    except OSError as error:
        raise DevError(f"cannot run {words[0]}: {error.strerror}") from None
    failed = done.returncode != 0
    return (done.stdout + done.stderr).strip() if failed else done.stdout, done.returncode
