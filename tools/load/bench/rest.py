"""Figures without load: the start time of each program, the idle use of all of them, and the time of an fdatasync."""
import os
import time

from load.bench import cpu, figures

IDLE_SECONDS = 20
QUIET_SECONDS = 3  # what follows a load is not idle
POLL_SECONDS = 0.005
START_SECONDS = 30
SYNCS = 500
PAGE = b"\x5a" * 8192


def start(system, options):
    """The others run meanwhile, as they do when one of them is deployed."""
    del options
    found = {}
    for name in cpu.SERVICES:
        system.stack.stop_service(name)
        began = time.monotonic()
        system.stack.start_service(name, wait=False)
        ready = system.stack.services[name].ready
        while not ready():
            if time.monotonic() - began > START_SECONDS:
                system.stack.services[name].wait_ready(0)  # says why
            time.sleep(POLL_SECONDS)
        found[f"start to ready s {name}"] = time.monotonic() - began
    return found


def idle(system, options):
    groups = cpu.of_stack(system.stack)
    time.sleep(QUIET_SECONDS)
    before, began = groups.read(), time.monotonic()
    time.sleep(min(IDLE_SECONDS, 2 * options.seconds))
    spent, took = cpu.difference(before, groups.read()), time.monotonic() - began
    share = {name: 100 * ms / (took * 1000) for name, ms in spent.items()}
    return {"idle % of a core, services": sum(share[name] for name in cpu.SERVICES)} | {
        f"idle % of a core, {name}": value for name, value in share.items()}


def disk(system, options):
    """A page written and synced again and again, on the file system of the databases and queues."""
    del options
    path = os.path.join(system.stack.state.path, "disk-probe")
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, PAGE * SYNCS)
        os.fsync(handle)
        took = [_sync(handle, n * len(PAGE)) for n in range(SYNCS)]
    finally:
        os.close(handle)
        os.unlink(path)
    return figures.quantiles(took, "fdatasync")


def _sync(handle, offset):
    began = time.monotonic()
    os.pwrite(handle, PAGE, offset)
    os.fdatasync(handle)
    return (time.monotonic() - began) * 1000
