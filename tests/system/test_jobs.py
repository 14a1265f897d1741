"""Jobs on the whole stack: each kind ends once, also while data-svc is killed or two processes work; they are
cancelled, fail and are retried."""
import contextlib
import datetime
import os
import subprocess
import uuid

import pytest

from dev import build, ports
from testkit.client import wait_until
from testkit.overridden import overridden
from testkit.report_sums import MISFITS

ORDERS, DAYS = 24_000, 10
# Orders of a month that has no others, without sums.
FILL = f"""
INSERT INTO reports.orders
SELECT gen_random_uuid(), date_trunc('month', now() - interval '2 months') + i * interval '{DAYS} days' / {ORDERS},
       'customer-' || i % 10, CASE WHEN i % 4 = 0 THEN 'CANCELLED' ELSE 'CONFIRMED' END, NULL, i, 'EUR', 0, now(),
       '{{A}}', '{{1}}', '{{1}}' FROM generate_series(0, {ORDERS} - 1) AS i"""
WIPE = ("DELETE FROM reports.jobs; DELETE FROM reports.orders WHERE placed_at < '{end}'; "
        "DELETE FROM reports.rollups WHERE slot < '{end}'")


@pytest.fixture(scope="module")
def month(stack):
    """→ the members of requests that name the days of the orders"""
    first = datetime.date.today().replace(day=1)
    for _ in range(2):
        first = (first - datetime.timedelta(days=1)).replace(day=1)
    end = first + datetime.timedelta(days=DAYS)
    stack.sql("reports", FILL)
    yield {"from": f"{first}T00:00:00Z", "to": f"{end}T00:00:00Z"}
    stack.sql("reports", WIPE.format(end=end))


def ask(api, kind, month, **filters):
    answer = api.post("/api/jobs", {"idempotency_key": str(uuid.uuid4()), "kind": kind} | month | filters)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"/api/jobs/{answer.json()['job_id']}"
    return answer.json()


