"""A RabbitMQ cluster of three nodes, each on a host of its own (chaos.namespaces), as one broker of a stack."""
import collections
import concurrent.futures
import time

from dev import account, ports, urls
from dev.management import Management
from dev.rabbitmq import ADMIN, USER, RabbitMQ
from dev.report import DevError
from dev.servers import Servers
from dev.stack import Stack

from chaos import root
from chaos.keeper import Keeper
from chaos.namespaces import Network
from chaos.stack import ChaosStack, chaos_stack

COUNT = 3
PORTS = {"amqp": 5672, "dist": 25672, "epmd": 4369, "ui": 15672}  # the same on every host
COUNT_MS = 300     # queues count themselves so often, so that rest is soon seen
TICK_SECONDS = 10  # net_ticktime: a node that is silent that long is taken for lost


class Node(RabbitMQ):
    def __init__(self, state, network, number, vhost):
        super().__init__(state, PORTS, vhost, f"-{number}")
        self._network = network
        self.number = number
        self.address = network.address(number)
        self.node = f"rabbit@{self.address}"

    def own_ports(self):
        return []  # a host of its own

    def _prefix(self):
        return [*self._network.prefix(self.number), *account.prefix(USER)]

    def _advanced(self):
        return (f"[{{kernel, [{{net_ticktime, {TICK_SECONDS}}}]}}, "
                f"{{rabbit, [{{quorum_tick_interval, {COUNT_MS}}}]}}].\n")

    def _settings(self):
        nodes = {f"cluster_formation.classic_config.nodes.{number}": f"rabbit@{self._network.address(number)}"
                 for number in range(1, self._network.count + 1)}
        settings = nodes | {"cluster_formation.peer_discovery_backend": "classic_config",
                            "cluster_partition_handling": "pause_minority"}
        return super()._settings() + "".join(f"{name} = {value}\n" for name, value in settings.items())

    def _environment(self):
        environment = super()._environment()
        # Three of them share this machine: none spins while it waits.
        quiet = "+sbwt none +sbwtdcpu none +sbwtdio none"
        environment["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] += " " + quiet
        return environment | {"RABBITMQ_USE_LONGNAME": "true"}


class Cluster:
    """Stands in for a stack's broker (dev.rabbitmq.RabbitMQ), and adds the operations of a cluster."""

    def __init__(self, state, vhost):
        self.state = state
        self.vhost = vhost
        self.network = Network(state, COUNT)
        self.nodes = {number: Node(state, self.network, number, vhost) for number in range(1, COUNT + 1)}

    def url(self, user=ADMIN, vhost=None, first=1):
        """Names all nodes, beginning with that one."""
        numbers = [first, *(number for number in self.nodes if number != first)]
        url = urls.broker(self.nodes[first].url(user, vhost))
        url.others = "".join(f",{self.nodes[number].address}:{PORTS['amqp']}" for number in numbers[1:])
        return url.text()

    def management_url(self):
        """The first node that answers; the first of all if none does."""
        nodes = list(self.nodes.values())
        found = next((node for node in nodes if ports.is_served(PORTS["ui"], node.address)), nodes[0])
        return RabbitMQ.management_url(found)

    def management(self):
        return Management.from_url(self.management_url())

    @staticmethod
    def own_ports():
        return []

    def running(self):
        return all(node.running() for node in self.nodes.values())

    def start(self):
        """Whatever does not run. The first node makes the cluster, the others join it. → True if any was started."""
        stopped = [node for node in self.nodes.values() if not node.running()]
        if len(stopped) == COUNT:
            self.network.up()
            self.nodes[1].start()
            stopped = stopped[1:]
        with concurrent.futures.ThreadPoolExecutor(COUNT) as pool:
            list(pool.map(RabbitMQ.start, stopped))
        return bool(stopped)

    def stop(self):
        with concurrent.futures.ThreadPoolExecutor(COUNT) as pool:
            list(pool.map(RabbitMQ.stop, self.nodes.values()))
        self.network.down()

    def kill(self, *numbers):
        """SIGKILL to the nodes, or to all."""
        for number in numbers or self.nodes:
            self.nodes[number].kill()

    def members(self, queue):
        """→ (the number of the node that leads it, the numbers of all that have it, those of them that are up)."""
        found = self.management().must("GET", "queues", self.vhost, queue)
        members, online = (sorted(map(self._number, found[name])) for name in ("members", "online"))
        return self._number(found["leader"]), members, online

    def _number(self, node):
        return next(number for number, one in self.nodes.items() if one.node == node)

    def clients(self):
        """→ {number of a node: how many clients are connected to it}, as its own listener knows."""
        found = collections.Counter({number: 0 for number in self.nodes})
        found.update(self._number(one["node"]) for one in self.management().must("GET", "connections"))
        return found

    def wait_whole(self, queue, seconds=60):
        """Until every member of the queue is up again."""
        deadline = time.monotonic() + seconds
        while self._online(queue) < COUNT:
            if time.monotonic() > deadline:
                raise DevError(f"the members of {queue} are not all up within {seconds} s")
            time.sleep(0.2)

    def _online(self, queue):
        try:
            return len(self.members(queue)[2])
        except (DevError, OSError, KeyError, StopIteration):
            return 0


class _Servers(Servers):
    def __init__(self, state, chosen, vhost):
        super().__init__(state, chosen, vhost)
        self.rabbitmq = Cluster(state, vhost)


class ClusterStack(ChaosStack):
    """Its services reach the three nodes themselves: there is no proxy in these links."""

    _keeper = None

    def make_servers(self):
        root.require()
        return _Servers(self.state, self.ports, "orderbus")

    @property
    def cluster(self):
        return self.servers.rabbitmq

    def start(self):
        self._keeper = Keeper(self.state, "--network", str(COUNT))
        return super().start()

    def stop(self):
        super().stop()
        if self._keeper:
            self._keeper.release()

    def prepare(self):
        return Stack.prepare(self)  # what queues count is in the nodes' own configuration

    def heal(self):
        self.cluster.network.heal()
        return super().heal()


def cluster_stack(preset="release"):
    return chaos_stack(preset, make=ClusterStack)
