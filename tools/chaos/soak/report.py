"""The record of a chaos soak: Markdown for readers, JSON with every series, and a picture."""
import json
import os
import time

from chaos.soak import figures
from load.memory import SERVICES
from load.plot import svg
from load.soak import table

NAME = "chaos-soak"
SLOT_SECONDS = 10.0
SHOWN = 20  # violations
MAX_SLOPE = 1.0  # MiB an hour


class Found:
    """Everything that one run has found."""

    def __init__(self, plan, command, load, rows, lives, final, verdict, restarts):
        self.plan, self.command, self.load, self.rows = plan, command, load, rows
        self.lives, self.final, self.verdict, self.restarts = lives, final, verdict, restarts
        self.date = time.strftime("%Y-%m-%d", time.gmtime())
        self.checks = list(figures.checks(load.orders, plan, rows, verdict, lives, MAX_SLOPE))

    def good(self):
        return all(check.ok is not False for check in self.checks)

    def lines(self):
        yield from table(self.checks)
        yield from (f"{text}" for text in [*self.verdict.lost, *self.verdict.doubled, *self.verdict.violations][:SHOWN])

    def at(self, when):
        return round(when - self.load.began, 1)

    def faults(self):
        """Rows with times since the beginning."""
        return [{"at_s": self.at(row["begin"]), "fault": row["name"], "lasted_s": round(row["end"] - row["begin"], 1),
                 "recovery_s": None if row["recovery_s"] is None else round(row["recovery_s"], 1),
                 "due": row["due"], "first_try_failed": row["first_try_failed"], "given_up": row["given_up"],
                 "away_before": row["away_before"]} for row in self.rows]


def charts(found):
    orders, begin, end = found.load.orders, found.load.began, found.load.began + found.plan.seconds

    def failed(is_counted):
        times = [due for due, tries in zip(orders.due, orders.tries) if is_counted(tries)]
        return figures.per_slot(times, SLOT_SECONDS, begin, end)
    memory = {name: [(at, kib / 1024) for life in lives for at, kib in life.points]
              for name, lives in found.lives.items() if lives}
    others = [name for name in memory if name not in SERVICES]
    return {"orders/s without a 2xx": {"at the first try": failed(lambda tries: tries != 1),
                                       "after 4 tries": failed(lambda tries: tries == 0)},
            "orders/s": {"accepted": figures.per_slot(found.load.accepted.values(), SLOT_SECONDS, begin, end),
                         "final": figures.per_slot(found.final, SLOT_SECONDS, begin, end)},
            "RssAnon, MiB": {name: memory[name] for name in memory if name in SERVICES},
            "RssAnon of the rest, MiB (psp-sandbox keeps every charge)": {name: memory[name] for name in others}}


def markdown(found):
    lines = ["# Chaos soak", "",
             f"Written by `{found.command}` on {found.date}: {found.plan.seconds / 60:g} minutes at "
             f"{found.plan.rate:g} orders/s, a fault every {found.plan.every:g} s, {os.cpu_count()} cores shared by "
             "clients, programs, Postgres and the broker.", "",
             *table(found.checks), "", f"![orders and memory over time; a thin line at each fault]({NAME}.svg)", "",
             f"[{NAME}.json]({NAME}.json) has every series and each restart by the supervisor.", "",
             "## Faults", "",
             "The recovery counts from the end of the fault, or from the death of a process, to the first second in "
             "which as many orders as before are accepted and become final.", "",
             "| at | fault | recovery | orders until the next fault | no 2xx at the first try | given up |",
             "|---|---|---|---|---|---|"]
    for row in found.faults():
        recovery = "none" if row["recovery_s"] is None else f"{row['recovery_s']} s"
        lines.append(f"| {row['at_s']:.0f} s | {row['fault']} | {recovery} | {row['due']} | {row['first_try_failed']} "
                     f"| {row['given_up']} |")
    return "\n".join(lines) + "\n"


def document(found):
    """The content of the JSON file."""
    with_retries, without = figures.availability(found.load.orders)
    return {"command": found.command, "date": found.date, "minutes": found.plan.seconds / 60, "rate": found.plan.rate,
            "fault_every_s": found.plan.every, "seed": found.plan.seed, "orders": len(found.load.orders),
            "availability": {"with_retries": with_retries, "without_retries": without},
            "orders_by_tries": {"given up" if tries == 0 else tries: count
                                for tries, count in figures.by_tries(found.load.orders).items()},
            "accepted": len(found.load.accepted), "lost": found.verdict.lost, "doubled": found.verdict.doubled,
            "violations": found.verdict.violations, "final": dict(found.verdict.statuses),
            "checks": [check._asdict() for check in found.checks], "faults": found.faults(),
            "restarts": [json.loads(line) for line in found.restarts],
            "rss_anon_kib": {name: [{"pid": life.pid, "points": [[round(at), kib] for at, kib in life.points[::3]]}
                                    for life in lives] for name, lives in found.lives.items()}}


def write(folder, found):
    """→ the paths"""
    os.makedirs(folder, exist_ok=True)
    marks = [found.at(row["begin"]) for row in found.rows]
    contents = {"md": markdown(found), "svg": svg(charts(found), found.plan.seconds, marks),
                "json": json.dumps(document(found), separators=(",", ":")) + "\n"}
    for ending, text in contents.items():
        path = os.path.join(folder, f"{NAME}.{ending}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        yield path
