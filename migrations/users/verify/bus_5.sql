-- The role reads where messages are, and no bodies.
SELECT message_id, type, correlation_id, causation_id FROM bus.outbox_messages WHERE false;
SELECT 1 / (has_table_privilege('users_operator', 'bus.outbox_messages', 'SELECT')
            AND has_table_privilege('users_operator', 'bus.parked', 'SELECT')
            AND NOT has_column_privilege('users_operator', 'bus.outbox', 'body', 'SELECT'))::int;
