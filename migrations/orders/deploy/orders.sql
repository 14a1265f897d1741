-- One row an order: the fold of its log (orders.order_events), and the books of its saga, which the log does not tell.
--
-- An order is inserted once and updated some three times within a second. The steps of an open order change no indexed
-- column, so that they stay on their page and touch no index (HOT): the lists' indexes hold the shelf, which changes
-- only with the final status, and due_at follows the deadline only where it must. Half of each page is left free for the
-- next versions of what is on it.
BEGIN;

CREATE SCHEMA orders;
REVOKE ALL ON SCHEMA orders FROM PUBLIC;
GRANT USAGE ON SCHEMA orders TO order_svc;

CREATE TABLE orders.orders (
    order_id        uuid             PRIMARY KEY,
    customer_id     text COLLATE "C" NOT NULL CHECK (octet_length(customer_id) BETWEEN 1 AND 64),
    -- 0 PENDING, 1 RESERVED, 2 PAID, 3 COMPENSATING, 4 CONFIRMED, 5 REJECTED, 6 CANCELLED
    status          smallint         NOT NULL CHECK (status BETWEEN 0 AND 6),
    -- 0: open; else the final status
    shelf           smallint         NOT NULL
                        GENERATED ALWAYS AS (CASE WHEN status >= 4 THEN status ELSE 0::smallint END) STORED,
    stock_settled   boolean          NOT NULL,
    payment_settled boolean          NOT NULL,
    version         bigint           NOT NULL CHECK (version >= 1),             -- seq of the last event
    created_at      timestamptz      NOT NULL,
    updated_at      timestamptz      NOT NULL,
    reason          text             CHECK (octet_length(reason) BETWEEN 1 AND 256),
    product_ids     text[] COLLATE "C" NOT NULL,
    quantities      bigint[]         NOT NULL,
    unit_prices     bigint[],                                                   -- minor units, from RESERVED on
    expected_total  bigint           CHECK (expected_total BETWEEN 0 AND 1000000000000),
    total           bigint           CHECK (total BETWEEN 0 AND 1000000000000), -- from RESERVED on
    currency        text             CHECK (octet_length(currency) = 3),        -- from RESERVED on
    captured        bigint           NOT NULL CHECK (captured BETWEEN 0 AND 1000000000000),
    refunded        bigint           NOT NULL CHECK (refunded BETWEEN 0 AND 1000000000000),
    request_hash    text COLLATE "C" NOT NULL CHECK (octet_length(request_hash) = 64),

    -- Operational: not in the log.
    deadline        timestamptz,
    due_at          timestamptz,
    resends         bigint           NOT NULL CHECK (resends >= 0),
    payment_token   text             CHECK (octet_length(payment_token) BETWEEN 1 AND 128), -- until the charge is sent
    reply_to        text             CHECK (octet_length(reply_to) BETWEEN 1 AND 255),      -- who waits for the end
    request_id      uuid,
    reply_until     timestamptz,
    traceparent     text             CHECK (octet_length(traceparent) = 55),

    CONSTRAINT orders_items CHECK (cardinality(product_ids) BETWEEN 1 AND 100
                                   AND cardinality(quantities) = cardinality(product_ids)
                                   AND 1 <= ALL (quantities) AND 1000 >= ALL (quantities)),
    CONSTRAINT orders_prices CHECK ((total IS NULL) = (unit_prices IS NULL) AND (total IS NULL) = (currency IS NULL)
                                    AND (unit_prices IS NULL OR cardinality(unit_prices) = cardinality(product_ids))),
    CONSTRAINT orders_priced CHECK (CASE WHEN status IN (0, 5) THEN total IS NULL
                                         WHEN status IN (1, 2, 4) THEN total IS NOT NULL
                                         ELSE true END),
    CONSTRAINT orders_paid CHECK (status NOT IN (2, 4) OR captured = total),
    CONSTRAINT orders_reason CHECK ((status IN (3, 5, 6)) = (reason IS NOT NULL)),
    CONSTRAINT orders_settled CHECK (CASE WHEN status = 3 THEN NOT (stock_settled AND payment_settled)
                                          WHEN status >= 4 THEN stock_settled
                                          ELSE true END),
    CONSTRAINT orders_deadline CHECK ((status >= 4) = (deadline IS NULL) AND (status >= 4) = (due_at IS NULL)
                                      AND (due_at IS NULL OR due_at <= deadline)),
    CONSTRAINT orders_token CHECK ((status = 0) = (payment_token IS NOT NULL)),
    CONSTRAINT orders_asker CHECK ((reply_to IS NULL) = (reply_until IS NULL)),
    CONSTRAINT orders_times CHECK (created_at <= updated_at)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 10000,
        autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_insert_threshold = 50000,
        autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 10000);

-- Lists, newest first: each shelf is one range (read backwards); a list of all orders merges four.
CREATE INDEX orders_shelf ON orders.orders (shelf, created_at, order_id);
CREATE INDEX orders_customer ON orders.orders (customer_id, shelf, created_at, order_id);
-- Open orders: which are due, and how many there are.
CREATE INDEX orders_due ON orders.orders (due_at) WHERE due_at IS NOT NULL;

-- What was ordered, by whom and when, is written once; no order is ever deleted.
GRANT SELECT, INSERT ON orders.orders TO order_svc;
GRANT UPDATE (status, reason, unit_prices, total, currency, updated_at, version, captured, refunded, stock_settled,
              payment_settled, deadline, due_at, resends, payment_token, reply_to, request_id, reply_until)
    ON orders.orders TO order_svc;

COMMIT;
