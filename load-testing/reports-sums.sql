-- The sums of all orders, in the order of time, in which data-svc would have written them: days from hours.
WITH hours AS MATERIALIZED (
SELECT 'hour' AS grain, date_trunc('hour', o.placed_at, 'UTC') AS slot, coalesce(o.currency, '') AS currency, o.status,
       coalesce(o.reason, '') AS reason, (d.octave + 1) * 4 + (d.ms >> d.octave) - 4 AS bucket, count(*) AS orders,
       sum(coalesce(o.total, 0)) AS amount, sum(o.refunded) AS refunded, sum(d.ms) AS duration_ms
  FROM reports.orders o, LATERAL (SELECT t.ms, length(ltrim(t.ms::bit(32)::text, '0')) - 3 AS octave
                  FROM (SELECT floor(extract(epoch FROM o.finished_at - o.placed_at) * 1000)::int AS ms) AS t) AS d
 GROUP BY 2, 3, 4, 5, 6)
INSERT INTO reports.rollups
SELECT * FROM (SELECT * FROM hours UNION ALL
               SELECT 'day', date_trunc('day', slot, 'UTC'), currency, status, reason, bucket, sum(orders), sum(amount),
                      sum(refunded), sum(duration_ms)
                 FROM hours GROUP BY 2, 3, 4, 5, 6) AS sums
 ORDER BY slot, grain DESC, currency, status, reason, bucket;
VACUUM ANALYZE;
