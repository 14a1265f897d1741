-- Orders :first to :last of :orders, evenly over the last 360 days, as data-svc keeps them: 95 of 100 CONFIRMED, 100,000
-- customers, 1,000 products, two lines an order.
SET synchronous_commit = off;
WITH kept AS (
INSERT INTO reports.orders
SELECT md5(i::text)::uuid, n.placed_at, 'customer-' || (i * 7919) % 100000,
       n.status, CASE n.status WHEN 'REJECTED' THEN 'out_of_stock' WHEN 'CANCELLED' THEN 'payment_declined' END,
       CASE WHEN n.status <> 'REJECTED' THEN 500 + (i * 104729) % 50000 END, CASE WHEN n.status <> 'REJECTED' THEN 'EUR' END,
       CASE WHEN n.status = 'CONFIRMED' AND i % 50 = 0 THEN 500 ELSE 0 END,
       n.placed_at + (60 + (i * 31) % 700) * interval '1 ms', ARRAY['SKU-' || i % 1000, 'SKU-' || (i * 13 + 1) % 1000],
       '{1,2}', CASE WHEN n.status <> 'REJECTED' THEN '{100,200}'::bigint[] END
  FROM generate_series(:first::bigint, :last) AS i, LATERAL (SELECT now() - (:orders - i) * (interval '360 days' / :orders) AS placed_at,
       CASE WHEN i % 100 < 3 THEN 'REJECTED' WHEN i % 100 < 5 THEN 'CANCELLED' ELSE 'CONFIRMED' END AS status) AS n
RETURNING product_ids, placed_at, order_id)
INSERT INTO reports.lines SELECT DISTINCT unnest(product_ids), placed_at, order_id FROM kept;
