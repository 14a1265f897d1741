"""./dev client: makes a program's client id and secret, by which it gets tokens; or withdraws them."""
import hashlib
import re
import secrets
import uuid

from dev import session
from dev.postgres import psql
from dev.report import DevError

SCOPE = re.compile(r"[a-z][a-z:.-]{0,63}")  # as the CHECK of users.clients
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
INSERT = """
INSERT INTO users.clients (client_id, name, role, scope, secret_hash)
VALUES (:'id', :'name', :'role', nullif(:'scope', ''), :'hash');
"""
REVOKE = "UPDATE users.clients SET revoked_at = now() WHERE client_id = :'id' AND revoked_at IS NULL RETURNING name;"


def make(database_url, name, scopes=(), role="customer"):
    """→ (client id, secret); the secret is kept nowhere."""
    for text, form in ((name, NAME), *((scope, SCOPE) for scope in scopes)):
        if not form.fullmatch(text):
            raise DevError(f"{text!r} must match {form.pattern}", status=2)
    client_id, secret = uuid.uuid4(), secrets.token_urlsafe(32)
    psql(database_url, INSERT, {"id": client_id, "name": name, "role": role, "scope": " ".join(scopes),
                                "hash": hashlib.sha256(secret.encode()).hexdigest()})
    return str(client_id), secret


def revoke(database_url, client_id):
    """→ the program's name. Its tokens last until they expire."""
    found = psql(database_url, REVOKE, {"id": uuid.UUID(client_id)}).splitlines()
    if not found:
        raise DevError(f"there is no client {client_id}, or it is withdrawn already")
    return found[0]


def client(options):
    stack = session.required()
    url = stack.database_url("users")
    if options.revoke:
        print(f"{revoke(url, str(options.revoke))} gets no further token")
        return 0
    if not options.name:
        raise DevError("a client needs a NAME", status=2)
    client_id, secret = make(url, options.name, options.scope, "operator" if options.operator else "customer")
    print(f"client_id      {client_id}\nclient_secret  {secret}\n")
    print(f"curl -u {client_id}:{secret} -d grant_type=client_credentials {stack.url('edge')}/api/auth/token")
    return 0


def add_options(added):
    added.set_defaults(run=client)
    added.add_argument("name", metavar="NAME", nargs="?", help="what the program is called")
    added.add_argument("--scope", action="append", default=[], metavar="SCOPE",
                       help="orders:on-behalf lets it order for every customer; may be repeated")
    added.add_argument("--operator", action="store_true", help="its role; default: a customer of its own")
    added.add_argument("--revoke", type=uuid.UUID, metavar="CLIENT_ID", help="withdraw a client instead")
