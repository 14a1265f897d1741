-- Programs that get tokens of their own. A client is made and withdrawn by an operator; the service only reads it. The
-- secret has 256 random bits, so a SHA-256 of it is enough.
BEGIN;

CREATE TABLE users.clients (
    client_id   uuid        PRIMARY KEY,
    name        text        NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 200),
    role        text        NOT NULL CHECK (role IN ('customer', 'operator')),
    scope       text        CHECK (scope ~ '^[a-z][a-z:.-]*( [a-z][a-z:.-]*)*$' AND octet_length(scope) BETWEEN 1 AND 512),
    secret_hash text COLLATE "C" NOT NULL CHECK (octet_length(secret_hash) = 64),
    created_at  timestamptz NOT NULL DEFAULT now(),
    revoked_at  timestamptz
);
GRANT SELECT ON users.clients TO user_svc;

COMMIT;
