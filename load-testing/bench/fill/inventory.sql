-- The reservations of those orders, and what the inbox remembers of them.
INSERT INTO inventory.reservations (order_id, state, total, currency, product_ids, quantities, unit_prices)
SELECT md5('order ' || n)::uuid, 'COMMITTED', 100 + mod(n, 1000), 'EUR',
       ARRAY['BENCH-' || lpad((1 + mod(n, 1000))::text, 5, '0')], ARRAY[1], ARRAY[100 + mod(n, 1000)]
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n;
INSERT INTO bus.inbox (message_id, received_at)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
        || substr(md5('message ' || n || ' ' || i), 1, 19))::uuid, at
FROM (SELECT n, i, now() - (%(all)s - n) * interval '10 milliseconds' - interval '1 minute' AS at
      FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n, generate_series(1, 2) AS i) AS made
