"""The judgement of chaos runs, without a stack: figures, rates, shares, and what makes a run invalid or red."""
import pytest

from chaos import expect, progress, report, scenario, verdict
from chaos.answers import RANK, Answers, Attempt, goes_back, percentile, slices


def attempt(began=0.0, took=0.1, status=202, kind="happy", retry_after=None):
    return Attempt(kind, "k", 1, began, began + took, status, "id" if status < 300 else None, retry_after) \
        if isinstance(status, int) else Attempt(kind, "k", 1, began, began + took, status)


class Load:
    """As much of a Traffic as judging needs."""

    def __init__(self, attempts=(), accepted=()):
        self.attempts = list(attempts)
        self.accepted = dict(accepted)
        self.rate = 50

    def answers(self, begin, end):
        return Answers(one for one in self.attempts if begin <= one.began < end)

    def count(self, kind, begin, end):
        return len(self.answers(begin, end))

    def accepted_between(self, begin, end):
        return sum(begin <= at < end for at in self.accepted.values())


@pytest.mark.parametrize("before", RANK)
def test_a_final_status_is_the_last(before):
    later = {after for after in RANK if not goes_back(before, after)}
    assert before in later
    assert later == {before} if RANK[before] == 4 else "CONFIRMED" in later


def test_status_that_goes_back():
    assert goes_back("COMPENSATING", "RESERVED") and goes_back("PENDING", "ACCEPTED")
    assert not goes_back("ACCEPTED", "PENDING") and not goes_back("RESERVED", "COMPENSATING")


def test_percentile():
    assert percentile(list(range(100)), 0.99) == 99
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile([], 0.5) == 0


def test_latency_leaves_out_who_asked_to_wait():
    answers = Answers([attempt(took=0.1), attempt(took=2.9, kind="wait")])
    assert answers.slowest() == pytest.approx(0.1) and len(answers) == 2


def test_slices():
    found = slices([attempt(0.1), attempt(0.2, status=503, retry_after="1"), attempt(1.5)], 0, 2)
    assert [row[1:3] for row in found] == [(2, 1), (1, 1)]


def during(*attempts):
    return expect.During(None, Load(attempts), begin=0, hit=1, end=10)


@pytest.mark.parametrize("expectation, attempts, kept", [
    (expect.takes(p99=1), [attempt(), attempt(status=422)], True),
    (expect.takes(p99=1), [attempt(), attempt(status=503, retry_after="1")], False),
    (expect.takes(p99=1, share=0.5), [attempt(), attempt(status=503, retry_after="1")], True),
    (expect.takes(p99=1), [attempt(took=1.5)], False),
    (expect.takes(p99=1, after=0), [attempt(took=1.5), attempt(began=1.5)], True),
    (expect.takes(p99=1, after=2), [attempt(began=2.5, took=1.5), attempt(began=3)], True),
    (expect.takes(p99=1), [], False),
    (expect.refuses(within=2), [attempt(status=503, retry_after="1")], True),
    (expect.refuses(within=2), [attempt(status=503)], False),
    (expect.refuses(within=2), [attempt(status=503, retry_after="1"), attempt(status=422)], True),
    (expect.refuses(within=2), [attempt(status=503, retry_after="1", took=2.5)], False),
    (expect.refuses(within=2), [attempt()], False),
    (expect.refuses(within=2), [], False),
    (expect.answers_all(within=2), [attempt(), attempt(status=503), attempt(status=422)], True),
    (expect.answers_all(within=2), [attempt(), attempt(status="cut")], False),
    (expect.answers_all(within=2), [attempt(status=503, took=3)], False),
    (expect.no_hang(within=2), [attempt(status="cut"), attempt(status="refused")], True),
    (expect.no_hang(within=2), [attempt(status="timeout")], False),
    (expect.no_hang(within=2), [attempt(took=3)], False),
])
def test_expectations(expectation, attempts, kept):
    assert expectation.check(during(*attempts))[0] is kept


def test_interpolation():
    samples = [(1.0, 10), (2.0, 20), (4.0, 40)]
    assert progress.interpolated(samples, 1.5) == 15 and progress.interpolated(samples, 3) == 30
    assert progress.interpolated(samples, 0.5) is None and progress.interpolated(samples, 5) is None


@pytest.mark.parametrize("accepted, finished, reached", [
    (50, 50, True), (46, 46, True), (44, 50, False), (50, 44, False), (50, None, False)])
def test_a_rate_is_back_when_both_are(accepted, finished, reached):
    assert progress.Rates(accepted, finished).reached(progress.Rates(50, 50)) is reached


class Counts:
    """Final orders as a function of time."""

    def __init__(self, at):
        self._at = at

    def finished(self, begin, end):
        return self._at(end) - self._at(begin)


def test_recovery_is_when_the_rate_comes_back(monkeypatch):
    monkeypatch.setattr(progress.time, "sleep", lambda _: None)
    load = Load(accepted={n: n / 50 for n in range(1000)})
    back_at_3 = Counts(lambda when: 50 * max(0.0, when - 3))
    assert progress.recovered(load, back_at_3, 0, progress.Rates(50, 50), 10) == pytest.approx(2.9, abs=0.11)
    never = Counts(lambda when: 0)
    assert progress.recovered(load, never, 0, progress.Rates(50, 50), 10) is None


def test_a_run_with_too_little_traffic_is_invalid():
    load = Load([attempt(n / 10) for n in range(20)])
    assert not verdict.too_little(load, [("before", 0, 1, 10)])
    assert verdict.too_little(load, [("before", 0, 1, 10), ("during", 1, 2, 11)]) == [
        "10 orders tried during, at least 11 are wanted"]


