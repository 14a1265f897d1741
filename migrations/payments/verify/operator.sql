-- The role reads states of payments and no token.
SELECT 1 / (has_column_privilege('payments_operator', 'payments.payments', 'state', 'SELECT')
            AND has_table_privilege('payments_operator', 'payments.ledger', 'SELECT')
            AND NOT has_column_privilege('payments_operator', 'payments.payments', 'token', 'SELECT')
            AND NOT has_column_privilege('payments_operator', 'payments.refunds', 'reason', 'SELECT'))::int;
