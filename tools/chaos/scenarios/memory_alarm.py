"""The broker's memory alarm: it reads nothing more from connections that publish, and says so."""
from chaos.expect import answers_all, refuses
from chaos.scenario import Episode, Scenario


def _alarm(system):
    system.servers.rabbitmq.ctl("set_vm_memory_high_watermark", "0.0000001")


def _calm(system):
    system.servers.rabbitmq.ctl("set_vm_memory_high_watermark", "absolute", "1GiB")


def episodes(short):
    return [Episode("alarm", _alarm, 4 if short else 15, [answers_all(2.5), refuses(within=2.1, after=1)], _calm)]


SCENARIO = Scenario(
    "memory-alarm",
    "The broker is told that its memory is full (rabbitmqctl set_vm_memory_high_watermark), so it blocks every "
    "connection that publishes. Orders are refused with 503 within two seconds; what is under way waits in the "
    "outboxes.",
    episodes)
