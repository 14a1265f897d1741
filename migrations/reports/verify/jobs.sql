-- The tables are there, and the runtime role may change no more than it must.
SELECT job_id, kind, status, place_at FROM reports.jobs WHERE false;
SELECT job_id, order_id, placed_at, status FROM reports.exported WHERE false;
SELECT 1 / (has_table_privilege('data_svc', 'reports.jobs', 'INSERT')
            AND has_column_privilege('data_svc', 'reports.jobs', 'place_at', 'UPDATE')
            AND NOT has_column_privilege('data_svc', 'reports.jobs', 'owner', 'UPDATE')
            AND has_table_privilege('data_svc', 'reports.exported', 'INSERT')
            AND NOT has_table_privilege('data_svc', 'reports.exported', 'UPDATE')
            AND NOT has_table_privilege('data_svc', 'reports.exported', 'DELETE'))::int;
