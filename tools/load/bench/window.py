"""Costs of a load: CPU by group, memory, messages, transactions and WAL between two moments, for each order."""
import time

from load.bench import counts, cpu
from load.memory import Sampler


COUNTED = ("psp calls", "wal bytes", "fsyncs", "broker fsyncs", "full pages")


class Window:
    """Begins when it is made. The load must be the only user of the stack meanwhile."""

    def __init__(self, system):
        self.system = system
        self._counts = counts.read(system)
        self._sampler = Sampler(system.stack.state.path)
        self._sampler.start()
        self._groups = cpu.of_stack(system.stack)
        self._cpu = self._groups.read()
        self.began = time.time()

    def end(self):
        """Waits until all is at rest. → (orders, CONFIRMED, seconds until the last was final, costs per order)"""
        self.system.wait_for_rest()
        spent = cpu.difference(self._cpu, self._groups.read())
        self._sampler.stop()
        orders, confirmed, last = self.system.since(self.began)
        happened = {name: value - self._counts.get(name, 0) for name, value in counts.read(self.system).items()}
        return orders, confirmed, last - self.began, per_order(spent, happened, max(orders, 1)) | self._memory()

    def _memory(self):
        return {f"{what} MiB {name}": peak[n] / 1024 for n, what in enumerate(("RssAnon", "RSS"))
                for name, peak in self._sampler.peaks.items()}


def per_order(spent, happened, orders):
    """Pure. spent: {group: CPU ms}; happened: as counts.read."""
    found = {"CPU ms/order": sum(spent[name] for name in cpu.SYSTEM) / orders}
    found |= {f"CPU ms/order {name}": spent[name] / orders for name in spent}
    messages = {name: count for name, count in happened.items() if name.startswith("message ")}
    transactions = sum(count for name, count in happened.items() if name.startswith("transactions "))
    found["messages/order"] = sum(messages.values()) / orders
    found |= {f"{name}/order": count / orders for name, count in messages.items() if count}
    found |= {f"{name}/order": count / orders for name, count in happened.items()
              if name.startswith("published ") and count}
    found |= {f"{name}/order": count / orders for name, count in happened.items() if name.startswith("transactions ")}
    found["transactions/order"] = transactions / orders
    found["round trips/order"] = 2 * transactions / orders  # what the worker's interface is built on
    found["messages a transaction"] = sum(messages.values()) / transactions if transactions else None
    return found | {f"{name}/order": happened[name] / orders for name in COUNTED}
