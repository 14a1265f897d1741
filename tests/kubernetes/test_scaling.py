"""An autoscaler follows the length of its service's queues. The metric comes from an adapter of the test."""
import json

import pytest
import yaml
from queue_metrics import Adapter

from dev import kube
from testkit.client import wait_until
from testkit.cluster import accepted

NAMESPACE = "scaling"
SECONDS = 120


@pytest.fixture(scope="module")
def adapter(cluster, tmp_path_factory):
    made = Adapter(str(tmp_path_factory.mktemp("adapter")))
    try:
        cluster.apply(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}))
        cluster.apply(yaml.safe_dump_all(made.objects(NAMESPACE)))
        yield made
        accepted(cluster.kubectl("delete", "apiservice", "v1beta1.external.metrics.k8s.io"))
        accepted(cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false"))
    finally:
        made.end()


def test_a_long_queue_brings_pods_up_to_the_most(cluster, adapter, built):
    wanted = [one | {"metadata": one["metadata"] | {"namespace": NAMESPACE}} for one in built("prod")
              if one["metadata"]["name"] == "order-svc" and one["kind"] != "NetworkPolicy"]
    cluster.apply(yaml.safe_dump_all(wanted))
    values = kube.values("prod")
    least, most = values["order"]["minReplicas"], values["order"]["maxReplicas"]
    each = int(values["scaling"]["queued"])

    def pods():
        return cluster.objects("-n", NAMESPACE, "deployment", "order-svc")["spec"]["replicas"]

    wait_until(lambda: pods() == least, SECONDS, "the least number of pods")
    adapter.lengths["order-svc"] = each * (least + 1) + 1
    wait_until(lambda: pods() == least + 2, SECONDS, "a pod for each part of the queue")
    adapter.lengths["order-svc.place"] = each * most * 2
    wait_until(lambda: pods() == most, SECONDS, "the most pods")
    accepted(cluster.kubectl("-n", NAMESPACE, "rollout", "status", "deployment/order-svc", f"--timeout={SECONDS}s"))
