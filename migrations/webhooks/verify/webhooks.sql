-- The tables are there, and the runtime role may change no more than it must.
SELECT endpoint_id, secret, status FROM webhooks.endpoints WHERE false;
SELECT delivery_id, payload, next_attempt_at FROM webhooks.deliveries WHERE false;
SELECT delivery_id, number, note FROM webhooks.attempts WHERE false;
SELECT 1 / (has_table_privilege('notify_svc', 'webhooks.attempts', 'INSERT')
            AND NOT has_table_privilege('notify_svc', 'webhooks.attempts', 'UPDATE')
            AND NOT has_column_privilege('notify_svc', 'webhooks.endpoints', 'url', 'UPDATE')
            AND NOT has_column_privilege('notify_svc', 'webhooks.deliveries', 'payload', 'UPDATE'))::int;
