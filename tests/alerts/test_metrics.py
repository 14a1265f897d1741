"""promtool and a reader of OpenMetrics find nothing wrong with what each program exposes."""
import os
import re
import subprocess

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from conftest import PRESET
from dev import build, manifests

EACH = pytest.mark.parametrize("service", [service.name for service in manifests.ON_BUS])


@EACH
def test_metrics_pass_promtools_check(service, texts):
    done = subprocess.run(["promtool", "check", "metrics"], input=texts[service], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "") and "process_start_time_seconds" in texts[service]


@EACH
def test_openmetrics_is_chosen_by_accept_and_well_formed(service, answers):
    text, openmetrics = answers[service]
    assert text.headers["Content-Type"] == "text/plain; version=0.0.4"
    assert openmetrics.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert text.headers["Vary"] == openmetrics.headers["Vary"] == "Accept"
    families = {family.name: family for family in text_string_to_metric_families(openmetrics.text)}
    assert families["process_cpu_seconds"].type == "counter" and len(families) > 15


@EACH
def test_both_formats_have_the_same_series(service, answers):
    """Prometheus keeps its series when it is told to scrape the other format."""
    def series(answer):
        return sorted(line.split(" # ")[0].rpartition(" ")[0] for line in answer.text.splitlines() if line[0] != "#")
    text, openmetrics = map(series, answers[service])
    assert text == openmetrics


@EACH
def test_the_printed_list_has_every_metric_that_is_exposed(service, texts):
    done = subprocess.run([os.path.join(build.programs(PRESET), service), "--print-metrics"], stdout=subprocess.PIPE,
                          text=True, timeout=60, check=True)
    listed = dict(re.findall(r"^\| `(\w+)` \| (\w+) \| .* \|$", done.stdout, re.M))
    exposed = dict(re.findall(r"^# TYPE (\w+) (\w+)$", texts[service], re.M))
    assert exposed.items() <= listed.items() and len(exposed) > 15
