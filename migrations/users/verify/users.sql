-- Columns and rights: a user is not deleted, and a role is not changed by the service.
SELECT user_id, email, name, role, password_hash, sessions_from, created_at, erased_at, version
FROM users.users WHERE false;
SELECT session_id, user_id, created_at, last_used_at, revoked_at FROM users.sessions WHERE false;
SELECT token_hash, session_id, expires_at, rotated_at, rotated_by FROM users.refresh_tokens WHERE false;
SELECT token_hash, user_id, expires_at, used_at FROM users.reset_tokens WHERE false;
SELECT key, failures, last_at, blocked_until FROM users.guards WHERE false;
SELECT request_id, outcome, created_at FROM users.past_requests WHERE false;
SELECT 1 / (NOT has_table_privilege('user_svc', 'users.users', 'DELETE')
            AND NOT has_column_privilege('user_svc', 'users.users', 'role', 'UPDATE')
            AND has_table_privilege('user_svc', 'users.guards', 'DELETE'))::int;
