-- Drops the jobs and what they exported.
BEGIN;

DROP TABLE reports.exported, reports.jobs;

COMMIT;
