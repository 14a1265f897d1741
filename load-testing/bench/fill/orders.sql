-- Orders that were confirmed at 100 a second until now, with their events and what the inbox remembers of them.
INSERT INTO orders.orders (order_id, customer_id, status, stock_settled, payment_settled, version, created_at,
                           updated_at, product_ids, quantities, unit_prices, total, currency, captured, refunded,
                           request_hash, resends)
SELECT md5('order ' || n)::uuid, 'customer-' || mod(n, 100000), 4, true, true, 5, at, at + interval '1 second',
       ARRAY['BENCH-' || lpad((1 + mod(n, 1000))::text, 5, '0')], ARRAY[1], ARRAY[100 + mod(n, 1000)], 100 + mod(n, 1000), 'EUR',
       100 + mod(n, 1000), 0, md5('hash ' || n) || md5('of ' || n), 0
FROM (SELECT n, now() - (%(all)s - n) * interval '10 milliseconds' - interval '1 minute' AS at
      FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n) AS made;
INSERT INTO orders.order_events (order_id, seq, type, at, data)
SELECT md5('order ' || n)::uuid, seq, (ARRAY['order.placed', 'stock.reserved', 'payment.captured', 'stock.committed',
                                             'order.confirmed'])[seq],
       now() - (%(all)s - n) * interval '10 milliseconds' - interval '1 minute',
       '{"total":1998,"currency":"EUR","items":[{"product_id":"BENCH-00001","quantity":1}]}'
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n, generate_series(1, 5) AS seq;
INSERT INTO bus.inbox (message_id, received_at)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
        || substr(md5('message ' || n || ' ' || i), 1, 19))::uuid, at
FROM (SELECT n, i, now() - (%(all)s - n) * interval '10 milliseconds' - interval '1 minute' AS at
      FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n, generate_series(1, 4) AS i) AS made
