"""The scenarios that there are: one file each in chaos-testing/scenarios."""
import importlib.util
import os

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "scenarios")


def scenarios():
    """→ {name: Scenario}"""
    found = []
    for name in sorted(os.listdir(FOLDER)):
        if name.endswith(".py"):
            spec = importlib.util.spec_from_file_location("scenario_" + name[:-3], os.path.join(FOLDER, name))
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            found.append(module.SCENARIO)
    return {scenario.name: scenario for scenario in found}
