-- One CHECK for the rules of an order. Postgres parses, plans and compiles the text of every CHECK again for each
-- statement, which costs more than the rest of a small UPDATE; it keeps the code of a plpgsql function for the session.
-- A SQL function would be inlined, and cost the same again. The function calls built-in functions and operators only, and
-- it sets no search_path, which each call would pay for: the role can create neither, so that none of its own is found.
-- A broken rule is refused as its own CHECK would be: the same SQLSTATE, and its name as the constraint's. A later rule is
-- a CHECK of its own, or a new version of the function.
-- NOT VALID: the CHECKs that it replaces have held all rows to these rules.
BEGIN;

CREATE FUNCTION orders.refuse_order(rule text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE check_violation
        USING MESSAGE = format('new row for relation "orders" violates check constraint "%s"', rule),
              SCHEMA = 'orders', TABLE = 'orders', CONSTRAINT = rule;
END
$$;

-- As in a CHECK, a rule that is NULL is kept.
CREATE FUNCTION orders.order_rules(
    customer_id text, status smallint, stock_settled boolean, payment_settled boolean, version bigint,
    created_at timestamptz, updated_at timestamptz, reason text, product_ids text[], quantities bigint[],
    unit_prices bigint[], expected_total bigint, total bigint, currency text, captured bigint, refunded bigint,
    request_hash text, deadline timestamptz, due_at timestamptz, resends bigint, payment_token text, reply_to text,
    reply_until timestamptz, traceparent text, tracestate text, pay_later boolean, attempts bigint)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE
        WHEN NOT (status BETWEEN 0 AND 7) THEN orders.refuse_order('orders_status_check')
        WHEN NOT (version >= 1) THEN orders.refuse_order('orders_version_check')
        WHEN NOT (octet_length(customer_id) BETWEEN 1 AND 64) THEN orders.refuse_order('orders_customer_id_check')
        WHEN NOT (octet_length(reason) BETWEEN 1 AND 256) THEN orders.refuse_order('orders_reason_check')
        WHEN NOT (expected_total BETWEEN 0 AND 1000000000000) THEN orders.refuse_order('orders_expected_total_check')
        WHEN NOT (total BETWEEN 0 AND 1000000000000) THEN orders.refuse_order('orders_total_check')
        WHEN NOT (octet_length(currency) = 3) THEN orders.refuse_order('orders_currency_check')
        WHEN NOT (captured BETWEEN 0 AND 1000000000000) THEN orders.refuse_order('orders_captured_check')
        WHEN NOT (refunded BETWEEN 0 AND 1000000000000) THEN orders.refuse_order('orders_refunded_check')
        WHEN NOT (octet_length(request_hash) = 64) THEN orders.refuse_order('orders_request_hash_check')
        WHEN NOT (resends >= 0) THEN orders.refuse_order('orders_resends_check')
        WHEN NOT (octet_length(payment_token) BETWEEN 1 AND 128) THEN orders.refuse_order('orders_payment_token_check')
        WHEN NOT (octet_length(reply_to) BETWEEN 1 AND 255) THEN orders.refuse_order('orders_reply_to_check')
        WHEN NOT (octet_length(traceparent) = 55) THEN orders.refuse_order('orders_traceparent_check')
        WHEN NOT (length(tracestate) <= 512) THEN orders.refuse_order('orders_tracestate')
        WHEN NOT (cardinality(product_ids) BETWEEN 1 AND 100 AND cardinality(quantities) = cardinality(product_ids)
                  AND 1 <= ALL (quantities) AND 1000 >= ALL (quantities)) THEN orders.refuse_order('orders_items')
        WHEN NOT ((total IS NULL) = (unit_prices IS NULL) AND (total IS NULL) = (currency IS NULL)
                  AND (unit_prices IS NULL OR cardinality(unit_prices) = cardinality(product_ids)))
            THEN orders.refuse_order('orders_prices')
        WHEN NOT (CASE WHEN status IN (0, 5) THEN total IS NULL
                       WHEN status IN (1, 2, 4, 7) THEN total IS NOT NULL
                       ELSE true END) THEN orders.refuse_order('orders_priced')
        WHEN NOT (status NOT IN (2, 4) OR captured = total) THEN orders.refuse_order('orders_paid')
        WHEN NOT ((status IN (3, 5, 6)) = (reason IS NOT NULL)) THEN orders.refuse_order('orders_reason')
        WHEN NOT (CASE WHEN status = 3 THEN NOT (stock_settled AND payment_settled)
                       WHEN status IN (4, 5, 6) THEN stock_settled
                       ELSE true END) THEN orders.refuse_order('orders_settled')
        WHEN NOT ((status IN (4, 5, 6)) = (deadline IS NULL) AND (status IN (4, 5, 6)) = (due_at IS NULL)
                  AND (due_at IS NULL OR due_at <= deadline)) THEN orders.refuse_order('orders_deadline')
        WHEN NOT ((status = 0 AND NOT pay_later) = (payment_token IS NOT NULL)) THEN orders.refuse_order('orders_token')
        WHEN NOT ((reply_to IS NULL) = (reply_until IS NULL)) THEN orders.refuse_order('orders_asker')
        WHEN NOT (created_at <= updated_at) THEN orders.refuse_order('orders_times')
        WHEN NOT (attempts BETWEEN 0 AND 20 AND (pay_later OR attempts = 0)) THEN orders.refuse_order('orders_attempts')
        WHEN NOT (status <> 7 OR pay_later) THEN orders.refuse_order('orders_awaiting')
        ELSE true
    END;
END
$$;

ALTER TABLE orders.orders
    DROP CONSTRAINT orders_status_check,
    DROP CONSTRAINT orders_version_check,
    DROP CONSTRAINT orders_customer_id_check,
    DROP CONSTRAINT orders_reason_check,
    DROP CONSTRAINT orders_expected_total_check,
    DROP CONSTRAINT orders_total_check,
    DROP CONSTRAINT orders_currency_check,
    DROP CONSTRAINT orders_captured_check,
    DROP CONSTRAINT orders_refunded_check,
    DROP CONSTRAINT orders_request_hash_check,
    DROP CONSTRAINT orders_resends_check,
    DROP CONSTRAINT orders_payment_token_check,
    DROP CONSTRAINT orders_reply_to_check,
    DROP CONSTRAINT orders_traceparent_check,
    DROP CONSTRAINT orders_tracestate,
    DROP CONSTRAINT orders_items,
    DROP CONSTRAINT orders_prices,
    DROP CONSTRAINT orders_priced,
    DROP CONSTRAINT orders_paid,
    DROP CONSTRAINT orders_reason,
    DROP CONSTRAINT orders_settled,
    DROP CONSTRAINT orders_deadline,
    DROP CONSTRAINT orders_token,
    DROP CONSTRAINT orders_asker,
    DROP CONSTRAINT orders_times,
    DROP CONSTRAINT orders_attempts,
    DROP CONSTRAINT orders_awaiting,
    ADD CONSTRAINT orders_rules CHECK (orders.order_rules(
        customer_id, status, stock_settled, payment_settled, version, created_at, updated_at, reason, product_ids,
        quantities, unit_prices, expected_total, total, currency, captured, refunded, request_hash, deadline, due_at,
        resends, payment_token, reply_to, reply_until, traceparent, tracestate, pay_later, attempts)) NOT VALID;

COMMIT;
