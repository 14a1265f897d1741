"""Makes the tooling and the harness importable."""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
for place in (os.path.join(ROOT, "tools"), os.path.join(ROOT, "chaos-testing")):
    if place not in sys.path:
        sys.path.insert(0, place)
