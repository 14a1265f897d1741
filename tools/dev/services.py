"""Our own programs: the environment file of each, starting, stopping, and whether they are ready."""
import http.client
import json
import os
import signal

from dev import account, build, manifests, ports, user_keys
from dev.management import connect
from dev.proc import Process
from dev.report import DevError

PROVIDER = "psp-sandbox"
DRAIN_SECONDS = 10
READY_SECONDS = 60
# Settings of a sanitized build: a leak or error ends the process with this status, and a report names the place.
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:exitcode=99:detect_stack_use_after_return=1",
              "UBSAN_OPTIONS": "print_stacktrace=1:exitcode=99", "TSAN_OPTIONS": "exitcode=99"}
COUNTERS = "LLVM_PROFILE_FILE"  # the place for the counters of a program that counts what it reaches


class Service:
    """One program. `stack` knows its ports, URLs and passwords."""

    def __init__(self, stack, name):
        self.stack = stack
        self.name = name
        self.manifest = manifests.named(name)
        self.process = Process(stack.state, name)
        self.env_file = os.path.join(stack.state.folder("env"), name + ".env")
        self.program = os.path.join(build.programs(stack.preset), name)

    def own_ports(self):
        return list(self.manifest.ports())

    def running(self):
        return self.process.pid() is not None

    def variables(self):
        """The whole configuration that the program is given."""
        stack, manifest = self.stack, self.manifest
        found = {"PORT": str(stack.ports[self.name]), "BIND": "127.0.0.1"}
        if manifest.broker_user:
            found |= {"LOG_LEVEL": "info"} | stack.broker.shard_variables()
        if manifest.checks_tokens:
            found["OIDC_KEYS_FILE"] = os.path.join(stack.state.folder("work"), f"{self.name}-keys")
        if manifest.serves_clients:
            # No load balancer looks at readiness here, so a stop need not wait until one has noticed. All clients have
            # the one address of this machine, so that it is no use to count it.
            found |= {"ADMIN_PORT": str(stack.ports[manifest.admin]), "DRAIN_MS": "0", "DRAIN_KEPT_MS": "0",
                      "ADDRESS_RATE_LIMIT": "0", "ADDRESS_CONNECTIONS": "0"}
        found |= {variable: self._address(target) for target, variable in manifest.targets().items()}
        if PROVIDER in (self.name, *manifest.links):
            found["PSP_KEY"] = psp_key(stack.state)
        if self.name == PROVIDER:
            found["LEDGER_FILE"] = ledger_file(stack.state)
        if manifest.webhook:
            found |= {"WEBHOOK_URL": stack.url(_client_server()) + manifest.webhook,
                      "WEBHOOK_SECRET": webhook_secret(stack.state)}
        if stack.observed:
            found["OTEL_EXPORTER_OTLP_ENDPOINT"] = stack.url("otelcol")
            if manifest.serves_clients:
                found["TRACES_SAMPLE_PPM"] = "1000000"
        found |= user_keys.variables(stack.state, manifest)
        if self.name == user_keys.SERVICE:
            found |= {"TOKEN_ISSUER": _issuer(stack), "RESET_FOLDER": stack.state.folder("user-resets")}
        if manifest.serves_clients and PROVIDER in manifests.NAMES:
            found["PSP_WEBHOOK_SECRET"] = webhook_secret(stack.state)
        if manifest.serves_clients and user_keys.SERVICE in manifests.NAMES:
            found |= {"USER_SEAL_KEY": user_keys.seal_key(stack.state), "OIDC_ISSUER": _issuer(stack),
                      "AUTH": stack.auth}
        return found | self._tls_variables() | stack.overrides.get(self.name, {})

    def _tls_variables(self):
        certificates, manifest = self.stack.certificates, self.manifest
        if not certificates:
            return {}
        found = certificates.listener_variables(self.name)
        if manifest.broker_user and self.stack.broker_certificates():
            found |= certificates.broker_variables(self.name)
        if PROVIDER in manifest.links:
            found["PSP_CA_FILE"] = certificates.ca
        if manifest.webhook:
            found["WEBHOOK_CA_FILE"] = certificates.ca
        return found

    def _address(self, target):
        """The URL that this service is given for a server or another service."""
        if target == "postgres":
            return self.stack.databases.url(self.manifest.database, self.manifest.roles["runtime"])
        if target == "rabbitmq":
            return self.stack.broker.url(self.manifest.broker_user)
        return self.stack.url(target)

    def start(self):
        """Starts it unless this very build runs with these very variables; → True if it was started."""
        text = "".join(f"{name}={value}\n" for name, value in self.variables().items())
        settings = text + self._build_stamp()
        if self.running():
            if self.process.matches(settings):
                return False
            self.stop()
        ports.require_free(self.stack.ports, self.own_ports())
        account.write_file(self.env_file, text)
        words = [*build.launcher(self.program), self.program, "--env-file", self.env_file]
        self.process.start(words, _environment(), self.stack.state.folder("work"), settings)
        return True

    def stop(self, number=signal.SIGTERM):
        """Lets it drain; → the last signal that was needed, None if it did not run."""
        return self.process.stop((number, DRAIN_SECONDS + 1))

    def ready(self):
        if self.manifest.admin_port is None:
            return not ports.is_free(self.stack.ports[self.name])
        return self._get(self.stack.ports[self.manifest.admin], "/health/ready")[0] == 200

    def wait_ready(self, seconds=READY_SECONDS):
        self.process.wait_until(self.ready, seconds, "ready")

    def health(self):
        """The deep health report as (status, decoded body), (None, None) when nobody answers."""
        return self._get(self.stack.ports[self.manifest.admin], "/health")

    def _get(self, port, path):
        certificates = self.stack.certificates
        connection = connect("127.0.0.1", port, certificates.context() if certificates else None)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text[:1] == b"{" else None
        except (OSError, http.client.HTTPException, ValueError):
            return None, None
        finally:
            connection.close()

    def _build_stamp(self):
        try:
            found = os.stat(self.program)
        except FileNotFoundError:
            raise DevError(f"{self.program} does not exist: ./dev build makes it") from None
        return f"{found.st_size} {found.st_mtime_ns}"


def psp_key(state):
    return "sk_test_" + state.secret("psp-key")


def webhook_secret(state):
    """The secret that the provider signs its events with."""
    return "whsec_" + state.secret("psp-webhook")


def _issuer(stack):
    """The issuer of user-svc's tokens: the program that serves clients shows their keys."""
    return stack.url(_client_server())


def _client_server():
    return next(one.name for one in manifests.ALL if one.serves_clients)


def ledger_file(state):
    return os.path.join(state.folder("psp"), "ledger")


def _environment():
    """Passes none of the caller's environment on: a stray PORT would change every program's configuration. But for
    what compilers' runtimes read."""
    given = {name: os.environ[name] for name in (COUNTERS,) if name in os.environ}
    return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"} | given | {
        name: os.environ.get(name) or value for name, value in SANITIZERS.items()}
