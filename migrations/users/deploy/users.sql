-- Users, their sessions with refresh tokens, reset tokens, failed attempts, and requests that may not be carried out
-- twice. Passwords are Argon2id hashes, tokens SHA-256 hashes. A user is never deleted: an erased one keeps its id and
-- no personal column.
BEGIN;

CREATE SCHEMA users;
REVOKE ALL ON SCHEMA users FROM PUBLIC;
GRANT USAGE ON SCHEMA users TO user_svc;

CREATE TABLE users.users (
    user_id       uuid        PRIMARY KEY,
    email         text COLLATE "C" UNIQUE CHECK (octet_length(email) BETWEEN 1 AND 254),
    name          text        CHECK (octet_length(name) BETWEEN 1 AND 200),
    role          text        NOT NULL CHECK (role IN ('customer', 'operator', 'admin')),
    password_hash text        CHECK (octet_length(password_hash) BETWEEN 1 AND 127),
    sessions_from timestamptz NOT NULL,
    created_at    timestamptz NOT NULL,
    erased_at     timestamptz,
    version       bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    CONSTRAINT users_erased CHECK (erased_at IS NULL OR (email IS NULL AND name IS NULL AND password_hash IS NULL))
);
GRANT SELECT, INSERT ON users.users TO user_svc;
GRANT UPDATE (email, name, password_hash, sessions_from, erased_at, version) ON users.users TO user_svc;

CREATE TABLE users.sessions (
    session_id   uuid        PRIMARY KEY,
    user_id      uuid        NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    revoked_at   timestamptz
);
CREATE INDEX sessions_age ON users.sessions (last_used_at);
GRANT SELECT, INSERT, DELETE ON users.sessions TO user_svc;
GRANT UPDATE (last_used_at, revoked_at) ON users.sessions TO user_svc;

CREATE TABLE users.refresh_tokens (
    token_hash text COLLATE "C" PRIMARY KEY CHECK (octet_length(token_hash) = 64),
    session_id uuid        NOT NULL,
    expires_at timestamptz NOT NULL,
    rotated_at timestamptz,
    rotated_by uuid
);
CREATE INDEX refresh_tokens_age ON users.refresh_tokens (expires_at);
GRANT SELECT, INSERT, DELETE ON users.refresh_tokens TO user_svc;
GRANT UPDATE (rotated_at, rotated_by) ON users.refresh_tokens TO user_svc;

CREATE TABLE users.reset_tokens (
    token_hash text COLLATE "C" PRIMARY KEY CHECK (octet_length(token_hash) = 64),
    user_id    uuid        NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX reset_tokens_age ON users.reset_tokens (expires_at);
GRANT SELECT, INSERT, DELETE ON users.reset_tokens TO user_svc;
GRANT UPDATE (used_at) ON users.reset_tokens TO user_svc;

-- key: hashes of e-mail addresses and client addresses, no clear text.
CREATE TABLE users.guards (
    key           text COLLATE "C" PRIMARY KEY CHECK (octet_length(key) BETWEEN 1 AND 80),
    failures      bigint      NOT NULL CHECK (failures BETWEEN 0 AND 1000000),
    last_at       timestamptz NOT NULL,
    blocked_until timestamptz
);
CREATE INDEX guards_age ON users.guards (last_at);
GRANT SELECT, INSERT, DELETE ON users.guards TO user_svc;
GRANT UPDATE (failures, last_at, blocked_until) ON users.guards TO user_svc;

CREATE TABLE users.past_requests (
    request_id uuid        PRIMARY KEY,
    outcome    text        NOT NULL CHECK (outcome IN ('done', 'refused', 'locked', 'invalid', 'not_found', 'busy')),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX past_requests_age ON users.past_requests (created_at);
GRANT SELECT, INSERT, DELETE ON users.past_requests TO user_svc;

COMMIT;
