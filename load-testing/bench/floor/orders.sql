-- Orders a batch: 33
-- order-svc's batch in steady state: 99 messages, a third of them each step of the saga. :n is the batch.
\set n :n + 1
\startpipeline
BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT now();
INSERT INTO bus.inbox (message_id)
SELECT id FROM (SELECT (lpad(to_hex(:n::int), 12, '0') || '70008' || lpad(to_hex(k), 15, '0'))::uuid AS id
                FROM generate_series(1, 99) AS k) AS new ORDER BY id
ON CONFLICT DO NOTHING RETURNING message_id;
SELECT o.order_id, o.customer_id, o.status::bigint, o.reason, array_to_string(o.product_ids, ','),
       array_to_string(o.quantities, ','), array_to_string(o.unit_prices, ','), o.total, o.currency, o.created_at,
       o.updated_at, o.version, o.expected_total, o.request_hash, o.captured, o.refunded, o.stock_settled,
       o.payment_settled, o.deadline, o.due_at, o.resends, o.payment_token, o.reply_to, o.request_id, o.reply_until,
       o.traceparent
FROM orders.orders o
WHERE o.order_id = ANY (ARRAY(SELECT md5((:n::int * 33 - k)::text)::uuid FROM generate_series(0, 98) AS k))
ORDER BY o.order_id FOR UPDATE;
\endpipeline
\startpipeline
INSERT INTO orders.orders (order_id, customer_id, product_ids, quantities, request_hash, created_at, traceparent, status,
                           updated_at, version, captured, refunded, stock_settled, payment_settled, deadline, due_at,
                           resends, payment_token)
SELECT md5((:n::int * 33 - k)::text)::uuid, 'anonymous', string_to_array('BENCH-00001', ','),
       string_to_array('1', ',')::bigint[], repeat('0123456789abcdef', 4), now(),
       '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01', 0, now(), 1, 0, 0, false, false,
       now() + interval '60 s', now() + interval '60 s', 0, 'pm_card_visa'
FROM generate_series(0, 32) AS k;
-- Reserved and confirmed: the two batches before this one.
UPDATE orders.orders o
SET status = n.step, unit_prices = string_to_array('101', ',')::bigint[], total = 101, currency = 'EUR',
    updated_at = now(), version = n.version, captured = CASE WHEN n.step = 4 THEN 101 ELSE 0 END, refunded = 0,
    stock_settled = n.step = 4, payment_settled = n.step = 4,
    deadline = CASE WHEN n.step < 4 THEN now() + interval '60 s' END, due_at = CASE WHEN n.step < 4 THEN o.due_at END,
    resends = 0, payment_token = NULL
FROM (SELECT md5((:n::int * 33 - k)::text)::uuid AS order_id,
             CASE k / 33 WHEN 1 THEN 1 ELSE 4 END::smallint AS step, k / 33 + 1 AS version
      FROM generate_series(33, 98) AS k) AS n
WHERE o.order_id = n.order_id;
INSERT INTO orders.order_events (order_id, seq, type, at, data)
SELECT md5((:n::int * 33 - k)::text)::uuid, k / 33 + 1,
       (ARRAY['order.created', 'order.reserved', 'order.confirmed'])[k / 33 + 1], now(),
       (ARRAY['{"customer_id":"anonymous","items":[{"product_id":"BENCH-00001","quantity":1}],"request_hash":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}',
              '{"items":[{"product_id":"BENCH-00001","quantity":1,"unit_price":101}],"total":101,"currency":"EUR"}',
              '{"amount":101}'])[k / 33 + 1]::json
FROM generate_series(0, 98) AS k;
-- What is sent for each: reserve and created, charge, confirmed; and what was sent a batch before is confirmed.
INSERT INTO bus.outbox (id, type, correlation_id, causation_id, traceparent, body, next_attempt_at)
SELECT (lpad(to_hex(:n::int), 12, '0') || '70018' || lpad(to_hex(k), 15, '0'))::uuid, 'inventory.reserve.v1',
       md5((:n::int * 33 - k)::text)::uuid, md5(k::text)::uuid, '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01',
       '{"order_id":"01234567-89ab-cdef-0123-456789abcdef","items":[{"product_id":"BENCH-00001","quantity":1}]}',
       now() + 5000 * interval '1 millisecond'
FROM generate_series(1, 132) AS k;
DELETE FROM bus.outbox WHERE id IN (
    SELECT id FROM bus.outbox
    WHERE id = ANY (ARRAY(SELECT (lpad(to_hex(:n::int - 1), 12, '0') || '70018' || lpad(to_hex(k), 15, '0'))::uuid
                          FROM generate_series(1, 132) AS k)) FOR UPDATE SKIP LOCKED);
COMMIT;
\endpipeline
