"""./dev k6: the load scripts, run by the k6 that the user has, against the user's stack or another one."""
import glob
import itertools
import os
import shutil

from dev import paths, session, token
from dev.report import DevError, step

SCRIPTS = os.path.join(paths.ROOT, "load-testing", "k6-scripts")
# No reports to its makers; no control port, so that runs may be made side by side; no Babel, which takes seconds.
QUIET = ("--no-usage-report", "--address", "", "--compatibility-mode", "base")


WHERE = "https://grafana.com/docs/k6/latest/set-up/install-k6/"


def program():
    """The file that K6 names, else the first k6 of PATH. k6 is licensed under the AGPL: the project installs none."""
    given = os.environ.get("K6")
    found = shutil.which(given or "k6")
    if found is None:
        wrong = f"K6={given}: there is no such program" if given else "there is no k6 in PATH"
        raise DevError(f"{wrong}: install k6 ({WHERE}), or set K6 to the program's path")
    return found


def scripts():
    """{name: file}"""
    return {os.path.basename(file)[:-3]: file for file in sorted(glob.glob(os.path.join(SCRIPTS, "*.js")))}


def text_of(file):
    """The description in the first lines of a script."""
    with open(file, encoding="utf-8") as lines:
        comment = itertools.takewhile(lambda line: line.startswith("//"), lines)
        return " ".join(line[2:].strip() for line in comment)


def command(file, url, rate=None, duration=None, more=()):
    settings = {"BASE_URL": url, "RATE": rate, "DURATION": duration}
    given = [word for name, value in settings.items() if value is not None for word in ("--env", f"{name}={value}")]
    return [program(), "run", *QUIET, *given, *more, file]


def add_options(parser):
    parser.add_argument("script", metavar="SCRIPT", help="as ./dev k6 list names them")
    parser.add_argument("--rate", type=int, metavar="R", help="arrivals a second, or the most; default: the script's")
    parser.add_argument("--duration", metavar="D", help="30s, 5m, 2h; default: the script's")
    parser.add_argument("--url", help="http://host:port; default: the edge of ./dev up")


def k6(options):
    known = scripts()
    if options.script == "list":
        for name, file in known.items():
            step(name, text_of(file))
        return 0
    if options.script not in known:
        raise DevError(f"there is no script {options.script}: choose from list {' '.join(known)}", status=2)
    stack = None if options.url else session.required()
    words = command(known[options.script], options.url or stack.url("edge"), options.rate, options.duration)
    os.execve(words[0], words, environment(stack))


def environment(stack):
    """With TOKEN, which may order for every customer and has no limit of its rate; given one, or that of the stack."""
    found = None if os.environ.get("TOKEN") or stack is None else token.issue(stack, "operator")
    return os.environ | ({"TOKEN": found} if found else {})
