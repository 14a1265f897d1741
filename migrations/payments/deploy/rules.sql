-- One CHECK for the rules of a payment. Postgres parses, plans and compiles the text of every CHECK again for each
-- statement, which costs more than the rest of a small UPDATE; it keeps the code of a plpgsql function for the session.
-- A SQL function would be inlined, and cost the same again. The function calls built-in functions and operators only, and
-- it sets no search_path, which each call would pay for: the role can create neither, so that none of its own is found.
-- A broken rule is refused as its own CHECK would be: the same SQLSTATE, and its name as the constraint's. A later rule is
-- a CHECK of its own, or a new version of the function.
-- NOT VALID: the CHECKs that it replaces have held all rows to these rules.
BEGIN;

CREATE FUNCTION payments.refuse_payment(rule text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation
        USING MESSAGE = format('new row for relation "payments" violates check constraint "%s"', rule),
              SCHEMA = 'payments', TABLE = 'payments', CONSTRAINT = rule;
END
$$;

-- As in a CHECK, a rule that is NULL is kept.
CREATE FUNCTION payments.payment_rules(
    state text, amount bigint, currency text, token text, psp_id text, psp_refund_id text, reason text, refunds bigint,
    refunded_amount bigint, promised_amount bigint, refund_id uuid, refund_amount bigint, attempts bigint,
    next_attempt_at timestamptz, refund_requested boolean, traceparent text, tracestate text, version bigint,
    attempt_of uuid, pay_attempt bigint)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE
        WHEN NOT (state IN ('processing', 'captured', 'declined', 'failed', 'voided', 'refunding', 'refunded', 'unknown'))
            THEN payments.refuse_payment('payments_state_check')
        WHEN NOT (amount BETWEEN 0 AND 1000000000000) THEN payments.refuse_payment('payments_amount_check')
        WHEN NOT (octet_length(currency) = 3) THEN payments.refuse_payment('payments_currency_check')
        WHEN NOT (octet_length(token) BETWEEN 1 AND 128) THEN payments.refuse_payment('payments_token_check')
        WHEN NOT (octet_length(psp_id) BETWEEN 1 AND 128) THEN payments.refuse_payment('payments_psp_id_check')
        WHEN NOT (octet_length(reason) BETWEEN 1 AND 64) THEN payments.refuse_payment('payments_reason_check')
        WHEN NOT (refunds >= 0) THEN payments.refuse_payment('payments_refunds_check')
        WHEN NOT (attempts >= 0) THEN payments.refuse_payment('payments_attempts_check')
        WHEN NOT (octet_length(traceparent) = 55) THEN payments.refuse_payment('payments_traceparent_check')
        WHEN NOT (length(tracestate) <= 512) THEN payments.refuse_payment('payments_tracestate')
        WHEN NOT (version >= 1) THEN payments.refuse_payment('payments_version_check')
        WHEN NOT (state NOT IN ('processing', 'refunding') OR next_attempt_at IS NOT NULL)
            THEN payments.refuse_payment('payments_open')
        WHEN NOT (CASE state WHEN 'processing' THEN token IS NOT NULL
                             WHEN 'unknown' THEN true
                             ELSE token IS NULL END) THEN payments.refuse_payment('payments_token')
        WHEN NOT (refunded_amount >= 0 AND refund_amount >= 0 AND refunded_amount + refund_amount <= amount
                  AND promised_amount BETWEEN 0 AND amount AND (refund_id IS NULL) = (0 = refund_amount)
                  AND CASE state WHEN 'refunded' THEN refunded_amount = amount
                                 WHEN 'captured' THEN refunded_amount < amount OR amount = 0
                                 WHEN 'refunding' THEN refunded_amount < amount
                                 WHEN 'unknown' THEN true
                                 ELSE 0 = refunded_amount + promised_amount END
                  AND (refund_id IS NULL OR state IN ('refunding', 'unknown')))
            THEN payments.refuse_payment('payments_refunded')
        WHEN NOT (state <> 'refunding' OR ((refund_requested OR refund_id IS NOT NULL) AND refunds > 0))
            THEN payments.refuse_payment('payments_refunding')
        WHEN NOT (psp_refund_id IS NULL OR (state = 'refunding' AND octet_length(psp_refund_id) BETWEEN 1 AND 128))
            THEN payments.refuse_payment('payments_psp_refund_id')
        WHEN NOT (state NOT IN ('captured', 'refunding', 'refunded') OR amount = 0 OR psp_id IS NOT NULL)
            THEN payments.refuse_payment('payments_captured')
        WHEN NOT (currency IS NOT NULL OR state = 'voided') THEN payments.refuse_payment('payments_priced')
        WHEN NOT (state NOT IN ('declined', 'failed', 'voided', 'unknown') OR reason IS NOT NULL)
            THEN payments.refuse_payment('payments_explained')
        WHEN NOT (pay_attempt BETWEEN 0 AND 20 AND (pay_attempt > 0) = (attempt_of IS NOT NULL))
            THEN payments.refuse_payment('payments_attempt')
        ELSE true
    END;
END
$$;

ALTER TABLE payments.payments
    DROP CONSTRAINT payments_state_check,
    DROP CONSTRAINT payments_amount_check,
    DROP CONSTRAINT payments_currency_check,
    DROP CONSTRAINT payments_token_check,
    DROP CONSTRAINT payments_psp_id_check,
    DROP CONSTRAINT payments_reason_check,
    DROP CONSTRAINT payments_refunds_check,
    DROP CONSTRAINT payments_attempts_check,
    DROP CONSTRAINT payments_traceparent_check,
    DROP CONSTRAINT payments_tracestate,
    DROP CONSTRAINT payments_version_check,
    DROP CONSTRAINT payments_open,
    DROP CONSTRAINT payments_token,
    DROP CONSTRAINT payments_refunded,
    DROP CONSTRAINT payments_refunding,
    DROP CONSTRAINT payments_psp_refund_id,
    DROP CONSTRAINT payments_captured,
    DROP CONSTRAINT payments_priced,
    DROP CONSTRAINT payments_explained,
    DROP CONSTRAINT payments_attempt,
    ADD CONSTRAINT payments_rules CHECK (payments.payment_rules(
        state, amount, currency, token, psp_id, psp_refund_id, reason, refunds, refunded_amount, promised_amount,
        refund_id, refund_amount, attempts, next_attempt_at, refund_requested, traceparent, tracestate, version,
        attempt_of, pay_attempt)) NOT VALID;

COMMIT;
