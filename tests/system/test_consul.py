"""Programs that register with an agent of Consul: once they are ready, every 30 s again, until they drain."""
import os

import pytest

from dev import account
from testkit.agent import Agent
from testkit.client import wait_until

pytestmark = pytest.mark.discovery

TOKEN = "0b3e1f0a-token"
REGISTER, DEREGISTER = "register", "deregister"


@pytest.fixture(name="service", params=["payment-svc", "edge"])
def fixture_service(request, stack):
    return stack.services[request.param]


@pytest.fixture(name="agent")
def fixture_agent(stack, service):
    with Agent(TOKEN, service.ready) as made:
        given = {"CONSUL_URL": made.url, "CONSUL_TOKEN": TOKEN, "ADVERTISE_ADDRESS": "localhost"}
        before = dict(stack.overrides.get(service.name, {}))
        stack.overrides[service.name] = before | given
        yield made
        stack.overrides[service.name] = before
        service.start()
        service.wait_ready()


def lines(stack, service, begin, text):
    return account.read_file(stack.log(service.name))[begin:].count(text)


def test_a_program_registers_again_and_deregisters_before_it_drains(stack, service, agent):
    service.start()
    service.wait_ready()
    wait_until(lambda: agent.of(REGISTER), 30, "a registration")
    method, path, token, body, ready = agent.of(REGISTER)[0]
    port = stack.ports[service.name]
    health = stack.ports[service.manifest.admin]
    name = f"{service.name}-localhost-{port}"
    assert (method, path, token, ready) == ("PUT", "/v1/agent/service/register", TOKEN, True)
    assert body.pop("Meta")["version"]
    scheme = "https" if stack.certificates else "http"
    assert body == {"ID": name, "Name": service.name, "Address": "localhost", "Port": port, "Check": {
        "HTTP": f"{scheme}://localhost:{health}/health/ready", "Interval": "10s", "Timeout": "3s",
        "DeregisterCriticalServiceAfter": "10m"}}
    wait_until(lambda: len(agent.of(REGISTER)) >= 2, 45, "the second registration")
    assert not agent.of(DEREGISTER)
    service.stop()
    [(method, path, token, _, ready)] = agent.of(DEREGISTER)
    assert (method, path, token) == ("PUT", f"/v1/agent/service/deregister/{name}", TOKEN)
    assert ready, "the program answered 503 already while the agent still named it"


def test_an_agent_that_refuses_is_one_line(stack, service, agent):
    agent.status = 403
    begin = os.path.getsize(stack.log(service.name))
    service.start()
    service.wait_ready()
    wait_until(lambda: len(agent.of(REGISTER)) >= 2, 75, "the second try")
    assert lines(stack, service, begin, "Consul does not register the program") == 1
    agent.status = None
    wait_until(lambda: lines(stack, service, begin, "registered with Consul") == 1, 45, "a registration after all")
    assert service.ready()
    assert TOKEN not in account.read_file(stack.log(service.name))[begin:]
