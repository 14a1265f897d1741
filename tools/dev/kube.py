"""Files of Kubernetes that ./dev generate writes: a kustomize base with overlays, and a chart of helm."""
import glob
import os

from dev import kube_objects, kube_values, manifests, paths

PLACE = os.path.join("infrastructure", "kubernetes")
CHART = os.path.join(PLACE, "chart")
NAMESPACE = "orderbus"
# The overlays, each with the values of its file, and the components that stand beside the base.
OVERLAYS = {"dev": ("sandbox", "secrets"), "prod": ("provider",)}
HEAD = "# Made by ./dev generate of {source}.\n"
OBJECTS = "tools/dev/kube_objects.py and chart/values.yaml"


def values(overlay=None):
    found = kube_values.read(os.path.join(paths.ROOT, CHART, "values.yaml"))
    if not overlay:
        return found
    return kube_values.merged(found, kube_values.read(os.path.join(paths.ROOT, CHART, f"values-{overlay}.yaml")))


def components():
    """{name: objects} of what some deployments alone have."""
    return {"sandbox": kube_objects.sandbox(manifests.named(kube_objects.SANDBOX)), "provider": kube_objects.provider()}


def _kustomization(resources, **rest):
    return kube_values.dump({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"} | rest |
                            {"resources": resources})


def _namespace():
    restricted = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": restricted}}


def _overlay(name):
    found = [one for group in kube_objects.groups().values() for one in group]
    for beside in OVERLAYS[name]:
        found += components().get(beside, [])
    return _kustomization(["../../base", *(f"../../{one}" for one in OVERLAYS[name])], namespace=NAMESPACE,
                          patches=kube_values.patches(found, values(), values(name), paths.version()))


def _base(found):
    return kube_values.dump_all([kube_values.plain(one, values(), paths.version()) for one in found])


def _templates():
    """A component stands or falls with the value `sandbox`."""
    when = {"sandbox": "{{- if .Values.sandbox }}\n", "provider": "{{- if not .Values.sandbox }}\n"}
    for name, found in (kube_objects.groups() | components()).items():
        text = "---\n".join(kube_values.template(one, values()) for one in found)
        yield name, when[name] + text + "{{- end }}\n" if name in when else text


def _chart():
    version = paths.version()
    return kube_values.dump({"apiVersion": "v2", "name": "orderbus", "type": "application", "version": version,
                             "appVersion": version,
                             "description": "An order system of services in C over RabbitMQ and Postgres"})


def files():
    """{file: text} of all that is made."""
    head = HEAD.format(source=OBJECTS)
    groups = kube_objects.groups()
    found = {f"base/{name}.yaml": _base(objects) for name, objects in groups.items()}
    found["base/namespace.yaml"] = kube_values.dump(_namespace())
    found["base/kustomization.yaml"] = _kustomization(sorted([f"{name}.yaml" for name in [*groups, "namespace"]]))
    for name, objects in components().items():
        found[f"{name}/objects.yaml"] = _base(objects)
        found[f"{name}/kustomization.yaml"] = _kustomization(["objects.yaml"])
    found["secrets/kustomization.yaml"] = kube_values.dump(kube_objects.secrets())
    made = {os.path.join(PLACE, name): head + text for name, text in found.items()}
    for name in OVERLAYS:
        source = f"{OBJECTS} and chart/values-{name}.yaml"
        made[os.path.join(PLACE, "overlays", name, "kustomization.yaml")] = HEAD.format(source=source) + _overlay(name)
    made[os.path.join(CHART, "Chart.yaml")] = head + _chart()
    return made | {os.path.join(CHART, "templates", f"{name}.yaml"): head + text for name, text in _templates()}


def stale():
    """Files of objects that are gone."""
    places = ("base", *components(), "secrets", "overlays/*", "chart/templates")
    found = (path for place in places for path in glob.glob(os.path.join(PLACE, place, "*.yaml"), root_dir=paths.ROOT))
    return sorted(set(found) - set(files()))
