"""./dev admin: makes an administrator, who sets a password by a reset token that is printed once."""
import hashlib
import re
import secrets
import uuid

from dev import session
from dev.postgres import psql
from dev.report import DevError

# Narrower than user-svc's own check: psql would read quotation marks and backslashes.
ADDRESS = re.compile(r"[^\s'\"\\@]{1,64}@[^\s'\"\\@]{1,189}")
MINUTES = 30
SQL = """
INSERT INTO users.users (user_id, email, role, sessions_from, created_at)
VALUES (:'id', :'email', :'role', now(), now())
ON CONFLICT (email) DO UPDATE SET role = :'role', sessions_from = now(), version = users.version + 1;
INSERT INTO users.reset_tokens (token_hash, user_id, expires_at)
SELECT :'hash', user_id, now() + make_interval(mins => :minutes) FROM users.users WHERE email = :'email';
"""


def normal(email):
    """As user_email_normalise does it."""
    local, at, domain = email.strip(" ").rpartition("@")
    found = local + at + domain.lower()
    if not ADDRESS.fullmatch(found):
        raise DevError(f"{email} is no e-mail address that ./dev admin takes", status=2)
    return found


def make(database_url, email, role="admin"):
    """→ the reset token. The user may exist: its sessions end, and it gets the role."""
    token = secrets.token_urlsafe(32)
    psql(database_url, SQL, {"id": uuid.uuid4(), "email": normal(email), "role": role, "minutes": MINUTES,
                             "hash": hashlib.sha256(token.encode()).hexdigest()})
    return token


def admin(options):
    stack = session.required()
    token = make(stack.database_url("users"), options.email)
    print(f"{normal(options.email)} is an administrator. Set a password within {MINUTES} minutes:")
    print(f"curl -X POST {stack.url('edge')}/api/auth/reset -H 'Content-Type: application/json' \\\n"
          f"  -d '{{\"token\":\"{token}\",\"password\":\"...\"}}'")
    return 0
