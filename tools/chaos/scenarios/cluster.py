"""A cluster of three brokers: the leader of every busy queue is killed, then nodes are cut off from the others."""
from chaos.cluster import cluster_stack
from chaos.expect import answers_all, takes
from chaos.scenario import Episode, Scenario

QUEUE = "inventory-svc"
RECOVERY = 15


class Fault:
    """One node is hit; which one is known when it begins."""

    def __init__(self, choose, begin, end):
        self._choose, self._begin, self._end = choose, begin, end
        self._node = None

    def begin(self, system):
        system.cluster.wait_whole(QUEUE)
        self._node = self._choose(system.cluster)
        self._begin(system.cluster, self._node)

    def end(self, system):
        self._end(system.cluster, self._node)


def _leader(cluster):
    return cluster.members(QUEUE)[0]


def _with_clients(cluster):
    return cluster.clients().most_common()[0][0]


def _without_clients(cluster):
    return cluster.clients().most_common()[-1][0]


def _episode(name, fault, seconds, expect):
    return Episode(name, fault.begin, seconds, expect, fault.end, RECOVERY)


def _kill(cluster, number):
    cluster.kill(number)


def _start(cluster, _number):
    cluster.start()


def _part(cluster, number):
    cluster.network.part(number)


def _join(cluster, number):
    cluster.network.join(number)


def episodes(short):
    """A partition must last longer than it takes a cluster to notice, which is 11 s here."""
    return [
        _episode("leader killed", Fault(_leader, _kill, _start), 4 if short else 8,
                 [answers_all(2.5), takes(p99=2, after=3)]),
        _episode("a node with all clients cut off", Fault(_with_clients, _part, _join), 16 if short else 20,
                 [answers_all(2.5), takes(p99=2, after=14)]),
    ] + ([] if short else [
        _episode("a node without clients cut off", Fault(_without_clients, _part, _join), 20,
                 [answers_all(2.5), takes(p99=2, after=14)])])


SCENARIO = Scenario(
    "cluster",
    "Three RabbitMQ nodes (pause_minority, net_ticktime 10 s), and services that know all of them. The node that leads "
    "the busy queues is killed with SIGKILL and started again; a node is cut off from the other two, first the one "
    "that most services are connected to, then one that fewest are connected to.",
    episodes, cluster_stack, in_suite=False)  # three nodes that start, and notice a partition, take too long
