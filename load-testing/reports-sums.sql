-- The sums of all orders, in the order of time, in which data-svc would have written them.
INSERT INTO reports.rollups
SELECT g.grain, date_trunc(g.grain, o.placed_at, 'UTC'), coalesce(o.currency, ''), o.status, coalesce(o.reason, ''),
       (d.octave + 1) * 4 + (d.ms >> d.octave::int) - 4, count(*), sum(coalesce(o.total, 0)), sum(o.refunded), sum(d.ms)
  FROM reports.orders o, (VALUES ('hour'), ('day')) AS g (grain),
       LATERAL (SELECT t.ms, floor(log(2, t.ms))::bigint - 2 AS octave
                  FROM (SELECT floor(extract(epoch FROM o.finished_at - o.placed_at) * 1000)::bigint AS ms) AS t) AS d
 GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 2, 1 DESC, 3, 4, 5, 6;
VACUUM ANALYZE;
