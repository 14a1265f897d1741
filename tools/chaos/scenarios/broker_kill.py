"""The broker killed."""
from chaos.expect import answers_all, refuses
from chaos.scenario import Episode, Scenario


def _kill(system):
    system.kill("rabbitmq")


def _start(system):
    system.start_service("rabbitmq")


def episodes(short):
    return [Episode("kill -9", _kill, 2 if short else 10, [answers_all(2.5), refuses(within=2.1, after=0.5)], _start)]


SCENARIO = Scenario(
    "broker-kill",
    "The only broker is killed with SIGKILL under load and started again. All confirmed messages are on its disk; "
    "meanwhile orders are refused with 503 within two seconds.",
    episodes)
