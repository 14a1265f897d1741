"""Files of Kubernetes: those that ./dev generate writes, with settings and secrets that the programs know."""
import functools
import os
import re

import pytest
import yaml

from dev import account, kube, kube_objects, kube_values, manifests, paths, secret_files

PLACE = os.path.join(paths.ROOT, kube.PLACE)
VALUES = {"name": "edge", "port": 80, "size": {"cpu": "1"}, "image": {"tag": ""}}
OBJECT = {"kind": "K", "metadata": {"name": "o-<<image.tag|dashed>>"},
          "spec": {"port": "<<port>>", "cpu": "<<size.cpu>>", "image": "r/<<name>>:<<image.tag>>",
                   "list": [1, "<<name>>"]}}
FILES = kube.files()


def objects(group):
    return [kube_values.plain(one, kube.values(), paths.version()) for one in group]


@functools.cache
def everything():
    return [one for group in (kube_objects.groups() | kube.components()).values() for one in objects(group)]


def of_kind(kind):
    return {one["metadata"]["name"]: one for one in everything() if one["kind"] == kind}


def container(name):
    return of_kind("Deployment")[name]["spec"]["template"]["spec"]["containers"][0]


def environment(name):
    return {one["name"]: one["value"] for one in container(name)["env"]}


def default(service, variable):
    text = account.read_file(os.path.join(paths.ROOT, service.folder, ".env.example"))
    return re.search(rf"^{variable}=(.*)$", text, re.M)[1]


@pytest.mark.parametrize("name", FILES)
def test_is_what_the_table_makes(name):
    assert account.read_file(os.path.join(paths.ROOT, name)) == FILES[name], "run ./dev generate"


def test_no_file_is_left_of_an_object_that_is_gone():
    assert kube.stale() == [], "run ./dev generate"


def test_a_mark_becomes_its_value_with_the_values_type():
    assert kube_values.plain(OBJECT, VALUES, "1.2") == {
        "kind": "K", "metadata": {"name": "o-1-2"},
        "spec": {"port": 80, "cpu": "1", "image": "r/edge:1.2", "list": [1, "edge"]}}
    given = VALUES | {"image": {"tag": "7.0"}}
    assert kube_values.plain(OBJECT, given, "1.2")["metadata"]["name"] == "o-7-0"


def test_a_mark_becomes_an_expression_of_helm():
    assert kube_values.template(OBJECT, VALUES) == (
        "kind: K\nmetadata:\n"
        '  name: "o-{{ .Values.image.tag | default .Chart.AppVersion | replace "." "-" }}"\n'
        "spec:\n  port: {{ .Values.port }}\n  cpu: {{ .Values.size.cpu | quote }}\n"
        '  image: "r/{{ .Values.name }}:{{ .Values.image.tag | default .Chart.AppVersion }}"\n'
        "  list:\n    - 1\n    - {{ .Values.name | quote }}\n")


def test_an_overlay_replaces_what_its_values_change():
    over = kube_values.merged(VALUES, {"port": 81, "size": {"cpu": "2"}})
    assert over["image"] == {"tag": ""}
    made = kube_values.patches([OBJECT], VALUES, over, "1.2")
    assert [one["target"] for one in made] == [{"kind": "K", "name": "o-1-2"}]
    assert yaml.safe_load(made[0]["patch"]) == [{"op": "replace", "path": "/spec/port", "value": 81},
                                                {"op": "replace", "path": "/spec/cpu", "value": "2"}]
    assert kube_values.patches([OBJECT], VALUES, VALUES, "1.2") == []


@pytest.mark.parametrize("overlay", kube.OVERLAYS)
def test_the_values_of_an_overlay_have_names_of_the_chart(overlay):
    over = kube_values.read(os.path.join(PLACE, "chart", f"values-{overlay}.yaml"))
    known = {path for path, _ in kube_values.leaves(kube.values())}
    assert {path for path, _ in kube_values.leaves(over)} <= known


def test_each_service_has_a_deployment_of_its_image():
    dockerfile = account.read_file(os.path.join(paths.ROOT, "infrastructure", "docker", "Dockerfile"))
    targets = set(re.findall(r"^FROM \S+ AS (\S+)$", dockerfile, re.M))
    images = {one["spec"]["template"]["spec"]["containers"][0]["image"]
              for one in (of_kind("Deployment") | of_kind("Job")).values()}
    assert images == {f"orderbus/{name}:{paths.version()}" for name in (*manifests.NAMES, "admin")}
    assert {image.split("/")[1].split(":")[0] for image in images} <= targets
    assert set(of_kind("Deployment")) == set(manifests.NAMES)


