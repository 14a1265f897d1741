"""A scenario: faults under a stream of orders, what clients may expect meanwhile, and how soon all is well again."""
import time

from dev.report import DevError

from chaos.expect import During
from chaos.progress import Progress, rates, recovered
from chaos.traffic import Traffic

RATE = 50
SHORT_RATE = 30  # a short form has less of the machine
RECOVERY_SECONDS = 10
RECOVERY_PATIENCE = 45  # so long a recovery is waited for, to know how long it takes
MAKE_UP_SHARE, MAKE_UP_SECONDS = 0.03, 15
TRIED_SHARE = 0.5       # of the rate: so many orders must be tried while a fault lasts
LONGER_SECONDS = 5      # so much longer a fault lasts on a machine on which clients come that late


class Episode:
    """
    name     what is hit
    begin    begin(system) starts the fault, end(system) ends it; without one the system is healed
    seconds  how long it lasts, once begin() has returned
    expect   Expectations for that time
    recovery seconds within which the rate must be back, after end() has returned
    """

    def __init__(self, name, begin, seconds, expect=(), end=None, recovery=RECOVERY_SECONDS):
        self.name = name
        self.begin = begin
        self.end = end or (lambda system: system.heal())
        self.seconds = seconds
        self.expect = expect
        self.recovery = recovery


class Scenario:
    """
    name      as ./dev chaos takes it
    text      the fault, and what is set otherwise than in production for it, in a sentence or two
    episodes  episodes(short) → the Episodes, one after the other on one stack under one stream of orders
    stack     a context manager like chaos_stack, for a scenario that needs a stack of its own
    rate      orders a second
    in_suite  False: its short form is no part of ./dev test
    deck      deck(short) → the kinds of orders, as Traffic takes them; None: the usual ones. With a deck of its own a
              scenario need not show every way in which orders fail
    settle    settle(system) ends what would stay open for ever, once no more orders come
    """

    def __init__(self, name, text, episodes, stack=None, rate=RATE, in_suite=True, deck=None, settle=None):
        self.name = name
        self.text = text
        self.episodes = episodes
        self.stack = stack
        self.rate = rate
        self.in_suite = in_suite
        self.deck = deck
        self.settle = settle


class Line:
    """One sentence that was checked."""

    def __init__(self, episode, text, good, figure):
        self.episode, self.text, self.good, self.figure = episode, text, good, figure

    def checked(self):
        return self

    def __str__(self):
        return f"  {'ok' if self.good else 'FAILED':<7}{self.episode}: {self.text} ({self.figure})"


class Later:
    """One that is checked when every attempt has ended."""

    def __init__(self, episode, expectation, during):
        self._episode, self._expectation, self._during = episode, expectation, during

    def checked(self):
        return Line(self._episode.name, self._expectation.text, *self._expectation.check(self._during))


