-- Orders that were confirmed at 100 a second until now, with their events and the inbox rows of their messages.
WITH made AS (
  INSERT INTO orders.orders (order_id, customer_id, status, stock_settled, payment_settled, version, created_at,
                             updated_at, product_ids, quantities, unit_prices, total, currency, captured, refunded,
                             request_hash, resends)
  SELECT md5('order ' || n)::uuid, 'customer-' || mod(n, 100000), 4, true, true, 3, at, at,
         ARRAY['BENCH-' || lpad((1 + mod(n, 1000))::text, 5, '0')], ARRAY[1], ARRAY[100 + mod(n, 1000)],
         100 + mod(n, 1000), 'EUR', 100 + mod(n, 1000), 0, md5('hash ' || n) || md5('of ' || n), 0
  FROM (SELECT n, now() - (%(all)s - n) * interval '10 milliseconds' - interval '1 minute' AS at
        FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n) AS numbered
  RETURNING order_id, customer_id, created_at, product_ids[1] AS product_id, quantities[1] AS quantity, total, currency,
            request_hash)
INSERT INTO orders.order_events (order_id, seq, type, at, data)
SELECT order_id, seq, type, created_at, data
FROM made CROSS JOIN LATERAL (VALUES
  (1, 'order.created', jsonb_build_object(
    'customer_id', customer_id, 'request_hash', request_hash,
    'items', jsonb_build_array(jsonb_build_object('product_id', product_id, 'quantity', quantity)))),
  (2, 'order.reserved', jsonb_build_object(
    'total', total, 'currency', currency,
    'items', jsonb_build_array(jsonb_build_object('product_id', product_id, 'quantity', quantity,
                                                  'unit_price', total)))),
  (3, 'order.confirmed', jsonb_build_object('amount', total))) AS event (seq, type, data);
INSERT INTO bus.inbox (message_id, received_at)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
        || substr(md5('message ' || n || ' ' || i), 1, 19))::uuid, at
FROM (SELECT n, i, now() - (%(all)s - n) * interval '10 milliseconds' - interval '1 minute' AS at
      FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n, generate_series(1, 4) AS i) AS made
