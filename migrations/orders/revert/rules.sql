-- A CHECK for each rule again. NOT VALID: the function has held all rows to them.
BEGIN;

ALTER TABLE orders.orders
    DROP CONSTRAINT orders_rules,
    ADD CONSTRAINT orders_status_check CHECK (status BETWEEN 0 AND 7) NOT VALID,
    ADD CONSTRAINT orders_version_check CHECK (version >= 1) NOT VALID,
    ADD CONSTRAINT orders_customer_id_check CHECK (octet_length(customer_id) BETWEEN 1 AND 64) NOT VALID,
    ADD CONSTRAINT orders_reason_check CHECK (octet_length(reason) BETWEEN 1 AND 256) NOT VALID,
    ADD CONSTRAINT orders_expected_total_check CHECK (expected_total BETWEEN 0 AND 1000000000000) NOT VALID,
    ADD CONSTRAINT orders_total_check CHECK (total BETWEEN 0 AND 1000000000000) NOT VALID,
    ADD CONSTRAINT orders_currency_check CHECK (octet_length(currency) = 3) NOT VALID,
    ADD CONSTRAINT orders_captured_check CHECK (captured BETWEEN 0 AND 1000000000000) NOT VALID,
    ADD CONSTRAINT orders_refunded_check CHECK (refunded BETWEEN 0 AND 1000000000000) NOT VALID,
    ADD CONSTRAINT orders_request_hash_check CHECK (octet_length(request_hash) = 64) NOT VALID,
    ADD CONSTRAINT orders_resends_check CHECK (resends >= 0) NOT VALID,
    ADD CONSTRAINT orders_payment_token_check CHECK (octet_length(payment_token) BETWEEN 1 AND 128) NOT VALID,
    ADD CONSTRAINT orders_reply_to_check CHECK (octet_length(reply_to) BETWEEN 1 AND 255) NOT VALID,
    ADD CONSTRAINT orders_traceparent_check CHECK (octet_length(traceparent) = 55) NOT VALID,
    ADD CONSTRAINT orders_tracestate CHECK (length(tracestate) <= 512) NOT VALID,
    ADD CONSTRAINT orders_items CHECK (cardinality(product_ids) BETWEEN 1 AND 100
                                       AND cardinality(quantities) = cardinality(product_ids)
                                       AND 1 <= ALL (quantities) AND 1000 >= ALL (quantities)) NOT VALID,
    ADD CONSTRAINT orders_prices CHECK ((total IS NULL) = (unit_prices IS NULL) AND (total IS NULL) = (currency IS NULL)
                                        AND (unit_prices IS NULL
                                             OR cardinality(unit_prices) = cardinality(product_ids))) NOT VALID,
    ADD CONSTRAINT orders_priced CHECK (CASE WHEN status IN (0, 5) THEN total IS NULL
                                             WHEN status IN (1, 2, 4, 7) THEN total IS NOT NULL
                                             ELSE true END) NOT VALID,
    ADD CONSTRAINT orders_paid CHECK (status NOT IN (2, 4) OR captured = total) NOT VALID,
    ADD CONSTRAINT orders_reason CHECK ((status IN (3, 5, 6)) = (reason IS NOT NULL)) NOT VALID,
    ADD CONSTRAINT orders_settled CHECK (CASE WHEN status = 3 THEN NOT (stock_settled AND payment_settled)
                                              WHEN status IN (4, 5, 6) THEN stock_settled
                                              ELSE true END) NOT VALID,
    ADD CONSTRAINT orders_deadline CHECK ((status IN (4, 5, 6)) = (deadline IS NULL)
                                          AND (status IN (4, 5, 6)) = (due_at IS NULL)
                                          AND (due_at IS NULL OR due_at <= deadline)) NOT VALID,
    ADD CONSTRAINT orders_token CHECK ((status = 0 AND NOT pay_later) = (payment_token IS NOT NULL)) NOT VALID,
    ADD CONSTRAINT orders_asker CHECK ((reply_to IS NULL) = (reply_until IS NULL)) NOT VALID,
    ADD CONSTRAINT orders_times CHECK (created_at <= updated_at) NOT VALID,
    ADD CONSTRAINT orders_attempts CHECK (attempts BETWEEN 0 AND 20 AND (pay_later OR attempts = 0)) NOT VALID,
    ADD CONSTRAINT orders_awaiting CHECK (status <> 7 OR pay_later) NOT VALID;

DROP FUNCTION orders.order_rules(text, smallint, boolean, boolean, bigint, timestamptz, timestamptz, text, text[], bigint[],
                                 bigint[], bigint, bigint, text, bigint, bigint, text, timestamptz, timestamptz, bigint,
                                 text, text, timestamptz, text, text, boolean, bigint);
DROP FUNCTION orders.refuse_order(text);

COMMIT;
