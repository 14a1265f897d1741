"""The command line of ./dev: one parser, and the function of each verb."""
import argparse
import os
import select
import signal
import subprocess
import sys
import textwrap

from dev import (admin, backends, bench, build, certs, chaos, client, contract, coverage, fuzz, generated, invariants,
                 issuers, k6, load, manifests, mutate, new_service, orderctl, package, packages, paths, ports,
                 reconcile, reference, secret_files, session, simulation, suites, token, verbs)
from dev.report import DevError

STATE_HELP = {
    "state": ".run/ in the checkout, as root /var/lib/orderbus/<hash>; ORDERBUS_STATE chooses another folder",
    "ports": ", ".join(variable for _, variable, _ in ports.TABLE.values()),
    "build": "ORDERBUS_PRESET (release)",
    "tokens": "AUTH=off: ./dev up starts an edge that asks for none",
    "servers": f"{', '.join(session.GIVEN_DATABASES.values())}, RABBITMQ_URL (and RABBITMQ_MANAGEMENT_URL): "
               "administrators' URLs of servers to use instead of private ones; ./dev makes the services' roles and "
               "users there",
}


def _state_help():
    return "\n".join(textwrap.fill(text, 120, initial_indent=f"{name:<11}", subsequent_indent=" " * 11)
                     for name, text in STATE_HELP.items())


