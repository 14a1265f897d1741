"""One run of the bench for another checkout, whose tools come first in PYTHONPATH: its options are one word of JSON."""
import json
import sys
import types

from load.bench import run

sys.exit(run.bench(types.SimpleNamespace(**json.loads(sys.argv[1]))))
