"""The objects of Kubernetes that run the system, made of each service.json; <<path>> is a value of the chart."""
import os

from dev import kube_values, manifests, paths, secret_files

USER = secret_files.USER
SECRETS = "/run/secrets/orderbus"
STATE = "/var/lib/orderbus"
GRACE_S = 80        # as TimeoutStopSec of the units: DRAIN_MS + DRAIN_KEPT_MS of an edge, and the requests in progress
READ_BY_GROUP = 0o440  # Kubernetes gives a secret to root and to the pod's group
# Settings that a service has in a cluster, besides those of its service.json.
SETTINGS = {
    "edge": {"AUTH": "own", "OIDC_ISSUER": "<<url>>", "ALLOWED_HOSTS": "<<host>>,edge",
             "TRUSTED_PROXIES": "<<ingress.proxies>>"},
    "user-svc": {"TOKEN_ISSUER": "<<url>>"},
    "payment-svc": {"PSP_URL": "<<provider.url>>", "PSP_ALLOW_PLAIN": "<<provider.allowPlain>>"},
    "psp-sandbox": {"WEBHOOK_URL": "http://edge:8080/webhooks/psp"},
}
# Queues that show how much a service has to do, besides the one of its name.
QUEUES = {"order-svc": ("order-svc.place",)}
SANDBOX = "psp-sandbox"
EDGE = "edge"
BROKER = "rabbitmq"
AMQP, POSTGRES, MANAGEMENT, BROKER_METRICS = 5672, 5432, 15672, 15692
# How nodes of RabbitMQ find each other and talk: epmd, distribution, and their command line.
PEERS = ({"port": 4369}, {"port": 25672}, {"port": 35672, "endPort": 35682})


def labels(name, component="service"):
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/component": component,
            "app.kubernetes.io/part-of": "orderbus"}


def _object(api, kind, name, component="service", **rest):
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "labels": labels(name, component)}} | rest


def _selects(name):
    return {"app.kubernetes.io/name": name}


def postgres(one):
    """Name of the cluster of Postgres with the database of a service."""
    return f"postgres-{one.database}"


# Pods

CONTAINER_SECURITY = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "runAsNonRoot": True,
                      "capabilities": {"drop": ["ALL"]}}
POD = {
    "automountServiceAccountToken": False,
    "enableServiceLinks": False,  # else the cluster's variables could look like settings of a program
    "securityContext": {"runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER,
                        "fsGroupChangePolicy": "OnRootMismatch", "seccompProfile": {"type": "RuntimeDefault"}},
}


def _image(name):
    return {"image": f"<<image.registry>>/{name}:<<{kube_values.TAG}>>", "imagePullPolicy": "<<image.pullPolicy>>"}


def _resources(cpu, memory, limit):
    return {"requests": {"cpu": cpu, "memory": memory, "ephemeral-storage": "16Mi"},
            "limits": {"cpu": "1", "memory": limit, "ephemeral-storage": "128Mi"}}


def _environment(one):
    """Settings, and for each secret the file that has it."""
    found = dict(SETTINGS.get(one.name, {}))
    found |= {variable: f"{SECRETS}/{file}" for variable, file in secret_files.of_deployment(one).items()}
    found |= {variable: STATE if place.endswith("/") else f"{STATE}/{place}" for variable, place in one.state.items()}
    return [{"name": name, "value": value} for name, value in found.items()]


def _probes(one):
    """An edge shows by /health/ready that it drains: it must be seen within DRAIN_MS. The sandbox has --health."""
    if one.admin_port:
        alive, ready = ({"httpGet": {"path": path, "port": "health"}} for path in ("/health/live", "/health/ready"))
    else:
        alive, ready = {"tcpSocket": {"port": "http"}}, {"exec": {"command": ["/program", "--health"]}}
    return {"startupProbe": alive | {"periodSeconds": 2, "failureThreshold": 60, "timeoutSeconds": 2},
            "livenessProbe": alive | {"periodSeconds": 10, "failureThreshold": 3, "timeoutSeconds": 5},
            "readinessProbe": ready | {"periodSeconds": 1 if one.admin_port else 5, "failureThreshold": 2,
                                       "timeoutSeconds": 1 if one.admin_port else 3}}


