"""./dev load: one of the load programs, each of which measures one thing."""
import argparse
import importlib

from dev import packages

PROGRAMS = ("place-orders", "reservation-rate", "behind-nginx", "crowd", "growth", "leaks", "reports", "soak")


def add_options(added):
    added.add_argument("program", choices=PROGRAMS, help="with --help behind it: what it measures, and its options")
    added.add_argument("arguments", nargs=argparse.REMAINDER, help="for the program")


def load(options):
    packages.ensure(packages.UP + packages.TEST)
    program = importlib.import_module("load." + options.program.replace("-", "_"))
    return program.main(options.arguments)
