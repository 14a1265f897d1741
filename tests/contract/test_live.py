"""schemathesis on the edge of a live stack: all of its checks, on generated requests that are right and wrong."""
import os
import re
import subprocess
import time

import pytest

import expected
from chaos import invariants
from dev import build, manifests, paths, private
from dev.stack import Stack
from testkit import users
from testkit.client import Api, item, wait_until
from testkit.issuer import Issuer

HERE = os.path.join(paths.ROOT, "tests", "contract")
PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"
PRODUCT = {"product_id": "SKU-00001", "name": "Sample", "price": 999, "currency": "EUR", "on_hand": 1000000}
ACCOUNT = {"email": "ann@example.org", "password": "correct horse battery"}
# The phases of each seed. The cases of the first two do not depend on it.
SEEDS = {1: "examples,coverage,fuzzing,stateful", 2: "fuzzing,stateful", 3: "fuzzing,stateful"}
ROLES = ("customer", "admin")
EXAMPLES = 30  # of each operation, at most
LEAST_CASES = 5000  # of all runs
RUN_SECONDS = 900
TOKEN_SECONDS = 3500
# Time enough on a busy machine: a 503 is a failure.
PATIENT = {"AUTH": "oidc", "RATE_LIMIT": "0", "QUERY_TIMEOUT_MS": "30000", "ACCEPT_TOTAL_MS": "30000"}


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def stack(issuer):
    """A stack whose edge checks tokens."""
    overrides = {one.name: one.variables("system") for one in manifests.ALL}
    overrides["edge"] |= PATIENT | {"OIDC_ISSUER": issuer.url}
    with private.stack("contract", lambda folder: Stack(folder, preset=PRESET, overrides=overrides)) as made:
        yield made


@pytest.fixture(scope="module")
def api(stack):
    """With the product of the examples, and their user."""
    made = Api(stack.url("edge"))
    stack.broker.publish(build.programs(PRESET), "inventory.put-product.v1", [PRODUCT])
    wait_until(lambda: made.get("/api/products/SKU-00001").status_code == 200, 60, "the product")
    wait_until(lambda: made.post("/api/auth/register", ACCOUNT).status_code == 202, 60, "the user")
    return made


@pytest.fixture(scope="module")
def document(api):
    return api.get("/api/openapi.json").json()


@pytest.fixture(scope="module")
def user(api, stack):
    return users.id_of(stack, ACCOUNT["email"])


@pytest.fixture(scope="module")
def tokens(issuer, user):
    """{role: a token of the user}"""
    end = int(time.time()) + TOKEN_SECONDS
    return {role: issuer.token(user, exp=end, role=role if role != "customer" else None) for role in ROLES}


@pytest.fixture(scope="module")
def order(api, tokens):
    """An order of the user."""
    answer = api.place(item("SKU-00001"), headers={"Authorization": f"Bearer {tokens['customer']}"})
    return answer.json()["order_id"]


@pytest.fixture
def run(schemathesis, stack, document, user, order, tokens, tmp_path):
    """A function: a run in a role → its output, its status, and how many requests it tried."""
    def started(role, seed):
        file = tmp_path / f"{role}.toml"
        file.write_text(expected.configuration(document, role), encoding="utf-8")
        words = [schemathesis.program(), "--config-file", file, "run", stack.url("edge") + "/api/openapi.json",
                 "--checks", "all", "--phases", SEEDS[seed], "--max-examples", str(EXAMPLES), "--seed", str(seed),
                 "--generation-database", "none", "--continue-on-failure", "--no-color", "--request-timeout", "60",
                 "--header", f"Authorization: Bearer {tokens[role]}"]
        environment = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": HERE, "CONTRACT_USER": user,
                                    "CONTRACT_ORDER": order}
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
                              timeout=RUN_SECONDS)
        generated = re.search(r"^\s*(\d+) generated", done.stdout, re.M)
        return done.stdout + done.stderr, done.returncode, int(generated[1]) if generated else 0
    return started


def test_the_edge_keeps_the_document_on_generated_requests(run):
    cases, failed = 0, []
    for seed in SEEDS:
        for role in ROLES:
            output, status, generated = run(role, seed)
            cases += generated
            failed += [f"seed {seed}, {role}:\n{output}"] if status else []
    assert not failed, "\n".join(failed)
    assert cases >= LEAST_CASES


def test_afterwards_the_invariants_hold(stack, api):
    found = invariants.check_at_rest(invariants.Sources.of_stack(stack, api.accepted), seconds=120)
    assert not found.violations(), "\n".join(found.violations())
