"""./dev bench: what an order costs and how many a second there can be, on a private stack with durable settings."""
import argparse
import re

from dev import packages


def add_options(added):
    added.add_argument("--only", action="append", metavar="PART",
                       help="of disk, closed, open, reads, shapes, tokens, tracing, fronts, wide, workers, processes, "
                            "shards, backlog, start, idle, floor and filled; may be repeated")
    added.add_argument("--runs", type=int, default=5, help="of each part, whose medians count (5)")
    added.add_argument("--seconds", type=int, default=10, help="of load in each run (10)")
    added.add_argument("--connections", type=int, default=64, help="of the closed loops (64)")
    added.add_argument("--rates", type=int, nargs="+", default=[200, 1000], metavar="RATE",
                       help="orders a second of the open loop (200 1000)")
    added.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", type=variable,
                       help="a variable of the three services behind the edge, such as GATHER_MS=0; may be repeated")
    added.add_argument("--backlog", type=int, default=100_000, help="orders that wait while order-svc is away (100000)")
    added.add_argument("--fill", type=int, default=10_000_000,
                       help="orders that the part \"filled\", which runs only where it is asked for, makes by SQL (ten "
                            "million, 31 GiB)")
    added.add_argument("--compare", nargs=2, metavar=("A", "B"),
                       help="two commits in turn; without --only: closed, open and reads")
    added.add_argument("--preset", default="release", help="release; another one shows that it works, no more")
    added.add_argument("--json", metavar="FILE", help="writes the figures there, too")
    added.add_argument("--record", action="store_true",
                       help="writes load-testing/results/bench.json and bench.md; what is not measured stays there")


def variable(text):
    if not re.fullmatch("[A-Z_]+=.*", text):
        raise argparse.ArgumentTypeError(f"\"{text}\" is not NAME=VALUE")
    return text


def bench(options):
    packages.ensure(packages.UP + packages.TEST + packages.BENCH)
    if options.compare:
        from load.bench import compare
        return compare.compare(options)
    from load.bench import run
    return run.bench(options)
