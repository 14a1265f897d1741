-- A CHECK for each rule again. NOT VALID: the function has held all rows to them.
BEGIN;

ALTER TABLE payments.payments
    DROP CONSTRAINT payments_rules,
    ADD CONSTRAINT payments_state_check CHECK (state IN ('processing', 'captured', 'declined', 'failed', 'voided',
                                                         'refunding', 'refunded', 'unknown')) NOT VALID,
    ADD CONSTRAINT payments_amount_check CHECK (amount BETWEEN 0 AND 1000000000000) NOT VALID,
    ADD CONSTRAINT payments_currency_check CHECK (octet_length(currency) = 3) NOT VALID,
    ADD CONSTRAINT payments_token_check CHECK (octet_length(token) BETWEEN 1 AND 128) NOT VALID,
    ADD CONSTRAINT payments_psp_id_check CHECK (octet_length(psp_id) BETWEEN 1 AND 128) NOT VALID,
    ADD CONSTRAINT payments_reason_check CHECK (octet_length(reason) BETWEEN 1 AND 64) NOT VALID,
    ADD CONSTRAINT payments_refunds_check CHECK (refunds >= 0) NOT VALID,
    ADD CONSTRAINT payments_attempts_check CHECK (attempts >= 0) NOT VALID,
    ADD CONSTRAINT payments_traceparent_check CHECK (octet_length(traceparent) = 55) NOT VALID,
    ADD CONSTRAINT payments_tracestate CHECK (length(tracestate) <= 512) NOT VALID,
    ADD CONSTRAINT payments_version_check CHECK (version >= 1) NOT VALID,
    ADD CONSTRAINT payments_open CHECK (state NOT IN ('processing', 'refunding') OR next_attempt_at IS NOT NULL)
        NOT VALID,
    ADD CONSTRAINT payments_token CHECK (CASE state WHEN 'processing' THEN token IS NOT NULL
                                                    WHEN 'unknown' THEN true
                                                    ELSE token IS NULL END) NOT VALID,
    ADD CONSTRAINT payments_refunded CHECK (
        refunded_amount >= 0 AND refund_amount >= 0 AND refunded_amount + refund_amount <= amount
        AND promised_amount BETWEEN 0 AND amount AND (refund_id IS NULL) = (0 = refund_amount)
        AND CASE state WHEN 'refunded' THEN refunded_amount = amount
                       WHEN 'captured' THEN refunded_amount < amount OR amount = 0
                       WHEN 'refunding' THEN refunded_amount < amount
                       WHEN 'unknown' THEN true
                       ELSE 0 = refunded_amount + promised_amount END
        AND (refund_id IS NULL OR state IN ('refunding', 'unknown'))) NOT VALID,
    ADD CONSTRAINT payments_refunding CHECK (
        state <> 'refunding' OR ((refund_requested OR refund_id IS NOT NULL) AND refunds > 0)) NOT VALID,
    ADD CONSTRAINT payments_psp_refund_id CHECK (psp_refund_id IS NULL OR (state = 'refunding'
        AND octet_length(psp_refund_id) BETWEEN 1 AND 128)) NOT VALID,
    ADD CONSTRAINT payments_captured CHECK (state NOT IN ('captured', 'refunding', 'refunded') OR amount = 0
                                            OR psp_id IS NOT NULL) NOT VALID,
    ADD CONSTRAINT payments_priced CHECK (currency IS NOT NULL OR state = 'voided') NOT VALID,
    ADD CONSTRAINT payments_explained CHECK (state NOT IN ('declined', 'failed', 'voided', 'unknown')
                                             OR reason IS NOT NULL) NOT VALID,
    ADD CONSTRAINT payments_attempt CHECK (pay_attempt BETWEEN 0 AND 20
                                           AND (pay_attempt > 0) = (attempt_of IS NOT NULL)) NOT VALID;

DROP FUNCTION payments.payment_rules(text, bigint, text, text, text, text, text, bigint, bigint, bigint, uuid, bigint, bigint,
                                     timestamptz, boolean, text, text, bigint, uuid, bigint);
DROP FUNCTION payments.refuse_payment(text);

COMMIT;
