"""./dev chaos soak: runs orders and faults, samples memory, judges, and writes the record."""
import os
import shlex
import time

from dev import build, paths, supervise
from dev.gotool import TOXIPROXY
from dev.proc import allow_many_files
from dev.report import DevError, step

from chaos.soak import faults, figures, report
from chaos.soak.memory import Lives
from chaos.soak.patient import PatientTraffic
from chaos.stack import DefaultStack, chaos_stack
from chaos.verdict import Judge

RATE, MINUTES, EVERY = 100.0, 60.0, 180.0
SHORT_RATE, SHORT_MINUTES, SHORT_EVERY = 50.0, 3.0, 20.0
CONNECTIONS = 1000
SAMPLE_SECONDS = 5.0
STOP_SECONDS = 30.0  # patience for orders that were begun before the end, and for what their clients do with them
REST_AFTER = 40.0  # seconds between the last fault and the end of the load, at least
# Least availability. A single restart of RabbitMQ on a busy machine is a large share of three minutes.
TARGET, SHORT_TARGET = 0.999, 0.95
FINAL = """SELECT extract(epoch FROM updated_at)::float8 FROM orders.order_list
           WHERE final AND created_at >= to_timestamp({})"""


class SupervisedStack(DefaultStack):
    """With the numbers of production, and a supervisor."""

    def start(self):
        supervise.begin(self, super().start, lambda: self)
        return self


class Plan:
    """The numbers of one run, from options that may be None."""

    def __init__(self, minutes, rate, every, seed, short):
        self.seconds = (minutes or (SHORT_MINUTES if short else MINUTES)) * 60
        self.rate = rate or (SHORT_RATE if short else RATE)
        self.every = every or (SHORT_EVERY if short else EVERY)
        self.target = SHORT_TARGET if short else TARGET
        self.seed = seed if seed is not None else int(time.time())
        # A backlog makes batches larger, and the allocator keeps that memory: a process counts once each group of
        # faults has hit the system during its life.
        self.settle = len(faults.GROUPS) * self.every
        count = int((self.seconds - REST_AFTER) / self.every)
        if count < 1:
            raise DevError(f"{self.seconds / 60:g} minutes have no fault every {self.every:g} s: take more minutes", 2)
        self.faults = faults.deal(self.seed, count, self.every / 3)


def run(options):
    plan = Plan(options.minutes, options.rate, options.fault_every, options.seed, options.short)
    TOXIPROXY.install()
    preset = options.preset or "release"
    step("build", f"preset {preset}")
    build.build_programs(preset)
    command = "./dev chaos soak" + "".join(f" {name} {shlex.quote(str(value))}" for name, value in (
        ("--minutes", options.minutes), ("--rate", options.rate), ("--fault-every", options.fault_every),
        ("--seed", plan.seed), ("--preset", options.preset)) if value is not None) + (
            " --short" if options.short else "")
    with chaos_stack(preset, make=lambda folder, preset, _: SupervisedStack(folder, preset)) as system:
        found = _observe(system, plan, command)
    recorded = not (options.short or options.no_record or options.minutes or options.rate or options.fault_every)
    folder = os.path.join(paths.ROOT, *(("chaos-testing", "results") if recorded else ("build", "chaos", "soak")))
    for path in report.write(folder, found):
        step("written", os.path.relpath(path, paths.ROOT))
    return 0 if found.good() else 1


def _observe(system, plan, command):
    """→ report.Found"""
    step("load", f"{plan.rate:g} orders/s for {plan.seconds / 60:g} minutes, {len(plan.faults)} faults, one every "
                 f"{plan.every:g} s, seed {plan.seed}")
    allow_many_files()
    lives = Lives(system, SAMPLE_SECONDS)
    load = PatientTraffic(system.url("edge"), plan.rate, CONNECTIONS, seed=plan.seed)
    began = time.time()
    lives.start()
    load.start()
    try:
        rows = _hit(system, load, plan)
        _sleep_until(load.began + plan.seconds)
    finally:
        lives.stop()
        load.stop(STOP_SECONDS)
    step("rest", "the invariants are checked once everything is at rest")
    _whole(system)
    verdict = Judge(system).judge(load, least_shares={})
    offset = load.began - began
    final = [float(at) + offset for at, in system.sql("orders", FINAL.format(began - 1))]
    _recoveries(rows, load, final, plan)
    found = report.Found(plan, command, load, rows, lives.lives, final, verdict, _restarts(system))
    print(*found.lines(), sep="\n", flush=True)
    return found


def _hit(system, load, plan):
    """All faults at their times; → a row of each."""
    rows = []
    for number, fault in enumerate(plan.faults, 1):
        _sleep_until(load.began + number * plan.every)
        away = [name for name in (*system.own_servers(), *system.services) if system.pid(name) is None]
        begin = time.monotonic()
        fault.begin(system)
        if fault.end:
            time.sleep(fault.seconds)
            fault.end(system)
        end = time.monotonic()
        rows.append({"group": fault.group, "name": fault.name, "begin": begin, "end": end, "away_before": away})
        step(f"{begin - load.began:6.0f} s", fault.name + (f"; {', '.join(away)} did not run before" if away else ""))
    return rows


def _sleep_until(when):
    time.sleep(max(0.0, when - time.monotonic()))


def _whole(system):
    """Links without toxics; the supervisor has the rest running before long."""
    system.proxies.heal()
    system.wait_ready()


def _recoveries(rows, load, final, plan):
    accepted, ended = figures.Rate(load.accepted.values()), figures.Rate(final)
    calm = rows[0]["begin"] - load.began - 2
    rate = min(accepted.within(load.began + 2, rows[0]["begin"]), ended.within(load.began + 2, rows[0]["begin"])) / calm
    last = load.began + plan.seconds
    for row, until in zip(rows, [row["begin"] for row in rows[1:]] + [last]):
        row["recovery_s"] = figures.recovery(accepted, ended, row["end"],
                                             min(last, row["end"] + figures.RECOVERY_SECONDS), rate)
        row["due"], row["first_try_failed"], row["given_up"] = figures.failed_between(load.orders, row["begin"], until)


def _restarts(system):
    """The supervisor's own lines."""
    with open(system.supervisor.log, encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file]
