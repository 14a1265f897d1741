"""./dev reconcile: compares payments.ledger with the provider's records; both are sorted in files."""
import os
import subprocess
import tempfile
import time

from dev import build, services, session, urls
from dev.report import DevError

RECORDS = "psp-records"  # prints the provider's
COMPARE = "payment-reconcile"
PROVIDER = ("PSP_URL", "PSP_KEY", "PSP_CA_FILE", "PSP_ALLOW_PLAIN")  # variables of the provider
FAILED = 2
FRESH_SECONDS = 60  # what is younger may still be under way
MARGIN_SECONDS = 86400  # a charge may be pending that long before it moves money
OURS = """COPY (
SELECT coalesce(p.attempt_of, l.order_id), l.entry, l.amount, l.currency, l.psp_id,
       floor(extract(epoch FROM l.at))::bigint
FROM payments.ledger l LEFT JOIN payments.payments p ON p.order_id = l.order_id WHERE l.at >= to_timestamp({since})
UNION ALL
SELECT coalesce(attempt_of, order_id), 'open', amount, currency, coalesce(psp_id, '-'),
       floor(extract(epoch FROM updated_at))::bigint
FROM payments.payments WHERE next_attempt_at IS NOT NULL AND state IN ('processing', 'refunding')
) TO STDOUT"""


def add_options(parser):
    parser.epilog = "The exit status is 0 if they are equal, 1 if they differ, 2 if they could not be compared."
    parser.add_argument("--days", type=int, default=0, help="money that moved in the last so many days alone")


def reconcile(options):
    stack = session.required()
    until = int(time.time()) - FRESH_SECONDS
    since = until - options.days * 86400 if options.days else 0
    return compare(stack, since, until)


def compare(stack, since, until):
    """Prints each difference of movements between two Unix times; → 0 equal, 1 they differ, 2 could not compare."""
    with tempfile.TemporaryDirectory(prefix="reconcile-", dir=stack.state.folder("work")) as folder:
        ours, theirs = os.path.join(folder, "ours"), os.path.join(folder, "theirs")
        begin = max(0, since - MARGIN_SECONDS)
        try:
            _write_ours(stack, begin, ours)
            write_theirs(stack, begin, theirs)
        except DevError as error:
            raise DevError(str(error), status=FAILED) from None
        words = [_program(stack, COMPARE), ours, theirs, str(since), str(until)]
        return subprocess.run(words, check=False).returncode


def _write_ours(stack, begin, path):
    url = stack.database_url("payments")
    words = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", OURS.format(since=begin)]
    _sort(words, os.environ | urls.libpq_environment(url), path, "payments.ledger")


def write_theirs(stack, begin, path):
    """Movements at the provider since a Unix time, as lines: order, entry, amount, currency, its id, time."""
    variables = stack.services["payment-svc"].variables()
    environment = {"PATH": "/usr/bin:/bin"} | {name: variables[name] for name in PROVIDER if name in variables}
    _sort([_program(stack, RECORDS)], environment | {"SINCE": str(begin)} | services.SANITIZERS, path,
          "the provider")


def _sort(words, environment, path, what):
    """The command's lines into a file, sorted by their bytes; sort uses files where they exceed its memory."""
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE) as source:
        sort = ["sort", "--buffer-size=64M", "--temporary-directory", os.path.dirname(path), "--output", path]
        done = subprocess.run(sort, stdin=source.stdout, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, check=False)
        source.stdout.close()
    if source.returncode != 0 or done.returncode != 0:
        raise DevError(f"{what} could not be read")


def _program(stack, name):
    program = os.path.join(build.programs(stack.preset), name)
    if not os.path.exists(program):
        build.build(stack.preset, [f"bin/{name}"])
    return program
