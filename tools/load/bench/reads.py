"""Reading orders by their ids, in a closed loop."""
import os
import tempfile
import uuid

from load.bench import cpu, wrk
from load.bench.system import PRODUCTS
from dev.report import DevError

ORDERS = 2000
SOME = "SELECT order_id::text FROM orders.order_list LIMIT %s"


def run(system, options):
    groups = cpu.of_stack(system.stack)
    with tempfile.TemporaryDirectory(prefix="orderbus-reads-") as folder:
        ids = os.path.join(folder, "ids")
        with open(ids, "w", encoding="ascii") as file:
            file.writelines(f"{one}\n" for one in order_ids(system, options))
        before = groups.read()
        said = wrk.run(system.stack.url("edge"), "reads.lua", [ids], options.connections, options.seconds)
        spent = cpu.difference(before, groups.read())
    if said["status"] or said["broken"]:
        raise DevError(f"of {said['requests']} reads {said['status']} were refused and {said['broken']} broken")
    found = {"reads/s": said["requests"] / said["seconds"], "read p50 ms": said["p50"], "read p95 ms": said["p95"],
             "read p99 ms": said["p99"], "CPU ms/read": sum(spent[name] for name in cpu.SYSTEM) / said["requests"]}
    found |= {f"CPU ms/read {name}": spent[name] / said["requests"] for name in spent if spent[name]}
    return found | {"CPU ms/read generator": said["cpu_ms"] / said["requests"]}


def order_ids(system, options):
    """Reads existing orders; makes some first if there are none."""
    if not system.rows("orders", SOME, 1):
        wrk.run(system.stack.url("edge"), "orders.lua", [uuid.uuid4(), PRODUCTS, 1], options.connections, 2)
        system.wait_for_rest()
    return [row[0] for row in system.rows("orders", SOME, ORDERS)]