class Report:
    """Result of a scenario. verdict: None if the stream of orders goes on."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.lines = []
        self.recoveries = []
        self.failures = []
        self.verdict = None
        self.took = 0.0

    def good(self):
        return self.word() == "ok"

    def word(self):
        if self.failures or not all(line.good for line in self.lines):
            return "FAILED"
        return self.verdict.word() if self.verdict else "ok"

    def worst_recovery(self):
        """None: at least one did not come."""
        return None if None in self.recoveries else max(self.recoveries, default=0.0)

    def text(self):
        yield f"{self.scenario.name}: {self.scenario.text}"
        yield from map(str, self.lines)
        yield from (f"  FAILED {text}" for text in self.failures)
        yield from (f"  {text}" for text in (self.verdict.lines() if self.verdict else ()))
        yield ", ".join([f"{self.scenario.name} {self.word()}", *self._figures(), f"{self.took:.0f} s in all"])

    def _figures(self):
        if self.verdict:
            yield f"accepted {self.verdict.accepted}, confirmed {self.verdict.statuses['CONFIRMED']}"
            yield f"lost {len(self.verdict.lost)}, doubled {len(self.verdict.doubled)}"
        worst = self.worst_recovery()
        yield f"worst recovery {'none' if worst is None else f'{worst:.1f} s'}"


class Tour:
    """One stream of orders on a system that is whole, and any number of scenarios under it.

    system   a ChaosStack
    short    the scenarios' short forms
    rate     orders a second
    log      file of the clients' record
    deck     as Traffic takes it
    """

    def __init__(self, system, short=False, rate=RATE, log=None, deck=None):
        self._system = system
        self._short = short
        self._calm = 2.0 if short else 6.0
        self._progress = Progress(system)
        self._before = None
        self._periods = []
        self.load = Traffic(system.url("edge"), rate, log=log, deck=deck)

    def __enter__(self):
        self._progress.start()
        self.load.start()
        self._before = _calm(self.load, self._progress, self._calm)
        self._periods.append(("before the first fault", self.load.began, time.monotonic(), self.load.rate))
        return self

    def __exit__(self, *_):
        self.load.stop()
        self._progress.stop()

    def visit(self, scenario, interrupted=None):
        """All its faults; the system is whole afterwards. → a Report without a verdict. interrupted: an event that has
        the next fault left out, and the run given up."""
        report, begin = Report(scenario), time.monotonic()
        try:
            for episode in scenario.episodes(self._short):
                if interrupted and interrupted.is_set():
                    raise DevError(f"interrupted before {scenario.name}: {episode.name}")
                self._periods.append(_episode(self._system, self.load, self._progress, episode, self._before, report))
            self._periods.append(_afterwards(self.load, self._calm / 2))
        finally:
            report.failures += [f"{name} was not running at the end, and was started" for name in self._system.heal()]
        self.load.wait_answered(time.monotonic())
        report.lines = [line.checked() for line in report.lines]
        report.took = time.monotonic() - begin
        return report

    def verdict(self, judge, **how):
        """On everything since the beginning; the last that is asked of it. how: as Judge.judge takes it."""
        self.load.stop()
        return judge.judge(self.load, self._periods, **how)


def run(system, judge, scenario, short=False, log=None, interrupted=None):
    """One scenario with a stream of its own; → Report."""
    begin = time.monotonic()
    rate = min(scenario.rate, SHORT_RATE) if short else scenario.rate
    deck = scenario.deck(short) if scenario.deck else None
    with Tour(system, short, rate, log, deck) as tour:
        report = tour.visit(scenario, interrupted)
    if scenario.settle:
        scenario.settle(system)
    report.verdict = tour.verdict(judge, **({"least_shares": {}} if deck else {}))
    report.took = time.monotonic() - begin
    return report


def _calm(load, progress, seconds):
    """The rates without a fault. The first half second does not count: connections are made in it."""
    load.run_for(seconds)
    end, deadline = time.monotonic(), time.monotonic() + 10
    while progress.finished(end - seconds + 0.5, end) is None and time.monotonic() < deadline:
        load.run_for(0.1)
    return rates(load, progress, end - seconds + 0.5, end)


def _afterwards(load, seconds):
    """Some calm; more of it where machine or backlog were slow: a cancel that comes behind a backlog is too late, and
    the share of cancelled orders must be made up for. → the period."""
    begin, least = time.monotonic(), load.rate * seconds / 2
    load.run_for(seconds)
    while time.monotonic() < begin + seconds + MAKE_UP_SECONDS and (
            len(load.cancelled) < MAKE_UP_SHARE * len(load.accepted)
            or load.count(None, begin, time.monotonic()) < least):
        load.run_for(0.2)
    return "after the last fault", begin, time.monotonic(), least


def _episode(system, load, progress, episode, before, report):
    """→ the period of the fault."""
    begin = time.monotonic()
    episode.begin(system)
    hit = time.monotonic()
    least = load.rate * episode.seconds * TRIED_SHARE
    load.run_for(episode.seconds)
    while load.begun(begin, time.monotonic()) < least and time.monotonic() < hit + episode.seconds + LONGER_SECONDS:
        load.run_for(0.1)
    during = During(system, load, begin, hit, time.monotonic())
    for expectation in episode.expect:
        line = Later(episode, expectation, during)
        report.lines.append(line.checked() if expectation.live else line)
    episode.end(system)
    report.failures += [f"{episode.name}: {name} ended by itself" for name in system.services
                        if system.pid(name) is None]
    took = recovered(load, progress, time.monotonic(), before, RECOVERY_PATIENCE)
    report.recoveries.append(took)
    load.wait_answered(during.end)  # what began in this fault is not to meet the next one
    report.lines.append(Line(episode.name, f"the rate is back within {episode.recovery:g} s",
                             took is not None and took <= episode.recovery,
                             "not at all" if took is None else f"{took:.1f} s"))
    return f"during {episode.name}", begin, during.end, least
