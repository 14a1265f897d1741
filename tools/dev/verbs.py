"""The verbs of ./dev for the user's own stack."""
import os
import signal
import time

from dev import build as building
from dev import backends, demo, manifests, packages, paths, session, supervise, token, urls
from dev.report import DevError, step
from dev.servers import TestServers
from dev.state import State


def up(options):
    if options.observe and options.tls:
        raise DevError("--observe and --tls together: the exporters and Prometheus speak plain HTTP alone", status=2)
    packages.ensure(packages.UP + (packages.OBSERVE if options.observe else ()))
    if options.observe:
        backends.install_all()
    stack = session.new(options.preset, options.observe, options.tls)
    step("build", f"preset {stack.preset}")
    building.build_programs(stack.preset)
    if options.supervise:
        supervise.begin(stack, lambda: _start(stack), session.required)
    else:
        _start(stack)
    if (pid := stack.supervisor.pid()) is not None:
        step("supervisor", f"restarts what dies, pid {pid}, log {stack.supervisor.log}")
    _seed(stack)
    order = demo.place_order(stack, token.issue(stack, "customer"))
    step("order", f"{order['order_id']} {order['status']}, total {order['total']} {order['currency']}")
    _say_where(stack)
    _say_tokens(stack)
    return 0


def _start(stack):
    with stack.state.lock():
        stack.check_ports()
        _say_servers(stack, stack.start_servers())
        _say_changes(stack.prepare())
        started = stack.start_services()
        step("services", ", ".join(started) + " started" if started else "all running")
        if not stack.observed:
            stack.observers.stop()
            return
        started = stack.observers.start()
        step("observers", ", ".join(started) + " started" if started else "all running")


def _say_changes(changes):
    step("migrations", ", ".join(f"{name} {count or 'nothing'} new" for name, count in changes.items()))


def _seed(stack):
    step("catalogue", f"{demo.seed(stack) or 'no'} products added")


def migrate(_options):
    """On the stack as it was last started, or as the environment describes it. Services may run meanwhile."""
    packages.ensure(packages.UP)
    stack = session.known() or session.new()
    with stack.state.lock():
        if "postgres" in stack.own_servers() and stack.servers.postgres.start():
            step("postgres", f"started on 127.0.0.1:{stack.ports['postgres']}")
        _say_changes(stack.migrate())
    return 0


def seed(_options):
    _seed(session.required())
    return 0


def _say_servers(stack, started):
    for name in ("postgres", "rabbitmq"):
        if name in stack.own_servers():
            port = stack.ports["postgres" if name == "postgres" else "amqp"]
            step(name, f"{'started' if name in started else 'running'} on 127.0.0.1:{port}")
        else:
            step(name, "the given server")


def _say_where(stack):
    print()
    step("API", stack.url("edge") + "/api/orders")
    step("page", stack.url("edge") + "/ui/")
    step("health", stack.url("edge") + "/health")
    step("metrics", " ".join(stack.url(one.admin) + "/metrics" for one in manifests.ALL if one.admin_port))
    if "rabbitmq" in stack.own_servers():
        user = urls.broker(stack.amqp_url())
        step("management", f"{stack.url('ui')}  user {user.user}  password {user.password}")
    for observer in stack.observers.expected():
        step(observer.name, observer.url())
    if stack.certificates:
        step("CA", f"{stack.certificates.ca}  curl --cacert FILE")
    step("state", stack.state.path)


def _say_tokens(stack):
    """Not of ./dev status, which asks no service for anything."""
    if stack.auth == "off":
        return
    for role in ("customer", "admin"):
        step(f"{role}'s token", token.issue(stack, role))
    step("tokens", "as the header Authorization: Bearer TOKEN, for 15 minutes; ./dev token, ./dev token --operator and "
                   "./dev token --admin print new ones")


def topology(_options):
    """Prints what bus-topology diff finds; its status is the verb's."""
    stack = session.required()
    said, differs = stack.broker.difference(building.programs(stack.preset))
    print(said.rstrip("\n"))
    return differs


def down(_options):
    stack = session.known()
    if stack is None:
        step("down", "nothing was running")
        return 0
    stack.stop()
    step("down", "everything has ended")
    return 0


