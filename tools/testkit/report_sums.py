"""The sums of data-svc, compared with its orders."""

# Orders that reports tell otherwise than the sums; the same statement as in the test of the store.
MISFITS = """
WITH o AS (SELECT g.grain, date_trunc(g.grain, placed_at, 'UTC') AS slot, coalesce(currency, '') AS currency, status,
                  coalesce(reason, '') AS reason, count(*) AS orders, sum(coalesce(total, 0)) AS amount,
                  sum(refunded) AS refunded
             FROM reports.orders, (VALUES ('hour'), ('day')) AS g (grain) GROUP BY 1, 2, 3, 4, 5),
     r AS (SELECT grain, slot, currency, status, reason, sum(orders) AS orders, sum(amount) AS amount,
                  sum(refunded) AS refunded
             FROM reports.rollups GROUP BY 1, 2, 3, 4, 5 HAVING sum(orders) <> 0)
SELECT count(*) FROM o FULL JOIN r USING (grain, slot, currency, status, reason, orders, amount, refunded)
 WHERE o.grain IS NULL OR r.grain IS NULL"""
