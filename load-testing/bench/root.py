"""Whose programs are measured: this checkout's, or those of the one that ORDERBUS_BENCH_ROOT names. Imported before
anything else of ours, so that its tooling, migrations and topology are the ones in use."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
OWN = os.path.dirname(os.path.dirname(HERE))
ROOT = os.environ.get("ORDERBUS_BENCH_ROOT") or OWN

for place in (os.path.dirname(HERE), os.path.join(ROOT, "tools")):
    if place not in sys.path:
        sys.path.insert(0, place)

import dev  # noqa: E402,F401  now: what private_stack would find first is the tooling of its own checkout
import private_stack  # noqa: E402,F401
