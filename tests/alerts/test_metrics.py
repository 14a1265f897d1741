"""promtool finds nothing wrong with what each program exposes."""
import subprocess

import pytest

from dev import manifests


@pytest.mark.parametrize("service", [service.name for service in manifests.ON_BUS])
def test_metrics_pass_promtools_check(service, texts):
    done = subprocess.run(["promtool", "check", "metrics"], input=texts[service], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "") and "process_start_time_seconds" in texts[service]
