"""Every query of every panel returns something from the live stack; test_faults sees those that need a fault."""
import pytest

import faults
from dev import dashboard_panels
from testkit.client import wait_until

PANELS = [panel for board in dashboard_panels.ALL for panel in board.panels]
SECONDS = 90  # a series begins with its first event: a batch, a call, a final order


def filled(panel):
    return [query.replace("$service", ".*") for query in panel.queries.values()]


@pytest.mark.parametrize("panel", [panel for panel in PANELS if panel.only_by is None], ids=lambda panel: panel.title)
def test_a_panel_is_not_empty_under_load(panel, prometheus):
    for query in filled(panel):
        wait_until(lambda query=query: prometheus.query(query), SECONDS, query)


def test_a_panel_that_needs_a_fault_names_one():
    named = {panel.only_by for panel in PANELS if panel.only_by}
    assert named == {"without bindings", "provider away"} <= {fault.name for fault in faults.ALL}
