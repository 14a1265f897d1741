-- The columns and the table are there, and the runtime role may change no more than it must.
SELECT refusals FROM webhooks.endpoints WHERE false;
SELECT address_key, began_at, mails FROM webhooks.mail_windows WHERE false;
SELECT 1 / (has_column_privilege('notify_svc', 'webhooks.endpoints', 'refusals', 'UPDATE')
            AND NOT has_column_privilege('notify_svc', 'webhooks.mail_windows', 'address_key', 'UPDATE')
            AND NOT has_column_privilege('notify_svc', 'webhooks.endpoints', 'url', 'UPDATE'))::int;