def _ports(one):
    own = [{"name": "http", "containerPort": one.port}] if one.port != one.admin_port else []
    return own + ([{"name": "health", "containerPort": one.admin_port}] if one.admin_port else [])


def _container(one):
    volumes = [{"name": "secrets", "mountPath": SECRETS, "readOnly": True}]
    volumes += [{"name": "state", "mountPath": STATE}] if one.state else []
    size = [f"<<{one.short}.{name}>>" for name in ("cpu", "memory", "memoryLimit")]
    # Further settings of each program, in a ConfigMap of one's own; that of the edge has the key of user-svc.
    more = {"configMapRef": {"name": f"{one.name}-settings", "optional": one.name != EDGE}}
    return {"name": one.name} | _image(one.name) | {
        "ports": _ports(one), "envFrom": [more], "env": _environment(one),
        "resources": _resources(*(size if one.name != SANDBOX else ("50m", "32Mi", "128Mi")))
    } | _probes(one) | {"securityContext": CONTAINER_SECURITY, "volumeMounts": volumes}


def _spread(name):
    """On machines and zones of their own, each version of a Deployment by itself."""
    def over(key, strictly):
        return {"maxSkew": 1, "topologyKey": key, "nodeTaintsPolicy": "Honor",
                "whenUnsatisfiable": "DoNotSchedule" if strictly else "ScheduleAnyway",
                "labelSelector": {"matchLabels": _selects(name)}, "matchLabelKeys": ["pod-template-hash"]}
    return [over("kubernetes.io/hostname", True), over("topology.kubernetes.io/zone", False)]


def _account(name):
    return _object("v1", "ServiceAccount", name, automountServiceAccountToken=False)


def _deployment(one):
    volumes = [{"name": "secrets", "secret": {"secretName": one.name, "defaultMode": READ_BY_GROUP}}]
    volumes += [{"name": "state", "emptyDir": {"sizeLimit": "64Mi"}}] if one.state else []
    scrape = {"annotations": {"prometheus.io/scrape": "true", "prometheus.io/path": "/metrics",
                              "prometheus.io/port": str(one.admin_port or one.port)}}
    pod = {"serviceAccountName": one.name} | POD | {
        "terminationGracePeriodSeconds": GRACE_S, "topologySpreadConstraints": _spread(one.name),
        "containers": [_container(one)], "volumes": volumes}
    # A ledger has one writer; all others are replaced without a gap. How many there are is decided by the autoscaler.
    how = ({"replicas": 1, "strategy": {"type": "Recreate"}} if one.name == SANDBOX else
           {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}})
    return _object("apps/v1", "Deployment", one.name, spec=how | {
        "revisionHistoryLimit": 5, "progressDeadlineSeconds": 300, "selector": {"matchLabels": _selects(one.name)},
        "template": {"metadata": {"labels": labels(one.name)} | scrape, "spec": pod}})


def _service(one):
    return _object("v1", "Service", one.name, spec={
        "selector": _selects(one.name), "ports": [{"name": "http", "port": one.port, "targetPort": "http"}]})


def _autoscaler(one):
    def queue(name):
        return {"type": "External", "external": {
            "metric": {"name": "orderbus_queue_messages", "selector": {"matchLabels": {"queue": name}}},
            "target": {"type": "AverageValue", "averageValue": "<<scaling.queued>>"}}}
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {
        "type": "Utilization", "averageUtilization": "<<scaling.cpuPercent>>"}}}
    queues = [one.name, *QUEUES.get(one.name, ())] if one.database else []
    return _object("autoscaling/v2", "HorizontalPodAutoscaler", one.name, spec={
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": one.name},
        "minReplicas": f"<<{one.short}.minReplicas>>", "maxReplicas": f"<<{one.short}.maxReplicas>>",
        "metrics": [cpu, *map(queue, queues)]})


