"""The last release, built from its commit, and one stack that runs its programs or those of the checkout."""
import os

import pytest

from chaos.stack import ChaosStack
from chaos.verdict import Judge
from dev import build, manifests, paths, releases, runner
from dev.stack import Stack
from testkit.copies import PRESET, Tree


class Version(Stack):
    """The stack as one version's programs, migrations and topology make it. Two of them have the same state folder."""
    put_catalogue = ChaosStack.put_catalogue

    def __init__(self, state_dir):
        super().__init__(state_dir, preset=PRESET, tls=True)

    def prepare(self):
        self.certificates.make()  # of services that the other version does not have
        return super().prepare()


@pytest.fixture(scope="session")
def release():
    """→ the tree of the last release, and the folder of its programs"""
    with runner.temporary_folder("release") as folder:
        releases.extract(releases.last(), folder)
        tree = Tree(folder)
        yield tree, tree.build(settings=("-DORDERBUS_TESTS=OFF",))


def know_alone(patch, services):
    """The services of the release: those that came later have no programs and no migrations there."""
    with_database = tuple(one for one in services if one.database)
    for name, value in {"ALL": tuple(services), "NAMES": tuple(one.name for one in services),
                        "ON_BUS": tuple(one for one in services if one.broker_user), "WITH_DATABASE": with_database,
                        "DATABASES": tuple(one.database for one in with_database)}.items():
        patch.setattr(manifests, name, value)


@pytest.fixture(scope="session")
def versions(release):
    """→ the release, which runs, and the checkout"""
    tree, programs = release
    with runner.temporary_folder("upgrade") as folder:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(build, "programs", lambda preset: programs)
            patch.setattr(paths, "ROOT", tree.folder)
            know_alone(patch, [one for one in manifests.ALL if os.path.isdir(os.path.join(tree.folder, one.folder))])
            old = Version(os.path.join(folder, "stack"))
            try:
                old.start()
                old.put_catalogue()
            except BaseException:
                old.end()
                raise
        new = Version(old.state.path)
        try:
            yield old, new
        finally:
            new.end()


@pytest.fixture(scope="session")
def judge(versions):
    return Judge(versions[1])
