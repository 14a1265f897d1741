-- The tables are there; the runtime role may use them and no more, and the operator's role reads no bodies.
SELECT message_id, received_at FROM bus.inbox WHERE false;
SELECT id, type, body, next_attempt_at FROM bus.outbox WHERE false;
SELECT message_id, queue, cause FROM bus.parked WHERE false;
SELECT 1 / (has_table_privilege('data_svc', 'bus.inbox', 'INSERT')
            AND NOT has_table_privilege('data_svc', 'bus.inbox', 'UPDATE')
            AND has_table_privilege('data_svc', 'sqitch.changes', 'SELECT'))::int;
SELECT 1 / (NOT has_schema_privilege('data_svc', 'public', 'CREATE'))::int;
SELECT 1 / (has_table_privilege('reports_operator', 'bus.outbox_messages', 'SELECT')
            AND NOT has_column_privilege('reports_operator', 'bus.outbox', 'body', 'SELECT'))::int;
