-- Orders a batch: 50
-- payment-svc's batch in steady state: fifty charges, and the results of the fifty calls of the batch before. :n is the
-- batch.
\set n :n + 1
\startpipeline
BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT now();
INSERT INTO bus.inbox (message_id)
SELECT id FROM (SELECT (lpad(to_hex(:n::int), 12, '0') || '70008' || lpad(to_hex(k), 15, '0'))::uuid AS id
                FROM generate_series(1, 50) AS k) AS new ORDER BY id
ON CONFLICT DO NOTHING RETURNING message_id;
SELECT order_id, state, amount, currency, token, psp_id, reason, refunds, refunded_amount, attempts, first_attempt_at,
       next_attempt_at, refund_requested, traceparent, version
FROM payments.payments
WHERE order_id = ANY (ARRAY(SELECT md5((:n::int * 50 - k)::text)::uuid FROM generate_series(0, 99) AS k))
ORDER BY order_id FOR UPDATE;
\endpipeline
\startpipeline
INSERT INTO payments.payments (order_id, amount, currency, state, token, attempts, first_attempt_at, next_attempt_at,
                               traceparent, version)
SELECT md5((:n::int * 50 - k)::text)::uuid, 101, 'EUR', 'processing', 'pm_card_visa', 1, now(), now() + interval '30 s',
       '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01', 1
FROM generate_series(0, 49) AS k;
UPDATE payments.payments p SET state = 'captured', token = NULL, psp_id = n.psp_id, reason = NULL, refunds = 0,
                               refunded_amount = 0, attempts = 0, first_attempt_at = NULL, next_attempt_at = NULL,
                               refund_requested = false, version = 2, updated_at = now()
FROM (SELECT md5((:n::int * 50 - k)::text)::uuid AS order_id, 'pi_0123456789abcdef01234567' AS psp_id
      FROM generate_series(50, 99) AS k) AS n WHERE p.order_id = n.order_id;
INSERT INTO payments.ledger (order_id, entry, amount, currency, psp_id)
SELECT md5((:n::int * 50 - k)::text)::uuid, 'captured', 101, 'EUR', 'pi_0123456789abcdef01234567'
FROM generate_series(50, 99) AS k;
INSERT INTO bus.outbox (id, type, correlation_id, causation_id, traceparent, body, next_attempt_at)
SELECT (lpad(to_hex(:n::int), 12, '0') || '70018' || lpad(to_hex(k), 15, '0'))::uuid, 'payment.captured.v1',
       md5((:n::int * 50 - k)::text)::uuid, md5(k::text)::uuid, '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01',
       '{"order_id":"01234567-89ab-cdef-0123-456789abcdef","amount":101,"currency":"EUR"}',
       now() + 5000 * interval '1 millisecond'
FROM generate_series(1, 50) AS k;
DELETE FROM bus.outbox WHERE id IN (
    SELECT id FROM bus.outbox
    WHERE id = ANY (ARRAY(SELECT (lpad(to_hex(:n::int - 1), 12, '0') || '70018' || lpad(to_hex(k), 15, '0'))::uuid
                          FROM generate_series(1, 50) AS k)) FOR UPDATE SKIP LOCKED);
COMMIT;
\endpipeline
