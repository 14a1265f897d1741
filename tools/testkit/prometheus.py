"""A client of Prometheus: queries, rules, targets, and when an alert began to fire."""
import requests


class Prometheus:
    def __init__(self, base):
        self.base = base

    def get(self, path, **parameters):
        """→ what stands in "data" of the answer; a query that has an error raises AssertionError with its text."""
        answer = requests.get(f"{self.base}/api/v1/{path}", params=parameters, timeout=30)
        found = answer.json()
        assert found["status"] == "success", f"{parameters}: {found.get('error')}"
        return found["data"]

    def query(self, expression):
        """→ [(labels, value)] of an instant query; a scalar has no labels."""
        data = self.get("query", query=expression)
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(one["metric"], float(one["value"][1])) for one in data["result"]]

    def rules(self):
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]

    def targets(self):
        """{(job, address): "up", "down" or "unknown"}"""
        return {(one["labels"]["job"], one["labels"]["instance"]): one["health"]
                for one in self.get("targets", state="active")["activeTargets"]}

    def firing(self):
        """{alert: the labels of each instance of it that fires}"""
        found = {}
        for one in self.get("alerts")["alerts"]:
            if one["state"] == "firing":
                found.setdefault(one["labels"]["alertname"], []).append(one["labels"])
        return found