def reset(_options):
    down(_options)
    State(paths.default_state()).wipe()
    step("reset", f"{paths.default_state()} is gone")
    return 0


def status(_options):
    """One line for each part; the exit status says whether all of it runs."""
    stack = session.required()
    healthy = True
    for name in [*stack.own_servers(), *manifests.NAMES]:
        process = stack.part(name).process
        pid = process.pid()
        ready = pid is not None and (name not in stack.services or stack.services[name].ready())
        healthy = healthy and ready
        _say_process(name, process, ready)
    for observer in stack.observers.expected():
        ready = observer.ready()
        healthy = healthy and ready
        _say_process(observer.name, observer.process, ready)
    healthy = _say_supervisor(stack) and healthy
    _say_where(stack)
    return 0 if healthy else 1


def _say_process(name, process, ready):
    pid = process.pid()
    word = "ready" if ready else "not ready" if pid else "died" if process.died() else "stopped"
    step(name, f"{word:<10}" + (f"pid {pid:<8} up {_age(pid):<10} {_memory(pid)}" if pid else ""))


def _say_supervisor(stack):
    """→ False if it died. A stack without one has no such line."""
    pid = stack.supervisor.pid()
    if pid:
        step("supervisor", f"{'running':<10}pid {pid:<8} up {_age(pid):<10} {supervise.summary(stack.state)}")
    elif stack.supervisor.died():
        step("supervisor", "died      ./dev up --supervise starts another one")
        return False
    return True


def _age(pid):
    with open("/proc/uptime", encoding="ascii") as file:
        up_seconds = float(file.read().split()[0])
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        ticks = int(file.read().rpartition(")")[2].split()[19])
    seconds = int(up_seconds - ticks / os.sysconf("SC_CLK_TCK"))
    return time.strftime("%H:%M:%S", time.gmtime(seconds)) if seconds < 86400 else f"{seconds // 86400} d"


def _memory(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line)
    except OSError:
        return ""
    return ", ".join(f"{name} {int(fields[name].split()[0]) / 1024:.1f} MiB"
                     for name in ("VmRSS", "RssAnon") if name in fields)


def logs(options):
    """Hands over to tail, which follows until it is interrupted."""
    stack = session.required()
    names = [*stack.own_servers(), *manifests.NAMES, *(one.name for one in stack.observers.expected()), "supervisor"]
    names = [options.service] if options.service else names
    logs_of = {name: stack.supervisor.log if name == "supervisor" else stack.log(name) for name in names}
    files = [path for path in logs_of.values() if os.path.exists(path)]
    if not files:
        raise DevError("there are no logs yet")
    follow = [] if options.no_follow else ["-F"]
    _become(["tail", "-n", str(options.lines), *follow, *files], os.environ)


def psql(options):
    """Hands over to psql as the administrator of that database."""
    stack = session.required()
    if options.database not in manifests.DATABASES:
        raise DevError(f"there is no database {options.database}: choose one of {', '.join(manifests.DATABASES)}")
    url = stack.database_url(options.database)
    _become(["psql", *options.arguments], os.environ | urls.libpq_environment(url))


def _become(words, environment):
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and the program would inherit that
    os.execvpe(words[0], words, environment)


def restart(options):
    stack = session.required()
    with stack.state.lock():
        stack.stop_service(options.service)
        stack.start_service(options.service)
    step(options.service, f"runs again, pid {stack.pid(options.service)}")
    return 0


def kill(options):
    stack = session.required()
    with stack.state.lock():
        if not stack.kill(options.service):
            raise DevError(f"{options.service} does not run")
    step(options.service, "killed")
    return 0


def build(options):
    packages.ensure(packages.UP)
    preset = options.preset or building.default_preset()
    building.build(preset, options.targets, quiet=False)
    return 0


def servers(options):
    """A pair of servers for tests; what it prints is for the shell's eval."""
    pair = TestServers(options.state)
    if options.action == "down":
        pair.down(wipe=options.wipe)
        return 0
    if options.action == "up":
        packages.ensure(packages.UP)
    environment = pair.up() if options.action == "up" else pair.environment()
    for name, value in environment.items():
        print(f"export {name}='{value}'")
    return 0
