"""Grafana's dashboards as JSON, made of the rows in dashboard_panels.py; and one about a single order."""
import json

from dev import dashboard_panels

FOLDER = "infrastructure/grafana/dashboards"
METRICS, LOGS, TRACES = ((kind, "orderbus-" + kind) for kind in ("prometheus", "loki", "jaeger"))
WIDTH = 24  # of Grafana's grid
SIZES = {"stat": (4, 4), "timeseries": (12, 8)}
SCHEMA = 39  # of Grafana 10.4


def source(kind):
    return {"type": kind[0], "uid": kind[1]}


def _places(kinds):
    """A place in the grid for each panel: from left to right, then the next row."""
    x = y = height = 0
    for kind in kinds:
        wide, high = SIZES[kind]
        if x + wide > WIDTH or high != (height or high):
            x, y, height = 0, y + height, 0
        yield {"x": x, "y": y, "w": wide, "h": high}
        x, height = x + wide, high


def _panel(number, panel, place):
    return {"id": number, "title": panel.title, "description": panel.description, "type": panel.kind,
            "datasource": source(METRICS), "gridPos": place,
            "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
            "targets": [{"refId": chr(ord("A") + n), "datasource": source(METRICS), "expr": query,
                         "legendFormat": legend, "instant": panel.kind == "stat", "range": panel.kind != "stat",
                         "exemplar": False}
                        for n, (legend, query) in enumerate(panel.queries.items())]}


def _variable(name, query):
    return {"name": name, "type": "query", "datasource": source(METRICS), "query": {"query": query, "refId": name},
            "refresh": 2, "includeAll": True, "multi": True, "allValue": ".*",
            "current": {"text": "All", "value": "$__all"}}


def _frame(uid, title, panels, variables):
    return {"uid": uid, "title": title, "tags": ["orderbus"], "schemaVersion": SCHEMA, "version": 1, "editable": False,
            "refresh": "15s", "time": {"from": "now-1h", "to": "now"}, "timezone": "utc", "panels": panels,
            "templating": {"list": variables},
            "links": [{"type": "dashboards", "tags": ["orderbus"], "title": "orderbus", "asDropdown": True}]}


def dashboard(one):
    places = _places([panel.kind for panel in one.panels])
    panels = [_panel(n, panel, place) for n, (panel, place) in enumerate(zip(one.panels, places), 1)]
    return _frame(one.uid, one.title, panels, [_variable(*row) for row in one.variables.items()])


def order():
    """One order: the log lines of all services that name it or its trace, and its trace."""
    boxes = [{"name": name, "type": "textbox", "label": label, "query": "", "current": {"text": "", "value": ""}}
             for name, label in (("order", "Order id"), ("trace", "Trace id"))]
    panels = [
        {"id": 1, "title": "Log lines of the order", "description": "Lines of all services, by its id or its trace.",
         "type": "logs", "datasource": source(LOGS), "gridPos": {"x": 0, "y": 0, "w": WIDTH, "h": 14},
         "options": {"showTime": True, "sortOrder": "Ascending", "wrapLogMessage": True},
         "targets": [{"refId": "A", "datasource": source(LOGS),
                      "expr": '{app="orderbus"} |~ "$order" |~ "$trace" | json'}]},
        {"id": 2, "title": "Trace", "description": "Spans of the trace; its id is in each log line of the order.",
         "type": "traces", "datasource": source(TRACES), "gridPos": {"x": 0, "y": 14, "w": WIDTH, "h": 16},
         "targets": [{"refId": "A", "datasource": source(TRACES), "query": "$trace"}]}]
    return _frame("orderbus-order", "orderbus: one order", panels, boxes)


def files():
    """{path from the root: its text}"""
    made = [*map(dashboard, dashboard_panels.ALL), order()]
    return {f"{FOLDER}/{one['uid']}.json": json.dumps(one, indent=1, ensure_ascii=False) + "\n" for one in made}
