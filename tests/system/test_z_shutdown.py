"""The last module: everything is told to end, ends in time, and no sanitizer has anything to say."""
import os
import re
import signal

import pytest

from dev import manifests

SERVICES = manifests.NAMES
COMPLAINT = re.compile(r"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error|Assertion .* failed|"
                       r"stack smashing|double free)")


@pytest.fixture(autouse=True)
def whole():
    """Here nothing is started again."""


@pytest.fixture(scope="module", autouse=True)
def invariants_hold():
    """They were checked before, and nothing happens any more."""


def test_every_program_drains_on_sigterm(stack, api):
    """Its exit status is 0; after a leak or another error it would be the sanitizer's."""
    stack.start_services()
    for name in SERVICES:
        stack.signal(name, signal.SIGTERM)
    for name in SERVICES:
        assert stack.stop_service(name) in (signal.SIGTERM, None), f"{name} did not drain and was killed"
        statuses = stack.part(name).process.exit_statuses()
        assert statuses[-1] == 0 and 99 not in statuses, f"{name} ended with {statuses}"


def test_no_sanitizer_found_anything(stack):
    for name in SERVICES:
        with open(stack.log(name), encoding="utf-8", errors="replace") as file:
            found = [line for line in file if COMPLAINT.search(line)]
        assert not found, f"{name}: {found[:5]}"


def test_no_core_was_dumped(stack):
    assert not [name for name in os.listdir(stack.state.folder("work")) if name.startswith("core")]
