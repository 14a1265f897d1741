-- Columns and rights: the service neither makes nor changes a client.
SELECT client_id, name, role, scope, secret_hash, created_at, revoked_at FROM users.clients WHERE false;
SELECT 1 / (has_table_privilege('user_svc', 'users.clients', 'SELECT')
            AND NOT has_table_privilege('user_svc', 'users.clients', 'INSERT')
            AND NOT has_any_column_privilege('user_svc', 'users.clients', 'UPDATE')
            AND NOT has_table_privilege('user_svc', 'users.clients', 'DELETE'))::int;
