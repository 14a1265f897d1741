"""Expectations of clients while a fault lasts: sentences that are checked against the answers that they got."""
from chaos.answers import NO_ANSWER


class Expectation:
    """
    text   the promise
    check  check(during) → (kept, the figure that shows it)
    live   True: checked while the fault still lasts; else once every attempt has ended
    """

    def __init__(self, text, check, live=False):
        self.text = text
        self.check = check
        self.live = live


class During:
    """One fault's time, for the checks."""

    def __init__(self, system, load, begin, hit, end):
        self.system = system
        self.load = load
        self.begin = begin  # the fault was asked for
        self.hit = hit      # it was there: a server that is stopped takes its time
        self.end = end

    def answers(self, after=None):
        """Attempts that began since the fault was asked for, or `after` seconds after it was there."""
        return self.load.answers(self.begin if after is None else self.hit + after, self.end)


def _nothing(answers):
    return None if len(answers) else (False, "no order was tried")


def _from(after):
    if after is None:
        return ""
    return f", {after:g} s after the fault is there" if after else ", once the fault is there"


def takes(p99, after=None, share=1.0):
    """Orders go on being accepted, fast. Another body under a used key is refused, as ever."""
    def check(during):
        answers = during.answers(after)
        good = sum(attempt.accepted or attempt.status == 422 for attempt in answers.attempts)
        found = good / max(1, len(answers))
        text = f"{found:.1%} of {len(answers)}, p99 {answers.percentile(0.99):.2f} s"
        return _nothing(answers) or (found >= share and answers.percentile(0.99) <= p99, text)
    return Expectation(f"{share:.0%} of the orders are accepted, p99 within {p99:g} s{_from(after)}", check)


def refuses(within, after=None):
    """All orders are refused, and within the time. Another body under a key that the edge itself remembers is refused
    with 422."""
    def check(during):
        answers = during.answers(after)
        text = f"{answers.statuses()}, slowest {answers.slowest():.2f} s"
        good = set(answers.statuses()) <= {422, 503} and answers.slowest() <= within
        told = all(attempt.retry_after for attempt in answers.attempts if attempt.status == 503)
        return _nothing(answers) or (good and told, text)
    return Expectation(f"orders are refused with 503 and Retry-After within {within:g} s{_from(after)}", check)


def answers_all(within, after=None):
    """Whatever the answer, there is one: 2xx, 422 or 503."""
    def check(during):
        answers = during.answers(after)
        text = f"{answers.statuses()}, slowest {answers.slowest():.2f} s"
        return _nothing(answers) or (not set(answers.statuses()) & set(NO_ANSWER) and answers.slowest() <= within, text)
    return Expectation(f"every order is answered (2xx, or 503) within {within:g} s{_from(after)}", check)


def no_hang(within):
    """For a client whose edge is gone: it hears so at once."""
    def check(during):
        answers = during.answers()
        text = f"{answers.statuses()}, slowest {answers.slowest():.2f} s"
        return _nothing(answers) or ("timeout" not in answers.statuses() and answers.slowest() <= within, text)
    return Expectation(f"no client hangs: an answer or a closed connection within {within:g} s", check)


def alive(*services):
    """They live, whether or not they can work."""
    def check(during):
        gone = [name for name in services if during.system.pid(name) is None]
        return not gone, ", ".join(gone) + " gone" if gone else "all are"
    return Expectation(f"{' and '.join(services)}: alive at the end of the fault", check, live=True)


def not_ready(*services):
    """They live and say that they cannot work."""
    def check(during):
        found = {name: (during.system.pid(name) is not None, during.system.services[name].ready()) for name in services}
        text = ", ".join(f"{name} {'alive' if alive else 'gone'}, {'ready' if ready else 'not ready'}"
                         for name, (alive, ready) in found.items())
        return all(alive and not ready for alive, ready in found.values()), text
    return Expectation(f"{' and '.join(services)}: alive and not ready at the end of the fault", check, live=True)


def confirms(kind, p99):
    """Every order of the kind is CONFIRMED, and soon."""
    def check(during):
        ids = [order_id for order_id, at in during.load.accepted.copy().items()
               if during.begin <= at < during.end and during.load.kinds.get(order_id) == kind]
        found = {row[0]: (row[1], float(row[2])) for row in during.system.sql(
            "orders", "SELECT order_id::text, status, extract(epoch FROM updated_at - created_at) "
                      "FROM orders.order_list")}
        took = sorted(found[order_id][1] for order_id in ids if found.get(order_id, ("",))[0] == "CONFIRMED")
        slow = took[int(len(took) * 0.99)] if took else 0.0
        text = f"{len(took)} of {len(ids)}, p99 {slow:.2f} s"
        return len(ids) > 0 and len(took) == len(ids) and slow <= p99, text
    return Expectation(f"every {kind} order is CONFIRMED, p99 within {p99:g} s", check)
