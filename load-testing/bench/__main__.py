"""One run of the bench for another checkout (ORDERBUS_BENCH_ROOT): its options are one argument of JSON."""
import json
import sys
import types

from bench import run

sys.exit(run.bench(types.SimpleNamespace(**json.loads(sys.argv[1]))))
