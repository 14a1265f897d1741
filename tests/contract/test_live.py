"""schemathesis on the edge of a live stack: all of its checks, on generated requests that are right and wrong."""
import os
import re
import subprocess

import pytest

import expected
from chaos import invariants
from dev import build, manifests, paths, private, token
from dev.stack import Stack
from testkit import users
from testkit.client import Api, item, wait_until

HERE = os.path.join(paths.ROOT, "tests", "contract")
PRESET = os.environ.get("ORDERBUS_PRESET") or "asan"
PRODUCT = {"product_id": "SKU-00001", "name": "Sample", "price": 999, "currency": "EUR", "on_hand": 1000000}
ACCOUNT = {"email": "ann@example.org", "password": "correct horse battery"}
# The phases of each seed. The cases of the first two do not depend on it.
SEEDS = {1: "examples,coverage,fuzzing,stateful", 2: "fuzzing,stateful", 3: "fuzzing,stateful"}
ROLES = ("customer", "admin")
EXAMPLES = 30  # of each operation, at most
LEAST_CASES = 5000  # of all runs
FEW = ("fuzzing", 12)  # phases and examples of the short list
LEAST_OF_FEW = 500
RUN_SECONDS = 900
TOKEN_SECONDS = 3600
# Time enough on a busy machine: a 503 is a failure.
PATIENT = {"RATE_LIMIT": "0", "QUERY_TIMEOUT_MS": "30000", "ACCEPT_TOTAL_MS": "30000"}


@pytest.fixture(scope="module")
def stack():
    """A stack whose edge checks tokens of its own user-svc."""
    overrides = {one.name: one.variables("system") for one in manifests.ALL}
    overrides["edge"] |= PATIENT
    overrides["user-svc"] |= {"ACCESS_TOKEN_S": str(TOKEN_SECONDS)}
    with private.stack("contract", lambda folder: Stack(folder, preset=PRESET, overrides=overrides,
                                                        auth="own")) as made:
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
def tokens(stack):
    """{role: a token of a user with it}"""
    return {role: token.log_in(stack, role) for role in ROLES}


@pytest.fixture(scope="module")
def callers(stack, tokens):
    """{role: the id of its user}"""
    return {role: users.id_of(stack, token.email(role)) for role in tokens}


@pytest.fixture(scope="module")
def orders(api, tokens):
    """{role: the id of an order of its user}"""
    found = {}
    for role, one in tokens.items():
        answer = api.place(item("SKU-00001"), headers={"Authorization": f"Bearer {one}"})
        found[role] = answer.json()["order_id"]
    return found


@pytest.fixture
def run(schemathesis, stack, document, callers, orders, tokens, tmp_path):
    """A function: a run in a role → its output, its status, and how many requests it tried."""
    def started(role, seed, phases, examples):
        file = tmp_path / f"{role}.toml"
        file.write_text(expected.configuration(document, role), encoding="utf-8")
        words = [schemathesis.program(), "--config-file", file, "run", stack.url("edge") + "/api/openapi.json",
                 "--checks", "all", "--phases", phases, "--max-examples", str(examples), "--seed", str(seed),
                 "--generation-database", "none", "--continue-on-failure", "--no-color", "--request-timeout", "60",
                 "--header", f"Authorization: Bearer {tokens[role]}"]
        environment = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": HERE, "CONTRACT_ORDER": orders[role],
                                    "CONTRACT_USER": callers[role], "CONTRACT_CALLERS": " ".join(callers.values())}
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
                              timeout=RUN_SECONDS)
        (tmp_path / f"{role}-{seed}").write_text(done.stdout + done.stderr, encoding="utf-8")
        generated = re.search(r"^\s*(\d+) generated", done.stdout, re.M)
        return done.stdout + done.stderr, done.returncode, int(generated[1]) if generated else 0
    return started


@pytest.mark.short
def test_the_edge_keeps_the_document_on_some_generated_requests(run):
    output, status, generated = run("customer", 1, *FEW)
    assert not status, output
    assert generated >= LEAST_OF_FEW


@pytest.mark.long
def test_the_edge_keeps_the_document_on_generated_requests(run):
    cases, failed = 0, []
    for seed in SEEDS:
        for role in ROLES:
            output, status, generated = run(role, seed, SEEDS[seed], EXAMPLES)
            cases += generated
            failed += [f"seed {seed}, {role}:\n{output}"] if status else []
    assert not failed, "\n".join(failed)
    assert cases >= LEAST_CASES


def test_afterwards_the_invariants_hold(stack, api):
    found = invariants.check_at_rest(invariants.Sources.of_stack(stack, api.accepted), seconds=120)
    assert not found.violations(), "\n".join(found.violations())
