"""The broker stopped in order, and started again."""
from chaos.expect import answers_all, refuses
from chaos.scenario import Episode, Scenario


def _stop(system):
    system.stop_service("rabbitmq")


def _start(system):
    system.start_service("rabbitmq")


def episodes(short):
    return [Episode("stop and start", _stop, 2 if short else 10,
                    [answers_all(2.5), refuses(within=2.1, after=0)], _start)]


SCENARIO = Scenario(
    "broker-restart",
    "The only broker is stopped in order and started again. Without it nothing can be accepted: 503 within two "
    "seconds, safe to repeat.",
    episodes)
