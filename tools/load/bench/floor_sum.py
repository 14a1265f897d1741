"""The floor: what an order would cost if nothing but the servers worked, each in batches of a hundred."""
import re

from load.bench import scripts

# The databases that an order touches: floor/<database>.sql says how many orders its batch carries a step on.
ORDERS_A_BATCH = {name: int(re.match(r"-- Orders a batch: (\d+)\n", text)[1])
                  for name, text in scripts("floor").items()}
# Figures of the bare loops: CPU ms of the server.
COSTS = (*(f"{name} ms/order" for name in ORDERS_A_BATCH), "quorum ms/message", "answer ms/message",
         "unrouted ms/message", "psp ms/call")


def traffic_of(order):
    """Messages of an order over the broker, by kind; order: figures of the closed loop."""
    taken = order["messages/order"]
    placed = order["message order.place.v1/order"]  # by the edge; all others are published by services
    published = sum(order.get(f"published {exchange}/order", 0) for exchange in ("bus.cmd", "bus.event"))
    return {"quorum": taken, "unrouted": max(0.0, published - (taken - placed)),
            "answer": order.get("published bus.reply/order", 0)}


def floor(order, costs, cores):
    """→ figures. order: of the closed loop, costs: by COSTS. Processor time that other machines on the host took while
    the orders were measured is missing in the floor, too."""
    postgres = sum(costs[f"{name} ms/order"] for name in ORDERS_A_BATCH)
    broker = sum(count * costs[f"{kind} ms/message"] for kind, count in traffic_of(order).items())
    psp = order["psp calls/order"] * costs["psp ms/call"]
    there = cores * (1 - order["processors stolen %"] / 100)
    rate = there * 1000 / (postgres + broker + psp)
    return {"floor ms/order Postgres": postgres, "floor ms/order broker": broker,
            "floor CPU ms/order": postgres + broker, "floor ms/order psp-sandbox": psp, "floor orders/s": rate,
            "CPU, times the floor": order["CPU ms/order"] / (postgres + broker),
            "share of the floor %": 100 * order["confirmed orders/s"] / rate}
