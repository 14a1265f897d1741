"""The scenarios that there are: one module each in chaos/scenarios."""
import importlib
import pkgutil

from chaos import scenarios as folder


def scenarios():
    """→ {name: Scenario}"""
    names = sorted(module.name for module in pkgutil.iter_modules(folder.__path__))
    found = [importlib.import_module(f"{folder.__name__}.{name}").SCENARIO for name in names]
    return {scenario.name: scenario for scenario in found}
