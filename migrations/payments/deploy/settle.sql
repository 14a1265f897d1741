-- An operator who has read the PSP's records settles what the service could not: it then says the outcome, or carries
-- out a refund that was asked for meanwhile, because the row comes due at once.
BEGIN;

CREATE FUNCTION payments.settle(p_order uuid, p_outcome text, p_psp_id text DEFAULT NULL,
                                p_reason text DEFAULT 'settled')
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    p payments.payments;
    goal text := p_outcome;
BEGIN
    IF p_outcome IS NULL OR p_outcome NOT IN ('captured', 'refunded', 'declined', 'failed') THEN
        RAISE EXCEPTION 'outcome must be captured, refunded, declined or failed';
    END IF;
    SELECT * INTO p FROM payments.payments WHERE order_id = p_order FOR UPDATE;
    IF NOT FOUND OR p.state <> 'unknown' THEN
        RAISE EXCEPTION 'payment of order % is not unknown', p_order;
    END IF;
    IF p_outcome IN ('declined', 'failed')
       AND EXISTS (SELECT FROM payments.ledger WHERE order_id = p_order AND entry = 'captured') THEN
        RAISE EXCEPTION 'payment of order % was captured', p_order;
    END IF;
    p.psp_id := coalesce(p_psp_id, p.psp_id);
    IF p_outcome IN ('captured', 'refunded') THEN
        IF p.psp_id IS NULL THEN
            RAISE EXCEPTION 'the PSP''s id is needed';
        END IF;
        INSERT INTO payments.ledger (order_id, entry, amount, currency, psp_id)
        VALUES (p_order, 'captured', p.amount, p.currency, p.psp_id) ON CONFLICT DO NOTHING;
        p_reason := NULL;
    END IF;
    IF p_outcome = 'refunded' THEN
        INSERT INTO payments.ledger (order_id, entry, amount, currency, psp_id)
        VALUES (p_order, 'refunded', p.amount, p.currency, p.psp_id);
    ELSIF p_outcome = 'captured' AND p.refund_requested THEN
        goal := 'refunding';
    END IF;
    UPDATE payments.payments
       SET state = goal, token = NULL, psp_id = p.psp_id, reason = p_reason,
           refunds = refunds + (goal = 'refunding')::int,
           refunded_amount = CASE goal WHEN 'refunded' THEN amount ELSE 0 END,
           attempts = 0, first_attempt_at = NULL, next_attempt_at = now(), version = version + 1, updated_at = now()
     WHERE order_id = p_order;
    RETURN goal;
END
$$;
REVOKE ALL ON FUNCTION payments.settle(uuid, text, text, text) FROM PUBLIC;

COMMIT;
