"""The objects of the overlays: of the form of the API server's schemas, without a critical finding of kube-score."""
import copy
import json

import pytest
import schemas
import yaml

from dev import kube, kube_tools
from testkit.cluster import run

# Checks of kube-score whose findings stay, each with its reason.
_BURSTS = ("a process needs few MiB and little time of a processor, and more for moments alone: requests equal to "
           "limits would reserve many times as much")
ACCEPTED = {
    "container-image-pull-policy": "a tag is never moved to another image, and a node that cannot reach the registry "
                                   "must be able to start a pod again",
    "container-resource-requests-equal-limits": _BURSTS,
    "container-cpu-requests-equal-limits": _BURSTS,
    "container-memory-requests-equal-limits": _BURSTS,
    "container-ephemeral-storage-request-equals-limit": _BURSTS,
    "networkpolicy-targets-pod": "the pods of Postgres and RabbitMQ are made by their operators",
}


@pytest.fixture(scope="session")
def conform(cluster, tmp_path_factory):
    """conform(objects) → what kubeconform says of each"""
    template = schemas.write(cluster.get("/openapi/v2"), tmp_path_factory.mktemp("schemas"))

    def check(objects):
        done = run([kube_tools.KUBECONFORM.program(), "-strict", "-summary", "-output", "json",
                    "-schema-location", template], yaml.safe_dump_all(objects))
        return json.loads(done.stdout)
    return check


CRITICAL = 1


def rate(objects):
    """[(check, object, comment)] of the critical findings"""
    done = run([kube_tools.KUBE_SCORE.program(), "score", "--output-format=json", "--all-default-optional",
                "-"], yaml.safe_dump_all(objects))
    assert done.stdout, done.stderr
    return [(check["check"]["id"], one["object_name"], check["comments"]) for one in json.loads(done.stdout)
            for check in one["checks"] if check["grade"] == CRITICAL and not check["skipped"]
            and check["check"]["id"] not in ACCEPTED]


@pytest.mark.parametrize("overlay", kube.OVERLAYS)
def test_objects_have_the_form_of_the_schemas(conform, built, overlay):
    found = conform(built(overlay))
    assert found["summary"]["valid"] == len(built(overlay)), found["resources"]


def test_a_misspelt_field_has_not(conform, built):
    wrong = copy.deepcopy(built("prod"))
    for one in wrong:
        if one["kind"] in ("Deployment", "Cluster"):
            one["spec"]["replica"] = 2
    found = conform(wrong)
    assert found["summary"]["invalid"] == sum(one["kind"] in ("Deployment", "Cluster") for one in wrong)


@pytest.mark.parametrize("overlay", kube.OVERLAYS)
def test_kube_score_finds_nothing_critical(built, overlay):
    assert rate(built(overlay)) == []


def test_kube_score_finds_a_breach(built):
    wrong = copy.deepcopy(built("prod"))
    edge = next(one for one in wrong if one["kind"] == "Deployment" and one["metadata"]["name"] == "edge")
    edge["spec"]["template"]["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] = False
    assert [check for check, _, _ in rate(wrong)] == ["container-security-context-readonlyrootfilesystem"]
