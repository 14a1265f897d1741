-- Columns and rights: what was written down stays.
SELECT order_id, entry, amount, currency, psp_id, at FROM payments.ledger WHERE false;
SELECT 1 / (has_table_privilege('payment_svc', 'payments.ledger', 'INSERT')
            AND NOT has_table_privilege('payment_svc', 'payments.ledger', 'UPDATE')
            AND NOT has_table_privilege('payment_svc', 'payments.ledger', 'DELETE')
            AND NOT has_table_privilege('payment_svc', 'payments.ledger', 'TRUNCATE'))::int;
