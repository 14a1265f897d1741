-- Orders a batch: 50
-- inventory-svc's batch in steady state: fifty reservations, and fifty sales of those of the batch before. :n is the
-- batch.
\set n :n + 1
\startpipeline
BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT now();
INSERT INTO bus.inbox (message_id)
SELECT id FROM (SELECT (lpad(to_hex(:n::int), 12, '0') || '70008' || lpad(to_hex(k), 15, '0'))::uuid AS id
                FROM generate_series(1, 100) AS k) AS new ORDER BY id
ON CONFLICT DO NOTHING RETURNING message_id;
SELECT order_id, state, reason, product_id, total, currency, created_at, expected_until FROM inventory.reservations
WHERE order_id = ANY (ARRAY(SELECT md5((:n::int * 50 - k)::text)::uuid FROM generate_series(0, 99) AS k))
ORDER BY order_id FOR UPDATE;
SELECT product_id, name, price, currency, on_hand, reserved, sold, received, version FROM inventory.products
WHERE product_id = ANY (ARRAY(
    SELECT 'BENCH-' || lpad((1 + (:n::int * 50 - k) * 7 % 1000)::text, 5, '0') FROM generate_series(0, 99) AS k
    UNION
    SELECT unnest(product_ids) FROM inventory.reservations
    WHERE order_id = ANY (ARRAY(SELECT md5((:n::int * 50 - k)::text)::uuid FROM generate_series(50, 99) AS k))))
ORDER BY product_id FOR UPDATE;
SELECT r.order_id, i.product_id, i.quantity, i.unit_price
FROM inventory.reservations r, unnest(r.product_ids, r.quantities, r.unit_prices) WITH ORDINALITY
     AS i (product_id, quantity, unit_price, position)
WHERE r.order_id = ANY (ARRAY(SELECT md5((:n::int * 50 - k)::text)::uuid FROM generate_series(50, 99) AS k))
ORDER BY r.order_id, i.position;
\endpipeline
\startpipeline
INSERT INTO inventory.reservations (order_id, state, total, currency, expected_until, product_ids, quantities, unit_prices)
SELECT md5((:n::int * 50 - k)::text)::uuid, 'RESERVED', 101, 'EUR', now() + interval '2 minutes',
       string_to_array('BENCH-' || lpad((1 + (:n::int * 50 - k) * 7 % 1000)::text, 5, '0'), ','),
       string_to_array('1', ',')::bigint[], string_to_array('101', ',')::bigint[]
FROM generate_series(0, 49) AS k;
UPDATE inventory.reservations r SET state = n.state, expected_until = NULL, updated_at = now()
FROM (SELECT md5((:n::int * 50 - k)::text)::uuid AS order_id, 'COMMITTED' AS state
      FROM generate_series(50, 99) AS k) AS n WHERE r.order_id = n.order_id;
UPDATE inventory.products p SET on_hand = p.on_hand - n.new, reserved = p.reserved + n.new - n.old, sold = p.sold + n.old,
                                received = p.received, version = p.version + 1, updated_at = now()
FROM (SELECT 'BENCH-' || lpad((1 + (:n::int * 50 - k) * 7 % 1000)::text, 5, '0') AS product_id,
             count(*) FILTER (WHERE k < 50) AS new, count(*) FILTER (WHERE k >= 50 AND :n::int > 1) AS old
      FROM generate_series(0, 99) AS k GROUP BY 1) AS n WHERE p.product_id = n.product_id;
INSERT INTO bus.outbox (id, type, correlation_id, causation_id, traceparent, body, next_attempt_at)
SELECT (lpad(to_hex(:n::int), 12, '0') || '70018' || lpad(to_hex(k), 15, '0'))::uuid, 'stock.reserved.v1',
       md5((:n::int * 50 - k)::text)::uuid, md5(k::text)::uuid, '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01',
       '{"order_id":"01234567-89ab-cdef-0123-456789abcdef","items":[{"product_id":"BENCH-00001","quantity":1,"unit_price":101}],"total":101,"currency":"EUR"}',
       now() + 5000 * interval '1 millisecond'
FROM generate_series(1, 50) AS k;
DELETE FROM bus.outbox WHERE id IN (
    SELECT id FROM bus.outbox
    WHERE id = ANY (ARRAY(SELECT (lpad(to_hex(:n::int - 1), 12, '0') || '70018' || lpad(to_hex(k), 15, '0'))::uuid
                          FROM generate_series(1, 50) AS k)) FOR UPDATE SKIP LOCKED);
COMMIT;
\endpipeline