class Parser(argparse.ArgumentParser):
    """Every verb answers --version too."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
                         **options)
        self.add_argument("--version", action="version", version=f"orderbus {paths.version()}")


def parser():
    top = Parser(prog="./dev", description="Builds, runs and tests orderbus.", epilog=_state_help())
    adder = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name, run, text):
        added = adder.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        added.set_defaults(run=run)
        return added

    def preset(added):
        added.add_argument("--preset", choices=build.PRESETS, help="default: ORDERBUS_PRESET, else release")

    added = verb("up", verbs.up, "install what is missing, build, start everything and place one order")
    preset(added)
    _add_up(added)
    _add_data(verb)
    added = verb("test", suites.test, "run everything that CI runs, or some suites of it")
    added.add_argument("suites", nargs="*", metavar="SUITE", help=f"some of: {' '.join(suites.NAMES)}")
    added.add_argument("--all", action="store_true", help=f"also {' '.join(suites.LONG_NAMES)}, which take an hour")
    verb("down", verbs.down, "stop everything")
    verb("reset", verbs.reset, "stop everything and delete its data")
    verb("status", verbs.status, "what runs; the exit status is 0 if all of it is ready")
    verb("topology", verbs.topology, "compare the broker's exchanges, queues and bindings with what they must be")
    _add_logs(verb("logs", verbs.logs, "follow the logs of all parts, or of one"))
    added = verb("psql", verbs.psql, "psql on one of the databases, as its administrator")
    added.add_argument("database", metavar="DB", help="one of: " + " ".join(manifests.DATABASES))
    added.add_argument("arguments", nargs=argparse.REMAINDER, help="for psql")
    reconcile.add_options(verb("reconcile", reconcile.reconcile, "compare the ledger with the provider's records"))
    orderctl.add_options(verb("order", orderctl.order, "where an order stands, what it waits for, and what to do"))
    orderctl.add_words(verb("orderctl", orderctl.orderctl, "orderctl on the running stack: stuck, dead list, …"))
    added = verb("admin", admin.admin, "make an administrator; prints a reset token, once")
    added.add_argument("email", metavar="EMAIL", help="whose account it is")
    client.add_options(verb("client", client.client, "make a program's client id and secret; prints them, once"))
    token.add_options(verb("token", token.token, "print an access token for the running stack, of a customer"))
    for name, run, text in (("restart", verbs.restart, "drain and start one part again"),
                            ("kill", verbs.kill, "end one part with SIGKILL")):
        verb(name, run, text).add_argument("service", metavar="SVC", help=_parts())
    added = verb("build", verbs.build, "build everything, or some targets")
    preset(added)
    added.add_argument("targets", nargs="*", metavar="TARGET")
    package.add_options(verb("package", package.package, "build Debian packages into build/packages"))
    secret_files.add_options(verb("secrets", secret_files.write, "write the secrets of a deployment as files"))
    preset(verb("generate", generated.generate, "write the files that programs print of themselves"))
    _add_makers(verb)
    added = verb("fuzz", fuzz.fuzz, "run fuzz targets and add to their record in chaos-testing/results")
    added.add_argument("targets", nargs="*", metavar="TARGET", help="all, where none is named")
    added.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    added.add_argument("--jobs", type=int, default=2, help="targets at a time (2)")
    added.add_argument("--no-record", action="store_true", help="leave the record as it is")
    k6.add_options(verb("k6", k6.k6, "load on the stack by the k6 that you have (PATH or K6): a script, or list"))
    load.add_options(verb("load", load.load, "run one of the load programs"))
    invariants.add_options(verb("invariants", invariants.invariants, "check the five invariants of a system"))
    preset(chaos.add_options(verb("chaos", chaos.chaos, "faults on the real stack: scenarios, all, list, soak, or "
                                                        "install (their proxy)")))
    contract.add_options(verb("contract", contract.contract,
                              "install the programs of the suites `contract` and `live`: oasdiff, schemathesis, …"))
    verb("issuers", issuers.issuers, "install the issuers of tokens that the suite `attack` tries an edge with"
         ).add_argument("action", choices=("install",))
    verb("observers", backends.observers, "install VictoriaLogs, Zipkin and a collector, for `./dev up --observe`"
         ).add_argument("action", choices=("install",))
    simulation.add_options(verb("sim", simulation.sim, "run the services' decisions over a simulated world"))
    coverage.add_options(verb("coverage", coverage.coverage, "lines and branches that unit tests and seeds reach"))
    mutate.add_options(verb("mutate", mutate.mutate, "change the decisions' code a little: do tests notice?"))
    bench.add_options(verb("bench", bench.bench, "what an order costs, and how many a second there can be"))
    return top


def _add_makers(verb):
    new_service.add_options(verb("new-service", new_service.new_service,
                                 "make a service from the template; with --remove: delete it again"))
    verb("reference", reference.reference, "make HTML and man pages of libbus's headers in build/reference")
    added = verb("servers", verbs.servers, "a private Postgres and RabbitMQ for tests, on free ports")
    added.add_argument("action", choices=("up", "down", "env"))
    added.add_argument("--state", required=True, help="the folder of their data")
    added.add_argument("--wipe", action="store_true", help="with down: delete the folder too")


def _add_data(verb):
    certs.add_options(verb("certs", certs.certs, "make the certificates of ./dev up --tls that are missing or expire "
                                                 "soon, and have what runs read them"))
    verb("migrate", verbs.migrate, "make roles and databases, and deploy the migrations that are missing")
    verb("seed", verbs.seed, "put the sample catalogue into the running stack, unless it is there")


def _add_logs(added):
    added.add_argument("service", nargs="?", metavar="SVC", help=_parts() + ", or supervisor")
    added.add_argument("-n", "--lines", type=int, default=20, help="how many lines to begin with (20)")
    added.add_argument("--no-follow", action="store_true", help="print and end")


def _add_up(added):
    added.add_argument("--supervise", action="store_true",
                       help="and leave a supervisor behind, which restarts services and private servers that die, 0.2 "
                            "to 5 s later; ./dev down ends it first")
    added.add_argument("--tls", action="store_true",
                       help="every listener speaks TLS alone, by certificates that ./dev certs makes: HTTPS, amqps "
                            "with client certificates, Postgres with verify-full")
    added.add_argument("--observe", action="store_true",
                       help="and start Prometheus and Alertmanager, with the rules of infrastructure/prometheus, the "
                            "exporters of the host, Postgres and RabbitMQ, and VictoriaLogs and Zipkin, which a "
                            "collector fills; without it those that run are ended")


def _parts():
    return "one of: " + " ".join([*manifests.NAMES, "postgres", "rabbitmq"])


def main(arguments):
    # A shell's background jobs ignore it, and so would all that they start, which is asked to end by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()  # what is said while Python ends cannot be caught
    except BrokenPipeError as error:
        unread = [stream for stream in (sys.stdout, sys.stderr) if _is_unread(stream)]
        if not unread:  # the pipe was another one
            return _refuse(error)
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            for stream in unread:
                os.dup2(nowhere.fileno(), stream.fileno())
        return 128 + signal.SIGPIPE  # as any other program in front of "| head"


def _is_unread(stream):
    """Has whoever read it gone away?"""
    poll = select.poll()
    poll.register(stream.fileno(), 0)  # errors are told without being asked for
    return any(events & select.POLLERR for _, events in poll.poll(0))


def _with_words_of_others(arguments):
    """argparse takes an option at the head of orderctl's words for one of ./dev, unless "--" stands before it."""
    of_others = arguments[:1] == ["orderctl"] and arguments[1:2] not in (["-h"], ["--help"], ["--version"])
    return ["orderctl", "--", *arguments[1:]] if of_others else arguments


def _run(arguments):
    try:
        if arguments[:1] == ["install-packages"]:  # what packages.ensure runs as root
            packages.install(arguments[1:])
            return 0
        options = parser().parse_args(_with_words_of_others(arguments))
        return options.run(options)
    except DevError as error:
        print(f"dev: {error}", file=sys.stderr)
        return error.status
    except BrokenPipeError:
        raise
    except (OSError, subprocess.SubprocessError) as error:  # a file of another user, a tool that hangs, …
        return _refuse(error)
    except KeyboardInterrupt:
        return 130


def _refuse(error):
    print(f"dev: {error}", file=sys.stderr)
    return 1
