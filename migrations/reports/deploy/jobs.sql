-- Jobs: work on the reports that takes many transactions, and the orders that exports copied.
BEGIN;

-- place_at and place_id: where the next step begins. An export walks orders that were placed before; place_id is NULL before
-- every order of place_at.
CREATE TABLE reports.jobs (
    job_id       uuid        PRIMARY KEY,
    kind         text        NOT NULL CHECK (kind IN ('export-orders', 'rebuild-sums')),
    owner        text        NOT NULL CHECK (octet_length(owner) BETWEEN 1 AND 128),
    since        timestamptz NOT NULL,
    until        timestamptz NOT NULL,
    order_status text        CHECK (order_status IN ('OPEN', 'CONFIRMED', 'REJECTED', 'CANCELLED')),
    customer_id  text COLLATE "C" CHECK (octet_length(customer_id) BETWEEN 1 AND 64),
    product_id   text COLLATE "C" CHECK (octet_length(product_id) BETWEEN 1 AND 64),
    min_total    bigint      CHECK (min_total BETWEEN 0 AND 1000000000000),
    max_total    bigint      CHECK (max_total BETWEEN 0 AND 1000000000000),
    created_at   timestamptz NOT NULL,
    status       text        NOT NULL CHECK (status IN ('QUEUED', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED')),
    done         bigint      NOT NULL CHECK (done >= 0),
    total        bigint      CHECK (total >= 0),
    found        bigint      NOT NULL CHECK (found >= 0),
    attempts     bigint      NOT NULL CHECK (attempts >= 0),
    error        text        CHECK (octet_length(error) BETWEEN 1 AND 200),
    started_at   timestamptz,
    finished_at  timestamptz,
    place_at     timestamptz NOT NULL,
    place_id     uuid,
    CONSTRAINT jobs_finished CHECK ((status IN ('QUEUED', 'RUNNING')) = (finished_at IS NULL)),
    CONSTRAINT jobs_error CHECK ((status = 'FAILED') = (error IS NOT NULL))
) WITH (fillfactor = 50);
CREATE INDEX jobs_open ON reports.jobs (created_at) WHERE finished_at IS NULL;
CREATE INDEX jobs_finished ON reports.jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_page ON reports.jobs (created_at, job_id);
GRANT SELECT, INSERT, DELETE ON reports.jobs TO data_svc;
GRANT UPDATE (status, done, total, found, attempts, error, started_at, finished_at, place_at, place_id)
    ON reports.jobs TO data_svc;

-- Orders as they were when an export walked them. They go with their job.
CREATE TABLE reports.exported (
    job_id uuid NOT NULL REFERENCES reports.jobs ON DELETE CASCADE,
    LIKE reports.orders INCLUDING CONSTRAINTS,
    PRIMARY KEY (job_id, placed_at, order_id)
);
GRANT SELECT, INSERT ON reports.exported TO data_svc;

COMMIT;
