"""Measures the floor, the rate of the servers without our programs: Postgres with the same rows in batches of a
hundred, the broker with the same messages, the PSP's sandbox with the same calls; on the servers that the orders
used, after them."""
import contextlib
import json
import os
import re
import subprocess
import tempfile
import uuid

from load.bench import FOLDER, cpu, wrk
from load.bench.floor_sum import COSTS, ORDERS_A_BATCH, floor
from dev import build, manifests, services, statements
from dev.postgres import program_folder, psql
from dev.report import DevError
from dev.urls import libpq_environment

PRODUCTS = """INSERT INTO inventory.products (product_id, name, price, currency, on_hand, received)
              SELECT 'BENCH-' || lpad(n::text, 5, '0'), 'Bench product', 101, 'EUR', 1000000000, 1000000000
              FROM generate_series(1, 1000) AS n;"""
QUEUE, REPLIES, NOWHERE = "bench.floor", "edge.reply.bench", "bench.nowhere"
BODY_BYTES = 120  # about what those of an order have on average


def run(system, options):
    """Costs and rates alone; what an order's floor is, needs the closed loop's counts: with_floor()."""
    found = {}
    for name in ORDERS_A_BATCH:
        found |= database(system, name, options.seconds)
    with work_queue(system):
        found |= loop(system, "quorum", QUEUE, options.seconds, 100)
        singly = loop(system, "quorum", QUEUE, options.seconds, 1)
    found |= {f"one by one: {name}": value for name, value in singly.items()}
    found |= loop(system, "answer", REPLIES, options.seconds, 100)
    found |= loop(system, "unrouted", NOWHERE, options.seconds, 100)
    return found | psp(system, options)


def with_floor(order, costs):
    """Figures of the closed loop, and of run() right after it."""
    return floor(order, {name: costs[name] for name in COSTS}, os.cpu_count())


def spent_on(system, group, work):
    """→ (CPU ms of the group while work() ran, what that returned)"""
    groups = cpu.of_stack(system.stack)
    before = groups.read()
    result = work()
    return cpu.difference(before, groups.read())[group], result


def must(words, environment, text=None):
    done = subprocess.run(words, env=os.environ | environment, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DevError(f"{os.path.basename(words[0])} failed: {done.stderr.strip()[-2000:]}")
    return done.stdout


# ---- Postgres ----

def database(system, name, seconds):
    """A scratch database with the same tables, which pgbench fills batch by batch."""
    scratch = f"bench_{name}"
    url = system.stack.servers.postgres.url(scratch)
    tables = must([f"{program_folder()}/pg_dump", "--schema-only"], libpq_environment(system.stack.database_url(name)))
    psql(system.stack.database_url(name), f"DROP DATABASE IF EXISTS {scratch} WITH (FORCE); CREATE DATABASE {scratch};")
    try:
        psql(url, tables + (PRODUCTS if name == "inventory" else ""))
        words = [f"{program_folder()}/pgbench", "--no-vacuum", "--protocol=prepared", "--client=1", f"--time={seconds}",
                 "--define=n=0", f"--file={os.path.join(FOLDER, 'floor', name + '.sql')}"]
        environment = libpq_environment(url) | {"PGOPTIONS": session_options(system, name, url)}
        spent, said = spent_on(system, "postgres", lambda: must(words, environment))
    finally:
        psql(system.stack.database_url(name), f"DROP DATABASE IF EXISTS {scratch} WITH (FORCE);")
    batches = pgbench_result(said)
    return {f"{name} orders/s": ORDERS_A_BATCH[name] * batches / seconds,
            f"{name} ms/order": spent / (ORDERS_A_BATCH[name] * batches)}


def session_options(system, name, url):
    """Options for a session with the settings that the database's service gives its own."""
    program = os.path.join(build.programs(system.stack.preset), manifests.of_database(name).name)
    rows = psql(url, f"CREATE TEMP TABLE done AS {statements.session(program)};"
                     "SELECT name || '=' || replace(setting, ' ', '\\ ') FROM pg_settings WHERE source = 'session';")
    return " ".join(f"-c {row}" for row in rows.splitlines())


def pgbench_result(text):
    """→ how many transactions it made"""
    made = re.search(r"^number of transactions actually processed: (\d+)", text, re.M)
    failed = re.search(r"^number of failed transactions: (\d+)", text, re.M)
    if not made or int(made[1]) == 0 or (failed and int(failed[1])):
        raise DevError(f"pgbench did not work: {text.strip()}")
    return int(made[1])


# ---- the broker ----

@contextlib.contextmanager
def work_queue(system):
    """One with the very arguments of a service's, as long as it is measured."""
    api, vhost = system.stack.servers.rabbitmq.management(), system.stack.broker.admin.path
    arguments = api.must("GET", "queues", vhost, "order-svc")["arguments"]
    api.must("PUT", "queues", vhost, QUEUE, body={"durable": True, "arguments": arguments})
    try:
        api.must("POST", "bindings", vhost, "e", "bus.cmd", "q", QUEUE, body={"routing_key": QUEUE})
        yield
    finally:
        api.must("DELETE", "queues", vhost, QUEUE)


def loop(system, kind, queue, seconds, batch):
    words = [os.path.join(build.programs(system.stack.preset), "broker-loop"), kind, queue, str(seconds), str(batch),
             str(BODY_BYTES)]
    spent, said = spent_on(system, "rabbitmq", lambda: must(words, {"RABBITMQ_URL": system.stack.amqp_url()}))
    result = json.loads(said)
    return {f"{kind} messages/s": result["messages"] / result["seconds"],
            f"{kind} ms/message": spent / result["messages"]}


# ---- the PSP's sandbox ----

def psp(system, options):
    with tempfile.TemporaryDirectory(prefix="orderbus-psp-") as folder:
        key = os.path.join(folder, "key")
        with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(services.psp_key(system.stack.state) + "\n")
        spent, said = spent_on(system, "psp-sandbox", lambda: wrk.run(
            system.stack.url("psp-sandbox"), "psp.lua", [key, uuid.uuid4()], options.connections, options.seconds))
    if said["status"] or said["broken"]:
        raise DevError(f"of {said['requests']} charges {said['status']} were refused and {said['broken']} broken")
    return {"psp calls/s": said["requests"] / said["seconds"], "psp ms/call": spent / said["requests"]}


def build_loop(preset):
    build.build(preset, ["bin/broker-loop"])
