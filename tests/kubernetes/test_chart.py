"""The chart gives the objects of the overlays, also once it is installed."""
import pytest
import yaml

from dev import kube, kube_tools
from testkit.cluster import accepted, run

# kustomize makes them besides: helm is given its namespace, and secrets come before a chart.
BESIDES = ("Namespace", "Secret", "ConfigMap")
RELEASE = "orderbus"


def words(place, overlay):
    chart = place / "chart"
    return [str(chart), "--values", str(chart / f"values-{overlay}.yaml")]


def by_name(objects):
    """{(kind, name): object without a namespace}"""
    found = {}
    for one in objects:
        if one["kind"] not in BESIDES:
            one["metadata"].pop("namespace", None)
            found[one["kind"], one["metadata"]["name"]] = one
    return found


@pytest.fixture(scope="session")
def template(place):
    def make(overlay, *more):
        done = run([kube_tools.HELM.program(), "template", RELEASE, *words(place, overlay), *more])
        return [one for one in yaml.safe_load_all(accepted(done)) if one]
    return make


@pytest.mark.parametrize("overlay", kube.OVERLAYS)
def test_the_chart_gives_what_the_overlay_gives(built, template, overlay):
    helm, kustomize = by_name(template(overlay)), by_name(built(overlay))
    assert len(helm) > 40 and set(helm) == set(kustomize)
    for name, one in helm.items():
        assert one == kustomize[name], name


def test_a_value_reaches_each_object(template):
    found = template("prod", "--set", "image.registry=registry.example/shop", "--set", "image.tag=9.9.9")
    images = [box["image"] for one in found if one["kind"] in ("Deployment", "Job")
              for box in one["spec"]["template"]["spec"]["containers"]]
    assert images and all(image.startswith("registry.example/shop/") and image.endswith(":9.9.9") for image in images)
    assert all(one["metadata"]["name"].endswith("-9-9-9") for one in found if one["kind"] == "Job")


def test_helm_accepts_the_chart(place):
    accepted(run([kube_tools.HELM.program(), "lint", "--strict", *words(place, "prod")]))


def live(cluster, namespace):
    """Objects of a namespace that a person wrote, as the API server keeps them."""
    kinds = "serviceaccounts,deployments,services,hpa,pdb,networkpolicies,ingresses,jobs,clusters,rabbitmqclusters"
    found = {}
    for one in cluster.objects("-n", namespace, kinds):
        if one["metadata"].get("labels", {}).get("app.kubernetes.io/part-of") == "orderbus":
            found[one["kind"], one["metadata"]["name"]] = one.get("spec", one.get("automountServiceAccountToken"))
    return found


def without_the_servers_own(spec):
    """Neither addresses nor numbers that controllers choose."""
    if not isinstance(spec, dict):
        return spec
    made = {name: one for name, one in spec.items() if name not in ("clusterIP", "clusterIPs", "replicas")}
    if "backoffLimit" in made:  # a Job's pods have its uid
        made.pop("selector")
        made["template"] = made["template"]["spec"]
    return made


def test_an_installed_chart_is_what_kustomize_applies(cluster, built, place):
    labelled = next(one for one in built("dev") if one["kind"] == "Namespace")
    for name in ("by-helm", "by-kustomize"):
        cluster.apply(yaml.safe_dump(labelled | {"metadata": labelled["metadata"] | {"name": name}}))
        mine = [one | {"metadata": one["metadata"] | {"namespace": name}} for one in built("dev")
                if one["kind"] != "Namespace" and (name == "by-kustomize" or one["kind"] in BESIDES)]
        cluster.apply(yaml.safe_dump_all(mine))
    said = accepted(cluster.helm("install", RELEASE, *words(place, "dev"), "-n", "by-helm"))
    assert "STATUS: deployed" in said
    helm, kustomize = live(cluster, "by-helm"), live(cluster, "by-kustomize")
    assert len(helm) > 40 and set(helm) == set(kustomize)
    for name, one in helm.items():
        assert without_the_servers_own(one) == without_the_servers_own(kustomize[name]), name
    accepted(cluster.kubectl("-n", "by-helm", "rollout", "status", "deployment", "--timeout=180s"))
    accepted(cluster.helm("uninstall", RELEASE, "-n", "by-helm"))
    assert not live(cluster, "by-helm")
    accepted(cluster.kubectl("delete", "namespace", "by-helm", "by-kustomize", "--wait=false"))
