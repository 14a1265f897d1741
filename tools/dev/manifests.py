"""The services of this tree: every folder with a service.json is one, and no other file lists them."""
import dataclasses
import glob
import json
import os

from dev import paths
from dev.report import DevError

PLACES = ("*/service.json", "infrastructure/*/service.json")
ROLES = {"owner", "migrator", "runtime"}
OPERATOR = "operator"  # a further role, of databases that operators read by a role of their own
# Servers that ./dev starts itself: their short names in links, and the variables that hold their URLs.
SERVER_LINKS = {"postgres": ("pg", "DATABASE_URL"), "rabbitmq": ("amqp", "RABBITMQ_URL")}


@dataclasses.dataclass(frozen=True)
class Manifest:
    """One service.json. folder: from the root; short: the prefix of its libraries, links and port variables."""
    folder: str
    name: str
    short: str
    port: int
    admin_port: int = None    # health and metrics; None: the program has neither
    database: str = None      # its migrations are in migrations/<database>
    roles: dict = None        # names of the roles of its database, by ROLES and OPERATOR
    broker_user: str = None
    calls_strangers: bool = False  # it calls URLs that its users choose
    sends_mail: bool = False  # it may call a mail relay
    checks_tokens: bool = False  # it calls issuers of tokens, and keeps their last key set in OIDC_KEYS_FILE
    links: tuple = ()         # other services that it calls, besides its database and the broker
    webhook: str = None       # path of the program that serves clients, which it tells of events
    key_files: tuple = ()     # variables that name files which this program alone may read
    state: dict = dataclasses.field(default_factory=dict)  # {variable: place in its state folder; a folder ends with /}
    suites: dict = dataclasses.field(default_factory=dict)

    @property
    def serves_clients(self):
        """It has a port for clients beside the one for health and metrics."""
        return self.admin_port not in (None, self.port)

    @property
    def admin(self):
        """The name, in ports.TABLE, of the port for health and metrics."""
        return self.name + "-admin" if self.serves_clients else self.name

    @property
    def calls_out(self):
        """It calls others over HTTP, be it a service, an issuer of tokens or a URL of its users."""
        return bool(self.links or self.checks_tokens or self.webhook or self.calls_strangers)

    @property
    def database_variable(self):
        """The variable of operators' programs that holds the URL of its database."""
        return f"{self.database.upper()}_DATABASE_URL"

    @property
    def broker_variable(self):
        """The variable of operators' programs that holds the broker's URL of its user."""
        return f"{self.database.upper()}_RABBITMQ_URL"

    def ports(self):
        """{name in ports.TABLE: (default, variable, what listens there)}"""
        found = {self.name: (self.port, f"ORDERBUS_{self.short.upper()}_PORT", self.name)}
        if self.serves_clients:
            found[self.admin] = (self.admin_port, f"ORDERBUS_{self.short.upper()}_ADMIN_PORT",
                                 f"{self.name}'s health and metrics")
        return found

    def variables(self, suite):
        """Settings of this suite, besides those of ./dev."""
        return self.suites.get(suite, {}).get("variables", {})

    def targets(self):
        """{what it talks to: the variable that holds the address}, servers and services."""
        servers = [name for name, used in (("postgres", self.database), ("rabbitmq", self.broker_user)) if used]
        return ({name: SERVER_LINKS[name][1] for name in servers} |
                {name: f"{named(name).short.upper()}_URL" for name in self.links})


def _load(path):
    folder = os.path.dirname(path)
    try:
        with open(os.path.join(paths.ROOT, path), encoding="utf-8") as file:
            fields = json.load(file)
        found = Manifest(folder, **fields | {name: tuple(fields.get(name, ())) for name in ("links", "key_files")})
    except (ValueError, TypeError) as error:
        raise DevError(f"{path}: {error}") from None
    _check(path, found)
    return found


def _check(path, found):
    if bool(found.database) != bool(found.roles) or set(found.roles or ROLES) - {OPERATOR} != ROLES:
        raise DevError(f"{path}: a service with a database names its roles {', '.join(sorted(ROLES))}")
    plan = os.path.join("migrations", found.database or "", "sqitch.plan")
    if found.database and not os.path.exists(os.path.join(paths.ROOT, plan)):
        raise DevError(f"{path}: the database {found.database} needs {plan}")


def _check_together(found):
    names = {one.name for one in found}
    for what in ("name", "short", "port", "database", "broker_user"):
        given = [str(getattr(one, what)) for one in found if getattr(one, what)]
        double = sorted(value for value in given if given.count(value) > 1)
        if double:
            raise DevError(f"two services have the same {what}: {', '.join(double)}")
    for one in found:
        if set(one.links) - names:
            raise DevError(f"{one.folder}/service.json: no service is named {', '.join(set(one.links) - names)}")


def find():
    """Every service, in the order in which a stack starts them: those that others call first, and last those that serve
    clients."""
    places = [path for place in PLACES for path in glob.glob(place, root_dir=paths.ROOT)]
    found = [_load(path) for path in places]
    _check_together(found)
    called = {name for one in found for name in one.links}
    return tuple(sorted(found, key=lambda one: (one.serves_clients, one.name not in called, one.port)))


ALL = find()
ON_BUS = tuple(one for one in ALL if one.broker_user)
WITH_DATABASE = tuple(one for one in ALL if one.database)
FOR_OPERATORS = tuple(one for one in WITH_DATABASE if OPERATOR in one.roles)  # orderctl reads their outboxes
NAMES = tuple(one.name for one in ALL)
DATABASES = tuple(one.database for one in WITH_DATABASE)


def named(name):
    return next(one for one in ALL if one.name == name)


def of_database(database):
    return next(one for one in WITH_DATABASE if one.database == database)
