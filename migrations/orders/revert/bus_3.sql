-- Takes that away: messages go on without it.
BEGIN;
ALTER TABLE bus.outbox DROP COLUMN tracestate;
COMMIT;
