"""The compose files and the Dockerfile name every service, and a deployment is given the secrets that services read."""
import os
import re
import stat

import pytest
import yaml

from dev import manifests, paths, secret_files

FOLDER = os.path.join(paths.ROOT, "infrastructure", "docker")


def read(*parts):
    with open(os.path.join(FOLDER, *parts), encoding="utf-8") as file:
        return file.read()


def services(name):
    return yaml.safe_load(read(name))["services"]


def test_each_service_has_a_target_and_a_container():
    targets = re.findall(r"^FROM service AS (\S+)$", read("Dockerfile"), re.M)
    assert sorted(targets) == sorted(manifests.NAMES)
    found = services("compose.yaml")
    assert {found[name]["build"]["target"] for name in manifests.NAMES} == set(manifests.NAMES)
    assert {f"postgres-{one.database}" for one in manifests.WITH_DATABASE} <= set(found)


@pytest.mark.parametrize("name", ["compose.yaml", "compose.prod.yaml"])
def test_nginx_alone_is_public(name):
    assert [service for service, one in services(name).items() if "ports" in one] == ["nginx"]


def test_ports_of_observers_are_of_loopback():
    found = [port for one in services("compose.observe.yaml").values() for port in one.get("ports", ())]
    assert found and all(port.startswith("127.0.0.1:") for port in found)


def test_production_limits_and_restarts_whatever_stays():
    before, after = services("compose.yaml"), services("compose.prod.yaml")
    stay = [name for name in before | after if not name.startswith("setup-") and name != "psp-sandbox"]
    for name in stay:
        one = after[name]
        assert one["restart"] == "always" and one["mem_limit"] and one["cpus"] and one["logging"], name
    assert {"rabbitmq", "rabbitmq-2", "rabbitmq-3"} <= set(stay) and after["psp-sandbox"] == {"profiles": ["sandbox"]}


def test_each_secret_of_a_compose_file_is_written(tmp_path):
    made = secret_files.Files(str(tmp_path), "postgres-{database}", "rabbitmq")
    made.write()
    for name in ("compose.yaml", "compose.observe.yaml", "compose.prod.yaml"):
        for secret, place in yaml.safe_load(read(name))["secrets"].items():
            if secret not in ("certificate.pem", "key.pem"):  # of the public name
                path = tmp_path / os.path.relpath(place["file"], "secrets")
                assert stat.S_IMODE(path.stat().st_mode) == 0o400 and path.read_text(), f"{name}: {secret}"


def test_each_service_is_given_all_that_it_must_have(tmp_path):
    made = secret_files.Files(str(tmp_path), "postgres-{database}", "rabbitmq")
    for one in manifests.ALL:
        given = services("compose.yaml")[one.name]["environment"]
        needed = {variable for variable, (_, must) in secret_files.credentials(one).items() if must}
        assert needed <= set(given), one.name
        assert {file for file, must in secret_files.credentials(one).values() if must} <= set(made.of_service(one))


def test_a_second_call_keeps_passwords_and_the_providers_secrets(tmp_path):
    def write(hosts):
        secret_files.Files(str(tmp_path), "postgres-{database}", hosts).write()
        return {name: (tmp_path / name).read_text() for name in (
            "payment-svc/psp-key", "edge/rabbitmq-url", "order-svc/database-url", "user-svc/seal-key")}
    first = write("rabbitmq")
    (tmp_path / "payment-svc" / "psp-key").chmod(0o600)
    (tmp_path / "payment-svc" / "psp-key").write_text("the provider's")
    second = write("a:5672,b:5672")
    assert second.pop("payment-svc/psp-key") == "the provider's"
    assert second.pop("edge/rabbitmq-url") == first.pop("edge/rabbitmq-url").replace("@rabbitmq/", "@a:5672,b:5672/")
    assert second == {name: text for name, text in first.items() if name != "payment-svc/psp-key"}


def test_the_management_of_a_cluster_is_that_of_its_first_node(tmp_path):
    made = secret_files.Files(str(tmp_path), "postgres-{database}", "a:5672,b:5672")
    assert re.fullmatch("http://admin:[0-9a-f]{32}@a:15672/", made.of_administrators()["management-url"])


def test_prometheus_finds_every_service_by_its_port():
    found = yaml.safe_load(read("observe", "targets", "services.yml"))
    assert sorted((one["targets"][0], one["labels"]["service"]) for one in found) == sorted(
        (f"{one.name}:{one.admin_port}", one.name) for one in manifests.ON_BUS)


def test_grafanas_sources_differ_in_their_addresses_alone():
    def sources(text):
        return [{key: value for key, value in one.items() if key != "url"}
                for one in yaml.safe_load(text)["datasources"]]
    assert sources(read("observe", "datasources.yml")) == sources(
        read("..", "grafana", "provisioning", "datasources", "orderbus.yml"))
