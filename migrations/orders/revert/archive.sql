-- Puts the archived events back, and takes the archive away.
BEGIN;

CREATE OR REPLACE VIEW orders.audit_lines AS
SELECT o.order_id,
       (to_jsonb(o) || jsonb_build_object(
           'items', (SELECT jsonb_agg(jsonb_build_object('product_id', i.product_id, 'quantity', i.quantity,
                                                         'unit_price', i.unit_price) ORDER BY i.position)
                     FROM unnest(o.product_ids, o.quantities, o.unit_prices) WITH ORDINALITY
                         AS i (product_id, quantity, unit_price, position)),
           'events', coalesce((SELECT jsonb_agg(jsonb_build_object('seq', e.seq, 'type', e.type, 'at', e.at,
                                                                   'data', e.data) ORDER BY e.seq)
                               FROM orders.order_events e WHERE e.order_id = o.order_id), '[]'::jsonb)
       ))::text AS line
FROM orders.orders o;

DROP PROCEDURE orders.archive(interval, bigint, bigint);
DROP VIEW orders.all_events;
INSERT INTO orders.order_events SELECT * FROM orders.archived_events;
DROP TABLE orders.archived_events, orders.archive_cursor;

COMMIT;
