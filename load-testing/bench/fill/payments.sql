-- The payments of those orders, the money that moved, and the inbox rows of their messages.
INSERT INTO payments.payments (order_id, state, amount, currency, psp_id, attempts, version)
SELECT md5('order ' || n)::uuid, 'captured', 100 + mod(n, 1000), 'EUR', 'pi_' || md5('payment ' || n), 1, 2
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n;
INSERT INTO payments.ledger (order_id, entry, amount, currency, psp_id)
SELECT md5('order ' || n)::uuid, 'captured', 100 + mod(n, 1000), 'EUR', 'pi_' || md5('payment ' || n)
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n;
INSERT INTO bus.inbox (message_id, received_at)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
        || substr(md5('message ' || n), 1, 19))::uuid, at
FROM (SELECT n, now() - (%(all)s - n) * interval '10 milliseconds' - interval '1 minute' AS at
      FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n) AS made
