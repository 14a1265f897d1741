"""The last module: everything is told to end, ends in time, and no sanitizer has anything to say."""
import os
import re
import signal

SERVICES = ("edge", "order-svc", "inventory-svc", "payment-svc", "psp-sandbox")


def test_every_program_drains_on_sigterm(stack, api):
    for name in SERVICES:
        assert stack.stop_service(name) == signal.SIGTERM, f"{name} did not drain and was killed"


def test_no_sanitizer_found_anything(stack, api):
    pattern = re.compile(r"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error|Assertion .* failed|"
                         r"stack smashing|double free)")
    for name in SERVICES:
        with open(stack.log(name), encoding="utf-8", errors="replace") as file:
            found = [line for line in file if pattern.search(line)]
        assert not found, f"{name}: {found[:5]}"


def test_no_core_was_dumped(stack, api):
    assert not [name for name in os.listdir(stack.state.folder("work")) if name.startswith("core")]
