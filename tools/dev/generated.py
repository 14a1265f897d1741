"""Generated parts of the repository: ./dev generate writes them, tests/docs compares them."""
import os
import re
import subprocess

from dev import build, dashboards, manifests, messages, metrics, parts, paths, routes
from dev.report import DevError

# file: (program, flag)
TABLE = {f"{one.folder}/.env.example": (one.name, "--print-env") for one in manifests.ALL}

# file: (program, word, what makes the file of its output)
MADE = {"docs/messages.md": ("bus-topology", "asyncapi", messages.markdown)}

METRICS = "docs/metrics.md"

# file: program; a document shows its output between <!-- print FLAG --> and <!-- end -->.
READMES = {f"{one.folder}/README.md": one.name for one in manifests.ALL} | {"docs/architecture.md": "order-svc"}
_PRINT = re.compile(r"(<!-- print (\S+) -->\n).*?(<!-- end -->)", re.S)

# file: (program, flag, what makes a section of its output), for the lines between <!-- made --> and <!-- end -->
SECTIONS = {"docs/api.md": ("edge", "--print-openapi", routes.markdown)}
_MADE = re.compile(r"(<!-- made -->\n).*?(<!-- end -->)", re.S)

COMPLETION = "orderctl/completion/orderctl.bash"

# A document names a result file between <!-- result FILE --> and <!-- end -->; a link and one line of it stand there.
DOCUMENTS = ("docs/reliability.md", "docs/performance.md")
_RESULT = re.compile(r"(<!-- result (\S+) -->\n).*?(<!-- end -->)", re.S)

# file: patterns of its line. Their groups are joined by commas; a named group is shown as its value and its name.
SUMMARIES = {
    "chaos-testing/results/crash-matrix.md": (r"^\*\*(.+)\*\*$", r"^Written by .* on ([\d-]+)\."),
    "chaos-testing/results/simulation.md": (r"^(\d+ of \d+ planted bugs caught)\.$", r"^Written by (`.+?`)\."),
    "chaos-testing/results/scenarios.md": (
        r"^\| all \| (?P<runs>\d+) \| (?P<faults>\d+) \| (?P<accepted_orders>\d+) \| \d+ "
        r"\| (?P<lost>\d+) \| (?P<doubled>\d+) \|", r"^Written by .* on ([\d-]+)\."),
    "chaos-testing/results/fuzz.md": (
        r"^\| all \| (?P<seconds>[\d,]+) \| (?P<executions>[\d,]+) \|.*\| (?P<findings>\d+) \|$",),
    "chaos-testing/results/leaks.md": (r": (\d+ requests),$", r"^(FAILED|[A-Z].* and all invariants held)\.$",
                                       r"^`.*`, ([\d-]+): "),
    "chaos-testing/results/soak.md": (r"([\d.]+ minutes at \d+ requests a second)", r"^`.*`, ([\d-]+),"),
    "chaos-testing/results/chaos-soak.md": (
        r"([\d.]+ minutes at [\d.]+ orders/s)", r"^\| availability, [^|]*\| (?P<available>[\d.]+%) \|",
        r"^\| availability without retries \| (?P<without_retries>[\d.]+%) \|", r"^\| lost \| (?P<lost>\d+) \|",
        r"^Written by .* on ([\d-]+)[:,]"),
    "load-testing/results/bench.md": (
        r"^\| accepted orders/s +\| +(?P<accepted_orders_a_second>[\d,]+) ",
        r"^\| confirmed orders/s +\| +(?P<confirmed_orders_a_second>[\d,]+) "),
}


def summary(name, content):
    parts = []
    for pattern in SUMMARIES[name]:
        found = re.search(pattern, content, re.M)
        if not found:
            raise DevError(f"{name} has no line that matches {pattern}; adapt SUMMARIES in tools/dev/generated.py")
        named = found.groupdict()
        parts += [f"{value} {key.replace('_', ' ')}" for key, value in named.items()] or found.groups()
    return ", ".join(parts)


def with_results(text):
    """The document with a link to each result file and a line of its content."""
    def section(found):
        name = found[2]
        place = os.path.join(paths.ROOT, name)
        line = f"`{name}` is not recorded yet."
        if os.path.exists(place):
            with open(place, encoding="utf-8") as file:
                line = f"[{os.path.basename(name)}](../{name}): {summary(name, file.read())}."
        return f"{found[1]}\n{line}\n\n{found[3]}"
    return _RESULT.sub(section, text)


def with_output(text, preset, program):
    """The README with the program's output at each of its marks."""
    return _PRINT.sub(lambda found: f"{found[1]}\n{printed(preset, program, found[2]).strip()}\n\n{found[3]}", text)


def with_section(text, preset, name):
    """The document with the section that is made of a program's output."""
    program, flag, make = SECTIONS[name]
    made = make(printed(preset, program, flag))
    return _MADE.sub(lambda found: f"{found[1]}\n{made}\n\n{found[2]}", text)


def completion(text, preset):
    """orderctl's completion with the queues of the topology, and the services of which it reads outboxes."""
    dead = re.findall(r"^queue (\S+)\.dead\b", printed(preset, "bus-topology", "print"), re.M)
    words = {"queues": dead, "outboxes": [one.name for one in manifests.FOR_OPERATORS]}
    return parts.filled(text, {"names": lambda _rest: "".join(
        f'local {name}="{" ".join(found)}"\n' for name, found in words.items())})


def _rewrite(name, change):
    place = os.path.join(paths.ROOT, name)
    with open(place, encoding="utf-8") as file:
        text = file.read()
    with open(place, "w", encoding="utf-8") as file:
        file.write(change(text))


def printed(preset, program, flag):
    command = [os.path.join(build.programs(preset), program), flag]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode != 0:
        raise DevError(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return done.stdout


def all_metrics(preset):
    return metrics.markdown({one.name: printed(preset, one.name, "--print-metrics") for one in manifests.ON_BUS})


def generate(options):
    from dev import kube  # it needs PyYAML, which only tests and this verb use
    preset = options.preset or build.default_preset()
    build.build_programs(preset)
    for name, (program, flag) in TABLE.items():
        with open(os.path.join(paths.ROOT, name), "w", encoding="utf-8") as file:
            file.write(printed(preset, program, flag))
    for name, (program, word, make) in MADE.items():
        with open(os.path.join(paths.ROOT, name), "w", encoding="utf-8") as file:
            file.write(make(printed(preset, program, word)))
    with open(os.path.join(paths.ROOT, METRICS), "w", encoding="utf-8") as file:
        file.write(all_metrics(preset))
    for name, program in READMES.items():
        _rewrite(name, lambda text, program=program: with_output(text, preset, program))
    _rewrite(COMPLETION, lambda text: completion(text, preset))
    for name in SECTIONS:
        _rewrite(name, lambda text, name=name: with_section(text, preset, name))
    for name in DOCUMENTS:
        _rewrite(name, with_results)
    parts.write()
    for name in kube.stale():
        os.remove(os.path.join(paths.ROOT, name))
    for name, text in (dashboards.files() | kube.files()).items():
        os.makedirs(os.path.dirname(os.path.join(paths.ROOT, name)), exist_ok=True)
        with open(os.path.join(paths.ROOT, name), "w", encoding="utf-8") as file:
            file.write(text)
    return 0
