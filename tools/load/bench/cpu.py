"""CPU time of groups of processes: of a root process, all that it started, and what of that has ended already."""
import collections
import os

from dev import manifests

TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
Times = collections.namedtuple("Times", "pid parent own reaped")  # ticks; reaped: of its ended children


def parse(text):
    """A line of /proc/PID/stat; the name may hold spaces and brackets."""
    pid, _, rest = text.partition(" (")
    fields = rest.rpartition(")")[2].split()
    user, system, children_user, children_system = map(int, fields[11:15])
    return Times(int(pid), int(fields[1]), user + system, children_user + children_system)


TRIES = 10


def processes():
    """→ {pid: Times} of all that run. One that ends meanwhile may be missing while its parent, read before, does not
    have its time yet: then all are read again."""
    for _ in range(TRIES):
        found, one_ended = {}, False
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    found[int(entry)] = parse(file.read())
            except (FileNotFoundError, ProcessLookupError):
                one_ended = True
        if not one_ended:
            break
    return found


def tree_ms(table, roots):
    """CPU ms of the roots and all below them. A child that ends leaves its time with its parent, which waits for it, so
    that the sum never falls."""
    children = collections.defaultdict(list)
    for one in table.values():
        children[one.parent].append(one.pid)
    total, left = 0, [root for root in roots if root in table]
    while left:
        pid = left.pop()
        total += table[pid].own + table[pid].reaped
        left += children[pid]
    return total * TICK_MS


class Groups:
    """roots: {group: a function that gives the pids of its root processes}."""

    def __init__(self, roots):
        self.roots = roots

    def read(self):
        """→ {group: CPU ms until now}"""
        table = processes()
        return {name: tree_ms(table, list(pids())) for name, pids in self.roots.items()}


SERVICES = tuple(one.name for one in manifests.ON_BUS)
SYSTEM = (*SERVICES, "postgres", "rabbitmq")  # what an order is charged for; generator and psp-sandbox stand apart


def of_stack(stack):
    """The groups of a stack; the servers' pids are those of the processes that all others of them descend from."""
    return Groups({name: lambda name=name: [stack.pid(name)] for name in (*SYSTEM, "psp-sandbox")})


def difference(before, after):
    return {name: after[name] - before[name] for name in before}


class Processors:
    """Shares of the machine's processor time since the object was made."""

    def __init__(self):
        self._before = self._read()

    @staticmethod
    def _read():
        with open("/proc/stat", encoding="ascii") as file:
            return [int(word) for word in file.readline().split()[1:9]]  # to "steal"; the guests' time is in "user"

    def end(self):
        """→ (percent that nobody used, percent that other machines on the same host took)"""
        return shares(self._before, self._read())


def shares(before, after):
    """Pure. Lists of user, nice, system, idle, iowait, irq, softirq, steal: proc(5)."""
    spent = [new - old for old, new in zip(before, after)]
    total = max(sum(spent), 1)
    return 100 * (spent[3] + spent[4]) / total, 100 * spent[7] / total