@pytest.mark.parametrize("service", manifests.ALL, ids=manifests.NAMES)
def test_a_service_knows_its_settings_and_finds_its_secrets(service):
    text = account.read_file(os.path.join(paths.ROOT, service.folder, ".env.example"))
    known = set(re.findall(r"^([A-Z_0-9]+)=", text, re.M)) | set(re.findall(r"([A-Z_0-9]+_FILE) names", text))
    given = environment(service.name)
    assert set(given) <= known
    needed = set(re.findall(r"the file that (\w+) names; must be set", text))
    assert needed <= set(given)
    secret = next(one for one in kube_objects.secrets()["secretGenerator"] if one["name"] == service.name)
    keys = {f"{kube_objects.SECRETS}/{one.split('=')[0]}" for one in secret["files"]}
    assert {path for path in given.values() if path.startswith(kube_objects.SECRETS)} == keys


def test_an_edge_drains_before_it_is_killed_and_after_the_proxy_has_seen_it():
    edge = manifests.named("edge")
    pod = of_kind("Deployment")["edge"]["spec"]["template"]["spec"]
    drain, kept = (int(default(edge, name)) / 1000 for name in ("DRAIN_MS", "DRAIN_KEPT_MS"))
    assert pod["terminationGracePeriodSeconds"] >= drain + kept + 10
    probe = pod["containers"][0]["readinessProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] < drain


@pytest.mark.parametrize("overlay", kube.OVERLAYS)
def test_all_processes_of_a_service_fit_the_connections_of_its_role(overlay):
    roles = account.read_file(os.path.join(paths.ROOT, "infrastructure", "local", "roles.sql"))
    limit = int(re.search(r"\\set connections (\d+)", roles)[1])
    for one in manifests.WITH_DATABASE:
        threads = int(default(one, "WORKERS")) + int(default(one, "QUERY_WORKERS"))
        most = kube.values(overlay)[one.short]["maxReplicas"] + 1  # one more during an update
        assert most * threads <= limit, one.name


@pytest.mark.parametrize("overlay", kube.OVERLAYS)
def test_full_queues_leave_the_broker_its_disk(overlay):
    broker = kube.values(overlay)["rabbitmq"]
    disk = int(broker["storage"].removesuffix("Gi")) << 30
    assert int(broker["queueBytes"]) <= disk // 2, "half of it, as ./dev up does"


def test_each_file_of_a_secret_is_written_by_dev_secrets(tmp_path):
    secret_files.Files(str(tmp_path), "postgres-{database}-rw", "rabbitmq").write()
    made = kube_objects.secrets()
    for one in made["secretGenerator"]:
        for entry in one["files"]:
            assert (tmp_path / os.path.relpath(entry.split("=")[1], "files")).read_text(), entry
    assert (tmp_path / "edge.env").read_text().startswith("USER_SEAL_KEY=")
    names = {one["name"] for one in made["secretGenerator"]}
    used = {name for one in (of_kind("Deployment") | of_kind("Job")).values()
            for volume in one["spec"]["template"]["spec"]["volumes"] for name in secrets_of(volume)}
    used |= {one["spec"]["superuserSecret"]["name"] for one in of_kind("Cluster").values()}
    assert names == used | {of_kind("RabbitmqCluster")["rabbitmq"]["spec"]["secretBackend"]["externalSecret"]["name"]}


def secrets_of(volume):
    yield from (one["secret"]["name"] for one in volume.get("projected", {}).get("sources", ()))
    if "secret" in volume:
        yield volume["secret"]["secretName"]


def test_hosts_of_secrets_are_services_that_the_operators_make():
    command = "--postgres 'postgres-{database}-rw'"
    assert command in account.read_file(os.path.join(PLACE, "README.md"))
    assert {f"postgres-{name}" for name in manifests.DATABASES} == set(of_kind("Cluster"))
    assert set(of_kind("RabbitmqCluster")) == {"rabbitmq"}


def test_C6_no_secret_is_in_the_repository():
    assert not of_kind("Secret")
    literals = {text for one in kube_objects.secrets()["secretGenerator"] for text in one.get("literals", ())}
    assert literals == {"username=postgres", "username=admin"}
    ignored = account.read_file(os.path.join(paths.ROOT, ".gitignore")).splitlines()
    assert f"/{kube.PLACE}/secrets/files/" in ignored


def test_C6_a_path_is_open_if_a_policy_names_it():
    policies = of_kind("NetworkPolicy")
    assert policies["default-deny"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    ways = {(name, str(peer.get("podSelector", peer).get("matchLabels")), port["port"])
            for name, one in policies.items() for rule in one["spec"].get("egress", ())
            for peer in rule["to"] for port in rule["ports"]}
    for one in manifests.WITH_DATABASE:
        assert (one.name, str({"cnpg.io/cluster": f"postgres-{one.database}"}), 5432) in ways
        others = [way for way in ways if way[0] == one.name and way[2] == 5432]
        assert len(others) == 1, "a service reaches its own database alone"
    for one in manifests.ON_BUS:
        assert (one.name, str({"app.kubernetes.io/name": "rabbitmq"}), 5672) in ways
    outside = [name for name, one in policies.items() for rule in one["spec"].get("egress", ())
               for peer in rule["to"] if "ipBlock" in peer and "except" in peer["ipBlock"]]
    assert set(outside) == {"payment-svc-to-provider", *(one.name for one in manifests.ALL if one.calls_strangers)}
