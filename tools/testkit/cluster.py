"""A control plane of Kubernetes on private ports: etcd, API server, controllers and scheduler are real; kwok pretends
to be the nodes, and their containers."""
import json
import os
import secrets
import signal
import ssl
import subprocess
import urllib.error
import urllib.request

from dev import kube_tools, ports
from dev.proc import Process
from dev.report import DevError
from dev.state import State

ADDRESS = "127.0.0.1"
START_SECONDS = 180
COMMAND_SECONDS = 240


class Cluster:
    """folder: for the state of all parts; `end` leaves no process."""

    def __init__(self, folder):
        self._state = State(folder).create()
        self.folder = self._state.path
        self._environment = {"PATH": "/usr/bin:/bin", "HOME": self.folder}
        self._token = secrets.token_hex(16)
        self._ports = {}
        for name in ("etcd", "peer", "api", "manager", "scheduler"):
            self._ports[name] = ports.pick_one(self._ports.values())
        self._parts = []

    @property
    def url(self):
        return f"https://{ADDRESS}:{self._ports['api']}"

    @property
    def config(self):
        return os.path.join(self.folder, "kubeconfig")

    def start(self):
        self._write_credentials()
        self._etcd()
        self._api_server()
        # Both would choose a leader first; here each is alone.
        alone = ["--kubeconfig", self.config, "--leader-elect=false", f"--bind-address={ADDRESS}"]
        self._part("kube-controller-manager", *alone, f"--secure-port={self._ports['manager']}",
                   f"--service-account-private-key-file={self._path('accounts.key')}",
                   "--horizontal-pod-autoscaler-sync-period=2s",
                   # kwok never brings back the pods of a node that was lost because the machine was busy.
                   "--node-monitor-grace-period=1h")
        self._part("kube-scheduler", *alone, f"--secure-port={self._ports['scheduler']}")
        stages = run([kube_tools.CONTROL_PLANE.program(), "kwok-stages"])
        with open(self._path("stages.yaml"), "w", encoding="utf-8") as file:
            file.write(accepted(stages))
        self._part("kwok", "--kubeconfig", self.config, "--manage-all-nodes=true", "--node-lease-duration-seconds=40",
                   f"--config={self._path('stages.yaml')}")
        return self

    def end(self):
        for one in reversed(self._parts):
            one.stop((signal.SIGTERM, 20))

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _write_credentials(self):
        subprocess.run(["openssl", "genrsa", "-out", self._path("accounts.key"), "2048"], check=True,
                       capture_output=True)
        with open(self._path("tokens"), "w", encoding="utf-8") as file:
            file.write(f'{self._token},admin,1,"system:masters"\n')
        cluster = {"server": self.url, "certificate-authority": self._path("certificates/apiserver.crt")}
        config = {"apiVersion": "v1", "kind": "Config", "current-context": "here",
                  "clusters": [{"name": "here", "cluster": cluster}],
                  "users": [{"name": "admin", "user": {"token": self._token}}],
                  "contexts": [{"name": "here", "context": {"cluster": "here", "user": "admin"}}]}
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump(config, file)

    def _start(self, name, words):
        process = Process(self._state, name)
        process.start(words, self._environment, self.folder)
        self._parts.append(process)
        return process

    def _part(self, name, *flags):
        return self._start(name, [kube_tools.CONTROL_PLANE.program(), name, *flags])

    def _etcd(self):
        client, peer = (f"http://{ADDRESS}:{self._ports[name]}" for name in ("etcd", "peer"))
        self._start("etcd", ["etcd", "--name=here", f"--data-dir={self._path('etcd')}",
                             f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
                             f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
                             f"--initial-cluster=here={peer}"])

    def _api_server(self):
        process = self._part(
            "kube-apiserver", f"--etcd-servers=http://{ADDRESS}:{self._ports['etcd']}", f"--bind-address={ADDRESS}",
            f"--secure-port={self._ports['api']}", f"--cert-dir={self._path('certificates')}",
            f"--token-auth-file={self._path('tokens')}", "--authorization-mode=RBAC", "--anonymous-auth=false",
            "--service-cluster-ip-range=10.96.0.0/16", "--endpoint-reconciler-type=none",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self._path('accounts.key')}",
            f"--service-account-signing-key-file={self._path('accounts.key')}")
        process.wait_until(lambda: self.get("/readyz") == b"ok", START_SECONDS, "ready")

    def get(self, path):
        """The body of the API server's answer; None if it has none yet, or refuses."""
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self._token}"})
        try:
            context = ssl.create_default_context(cafile=self._path("certificates/apiserver.crt"))
            with urllib.request.urlopen(request, timeout=30, context=context) as answer:
                return answer.read()
        except (OSError, urllib.error.URLError):
            return None

    # Words of tests

    def kubectl(self, *words, text=None):
        """The finished process; the test looks at its status."""
        return run(kubectl("--kubeconfig", self.config, *words), text, self._environment)

    def helm(self, *words):
        return run([kube_tools.HELM.program(), "--kubeconfig", self.config, *words], None, self._environment)

    def apply(self, text, *words):
        """→ what is said. Server-side, with strict validation of fields; the test fails if anything is refused."""
        return accepted(self.kubectl("apply", "--server-side", "--validate=strict", *words, "-f", "-", text=text))

    def objects(self, *words):
        """Items, or the one object, that `kubectl get` finds."""
        found = json.loads(accepted(self.kubectl("get", "-o", "json", *words)))
        return found["items"] if found["kind"] == "List" else found

    def add_nodes(self, count):
        """Nodes of kwok, in three zones. They are created, because an apply would drop their status."""
        size = {"cpu": "16", "memory": "32Gi", "ephemeral-storage": "100Gi", "pods": "110"}
        made = [{"apiVersion": "v1", "kind": "Node", "status": {"capacity": size, "allocatable": size},
                 "metadata": {"name": f"node-{number}", "labels": {
                     "kubernetes.io/hostname": f"node-{number}", "topology.kubernetes.io/zone": f"zone-{number % 3}"}}}
                for number in range(count)]
        listed = {"apiVersion": "v1", "kind": "List", "items": made}
        accepted(self.kubectl("create", "-f", "-", text=json.dumps(listed)))


def kubectl(*words):
    return [kube_tools.CONTROL_PLANE.program(), "kubectl", *words]


def run(words, text=None, environment=None):
    return subprocess.run(words, input=text, capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS,
                          env=environment)


def accepted(done):
    if done.returncode != 0:
        raise DevError(f"{' '.join(done.args[1:])}: {done.stderr.strip()}")
    return done.stdout
