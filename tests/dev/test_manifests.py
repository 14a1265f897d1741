"""service.json: every folder that has one is a service, in the order of their start; wrong ones are refused by name."""
import json
import os

import pytest

from dev import manifests, paths
from dev.report import DevError

WORKER = {"name": "toy-svc", "short": "toy", "port": 8100, "admin_port": 8100, "database": "toys",
          "roles": {"owner": "toys_owner", "migrator": "toys_migrator", "runtime": "toy_svc"}, "broker_user": "toy-svc",
          "links": ["toy-bank"]}
BANK = {"name": "toy-bank", "short": "bank", "port": 8200}
SHOP = {"name": "shop", "short": "shop", "port": 8000, "admin_port": 8001, "broker_user": "shop"}


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A root with nothing but a function that puts services there."""
    monkeypatch.setattr(paths, "ROOT", str(tmp_path))

    def put(**services):
        for folder, fields in services.items():
            place = tmp_path / folder.replace("__", os.sep)
            place.mkdir(parents=True, exist_ok=True)
            (place / "service.json").write_text(json.dumps(fields))
            if "database" in fields:
                (tmp_path / "migrations" / fields["database"]).mkdir(parents=True, exist_ok=True)
                (tmp_path / "migrations" / fields["database"] / "sqitch.plan").write_text("")
        return manifests.find()
    return put


def test_every_folder_with_a_manifest_is_a_service_in_the_order_of_their_start(tree):
    found = tree(shop=SHOP, toy=WORKER, infrastructure__bank=BANK)
    assert [one.name for one in found] == ["toy-bank", "toy-svc", "shop"]
    assert [one.folder for one in found] == ["infrastructure/bank", "toy", "shop"]


def test_the_ports_of_clients_and_of_health_have_variables_of_their_own(tree):
    bank, toy, shop = tree(shop=SHOP, toy=WORKER, infrastructure__bank=BANK)
    assert {name: row[:2] for one in (bank, toy, shop) for name, row in one.ports().items()} == {
        "toy-bank": (8200, "ORDERBUS_BANK_PORT"), "toy-svc": (8100, "ORDERBUS_TOY_PORT"),
        "shop": (8000, "ORDERBUS_SHOP_PORT"), "shop-admin": (8001, "ORDERBUS_SHOP_ADMIN_PORT")}
    assert (toy.admin, shop.admin) == ("toy-svc", "shop-admin")


def test_a_worker_talks_to_its_database_the_broker_and_what_it_links(tree, monkeypatch):
    found = tree(toy=WORKER, infrastructure__bank=BANK)
    monkeypatch.setattr(manifests, "ALL", found)
    assert found[1].targets() == {"postgres": "DATABASE_URL", "rabbitmq": "RABBITMQ_URL", "toy-bank": "BANK_URL"}


@pytest.mark.parametrize("change, complaint", [
    ({"colour": "red"}, "toy/service.json: .*colour"),
    ({"roles": {"owner": "x"}}, "toy/service.json: .* names its roles migrator, owner, runtime"),
    ({"links": ["nobody"]}, "toy/service.json: no service is named nobody"),
    ({"short": "bank"}, "two services have the same short: bank, bank"),
    ({"port": 8200}, "two services have the same port: 8200, 8200"),
])
def test_a_wrong_manifest_is_refused(tree, change, complaint):
    with pytest.raises(DevError, match=complaint):
        tree(toy=WORKER | change, infrastructure__bank=BANK)


def test_a_database_needs_migrations(tree, tmp_path):
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "service.json").write_text(json.dumps(WORKER | {"links": []}))
    with pytest.raises(DevError, match="the database toys needs migrations/toys/sqitch.plan"):
        manifests.find()


def test_a_broken_file_is_named(tree, tmp_path):
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "service.json").write_text("{")
    with pytest.raises(DevError, match="toy/service.json: "):
        manifests.find()
