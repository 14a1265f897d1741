-- The reservations of those orders, the products that they sold, and the inbox rows of their messages.
INSERT INTO inventory.reservations (order_id, state, total, currency, product_ids, quantities, unit_prices)
SELECT md5('order ' || n)::uuid, 'COMMITTED', 100 + mod(n, 1000), 'EUR',
       ARRAY['BENCH-' || lpad((1 + mod(n, 1000))::text, 5, '0')], ARRAY[1], ARRAY[100 + mod(n, 1000)]
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n;
UPDATE inventory.products AS p SET on_hand = on_hand - pieces, sold = sold + pieces
FROM (SELECT 'BENCH-' || lpad((1 + mod(n, 1000))::text, 5, '0') AS product_id, count(*) AS pieces
      FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n GROUP BY 1) AS sales
WHERE p.product_id = sales.product_id;
INSERT INTO bus.inbox (message_id, received_at)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
        || substr(md5('message ' || n || ' ' || i), 1, 19))::uuid, at
FROM (SELECT n, i, now() - (%(all)s - n) * interval '10 milliseconds' - interval '1 minute' AS at
      FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n, generate_series(1, 2) AS i) AS made
