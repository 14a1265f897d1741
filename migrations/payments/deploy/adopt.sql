-- After a restore the provider's records may be newer than the payments. An operator's program takes over from them what is
-- missing; the row then comes due, so that payment-svc says the outcome, or carries out a refund that was asked for.
BEGIN;

-- p_payment: the row's key; p_order, p_attempt: of an attempt to pay later, else NULL and 0. p_refunded: all that was
-- refunded so far; p_refund_psp_id: the provider's id of the last refund.
CREATE FUNCTION payments.adopt(p_payment uuid, p_order uuid, p_attempt bigint, p_captured bigint, p_currency text,
                               p_psp_id text, p_refunded bigint, p_refund_psp_id text)
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    p payments.payments;
    goal text;
    returned bigint;
    refund bigint;
BEGIN
    IF p_captured < 1 OR p_refunded NOT BETWEEN 0 AND p_captured THEN
        RAISE EXCEPTION 'payment %: captured % and refunded % are no amounts of one payment', p_payment, p_captured,
            p_refunded;
    END IF;
    INSERT INTO payments.payments (order_id, state, amount, currency, psp_id, attempt_of, pay_attempt, next_attempt_at, version)
    VALUES (p_payment, 'captured', p_captured, p_currency, p_psp_id, p_order, p_attempt, now(), 1) ON CONFLICT DO NOTHING;
    SELECT * INTO p FROM payments.payments WHERE order_id = p_payment FOR UPDATE;
    IF p.state <> 'voided' AND (p.amount <> p_captured OR p.currency <> p_currency) THEN
        RAISE EXCEPTION 'payment % is of % %, not of % %', p_payment, p.amount, p.currency, p_captured, p_currency;
    END IF;
    IF p.state IN ('captured', 'refunding', 'refunded') AND p.psp_id <> p_psp_id THEN
        RAISE EXCEPTION 'payment % was captured as %, not as %', p_payment, p.psp_id, p_psp_id;
    END IF;
    INSERT INTO payments.ledger (order_id, entry, amount, currency, psp_id)
    VALUES (p_payment, 'captured', p_captured, p_currency, p_psp_id) ON CONFLICT DO NOTHING;
    returned := p_refunded - p.refunded_amount;
    IF returned < 0 THEN
        RAISE EXCEPTION 'payment %: % is refunded here, and % at the provider', p_payment, p.refunded_amount, p_refunded;
    END IF;
    refund := p.refunds;
    IF returned > 0 THEN
        -- The key of a refund under way is its number, which the ledger does not have yet.
        refund := p.refunds + (p.state <> 'refunding')::int;
        INSERT INTO payments.ledger (order_id, entry, refund, amount, currency, psp_id)
        VALUES (p_payment, 'refunded', refund, returned, p_currency, p_refund_psp_id);
        UPDATE payments.refunds SET state = 'done', psp_id = p_refund_psp_id, updated_at = now()
         WHERE order_id = p_payment AND state = 'open'
           AND (refund_id = p.refund_id AND amount <= returned OR p_refunded = p_captured);
        IF p.refund_amount <= returned THEN
            p.refund_id := NULL;
            p.refund_amount := 0;
        END IF;
    END IF;
    goal := CASE WHEN p_refunded = p_captured THEN 'refunded'
                 WHEN p.refund_requested OR p.refund_id IS NOT NULL THEN 'refunding'
                 ELSE 'captured' END;
    UPDATE payments.payments
       SET state = goal, amount = p_captured, currency = p_currency, token = NULL, psp_id = p_psp_id, reason = NULL,
           refunds = refund + (goal = 'refunding')::int, refunded_amount = p_refunded, refund_id = p.refund_id,
           refund_amount = p.refund_amount, psp_refund_id = NULL, attempts = 0, first_attempt_at = NULL,
           next_attempt_at = now(), version = version + 1, updated_at = now()
     WHERE order_id = p_payment;
    RETURN goal;
END
$$;
REVOKE ALL ON FUNCTION payments.adopt(uuid, uuid, bigint, bigint, text, text, bigint, text) FROM PUBLIC;

COMMIT;
