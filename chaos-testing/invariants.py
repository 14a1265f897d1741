#!/usr/bin/python3
"""The invariants of a running system, by the name under which scripts know the check: the same as ./dev invariants."""
import os
import sys

DEV = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "dev")
os.execv(DEV, [DEV, "invariants", *sys.argv[1:]])
