"""The dashboards of Grafana: equal to their rows, with all that a reader of a panel needs, and sources that exist."""
import json
import os

import pytest
import yaml

from dev import account, dashboard_panels, dashboards, paths

PANELS = [(board.uid, panel) for board in dashboard_panels.ALL for panel in board.panels]
GRAFANA = os.path.join(paths.ROOT, "infrastructure", "grafana")


@pytest.mark.parametrize("name", dashboards.files())
def test_is_made_of_its_rows(name):
    assert account.read_file(os.path.join(paths.ROOT, name)) == dashboards.files()[name], "run ./dev generate"


def test_there_is_no_other_dashboard():
    found = {f"{dashboards.FOLDER}/{name}" for name in os.listdir(os.path.join(GRAFANA, "dashboards"))}
    assert found == set(dashboards.files()) and len(found) == 6


@pytest.mark.parametrize("board, panel", PANELS, ids=[f"{board}-{panel.title}" for board, panel in PANELS])
def test_a_panel_says_what_it_shows(board, panel):
    assert panel.title and panel.unit and panel.description.endswith(".") and panel.queries
    assert panel.kind in dashboards.SIZES
    assert len(panel.queries) == 1 or all(panel.queries), "each line of several has a legend"


@pytest.mark.parametrize("text", dashboards.files().values(), ids=dashboards.files())
def test_panels_have_places_of_their_own(text):
    taken = set()
    for panel in json.loads(text)["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken and max(x for x, _ in cells) < dashboards.WIDTH
        taken |= cells


def test_the_sources_are_provisioned():
    found = yaml.safe_load(account.read_file(os.path.join(GRAFANA, "provisioning", "datasources", "orderbus.yml")))
    assert [(one["type"], one["uid"]) for one in found["datasources"]] == [dashboards.METRICS, dashboards.LOGS,
                                                                           dashboards.TRACES]
