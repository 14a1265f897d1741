-- For a Postgres that serves orderbus alone, run by a superuser, as often as one likes; ./dev up does, on the private one.
-- Every role may enter every database that does not say otherwise, and use its memory, disk and locks.
SELECT format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC', datname)
  FROM pg_database WHERE datname IN ('postgres', 'template1') \gexec
