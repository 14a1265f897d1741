-- Events of orders that were placed long ago and are final move to a table of their own, so that the log that every order
-- writes to stays as small as the last months. The order's row stays where it is, and with it its idempotency key.
BEGIN;

CREATE TABLE orders.archived_events (
    order_id uuid             NOT NULL,
    seq      bigint           NOT NULL,
    type     text COLLATE "C" NOT NULL,
    at       timestamptz      NOT NULL,
    data     json             NOT NULL,
    PRIMARY KEY (order_id, seq)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_insert_threshold = 100000,
        autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 50000);

-- The whole log. An event that follows later, such as a refund, is in order_events again.
CREATE VIEW orders.all_events AS
SELECT order_id, seq, type, at, data FROM orders.order_events
UNION ALL
SELECT order_id, seq, type, at, data FROM orders.archived_events;

GRANT SELECT ON orders.all_events TO order_svc;
GRANT SELECT (order_id, seq, type, at) ON orders.all_events TO orders_operator;

-- Each final shelf is archived in the order of its lists' index; its orders up to this one were.
CREATE TABLE orders.archive_cursor (
    shelf      smallint    PRIMARY KEY CHECK (shelf IN (4, 5, 6)),
    created_at timestamptz NOT NULL DEFAULT '-infinity',
    order_id   uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'
);
INSERT INTO orders.archive_cursor (shelf) VALUES (4), (5), (6);

-- Moves the events of final orders that were placed before now() - older, batch by batch, each in a transaction of its own:
-- CALL orders.archive('6 months'). It may end at any time, and goes on at the next call. A procedure that commits sets no
-- search_path; it names its schemas.
CREATE PROCEDURE orders.archive(older interval, batch bigint DEFAULT 1000, INOUT moved bigint DEFAULT 0)
LANGUAGE plpgsql AS $$
DECLARE
    before timestamptz := now() - older;
    cursor_row orders.archive_cursor;
    ids uuid[];
    events bigint;
BEGIN
    FOR cursor_row IN SELECT * FROM orders.archive_cursor ORDER BY shelf LOOP
        LOOP
            SELECT array_agg(n.order_id ORDER BY n.created_at, n.order_id), max(n.created_at) INTO ids, cursor_row.created_at
              FROM (SELECT o.order_id, o.created_at FROM orders.orders o
                     WHERE o.shelf = cursor_row.shelf AND o.created_at < before
                       AND (o.created_at, o.order_id) > (cursor_row.created_at, cursor_row.order_id)
                     ORDER BY o.created_at, o.order_id LIMIT batch) n;
            EXIT WHEN ids IS NULL;
            cursor_row.order_id := ids[cardinality(ids)];
            WITH gone AS (DELETE FROM orders.order_events e WHERE e.order_id = ANY (ids) RETURNING e.*)
            INSERT INTO orders.archived_events SELECT * FROM gone;
            GET DIAGNOSTICS events = ROW_COUNT;
            moved := moved + events;
            UPDATE orders.archive_cursor c SET created_at = cursor_row.created_at, order_id = cursor_row.order_id
             WHERE c.shelf = cursor_row.shelf;
            COMMIT;
        END LOOP;
    END LOOP;
END
$$;
REVOKE ALL ON PROCEDURE orders.archive(interval, bigint, bigint) FROM PUBLIC;

CREATE OR REPLACE VIEW orders.audit_lines AS
SELECT o.order_id,
       (to_jsonb(o) || jsonb_build_object(
           'items', (SELECT jsonb_agg(jsonb_build_object('product_id', i.product_id, 'quantity', i.quantity,
                                                         'unit_price', i.unit_price) ORDER BY i.position)
                     FROM unnest(o.product_ids, o.quantities, o.unit_prices) WITH ORDINALITY
                         AS i (product_id, quantity, unit_price, position)),
           'events', coalesce((SELECT jsonb_agg(jsonb_build_object('seq', e.seq, 'type', e.type, 'at', e.at,
                                                                   'data', e.data) ORDER BY e.seq)
                               FROM orders.all_events e WHERE e.order_id = o.order_id), '[]'::jsonb)
       ))::text AS line
FROM orders.orders o;

COMMIT;