def _budget(one):
    return _object("policy/v1", "PodDisruptionBudget", one.name, spec={
        "maxUnavailable": 1, "selector": {"matchLabels": _selects(one.name)}})


# Networks: nothing may be reached but by a path that is named here.

def pods(**match):
    return {"podSelector": {"matchLabels": match}}


def of(name):
    return {"podSelector": {"matchLabels": _selects(name)}}


def _in(namespace):
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}


def _to(where, *ports):
    return {"to": where, "ports": [_port(one) for one in ports]}


def _from(where, *ports):
    return {"from": where, "ports": [_port(one) for one in ports]}


def _port(one):
    return {"protocol": "TCP"} | (one if isinstance(one, dict) else {"port": one})


def _policy(name, selector, ingress=(), egress=(), component="network"):
    types = (["Ingress"] if ingress else []) + (["Egress"] if egress else [])
    return _object("networking.k8s.io/v1", "NetworkPolicy", name, component, spec={
        "podSelector": selector, "policyTypes": types or ["Ingress", "Egress"]} |
        ({"ingress": list(ingress)} if ingress else {}) | ({"egress": list(egress)} if egress else {}))


def cluster_of(one):
    """Pods of the cluster of Postgres of a service, as CloudNativePG labels them."""
    return pods(**{"cnpg.io/cluster": postgres(one)})


MONITORING = [_in("<<namespaces.monitoring>>")]
PRIVATE = ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"]
PUBLIC = [{"ipBlock": {"cidr": "0.0.0.0/0", "except": PRIVATE}}]


def _policy_of_service(one):
    ingress = [_from(MONITORING, one.admin_port)]
    egress = [_to([of(BROKER)], AMQP)]
    if one.serves_clients:
        ingress.append(_from([_in("<<ingress.namespace>>")], one.port))
    if one.database:
        egress.append(_to([cluster_of(one)], POSTGRES))
    if one.calls_strangers:
        egress.append(_to(PUBLIC, 443, 8443))
    if one.sends_mail:
        egress.append(_to(PUBLIC, 465, 587))
    return _policy(one.name, {"matchLabels": _selects(one.name)}, ingress, egress, "service")


def network():
    """The policies of all pods: no path is open, but names may be looked up."""
    names = {"to": [_in("kube-system")], "ports": [{"protocol": kind, "port": 53} for kind in ("UDP", "TCP")]}
    return [_policy("default-deny", {}), _policy("names", {}, egress=[names])]


# The groups of objects, each a file

def of_service(one):
    found = [_account(one.name), _deployment(one)]
    if one.serves_clients or one.name == SANDBOX:
        found.append(_service(one))
    if one.name != SANDBOX:
        found += [_autoscaler(one), _budget(one), _policy_of_service(one)]
    return found


def ingress():
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": EDGE, "port": {"name": "http"}}}}
    return [_object("networking.k8s.io/v1", "Ingress", EDGE, spec={
        "ingressClassName": "<<ingress.class>>",
        "tls": [{"hosts": ["<<host>>"], "secretName": "<<ingress.tlsSecret>>"}],
        "rules": [{"host": "<<host>>", "http": {"paths": [path]}}]})]


def sandbox(one):
    """The sandbox, and the two paths that it adds: payment-svc calls it, and it calls the edge's webhook."""
    port = manifests.named(EDGE).port
    return [*of_service(one),
            _policy(SANDBOX, {"matchLabels": _selects(SANDBOX)},
                    [_from([of("payment-svc")], one.port), _from(MONITORING, one.port)], [_to([of(EDGE)], port)]),
            _policy("payment-svc-to-sandbox", {"matchLabels": _selects("payment-svc")},
                    egress=[_to([of(SANDBOX)], one.port)]),
            _policy("edge-from-sandbox", {"matchLabels": _selects(EDGE)}, [_from([of(SANDBOX)], port)])]


def provider():
    """payment-svc may leave the cluster, for a public address, as services may that call URLs of their users."""
    return [_policy("payment-svc-to-provider", {"matchLabels": _selects("payment-svc")},
                    egress=[_to(PUBLIC, 443)])]


