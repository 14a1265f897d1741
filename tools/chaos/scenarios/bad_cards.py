"""A few bad cards among good ones: nobody else may notice."""
import time

from dev.report import DevError

from chaos.expect import confirms, takes
from chaos.scenario import Episode, Scenario
from chaos.stack import default_stack

RATE = 60
SETTLE_SECONDS = 90


def _deck(short):
    """1 % fail; one of 600 hangs, which is one in ten seconds. The short form has more of them."""
    return {"happy": 50, "failing": 2, "hanging": 1} if short else {"happy": 593, "failing": 6, "hanging": 1}


def _nothing(_):
    """The cards are in the stream of orders."""


def episodes(short):
    return [Episode("bad cards", _nothing, 8 if short else 60, [takes(p99=1), confirms("happy", p99=5)], _nothing)]


def _settle(system):
    """As an operator does whose provider says that no money moved: the cards would fail for a day."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while system.sql("orders", "SELECT count(*) FROM orders.order_list WHERE NOT final") != [["0"]]:
        if time.monotonic() > deadline:
            raise DevError(f"orders with bad cards are not settled after {SETTLE_SECONDS} s")
        system.sql("payments", "UPDATE payments.payments SET first_attempt_at = now() - interval '21 hours', "
                               "next_attempt_at = now() WHERE state = 'processing' AND token LIKE 'pm_sandbox_%'")
        system.sql("payments", "SELECT payments.settle(order_id, 'failed') FROM payments.payments "
                               "WHERE state = 'unknown'")
        time.sleep(0.5)


SCENARIO = Scenario(
    "bad-cards",
    "At 60 orders a second one of a hundred cards makes the payment provider fail, and one in ten seconds makes it "
    "hang. Every order with a good card is CONFIRMED as if the others were not there. All numbers are defaults.",
    episodes, stack=default_stack, rate=RATE, deck=_deck, settle=_settle)