def paths(**counts):
    reasons = {"declined": "payment_declined: generic_decline", "sold_out": "out_of_stock: A", "cancelled": "customer",
               "confirmed": None}
    named = [(f"{name}-{n}", reasons[name]) for name, count in counts.items() for n in range(count)]
    found = verdict.Verdict()
    found.accepted = len(named)
    return found, Load(accepted={name: 0 for name, _ in named}), {name: {"reason": reason} for name, reason in named}


def test_a_run_without_failure_paths_is_invalid():
    least = verdict.LEAST_SHARES
    assert not verdict.too_plain(*paths(declined=5, sold_out=5, cancelled=1, confirmed=89), least)
    assert len(verdict.too_plain(*paths(declined=4, sold_out=6, cancelled=1, confirmed=89), least)) == 1
    assert len(verdict.too_plain(*paths(declined=5, sold_out=5, confirmed=90), least)) == 1
    assert len(verdict.too_plain(*paths(confirmed=100), least)) == 3


def judged(**parts):
    found = verdict.Verdict()
    found.rest_seconds = 1.0
    for name, value in parts.items():
        getattr(found, name).extend(value)
    return found


def reported(found, recoveries=(1.0,), lines=(), failures=()):
    made = scenario.Report(scenario.Scenario("x", "y", lambda short: []))
    made.verdict, made.recoveries, made.lines, made.failures = found, list(recoveries), list(lines), list(failures)
    return made


@pytest.mark.parametrize("found, word", [
    (judged(), "ok"), (judged(lost=["a"]), "FAILED"), (judged(doubled=["a"]), "FAILED"),
    (judged(violations=["a"]), "FAILED"), (judged(invalid=["a"]), "INVALID"),
    (judged(invalid=["a"], lost=["b"]), "FAILED")])
def test_the_word_of_a_verdict(found, word):
    assert found.word() == word and found.good() == (word == "ok")
    assert reported(found).word() == word
    assert any(word in line for line in reported(found).text())


def test_a_broken_expectation_or_a_dead_service_is_red():
    assert reported(judged(), lines=[scenario.Line("e", "t", False, "f")]).word() == "FAILED"
    assert reported(judged(), failures=["edge ended by itself"]).word() == "FAILED"


def test_the_table_sums_runs_and_keeps_the_worst():
    found = list(report.rows([reported(judged()), reported(judged(lost=["a"]), recoveries=[2.0, 5.0])]))
    assert len(found) == 1
    assert found[0]["runs"] == 2 and found[0]["faults"] == 3 and found[0]["lost"] == 1
    assert found[0]["worst recovery"] == "5.0 s" and found[0]["result"] == "FAILED"


def test_the_document_has_the_row_the_command_and_the_promises():
    one = reported(judged(), lines=[scenario.Line("edge", "nobody hangs", False, "3 s")])
    text = report.markdown([one], "./dev chaos all", "2026-01-01")
    assert "Written by `./dev chaos all` on 2026-01-01." in text
    assert "| x | 1 | 1 | 0 | 0 | 0 | 0 | 1.0 s | FAILED |" in text
    assert "- BROKEN: edge: nobody hangs (3 s)" in text
    assert [line.split()[0] for line in report.table([one])] == ["scenario", "x"]


class Resting:
    """Sources whose count of final orders is read from a list, and whose clock moves ten seconds with each look."""

    def __init__(self, monkeypatch, counts, rests_after):
        self.looks, self.counts = 0, counts
        monkeypatch.setattr(verdict.time, "sleep", lambda _: None)
        monkeypatch.setattr(verdict.time, "monotonic", lambda: self.looks * 10)
        monkeypatch.setattr(verdict.invariants, "is_at_rest", lambda _: self.looks >= rests_after)

    def rows(self, _database, _sql):
        self.looks += 1
        return [{"ended": self.counts[min(self.looks, len(self.counts)) - 1]}]


@pytest.mark.parametrize("counts, rests_after, looks", [
    ([1, 2, 3, 4, 5, 6, 7, 8], 8, 8),  # a backlog that goes down is waited for
    ([1, 1], 4, 4),                    # one that stands, so long
    ([1, 1], 100, 7)])                 # and no longer
def test_a_backlog_is_no_loss(monkeypatch, counts, rests_after, looks):
    sources = Resting(monkeypatch, counts, rests_after)
    verdict.wait_rest(sources, 60)
    assert sources.looks == looks


class Books:
    """Sources of a system in which one order is captured twice, one product sold too often, which a
    reservation of its own holds, too, and one key used twice."""

    ledger = None

    def rows(self, database, _sql):
        return {"orders": [{"product_id": "A", "quantity": 2}, {"product_id": "B", "quantity": 2}],
                "inventory": [{"product_id": "A", "sold": 2, "own_sold": 0},
                              {"product_id": "B", "sold": 5, "own_sold": 2}]}[database]


def test_what_is_doubled_is_counted_and_blamed_once(monkeypatch):
    captured = [{"type": "captured", "order_id": "1"}, {"type": "captured", "order_id": "2"}]
    monkeypatch.setattr(verdict.invariants, "read_ledger", lambda _: captured + captured[:1])
    load, judge = Load(), verdict.Judge(None)
    load.double_ids = lambda: {"k": {"x", "y"}}
    first, second = verdict.Verdict(), verdict.Verdict()
    judge._doubles(first, load, Books())
    assert first.doubled == ["1 was captured 2 times", "B: 3 sold, 2 ordered", "key k has the orders ['x', 'y']"]
    judge._doubles(second, load, Books())
    assert second.doubled == ["key k has the orders ['x', 'y']"], "keys are those of the run itself"
