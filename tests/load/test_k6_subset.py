"""The part of k6's API that the scripts run on: it does what k6 does, and refuses the rest by name."""
import json
import os
import subprocess

import pytest

SUBSET = os.path.join(os.path.dirname(os.path.abspath(__file__)), "k6_subset", "k6.js")
BROKEN, SCRIPT_FAILED = 99, 107
NOWHERE = "http://127.0.0.1:1/"
SCRIPT = """
const k6 = require('k6');
const exec = require('k6/execution');
const http = require('k6/http');
const {Counter, Rate, Trend} = require('k6/metrics');
const seen = new Counter('seen');
const options = {
  scenarios: {one: {executor: 'constant-arrival-rate', exec: 'one', rate: 20, timeUnit: '1s', duration: '500ms',
                    preAllocatedVUs: 1, maxVUs: 20, gracefulStop: '5s'}},
  thresholds: {seen: ['count==10']},
};
function one(data) { BODY }
function handleSummary(data) { return {[__ENV.OUT]: JSON.stringify(data.metrics)}; }
Object.assign(exports, {options, setup: () => ({begin: 7}), one, teardown: (data) => data, handleSummary});
"""


class Outcome:
    def __init__(self, folder, text):
        script, out = os.path.join(folder, "script.js"), os.path.join(folder, "out.json")
        with open(script, "w", encoding="utf-8") as file:
            file.write(text)
        done = subprocess.run(["/usr/bin/node", SUBSET, "run", "--env", f"OUT={out}", script], capture_output=True,
                              text=True, timeout=60, check=False)
        self.status, self.said = done.returncode, done.stderr
        self.metrics = {}
        if os.path.exists(out):
            with open(out, encoding="utf-8") as file:
                self.metrics = json.load(file)


@pytest.fixture
def run(tmp_path):
    return lambda body, change=lambda text: text: Outcome(str(tmp_path), change(SCRIPT).replace("BODY", body))


def test_iterations_come_at_their_rate_with_setup_s_data(run):
    done = run("if (data.begin === 7 && exec.scenario.name === 'one') { seen.add(1); }")
    assert done.status == 0, done.said
    assert done.metrics["iterations"]["values"]["count"] == 10


def test_iterations_have_numbers_of_their_own(run):
    done = run("seen.add(exec.scenario.iterationInTest === 9 ? 10 : 0);")
    assert done.status == 0, done.said


def test_a_ramp_brings_the_area_below_its_line(run):
    ramp = ("executor: 'ramping-arrival-rate', exec: 'one', startRate: 0, "
            "stages: [{target: 20, duration: '500ms'}, {target: 20, duration: '250ms'}],")

    def change(text):
        return text.replace("executor: 'constant-arrival-rate', exec: 'one', rate: 20,", ramp).replace(
            "duration: '500ms',\n", "\n")
    done = run("seen.add(1);", change)
    assert done.status == 0 and done.metrics["seen"]["values"]["count"] == 10, done.said


def test_arrivals_that_find_nobody_free_are_dropped(run):
    done = run("seen.add(1); k6.sleep(2);", lambda text: text.replace("maxVUs: 20", "maxVUs: 5"))
    assert done.status == BROKEN and done.metrics["dropped_iterations"]["values"]["count"] == 5, done.said


def test_a_broken_threshold_is_named(run):
    done = run("seen.add(2);")
    assert done.status == BROKEN and "threshold broken: seen count==10" in done.said


def test_a_check_that_does_not_hold_counts(run):
    done = run("seen.add(1); k6.check(1, {'is two': (value) => value === 2});")
    assert done.metrics["checks"]["values"]["rate"] == 0


def test_a_request_without_an_answer_has_status_0(run):
    done = run(f"const a = http.get('{NOWHERE}'); seen.add(a.status === 0 && a.error === 'ECONNREFUSED' ? 1 : 0);")
    assert done.status == 0, done.said


@pytest.mark.parametrize("body, name", (
    ("http.batch([]);", "k6/http.batch"), ("k6.group('a', () => {});", "k6.group"),
    ("exec.vu.idInTest;", "k6/execution.vu"),
    (f"http.get('{NOWHERE}', {{redirects: 0}});", "http.request params.redirects"),
    (f"http.get('{NOWHERE}').html();", "Response.html"),
    (f"http.get('{NOWHERE}').timings.waiting;", "Response.timings.waiting"),
    ("exec.scenario.progress;", "exec.scenario.progress")))
def test_what_is_outside_ends_the_run_by_name(run, body, name):
    done = run(body)
    assert done.status == SCRIPT_FAILED and f"{name} is outside the part of k6's API" in done.said, done.said


@pytest.mark.parametrize("old, new, name", (
    ("Trend}", "Gauge}", "k6/metrics.Gauge"), ("'k6/execution'", "'k6/ws'", "require('k6/ws')"),
    ("rate: 20", "rate: 20, tags: {}", "scenarios.one.tags"), ("const options = {", "const options = {vus: 3,",
                                                               "options.vus"),
    ("'constant-arrival-rate'", "'constant-vus'", "executor constant-vus")))
def test_what_is_outside_is_refused_before_anything_is_sent(run, old, new, name):
    done = run("seen.add(1);", lambda text: text.replace(old, new))
    assert done.status == SCRIPT_FAILED and f"{name} is outside the part of k6's API" in done.said, done.said


@pytest.mark.parametrize("threshold", ("p(95)<5", "count<", "count=10", "sum<3"))
def test_a_threshold_that_is_none_of_its_metric_is_refused(run, threshold):
    done = run("seen.add(1);", lambda text: text.replace("count==10", threshold))
    assert done.status == SCRIPT_FAILED and f'threshold "{threshold}" of seen' in done.said


def test_a_threshold_of_no_metric_is_refused(run):
    done = run("seen.add(1);", lambda text: text.replace("thresholds: {seen", "thresholds: {unseen"))
    assert done.status == SCRIPT_FAILED and "there is no metric unseen" in done.said


def test_an_iteration_that_throws_is_shown_and_the_run_goes_on(run):
    done = run("seen.add(1); throw new Error('a mistake');")
    assert done.status == 0 and "iteration failed: a mistake" in done.said


def test_a_setup_that_throws_fails_the_run(run):
    done = run("seen.add(1);", lambda text: text.replace("({begin: 7})", "{ throw new Error('not there'); }"))
    assert done.status == SCRIPT_FAILED and "not there" in done.said
