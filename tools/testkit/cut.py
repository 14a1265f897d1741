"""Ends the connections of a stack's services to its servers, so that each is opened again."""
from dev import manifests
from dev.postgres import psql
from testkit.client import wait_until

CUT = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '{role}';"


def cut(stack):
    cut_databases(stack)
    wait_until(lambda: cut_broker(stack) >= 2 * len(manifests.ON_BUS), 30, "connections that were closed")


def cut_databases(stack):
    for one in manifests.WITH_DATABASE:
        psql(stack.servers.postgres.url(), CUT.format(role=one.roles["runtime"]))


def cut_broker(stack, chosen=manifests.ON_BUS):
    """→ how many were there; the broker lists a connection some seconds after it came, and after it went."""
    broker = stack.servers.rabbitmq.management()
    users = {one.broker_user for one in chosen}
    names = [one["name"] for one in broker.must("GET", "connections") if one.get("user") in users]
    return sum(broker.call("DELETE", "connections", name)[0] == 204 for name in names)
