-- Orders as their events tell them, in a partition for each month of placement, and sums of them by hour and day.
BEGIN;

CREATE SCHEMA reports;
REVOKE ALL ON SCHEMA reports FROM PUBLIC;
GRANT USAGE ON SCHEMA reports TO data_svc;

-- Only the code of a reason is kept: the words behind it may be a customer's. No column that changes is in an index, so that
-- the update of a final order is a heap-only one.
CREATE TABLE reports.orders (
    order_id    uuid        NOT NULL,
    placed_at   timestamptz NOT NULL,
    customer_id text COLLATE "C" NOT NULL CHECK (octet_length(customer_id) BETWEEN 1 AND 64),
    status      text        NOT NULL CHECK (status IN ('OPEN', 'CONFIRMED', 'REJECTED', 'CANCELLED')),
    reason      text        CHECK (octet_length(reason) BETWEEN 1 AND 32),
    total       bigint      CHECK (total BETWEEN 0 AND 1000000000000),
    currency    text        CHECK (octet_length(currency) = 3),
    refunded    bigint      NOT NULL CHECK (refunded BETWEEN 0 AND 1000000000000),
    finished_at timestamptz,
    product_ids text[]      NOT NULL,
    quantities  bigint[]    NOT NULL,
    unit_prices bigint[],
    PRIMARY KEY (placed_at, order_id),
    CONSTRAINT orders_finished CHECK ((status = 'OPEN') = (finished_at IS NULL))
) PARTITION BY RANGE (placed_at);
CREATE INDEX orders_customer ON reports.orders (customer_id, placed_at, order_id);
GRANT SELECT, INSERT ON reports.orders TO data_svc;
GRANT UPDATE (status, reason, total, currency, refunded, finished_at, product_ids, quantities, unit_prices)
    ON reports.orders TO data_svc;

-- The orders of a product; what was ordered of it is in the order.
CREATE TABLE reports.lines (
    product_id text COLLATE "C" NOT NULL CHECK (octet_length(product_id) BETWEEN 1 AND 64),
    placed_at  timestamptz NOT NULL,
    order_id   uuid        NOT NULL,
    PRIMARY KEY (product_id, placed_at, order_id)
) PARTITION BY RANGE (placed_at);
GRANT SELECT, INSERT ON reports.lines TO data_svc;

-- Sums of orders by the hour, and by the day, of their placement (UTC). currency and reason: empty where there is none.
-- bucket: of the time from placement to the end (data_share.c); -1: it has not ended.
CREATE TABLE reports.rollups (
    grain       text        NOT NULL CHECK (grain IN ('hour', 'day')),
    slot        timestamptz NOT NULL,
    currency    text COLLATE "C" NOT NULL CHECK (octet_length(currency) <= 3),
    status      text COLLATE "C" NOT NULL CHECK (status IN ('OPEN', 'CONFIRMED', 'REJECTED', 'CANCELLED')),
    reason      text COLLATE "C" NOT NULL CHECK (octet_length(reason) <= 32),
    bucket      bigint      NOT NULL CHECK (bucket BETWEEN -1 AND 255),
    orders      bigint      NOT NULL,
    amount      bigint      NOT NULL,
    refunded    bigint      NOT NULL,
    duration_ms bigint      NOT NULL,
    PRIMARY KEY (grain, slot, currency, status, reason, bucket)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
GRANT SELECT, INSERT ON reports.rollups TO data_svc;
GRANT UPDATE (orders, amount, refunded, duration_ms) ON reports.rollups TO data_svc;

-- The months that have partitions.
CREATE TABLE reports.months (
    since timestamptz PRIMARY KEY,
    until timestamptz NOT NULL
);
GRANT SELECT ON reports.months TO data_svc;

-- Makes the partitions of this month, of `keep` months before it and of `ahead` months behind it, and drops older ones.
-- Returns how many months it changed; NULL: others held a lock for too long, and the next call tries again. The runtime
-- role may call it, and can neither make nor drop tables otherwise.
CREATE FUNCTION reports.keep_months(keep bigint, ahead bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '500ms' AS $$
DECLARE
    this timestamptz := date_trunc('month', now());
    oldest timestamptz := this - keep * interval '1 month';
    month timestamptz;
    parent text;
    part text;
    changed bigint := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('reports.keep_months', 0));
    FOR month IN SELECT m FROM generate_series(oldest, this + ahead * interval '1 month', interval '1 month') AS m
                 WHERE NOT EXISTS (SELECT FROM reports.months k WHERE k.since = m) LOOP
        FOREACH parent IN ARRAY ARRAY['orders', 'lines'] LOOP
            part := parent || to_char(month, '_YYYY_MM');
            EXECUTE format('CREATE TABLE reports.%I (LIKE reports.%I INCLUDING CONSTRAINTS) WITH (fillfactor = %s)',
                           part, parent, CASE parent WHEN 'orders' THEN 80 ELSE 100 END);
            EXECUTE format('ALTER TABLE reports.%I ATTACH PARTITION reports.%I FOR VALUES FROM (%L) TO (%L)',
                           parent, part, month, month + interval '1 month');
        END LOOP;
        INSERT INTO reports.months VALUES (month, month + interval '1 month');
        changed := changed + 1;
    END LOOP;
    FOR month IN SELECT k.since FROM reports.months k WHERE k.since < oldest LOOP
        FOREACH parent IN ARRAY ARRAY['orders', 'lines'] LOOP
            EXECUTE format('DROP TABLE reports.%I', parent || to_char(month, '_YYYY_MM'));
        END LOOP;
        DELETE FROM reports.months k WHERE k.since = month;
        changed := changed + 1;
    END LOOP;
    RETURN changed;
EXCEPTION WHEN lock_not_available THEN
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION reports.keep_months(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reports.keep_months(bigint, bigint) TO data_svc;
SELECT reports.keep_months(13, 3);

COMMIT;
