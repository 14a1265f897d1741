"""The services' databases: roles, ownership, and the migrations of each, on the private server or a given one."""
import base64
import functools
import hashlib
import hmac
import os
import secrets
import subprocess

from dev import manifests, paths, urls
from dev.parallel import at_once
from dev.postgres import psql
from dev.report import DevError


def scram_verifier(password, salt=None, rounds=4096):
    """The verifier that Postgres stores for a password: it can be logged or shown without giving the password away."""
    salt = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    parts = [base64.b64encode(part).decode() for part in (salt, hashlib.sha256(client_key).digest(), server_key)]
    return f"SCRAM-SHA-256${rounds}:{parts[0]}${parts[1]}:{parts[2]}"


def _script(name):
    with open(os.path.join(paths.ROOT, "infrastructure/local", name), encoding="utf-8") as file:
        return file.read()


class Databases:
    """`admin_urls` names, for each of manifests.DATABASES, an administrator's URL whose path is the database."""

    def __init__(self, state, admin_urls):
        self.state = state
        self.admin_urls = admin_urls

    def url(self, database, role=None):
        """The URL for a role; without one the administrator's."""
        admin = urls.database(self.admin_urls[database])
        return admin.text() if role is None else admin.text(role, self.state.secret("postgres-" + role))

    def create(self, first_database):
        """Roles and databases. `first_database` exists before ours do; None on a given server, where ours exist."""
        sql = _script("roles.sql")
        if first_database:
            psql(urls.database(next(iter(self.admin_urls.values()))).text(path=first_database), _script("server.sql"))
        for service in manifests.WITH_DATABASE:
            admin, roles = urls.database(self.admin_urls[service.database]), service.roles
            variables = {
                "database": admin.path, "owner": roles["owner"], "migrator": roles["migrator"],
                "service": roles["runtime"],
                "migrator_password": scram_verifier(self.state.secret("postgres-" + roles["migrator"])),
                "service_password": scram_verifier(self.state.secret("postgres-" + roles["runtime"])),
            }
            if manifests.OPERATOR in roles:
                operator = roles[manifests.OPERATOR]
                variables |= {"operator": operator,
                              "operator_password": scram_verifier(self.state.secret("postgres-" + operator))}
            psql(admin.text(path=first_database), sql, variables)

    def migrate(self):
        """Deploys what is missing; → how many changes each database got."""
        deployed = at_once([functools.partial(self._deploy, name) for name in manifests.DATABASES])
        return dict(zip(manifests.DATABASES, deployed))

    def _deploy(self, name):
        done = self.sqitch(name, "deploy", "--verify")
        if done.returncode != 0:
            raise DevError(f"the migrations of {name} failed:\n{done.stdout}{done.stderr}")
        return sum(line.startswith("  + ") for line in done.stdout.splitlines())

    def sqitch(self, name, *words, seconds=120):
        """sqitch on one project as its migration role; the password stays out of the arguments."""
        folder = os.path.join(paths.ROOT, "migrations", name)
        if not os.path.exists(os.path.join(folder, "sqitch.plan")):
            raise DevError(f"{folder} has no sqitch.plan")
        url = urls.database(self.url(name, manifests.of_database(name).roles["migrator"]))
        target = f"db:pg://{url.user}@{url.host}:{url.port}/{url.path}"
        environment = os.environ | urls.libpq_environment(url.text()) | {
            "SQITCH_PASSWORD": url.password, "SQITCH_FULLNAME": "orderbus", "SQITCH_EMAIL": "orderbus@localhost",
            "HOME": self.state.path, "TZ": "UTC", "LC_ALL": "C.UTF-8",
        }
        return subprocess.run(["sqitch", words[0], "--target", target, *words[1:]], cwd=folder, env=environment,
                              capture_output=True, text=True, timeout=seconds, check=False)
