"""./dev chaos as a command, and how its scenarios are dealt out."""
import collections
import types

from dev import chaos


def test_list_names_every_scenario(dev):
    answer = dev("chaos", "list")
    assert answer.returncode == 0, answer.stderr
    names = [line.split()[0] for line in answer.stdout.splitlines()]
    assert {"gremlin", "service-crash", "partition", "database-failure", "broker-restart", "broker-kill",
            "memory-alarm", "slow-link", "psp-outage", "psp-late"} <= set(names)


def test_unknown_scenario_is_refused(dev):
    answer = dev("chaos", "no-such-thing")
    assert answer.returncode == 2 and "there is no scenario no-such-thing: choose from all" in answer.stderr


def test_lanes_have_about_as_many_faults_and_keep_the_order():
    Scenario = collections.namedtuple("Scenario", "name episodes")
    chosen = [Scenario(name, lambda short, count=count: range(count))
              for name, count in (("a", 1), ("b", 9), ("c", 2), ("d", 5), ("e", 1))]

    def lanes(jobs):
        found = chaos._lanes(chosen, types.SimpleNamespace(short=True, jobs=jobs))
        return sorted("".join(scenario.name for scenario in lane) for lane in found)
    assert lanes(1) == ["abcde"]
    assert lanes(2) == ["acde", "b"]
    assert lanes(9) == ["a", "b", "c", "d", "e"]
