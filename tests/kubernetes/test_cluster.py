"""Both overlays in a real control plane: accepted field by field in a restricted namespace, rolled out, updated without
a gap, and drained one pod at a time. kwok pretends that containers run, and no network policy is enforced."""
import copy
import json
import time

import pytest
import yaml

from dev import kube, manifests
from testkit.client import wait_until
from testkit.cluster import accepted

SECONDS = 180
APP = "app.kubernetes.io/name"
RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}


def moved(objects, namespace):
    """A copy for another namespace."""
    made = copy.deepcopy(objects)
    for one in made:
        if one["kind"] == "Namespace":
            one["metadata"]["name"] = namespace
        else:
            one["metadata"]["namespace"] = namespace
    return made


class Deployed:
    """An overlay in a namespace of its own."""

    def __init__(self, cluster, overlay, objects):
        self.cluster, self.overlay, self.namespace, self.objects = cluster, overlay, f"orderbus-{overlay}", objects
        self.values = kube.values(overlay)

    def names(self, kind):
        return sorted(one["metadata"]["name"] for one in self.objects if one["kind"] == kind)

    def kubectl(self, *words, text=None):
        return self.cluster.kubectl("-n", self.namespace, *words, text=text)

    def get(self, *words):
        return self.cluster.objects("-n", self.namespace, *words)

    def least(self, name):
        """Pods that a Deployment must have."""
        return 1 if name == "psp-sandbox" else self.values[manifests.named(name).short]["minReplicas"]

    def pods(self, name):
        """Those that are not being ended."""
        return [one for one in self.get("pods", "-l", f"{APP}={name}") if "deletionTimestamp" not in one["metadata"]]

    def ready(self, name):
        return [one["metadata"]["name"] for one in self.pods(name)
                if any(part["type"] == "Ready" and part["status"] == "True"
                       for part in one.get("status", {}).get("conditions", ()))]

    def roll_out(self, name):
        accepted(self.kubectl("rollout", "status", f"deployment/{name}", f"--timeout={SECONDS}s"))
        wait_until(lambda: len(self.ready(name)) >= self.least(name), SECONDS, f"the pods of {name}")


@pytest.fixture(scope="module", params=list(kube.OVERLAYS))
def deployed(request, cluster, built):
    made = Deployed(cluster, request.param, moved(built(request.param), f"orderbus-{request.param}"))
    if request.param == "prod":  # its overlay leaves secrets to a vault
        secrets = [one for one in built("dev") if one["kind"] in ("Secret", "ConfigMap")]
        made.objects += moved(secrets, made.namespace)
    cluster.apply(yaml.safe_dump_all(made.objects))
    yield made
    accepted(cluster.kubectl("delete", "namespace", made.namespace, "--wait=false"))


def test_the_namespace_is_restricted(deployed):
    labels = deployed.cluster.objects("namespace", deployed.namespace)["metadata"]["labels"]
    assert RESTRICTED.items() <= labels.items()


def test_each_deployment_is_rolled_out_with_as_many_pods_as_its_autoscaler_wants(deployed):
    names = deployed.names("Deployment")
    beside = {"psp-sandbox"} if deployed.overlay == "prod" else set()
    assert set(names) == set(manifests.NAMES) - beside
    for name in names:
        deployed.roll_out(name)
        assert deployed.get("deployment", name)["status"]["availableReplicas"] == deployed.least(name), name


def test_pods_of_a_deployment_are_on_nodes_of_their_own(deployed):
    for name in deployed.names("Deployment"):
        deployed.roll_out(name)
        nodes = [one["spec"]["nodeName"] for one in deployed.pods(name)]
        assert len(nodes) == len(set(nodes)), name


def test_the_service_of_the_edge_has_its_pods(deployed):
    deployed.roll_out("edge")

    def served():
        slices = deployed.get("endpointslices", "-l", "kubernetes.io/service-name=edge")
        return {point["targetRef"]["name"] for one in slices for point in one["endpoints"] or ()
                if point["conditions"]["ready"]}
    wait_until(lambda: served() == set(deployed.ready("edge")), 30, "the edge's endpoints")
    assert deployed.get("service", "edge")["spec"]["ports"][0]["targetPort"] == "http"


def test_autoscalers_can_scale(deployed):
    """Without an adapter they have no metrics, and hold the least number of pods; test_scaling.py has one."""
    for name in deployed.names("HorizontalPodAutoscaler"):
        def able(name=name):
            status = deployed.get("hpa", name).get("status", {})
            return any(one["type"] == "AbleToScale" and one["status"] == "True" for one in status.get("conditions", ()))
        wait_until(able, 60, f"the autoscaler of {name}")
        assert deployed.get("deployment", name)["spec"]["replicas"] == deployed.least(name)


