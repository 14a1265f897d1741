"""A system that lost its Postgres and its broker comes back from the archive, and takes orders again."""
import os
import time

import pytest

from dev import demo, manifests
from dev.report import DevError

RPO_SECONDS, RTO_SECONDS = 2, 180  # generous: two cores, sanitized programs, a broker that starts beside other suites


def first_order(stack):
    """Sagas whose deadlines are over come first: until then new orders may get 503."""
    deadline = time.monotonic() + RTO_SECONDS
    while True:
        try:
            return demo.place_order(stack)
        except DevError as error:
            if "answered 503" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def test_everything_but_the_last_moment_comes_back(disaster, recover):
    begun = time.monotonic()
    restored = recover({database: None for database in manifests.DATABASES})
    restored.stack.start_services()
    order = first_order(restored.stack)
    took = time.monotonic() - begun
    count, newest = restored.stack.sql("orders", "SELECT count(*), extract(epoch FROM max(created_at)) "
                                                 f"FROM orders.orders WHERE order_id <> '{order['order_id']}';")[0]
    _, newest_seen, count_seen = disaster.seen
    lost = max(0.0, newest_seen - float(newest))
    print(f"RPO: {lost:.3f} s, {max(0, int(count_seen) - int(count))} of {int(count_seen)} committed orders; "
          f"RTO: {took:.1f} s from the decision to the first CONFIRMED order")
    assert lost <= RPO_SECONDS and took <= RTO_SECONDS
    assert int(count) >= 500


def test_a_moment_before_the_first_base_backup_is_refused(disaster, tmp_path):
    words = ("restore", disaster.archive.home, str(tmp_path / "data"), "--to", "2020-01-01T00:00:00Z")
    done = disaster.archive.run(*words, check=False)
    assert done.returncode == 2 and "was complete before 2020-01-01T00:00:00Z" in done.stderr


def test_a_folder_with_data_is_not_overwritten(disaster):
    archive = disaster.archive
    done = archive.run("restore", archive.home, archive.home, check=False)
    assert done.returncode == 2 and "is not empty" in done.stderr


def test_pruning_keeps_what_the_newest_backup_needs(disaster):
    archive = disaster.archive
    before = os.listdir(os.path.join(archive.home, "wal"))
    assert archive.run("prune", archive.home, "0", check=False).returncode == 2
    archive.run("prune", archive.home, "1")
    listed = archive.run("list", archive.home).stdout.split()
    kept = os.listdir(os.path.join(archive.home, "wal"))
    first = listed[-1]
    assert kept and set(kept) <= set(before) and not [name for name in kept if name[8:24] < first[8:24]]


@pytest.mark.parametrize("words, said", [
    (("base", "relative"), "is no absolute path"), (("base", "/it's"), "is no absolute path"),
    (("restore", "/nowhere", "/x", "--to", "soon"), "is no time such as")])
def test_wrong_words_name_what_is_wrong(disaster, words, said):
    done = disaster.archive.run(*words, check=False)
    assert done.returncode == 2 and said in done.stderr
