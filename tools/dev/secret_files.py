"""./dev secrets FOLDER: the secrets of a deployment as files, NAME/CREDENTIAL of each service, as in its unit."""
import os
import re

from dev import account, manifests, paths, user_keys
from dev.report import DevError, step
from dev.state import State

# Users of the images: ours, and those of servers by the folder of their secrets (Postgres and RabbitMQ; Grafana).
USER = 10001
SERVERS = {"servers": 999, "grafana": 472}
# Secrets that a payment provider gives: once written they stay.
GIVEN = ("psp-key", "psp-webhook-secret")
# Programs that are called by others with a secret that both know: {service: {variable: name of the secret}}
SHARED = {"PSP_KEY": "psp-key", "WEBHOOK_SECRET": "psp-webhook", "PSP_WEBHOOK_SECRET": "psp-webhook"}


def credentials(service):
    """{variable: (name of its file, whether it must be there)}, as cmake/OrderbusPackages.cmake reads them."""
    with open(os.path.join(paths.ROOT, service.folder, ".env.example"), encoding="utf-8") as file:
        found = re.findall(r"in the file that ([A-Z0-9_]+)_FILE names(; must be set)?", file.read())
    return ({name + "_FILE": (_id(name), bool(needed)) for name, needed in found} |
            {name: (_id(name.removesuffix("_FILE")), True) for name in service.key_files})


def of_deployment(service):
    """{variable: name of its file} of the secrets that ./dev secrets writes for a service."""
    return {variable: name for variable, (name, needed) in credentials(service).items()
            if needed or variable.removesuffix("_FILE") in SHARED}


def administrators(service):
    """Roles, besides the superuser, that administrators and operators have of a service's database."""
    return sorted({"migrator", manifests.OPERATOR} & set(service.roles))


def _id(variable):
    return variable.lower().replace("_", "-")


class Files:
    """folder: a state of its own, so that a second call finds the passwords of the first."""

    def __init__(self, folder, postgres, rabbitmq):
        self._state = State(os.path.join(folder, ".state")).create()
        self._folder = os.path.abspath(folder)
        self._postgres = postgres
        self._rabbitmq = rabbitmq

    def database_url(self, role, database, path=None):
        host = self._postgres.format(database=database)
        return f"postgres://{role}:{self._state.secret('postgres-' + role)}@{host}/{path or database}"

    def broker_url(self, user, scheme="amqp", port="", path="orderbus"):
        host = self._rabbitmq if scheme == "amqp" else re.split("[:,]", self._rabbitmq)[0] + port
        return f"{scheme}://{user}:{self._state.secret('amqp-' + user)}@{host}/{path}"

    def of_service(self, service):
        """{file: text} of all that must be there, and of the secrets that two programs share."""
        keys = user_keys.variables(self._state, service)
        found = {}
        for variable, (name, needed) in credentials(service).items():
            if variable == "DATABASE_URL_FILE":
                found[name] = self.database_url(service.roles["runtime"], service.database)
            elif variable == "RABBITMQ_URL_FILE":
                found[name] = self.broker_url(service.broker_user)
            elif variable.removesuffix("_FILE") in SHARED:
                found[name] = self._state.secret(SHARED[variable.removesuffix("_FILE")])
            elif variable in keys:
                found[name] = account.read_file(keys[variable])
            elif needed:
                raise DevError(f"{service.name}: ./dev secrets knows nothing for {variable}")
        return found

    def of_administrators(self):
        found = {"rabbitmq-url": self.broker_url("admin"), "operator-rabbitmq-url": self.broker_url("operator"),
                 "management-url": self.broker_url("admin", "http", ":15672", "")}
        for one in manifests.WITH_DATABASE:
            found[f"{one.database}-admin-url"] = self.database_url("postgres", one.database, "postgres")
            for name in administrators(one):
                found[f"{one.database}-{name}-url"] = self.database_url(one.roles[name], one.database)
        return found

    def of_servers(self):
        administrator = f"default_user = admin\ndefault_pass = {self._state.secret('amqp-admin')}\n"
        return {"servers": {"rabbitmq.conf": administrator, "erlang-cookie": self._state.secret("erlang-cookie"),
                            "rabbitmq-password": self._state.secret("amqp-admin"),
                            "postgres-password": self._state.secret("postgres-postgres")},
                "grafana": {"password": self._state.secret("grafana")}}

    def write(self):
        all_of = {one.name: self.of_service(one) for one in manifests.ALL}
        all_of |= {"admin": self.of_administrators()} | self.of_servers()
        for name, files in all_of.items():
            os.makedirs(os.path.join(self._folder, name), mode=0o755, exist_ok=True)
            for file, text in files.items():
                path = os.path.join(self._folder, name, file)
                if not (file in GIVEN and os.path.exists(path)):
                    self._write(path, text, SERVERS.get(name, USER))
        # Not secret: what the edge seals passwords to.
        account.write_file(os.path.join(self._folder, "edge.env"),
                           f"USER_SEAL_KEY={user_keys.seal_key(self._state)}\n", mode=0o644)

    @staticmethod
    def _write(path, text, user):
        account.write_file(path, text, mode=0o400)
        if account.is_root():
            os.chown(path, user, user)


def add_options(added):
    added.add_argument("folder", metavar="FOLDER", help="where they are written; known ones stay as they are")
    added.add_argument("--postgres", default="postgres-{database}", metavar="HOST",
                       help="host of a database's server (postgres-{database})")
    added.add_argument("--rabbitmq", default="rabbitmq", metavar="HOST[,HOST...]",
                       help="hosts of the broker (rabbitmq)")


def write(options):
    Files(options.folder, options.postgres, options.rabbitmq).write()
    step("secrets", f"written to {options.folder}; root and the users of the images read them")
    return 0
