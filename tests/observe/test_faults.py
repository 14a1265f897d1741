"""Each alert that can be provoked fires under its real fault, and ends after it."""
import time

import pytest

import faults
from dev import dashboard_panels
from dev.runner import temporary_folder
from testkit.client import wait_until

# From the kill to the notice: a scrape comes each 15 s, rules are evaluated each 5 s, and Alertmanager sends at once.
SERVICE_DOWN_SECONDS = 30
RESOLVE_SECONDS = 300
QUIET_SECONDS = 120
DEAD_SECONDS = 700


@pytest.fixture
def system(stack, api):
    with temporary_folder("fault") as folder:
        yield faults.System(stack, api, folder)


def fires(prometheus, alert, labels):
    return any(labels.items() <= one.items() for one in prometheus.firing().get(alert, ()))


@pytest.mark.parametrize("fault", faults.ALL, ids=lambda fault: fault.name.replace(" ", "-"))
def test_its_alerts_fire_and_end(fault, system, prometheus, record_property):
    begin = time.monotonic()
    while early := [alert for alert, labels in fault.alerts.items() if fires(prometheus, alert, labels)]:
        assert time.monotonic() - begin < QUIET_SECONDS, f"these fire before the fault: {', '.join(early)}"
        time.sleep(1)
    with fault.run(system):
        begin, missing = time.monotonic(), dict(fault.alerts)
        while missing:
            for alert in [name for name, labels in missing.items() if fires(prometheus, name, labels)]:
                record_property(f"{alert} fires after", f"{time.monotonic() - begin:.0f} s")
                del missing[alert]
            assert time.monotonic() - begin < fault.seconds, f"these do not fire: {', '.join(missing)}"
            time.sleep(1)
        for panel in (panel for board in dashboard_panels.ALL for panel in board.panels if panel.only_by == fault.name):
            for query in panel.queries.values():
                assert prometheus.query(query.replace("$service", ".*")), f"{panel.title} is empty"
    begin = time.monotonic()
    ending = [alert for alert in fault.alerts if alert not in fault.lingering]
    wait_until(lambda: not any(fires(prometheus, alert, fault.alerts[alert]) for alert in ending), RESOLVE_SECONDS,
               f"the end of {', '.join(ending)}")
    record_property(f"{fault.name} ends after", f"{time.monotonic() - begin:.0f} s")


def test_a_killed_service_is_delivered_in_time(stack, prometheus, notices, now, record_property):
    stack.kill("user-svc")
    seen = notices.wait("ServiceDown", "firing", now, SERVICE_DOWN_SECONDS, service="user-svc")
    record_property("from the kill to the notice", f"{seen['ts'] - now:.1f} s")
    assert seen["receiver"] == "pager"
    stack.start_service("user-svc")
    notices.wait("ServiceDown", "resolved", now, 120, service="user-svc")


def test_dead_letters_that_lie_for_ten_minutes_are_told_of_until_they_are_gone(stack, prometheus):
    """The fault "provider away" leaves one; an operator drops it, as the runbook says."""
    queue = {"queue": "inventory-svc.dead"}
    wait_until(lambda: fires(prometheus, "DeadQueueNotEmpty", queue), DEAD_SECONDS, "DeadQueueNotEmpty")
    faults.drop_dead(stack, "inventory-svc")
    wait_until(lambda: not fires(prometheus, "DeadQueueNotEmpty", queue), 60, "its end")


def test_what_lingers_ends_too(prometheus):
    """Those with windows of minutes, some time after their faults; windows of half an hour and more are left out."""
    known = [(alert, fault.alerts[alert]) for fault in faults.ALL for alert in fault.lingering
             if not alert.endswith("Slow")]
    wait_until(lambda: not any(fires(prometheus, *one) for one in known), 900, "their end")
