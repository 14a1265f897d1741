-- The columns are there.
SELECT causation_id, tracestate FROM payments.payments WHERE false;
