"""Changes of the sources, each a patch that is applied to a copy of the tree and built there."""
import pytest

from dev import runner
from testkit.copies import Copy


@pytest.fixture(scope="module")
def copy():
    with runner.temporary_folder("change") as folder:
        yield Copy(folder)