def test_budgets_allow_the_end_of_one_pod(deployed):
    for name in deployed.names("PodDisruptionBudget"):
        deployed.roll_out(name)
        wait_until(lambda name=name: deployed.get("pdb", name)["status"]["disruptionsAllowed"] == 1, 30, name)


def test_each_job_runs_to_its_end(deployed):
    names = deployed.names("Job")
    assert len(names) == len(manifests.DATABASES) + 1
    for name in names:
        accepted(deployed.kubectl("wait", "--for=condition=Complete", f"job/{name}", f"--timeout={SECONDS}s"))


def test_servers_are_accepted(deployed):
    assert len(deployed.get("clusters.postgresql.cnpg.io")) == len(manifests.DATABASES)
    assert len(deployed.get("rabbitmqclusters.rabbitmq.com")) == 1
    assert deployed.get("ingress", "edge")["spec"]["tls"][0]["hosts"] == [deployed.values["host"]]


def test_an_update_takes_no_pod_away_before_another_is_ready(deployed):
    for name in ("edge", "order-svc"):
        deployed.roll_out(name)
        before, least = set(deployed.ready(name)), []
        accepted(deployed.kubectl("set", "env", f"deployment/{name}", "LOG_LEVEL=debug"))
        deadline = time.monotonic() + SECONDS
        while set(deployed.ready(name)) & before or len(deployed.ready(name)) < deployed.least(name):
            least.append(deployed.get("deployment", name)["status"].get("availableReplicas", 0))
            assert time.monotonic() < deadline, f"{name} was not updated"
        assert least and min(least) >= deployed.least(name), name


def evict(deployed, pod):
    text = json.dumps({"apiVersion": "policy/v1", "kind": "Eviction",
                       "metadata": {"name": pod, "namespace": deployed.namespace}})
    place = f"/api/v1/namespaces/{deployed.namespace}/pods/{pod}/eviction"
    return deployed.kubectl("create", "--raw", place, "-f", "-", text=text)


def test_a_second_pod_is_not_drained_before_the_first_has_come_back(deployed):
    if deployed.least("edge") < 2:
        pytest.skip("one pod of each")
    deployed.roll_out("edge")
    wait_until(lambda: deployed.get("pdb", "edge")["status"]["disruptionsAllowed"] == 1, 30, "the budget")
    first, second = deployed.ready("edge")[:2]
    accepted(deployed.kubectl("cordon", "-l", "kubernetes.io/hostname"))
    try:
        accepted(evict(deployed, first))
        wait_until(lambda: deployed.get("pdb", "edge")["status"]["disruptionsAllowed"] == 0, 30, "the budget")
        assert "would violate the pod's disruption budget" in evict(deployed, second).stderr
    finally:
        accepted(deployed.kubectl("uncordon", "-l", "kubernetes.io/hostname"))
    wait_until(lambda: len(deployed.ready("edge")) >= deployed.least("edge"), SECONDS, "the pods of the edge")
    accepted(evict(deployed, second))


def pod_of(deployed, name):
    """A pod as a Deployment makes it, to be created alone."""
    found = next(one for one in deployed.objects if one["kind"] == "Deployment" and one["metadata"]["name"] == name)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "alone", "namespace": deployed.namespace},
            "spec": copy.deepcopy(found["spec"]["template"]["spec"])}


def create(deployed, found):
    return deployed.kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", text=json.dumps(found))


def test_C6_a_pod_that_may_be_root_is_refused(deployed):
    pod = pod_of(deployed, "order-svc")
    del pod["spec"]["topologySpreadConstraints"]  # matchLabelKeys are those of a Deployment's pods
    assert create(deployed, pod).returncode == 0
    del pod["spec"]["securityContext"]["runAsNonRoot"]
    assert create(deployed, pod).returncode == 0  # the container says it, too
    del pod["spec"]["containers"][0]["securityContext"]["runAsNonRoot"]
    refused = create(deployed, pod)
    assert refused.returncode != 0 and "runAsNonRoot != true" in refused.stderr


def test_a_misspelt_field_is_refused(deployed):
    pod = pod_of(deployed, "order-svc")
    pod["spec"]["containers"][0]["readynessProbe"] = pod["spec"]["containers"][0].pop("readinessProbe")
    refused = create(deployed, pod)
    assert 'unknown field "spec.containers[0].readynessProbe"' in refused.stderr


def test_a_misspelt_field_of_a_server_is_refused(deployed):
    server = next(copy.deepcopy(one) for one in deployed.objects if one["kind"] == "Cluster")
    server["metadata"]["name"] = "wrong"
    server["spec"]["instance"] = server["spec"]["instances"]
    assert 'unknown field "spec.instance"' in create(deployed, server).stderr