def _server_policy(name, selector, clients, peers, operator, metrics):
    """A server talks to its peers and to the API server; its operator and those that collect metrics may reach it."""
    api = {"ipBlock": {"cidr": "<<apiServer>>"}}
    return _policy(name, selector["podSelector"],
                   [clients, _from([selector], *peers), _from(*operator), _from(MONITORING, metrics)],
                   [_to([selector], *peers), _to([api], 443, 6443)], "server")


def _postgres(one):
    size = {"cpu": "<<postgres.cpu>>", "memory": "<<postgres.memory>>"}
    cluster = _object("postgresql.cnpg.io/v1", "Cluster", postgres(one), "server", spec={
        "instances": "<<postgres.instances>>", "imageName": "<<postgres.image>>",
        "bootstrap": {"initdb": {"dataChecksums": True}},
        "enableSuperuserAccess": True,  # for the Job that makes roles and database
        "superuserSecret": {"name": f"{postgres(one)}-superuser"},
        "postgresql": {"synchronous": {"method": "any", "number": 1, "dataDurability": "<<postgres.durability>>"}},
        "storage": {"size": "<<postgres.storage>>"},
        "resources": {"requests": size, "limits": {"cpu": "2", "memory": "<<postgres.memoryLimit>>"}}})
    status = 8000  # of the manager in each instance
    clients = _from([of(one.name), of(f"setup-{one.database}")], POSTGRES)
    policy = _server_policy(postgres(one), cluster_of(one), clients,
                            (POSTGRES, status), ([_in("<<namespaces.postgres>>")], POSTGRES, status), 9187)
    return [cluster, policy]


def postgres_clusters():
    return [found for one in manifests.WITH_DATABASE for found in _postgres(one)]


def rabbitmq():
    with open(os.path.join(paths.ROOT, "infrastructure", "docker", "rabbitmq.conf"), encoding="utf-8") as file:
        settings = "".join(line for line in file if not line.startswith(("#", "default_user", "loopback")))
    apart = {"labelSelector": {"matchLabels": _selects(BROKER)}, "topologyKey": "kubernetes.io/hostname"}
    size = {"cpu": "<<rabbitmq.cpu>>", "memory": "<<rabbitmq.memory>>"}
    cluster = _object("rabbitmq.com/v1beta1", "RabbitmqCluster", BROKER, "server", spec={
        "replicas": "<<rabbitmq.replicas>>", "image": "<<rabbitmq.image>>",
        "secretBackend": {"externalSecret": {"name": "rabbitmq-administrator"}},
        "persistence": {"storage": "<<rabbitmq.storage>>"},
        "resources": {"requests": size, "limits": {"cpu": "2", "memory": "<<rabbitmq.memory>>"}},
        "rabbitmq": {"additionalConfig": settings + "cluster_partition_handling = pause_minority\n"},
        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [apart]}}})
    clients = _from([of(one.name) for one in manifests.ON_BUS] + [of("setup-broker")], AMQP)
    policy = _server_policy(BROKER, of(BROKER), clients, PEERS,
                            ([_in("<<namespaces.rabbitmq>>")], MANAGEMENT), BROKER_METRICS)
    policy["spec"]["ingress"].append(_from([of("setup-broker")], MANAGEMENT))
    return [cluster, policy]


# Jobs: roles, databases and migrations, and the broker's users and queues. A release has Jobs of its own.

def _file(path):
    return f"{SECRETS}/{path}"


def _job(name, command, environment, sources, egress):
    container = {"name": "setup"} | _image("admin") | {
        "command": command, "env": [{"name": key, "value": value} for key, value in environment.items()],
        "resources": _resources("100m", "64Mi", "256Mi"), "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [{"name": "secrets", "mountPath": SECRETS, "readOnly": True},
                         {"name": "tmp", "mountPath": "/tmp"}]}
    pod = {"serviceAccountName": "setup"} | POD | {
        "restartPolicy": "OnFailure", "containers": [container],
        "volumes": [{"name": "secrets", "projected": {"defaultMode": READ_BY_GROUP, "sources": sources}},
                    {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}]}
    job = _object("batch/v1", "Job", name, "setup", spec={
        "backoffLimit": 20, "activeDeadlineSeconds": 1800, "ttlSecondsAfterFinished": 86400,
        "template": {"metadata": {"labels": labels(name, "setup")}, "spec": pod}})
    job["metadata"]["name"] = f"{name}-<<{kube_values.TAG}|dashed>>"
    return [job, _policy(name, {"matchLabels": _selects(name)}, egress=egress, component="setup")]


