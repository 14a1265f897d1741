"""Targets of the figures, on two cores that everything shares. Pure."""

from load.bench.cpu import SERVICES

AT_LEAST, AT_MOST = ">=", "<="
# (part, figure): (bound, is it the least or the most)
TARGETS = {
    ("closed", "confirmed orders/s"): (2500, AT_LEAST),
    ("closed", "CPU ms/order"): (0.8, AT_MOST),
    **{("closed", f"RssAnon MiB {name}"): (8, AT_MOST) for name in SERVICES},
    ("open", "200/s accept p99 ms"): (10, AT_MOST),
    ("open", "200/s to the end p50 ms"): (12, AT_MOST),
    ("open", "200/s to the end p99 ms"): (30, AT_MOST),
    ("open", "1000/s to the end p99 ms"): (100, AT_MOST),
    ("reads", "reads/s"): (8000, AT_LEAST),
    ("reads", "read p99 ms"): (20, AT_MOST),
    ("shapes", "hot product, of the spread rate %"): (80, AT_LEAST),
    **{("start", f"start to ready s {name}"): (1, AT_MOST) for name in SERVICES},
    ("idle", "idle % of a core, services"): (0.5, AT_MOST),
    **{("wide", f"RssAnon MiB {name}"): (8, AT_MOST) for name in SERVICES},
    ("tokens", "with tokens, of the rate without %"): (95, AT_LEAST),
    ("filled", "of the rate with few %"): (90, AT_LEAST),
    ("floor", "share of the floor %"): (75, AT_LEAST),
}


def verdict(part, figure, value):
    """→ (the bound as text, "ok" or "missed"); both empty for what is only shown."""
    if (part, figure) not in TARGETS:
        return "", ""
    bound, kind = TARGETS[part, figure]
    good = value >= bound if kind == AT_LEAST else value <= bound
    return f"{kind} {bound}", "ok" if good else "missed"
