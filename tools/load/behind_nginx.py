"""Orders through nginx to two edges over slow links, with pauses and rolling restarts; every error counts.

Starts a stack of its own; nginx is set up as docs/deployment.md says.

  ./dev load behind-nginx [--rate 20] [--burst 20] [--requests 2000] [--delay-ms 25] [--idle 1,59,60,61,75]
                               [--restart-every 0] [--preset release]

--idle makes pauses of these seconds, spread over the run. --restart-every: so many seconds after the end of one restart
the next edge is restarted; 0: none is.
"""
import argparse
import contextlib
import itertools
import sys
import threading

from chaos.pair import HOST, Link, Pair
from chaos.proxies import Proxy
from load.private_stack import private_stack
from load.traffic import Placed, Traffic

PRODUCT = "SKU-00001"


def restart_in_turn(pair, every, ended, found):
    for edge in itertools.cycle(pair.edges):
        if ended.wait(every):
            return
        found.append(edge.stop())
        edge.start()


def offer(load, options):
    pauses = [float(text) for text in options.idle.split(",") if text]
    part = options.requests // (len(pauses) + 1)
    for pause in pauses:
        load.run(count=part)
        threading.Event().wait(pause)
    load.run(count=options.requests - part * len(pauses))
    load.close()


def run(stack, options):
    ended, stops = threading.Event(), []
    with contextlib.ExitStack() as opened:
        pair = opened.enter_context(Pair(stack))
        links = [opened.enter_context(Link(edge, options.delay_ms)) for edge in pair.edges]
        proxy = opened.enter_context(Proxy("nginx", stack.state.folder("work"), [link.port for link in links]))
        load = Traffic(("127.0.0.1", proxy.port), max(64, options.burst), Placed([PRODUCT], HOST), options.rate,
                       options.burst, repeats=False)
        restarts = threading.Thread(target=restart_in_turn, args=(pair, options.restart_every, ended, stops))
        if options.restart_every:
            restarts.start()
        offer(load, options)
        ended.set()
        if options.restart_every:
            restarts.join()
        if load.refused():
            print(proxy.log()[-4000:], file=sys.stderr)
    return load, stops


def main(words):
    parser = argparse.ArgumentParser(prog="./dev load behind-nginx", description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--burst", type=int, default=20)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--delay-ms", type=int, default=25)
    parser.add_argument("--idle", default="")
    parser.add_argument("--restart-every", type=float, default=0)
    parser.add_argument("--preset", default="release")
    options = parser.parse_args(words)
    with private_stack(options.preset, "behind-nginx") as stack:
        load, stops = run(stack, options)
    slowest = max(answer.latency for answer in load.answers)
    print(f"{len(load.answers)} requests, {dict(load.statuses())}, slowest {slowest:.2f} s, {len(stops)} restarts, "
          f"{len(load.refused())} errors")
    print("stops:", " ".join(f"{status} in {took:.1f} s" for status, took in stops) or "none")
    return 1 if load.refused() or any(status for status, _ in stops) else 0
