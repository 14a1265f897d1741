"""The faults of a chaos soak, dealt out by a seed: each group of faults comes as often as every other."""
import dataclasses
import functools
import random
import signal
import typing

from dev import manifests

from chaos.links import TABLE

PROVIDER_LINK = "payment-psp"


@dataclasses.dataclass(frozen=True)
class Fault:
    """begin(system) starts it, end(system) ends it after `seconds`. end is None: something died, and the supervisor
    restarts it."""
    group: str
    name: str
    begin: typing.Callable
    end: typing.Callable = None
    seconds: float = 0.0


def _signal(system, name, number):
    if not system.signal(name, number):
        raise RuntimeError(f"{name} did not run")


def _ends(group, text, name, number):
    return Fault(group, text, functools.partial(_signal, name=name, number=number))


def _kill(dice, _longest):
    name = dice.choice(manifests.NAMES)
    return _ends("kill", f"kill -9 of {name}", name, signal.SIGKILL)


def _stop(dice, longest):
    name, seconds = dice.choice(manifests.NAMES), _seconds(dice, 2, 6, longest)
    stop, go_on = (functools.partial(_signal, name=name, number=number) for number in (signal.SIGSTOP, signal.SIGCONT))
    return Fault("stop", f"{name} stopped for {seconds} s", stop, go_on, seconds)


def _seconds(dice, least, most, longest):
    return round(min(longest, dice.uniform(least, most)), 1)


def _on_link(group, name, text, spoil, seconds):
    def begin(system):
        spoil(system.link(name))

    def end(system):
        system.link(name).clear()
    return Fault(group, f"{name}: {text} for {seconds} s", begin, end, seconds)


def _cut(dice, longest):
    name, seconds = dice.choice(sorted(TABLE)), _seconds(dice, 2, 6, longest)
    text, spoil = dice.choice([("no byte passes", lambda link: link.cut()),
                               ("connections refused", lambda link: link.down()),
                               ("no answer comes back", lambda link: link.half_open())])
    return _on_link("cut", name, text, spoil, seconds)


def _late(dice, longest):
    name, seconds, ms = dice.choice(sorted(TABLE)), _seconds(dice, 5, 20, longest), dice.randrange(50, 400, 10)
    return _on_link("late", name, f"{ms} ms a round trip", lambda link: link.slow(ms, ms // 2), seconds)


def _stop_broker(system):
    system.servers.rabbitmq.prepare_stop()
    _signal(system, "rabbitmq", signal.SIGTERM)


def _broker(dice, _longest):
    in_order = Fault("broker", "RabbitMQ: stopped in order", _stop_broker)
    return dice.choice([in_order, _ends("broker", "RabbitMQ: kill -9", "rabbitmq", signal.SIGKILL)])


def _postgres(dice, _longest):
    text, number = dice.choice([("immediate shutdown", signal.SIGQUIT), ("kill -9", signal.SIGKILL)])
    return _ends("postgres", f"Postgres: {text}", "postgres", number)


def _provider(dice, longest):
    text, spoil = dice.choice([("answers 3 s late", lambda link: link.toxic("latency", latency=3000)),
                               ("answers 9 s late, behind the time limit",
                                lambda link: link.toxic("latency", latency=9000)),
                               ("connections reset", lambda link: link.reset())])
    return _on_link("provider", PROVIDER_LINK, text, spoil, _seconds(dice, 5, 20, longest))


GROUPS = (_kill, _stop, _cut, _late, _broker, _postgres, _provider)


def deal(seed, count, longest):
    """→ `count` faults, none longer than so many seconds."""
    dice, found = random.Random(seed), []
    while len(found) < count:
        groups = list(GROUPS)
        dice.shuffle(groups)
        found += [group(dice, longest) for group in groups]
    return found[:count]