def _secret(name, *items):
    """A source of a projected volume: the whole Secret, or (key, path) of it."""
    chosen = {"items": [{"key": key, "path": path} for key, path in items]} if items else {}
    return {"secret": {"name": name} | chosen}


def _setup_database(one):
    names = ["admin", *secret_files.administrators(one)]
    environment = {f"{name.upper()}_URL_FILE": _file(f"{name}-url") for name in names}
    return _job(f"setup-{one.database}",
                ["sh", "-ec", f"orderbus-roles {one.database}; orderbus-migrate {one.database}"],
                environment | {"SERVICE_URL_FILE": _file("database-url")},
                [_secret(f"{one.database}-administrators"), _secret(one.name, ("database-url", "database-url"))],
                [_to([cluster_of(one)], POSTGRES)])


def _setup_broker():
    users = ["operator", *(one.name for one in manifests.ON_BUS)]
    environment = {"BROKER_DISK_BYTES": "<<rabbitmq.queueBytes>>",
                   "MANAGEMENT_URL_FILE": _file("management-url"), "RABBITMQ_URL_FILE": _file("rabbitmq-url"),
                   "USER_URL_FILES": "".join(_file(f"{name}-rabbitmq-url\n") for name in users)}
    sources = [_secret("broker-administrators")]
    sources += [_secret(one.name, ("rabbitmq-url", f"{one.name}-rabbitmq-url")) for one in manifests.ON_BUS]
    return _job("setup-broker", ["orderbus-broker"], environment, sources, [_to([of(BROKER)], AMQP, MANAGEMENT)])


def setup():
    return [_object("v1", "ServiceAccount", "setup", "setup", automountServiceAccountToken=False),
            *(found for one in manifests.WITH_DATABASE for found in _setup_database(one)), *_setup_broker()]


# Secrets: their values are files, which ./dev secrets writes.

def _files(folder, names):
    return [f"{key}=files/{folder}/{file}" for key, file in sorted(names.items())]


def secrets():
    """The kustomization of all Secrets, and of the one setting that the edge needs besides them."""
    found = [{"name": one.name, "files": _files(one.name, {file: file for file in
                                                           secret_files.of_deployment(one).values()})}
             for one in manifests.ALL]
    for one in manifests.WITH_DATABASE:
        names = {f"{name}-url": f"{one.database}-{name}-url" for name in ("admin", *secret_files.administrators(one))}
        found.append({"name": f"{one.database}-administrators", "files": _files("admin", names)})
        found.append({"name": f"{postgres(one)}-superuser", "type": "kubernetes.io/basic-auth",
                      "literals": ["username=postgres"], "files": _files("servers", {"password": "postgres-password"})})
    broker = ("management-url", "rabbitmq-url", "operator-rabbitmq-url")
    found.append({"name": "broker-administrators", "files": _files("admin", {name: name for name in broker})})
    found.append({"name": "rabbitmq-administrator", "literals": ["username=admin"], "files": _files("servers", {
        "password": "rabbitmq-password", "default_user.conf": "rabbitmq.conf"})})
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
            "generatorOptions": {"disableNameSuffixHash": True}, "secretGenerator": found,
            "configMapGenerator": [{"name": f"{EDGE}-settings", "envs": ["files/edge.env"]}]}


def groups():
    """{name: objects} of what each deployment has."""
    found = {one.name: of_service(one) for one in manifests.ALL if one.name != SANDBOX}
    return found | {"ingress": ingress(), "network": network(), "postgres": postgres_clusters(), BROKER: rabbitmq(),
                    "setup": setup()}
