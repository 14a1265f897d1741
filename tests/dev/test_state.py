"""The state folder: made once, private, locked, and never somebody else's."""
import functools
import os
import stat

import pytest

from dev.parallel import at_once
from dev.report import DevError
from dev.state import State


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_a_folder_of_somebody_else_is_left_alone(folder):
    with open(os.path.join(folder, "thesis.txt"), "w", encoding="utf-8"):
        pass
    with pytest.raises(DevError, match="not empty"):
        State(folder).create()
    State(folder).wipe()
    assert os.path.exists(os.path.join(folder, "thesis.txt"))


def test_an_empty_folder_may_be_taken_and_is_taken_again(folder):
    State(folder).create()
    State(folder).create()
    assert State(folder).exists()


def test_secrets_are_made_once_and_are_private(state):
    first = state.secret("a")
    assert first == State(state.path).secret("a") and first != state.secret("b")
    assert len(first) == 32
    assert mode(os.path.join(state.path, "secrets.json")) == 0o600


def test_folders_are_private(state):
    assert mode(state.folder("env")) == 0o700
    assert mode(state.path) & 0o066 == 0


def test_a_second_change_is_refused_while_one_is_under_way(state):
    with state.lock():
        with pytest.raises(DevError, match="another ./dev"):
            with State(state.path).lock():
                pass
    with State(state.path).lock():
        pass


def test_free_ports_stay_the_same(state):
    chosen = state.free_ports()
    assert State(state.path).free_ports() == chosen
    assert State(state.path).known_ports() == chosen


def test_a_state_behind_a_link_is_known_by_its_real_name(folder, state):
    link = os.path.join(folder, "link")
    os.symlink(state.path, link)
    assert State(link).path == state.path


def test_wiping_takes_everything(state):
    state.folder("logs")
    state.wipe()
    assert not os.path.exists(state.path)


def test_passwords_that_are_made_at_the_same_time_are_all_kept(state):
    names = [f"role-{number}" for number in range(60)]
    made = at_once([functools.partial(state.secret, name) for name in names])
    assert [state.secret(name) for name in names] == made
