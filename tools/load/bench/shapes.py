"""Orders of other shapes beside the usual one, which is one item out of a thousand products: one product that everybody
buys, ten items, a hundred items."""
from load.bench import closed
from load.bench.system import PRODUCTS

SHAPES = {"spread": (PRODUCTS, 1), "hot product": (1, 1), "10 items": (PRODUCTS, 10), "100 items": (PRODUCTS, 100)}
LARGEST = "100 items"  # the most that memory has to bear
SHOWN = ("confirmed orders/s", "CPU ms/order")


def run(system, options):
    found = {}
    for name, (products, items) in SHAPES.items():
        every = closed.run(system, options, products, items)
        found |= {f"{name}: {what}": every[what] for what in SHOWN}
        if name == LARGEST:
            found |= {f"{name}: {what}": value for what, value in every.items() if what.startswith("RssAnon")}
    hot, spread = (found[f"{name}: confirmed orders/s"] for name in ("hot product", "spread"))
    return found | {"hot product, of the spread rate %": 100 * hot / spread}
