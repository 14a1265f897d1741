"""A control plane of its own, and the objects of each overlay with the secrets of ./dev secrets."""
import os
import shutil

import pytest
import yaml

from dev import kube, paths, secret_files
from dev.runner import temporary_folder
from testkit import cluster as clusters
from testkit.cluster import Cluster, accepted

HERE = os.path.dirname(os.path.abspath(__file__))
NODES = 6


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """A copy of infrastructure/kubernetes with secrets."""
    folder = tmp_path_factory.mktemp("kubernetes") / "files"
    shutil.copytree(os.path.join(paths.ROOT, kube.PLACE), folder, ignore=shutil.ignore_patterns("files", "tools"))
    secret_files.Files(str(folder / "secrets" / "files"), "postgres-{database}-rw", "rabbitmq").write()
    return folder


@pytest.fixture(scope="session")
def built(place):
    """built(overlay) → its objects, as kustomize makes them"""
    def build(overlay):
        text = accepted(clusters.run(clusters.kubectl("kustomize", str(place / "overlays" / overlay))))
        return list(yaml.safe_load_all(text))
    return build


@pytest.fixture(scope="session")
def definitions():
    """The operators' definitions: those of a release in the folder ORDERBUS_CRDS, else fields that are used here."""
    folder = os.environ.get("ORDERBUS_CRDS") or os.path.join(HERE, "crds")
    found = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            found += [one for one in yaml.safe_load_all(file) if one]
    return found


@pytest.fixture(scope="session")
def cluster(definitions):
    with temporary_folder("kubernetes") as folder:
        made = Cluster(os.path.join(folder, "cluster"))
        try:
            made.start()
            made.apply(yaml.safe_dump_all(definitions))
            accepted(made.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"))
            made.add_nodes(NODES)
            yield made
        finally:
            made.end()