def show(api, job):
    answer = api.get(f"/api/jobs/{job['job_id']}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def ended(api, job, seconds=30):
    wait_until(lambda: show(api, job)["finished_at"], seconds, "the end of the job")
    return show(api, job)


def exported(api, job):
    """→ the ids of all orders of the result, page by page"""
    found, cursor = [], ""
    while cursor is not None:
        page = api.get(f"/api/jobs/{job['job_id']}/result?limit=100" + (f"&cursor={cursor}" if cursor else "")).json()
        found += [one["order_id"] for one in page["items"]]
        cursor = page["next_cursor"]
    return found


def kill_in_the_middle(api, stack, kind, month, **filters):
    """Begins jobs until one is killed before its end, and goes on with it; → the job, ended."""
    for _ in range(10):
        job = ask(api, kind, month, **filters)
        state = f"SELECT status, done > 0 FROM reports.jobs WHERE job_id = '{job['job_id']}'"
        wait_until(lambda: stack.sql("reports", state)[0][1] == "t", 30, "the first step")
        stack.kill("data-svc")
        status = stack.sql("reports", state)[0][0]
        stack.start_service("data-svc")
        if status == "RUNNING":
            return ended(api, job)
    raise AssertionError("each job ended before it could be killed")


def read_log(name):
    with open(name, encoding="utf-8", errors="replace") as file:
        return file.read()[-2000:]


@contextlib.contextmanager
def second_process(stack):
    """Another data-svc beside the stack's."""
    part, port = stack.part("data-svc"), ports.pick_one()
    words = [*build.launcher(part.program), part.program, "--env-file", part.env_file]
    with open(os.path.join(os.path.dirname(stack.log("data-svc")), "data-svc-2.log"), "wb") as log, \
         subprocess.Popen(words, env=os.environ | {"PORT": str(port)}, stdout=log, stderr=log) as process:
        try:
            wait_until(lambda: ports.is_served(port), 30, "the second data-svc")
            yield
        finally:
            process.terminate()
            assert process.wait(30) == 0, read_log(log.name)


def test_sums_are_made_again_while_data_svc_is_killed(api, stack, month):
    job = kill_in_the_middle(api, stack, "rebuild-sums", month)
    assert (job["status"], job["done"], job["total"], job["attempts"]) == ("DONE", 24 * DAYS, 24 * DAYS, 1)
    assert stack.sql("reports", MISFITS) == [["0"]]
    assert exported(api, job) == []


def test_an_export_has_each_order_once_while_data_svc_is_killed(api, stack, month):
    job = kill_in_the_middle(api, stack, "export-orders", month, order_status="CANCELLED", customer_id="customer-2")
    found = stack.sql("reports", "SELECT order_id FROM reports.orders WHERE status = 'CANCELLED' AND customer_id = "
                      f"'customer-2' AND placed_at < '{month['to']}' ORDER BY placed_at DESC, order_id DESC")
    assert job["status"] == "DONE" and job["done"] == job["total"] == ORDERS
    assert exported(api, job) == [one[0] for one in found] and job["found"] == len(found) == ORDERS // 20


def test_two_processes_do_each_step_once(api, stack, month):
    with second_process(stack):
        jobs = [ask(api, kind, month) for kind in ("rebuild-sums", "export-orders", "rebuild-sums")]
        jobs = [ended(api, job) for job in jobs]
    assert [(job["status"], job["done"]) for job in jobs] == [("DONE", 24 * DAYS), ("DONE", ORDERS),
                                                              ("DONE", 24 * DAYS)]
    assert stack.sql("reports", f"SELECT count(*) FROM reports.exported WHERE job_id = '{jobs[1]['job_id']}'") == [
        [str(ORDERS)]]
    assert stack.sql("reports", MISFITS) == [["0"]]


def test_a_job_is_cancelled_between_two_steps(api, month):
    job = ask(api, "rebuild-sums", month)
    answer = api.post(f"/api/jobs/{job['job_id']}/cancel", None)
    assert answer.status_code == 200 and answer.json()["status"] == "CANCELLED", answer.text
    assert show(api, job)["done"] == answer.json()["done"] < 24 * DAYS
    assert api.post(f"/api/jobs/{job['job_id']}/cancel", None).json() == answer.json()
    assert api.post(f"/api/jobs/{job['job_id']}/retry", None).status_code == 409
    assert api.get(f"/api/jobs/{job['job_id']}/result").status_code == 409
    cancelled = api.get("/api/jobs?status=CANCELLED&kind=rebuild-sums&limit=1").json()
    assert [one["job_id"] for one in cancelled["items"]] == [job["job_id"]]


def test_a_job_that_failed_goes_on_where_it_stopped(api, stack, month):
    with overridden(stack, "data-svc", {"JOB_EXPORT_MAX": "5000"}):
        job = ask(api, "export-orders", month)
        failed = ended(api, job)
        assert failed["status"] == "FAILED" and "JOB_EXPORT_MAX" in failed["error"], failed
        assert failed["done"] == failed["found"] == 4000
        assert api.post(f"/api/jobs/{job['job_id']}/cancel", None).status_code == 409
    assert api.post(f"/api/jobs/{job['job_id']}/retry", None).json()["attempts"] == 2
    again = ended(api, job)
    assert (again["status"], again["done"], again["error"]) == ("DONE", ORDERS, None)
    assert api.post(f"/api/jobs/{job['job_id']}/retry", None).status_code == 409


def test_a_request_makes_one_job(api, month):
    body = {"idempotency_key": str(uuid.uuid4()), "kind": "export-orders", "customer_id": "nobody"} | month
    first, second = (api.post("/api/jobs", body) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 200) and second.headers["Idempotent-Replayed"] == "true"
    assert first.json()["job_id"] == second.json()["job_id"]
    assert api.post("/api/jobs", body | {"customer_id": "others"}).status_code == 422
    assert ended(api, first.json())["found"] == 0


def test_sums_of_orders_that_are_not_kept_stay(api, stack):
    job = ended(api, ask(api, "rebuild-sums", {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}))
    assert job["status"] == "FAILED" and "REPORTS_KEEP_MONTHS" in job["error"] and job["done"] == 0


def test_wrong_requests_name_the_field(api, month):
    for change, field in (({"kind": "import"}, "kind"), ({"from": "yesterday"}, "from"), ({"to": month["from"]}, "to"),
                          ({"kind": "rebuild-sums", "min_total": 1}, "min_total")):
        answer = api.post("/api/jobs", {"idempotency_key": "k", "kind": "export-orders"} | month | change)
        assert answer.status_code == 400 and field in [one["field"] for one in answer.json()["errors"]], answer.text
    nobody = uuid.uuid4()
    for answer in (api.get(f"/api/jobs/{nobody}"), api.get(f"/api/jobs/{nobody}/result"),
                   api.post(f"/api/jobs/{nobody}/cancel", None), api.post(f"/api/jobs/{nobody}/retry", None)):
        assert answer.status_code == 404
