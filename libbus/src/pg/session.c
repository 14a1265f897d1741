/* Session settings: set after connecting, then read back. The promises rest on them, so no default of the role, the
 * database or the server decides. SET after connecting, because poolers refuse the startup parameter "options". */
#include "pg.h"

#include "session.h"

#include <stdlib.h>

#define ROW(name, value) "('" #name "', '" value "'), "
#define BOUND(name, most) "('" #name "', " #most "), "

/* A commit is answered only once it is on disk; a standby that has applied it is more than that. */
#define DURABLE                                                                                                        \
  "('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' "         \
  "ELSE 'on' END)"
#define FIXED "VALUES " PG_SESSION_SETTINGS(ROW) DURABLE
#define WANTED                                                                                                         \
  "WITH wanted (name, value) AS (" FIXED " UNION ALL SELECT name, CASE WHEN setting::bigint BETWEEN 1 AND most "       \
  "THEN setting ELSE most::text END FROM pg_catalog.pg_settings JOIN (VALUES " PG_SESSION_BOUNDS(                      \
      BOUND) "(NULL, 0)) "                                                                                             \
             "AS bound (name, most) USING (name)) "

const char pg_session_set[] = WANTED "SELECT pg_catalog.set_config(name, value, false) FROM wanted";
const char pg_session_set_local[] =
    "SELECT pg_catalog.set_config(name, value, true) FROM (" FIXED ") AS wanted (name, value)";

const char pg_session_check[] =
    WANTED "SELECT pg_catalog.pg_backend_pid()::text, "
           "(SELECT string_agg(name || ' = ' || setting, ', ' ORDER BY name) FROM wanted JOIN pg_catalog.pg_settings "
           "USING (name) WHERE setting <> value), "
           "(SELECT string_agg(name || ' = ' || setting, ', ' ORDER BY name) FROM pg_catalog.pg_settings "
           "WHERE (name, setting) IN (('fsync', 'off'), ('full_page_writes', 'off'), ('zero_damaged_pages', 'on'), "
           "('ignore_checksum_failure', 'on'), ('session_replication_role', 'replica')))";

bool pg_session_is_good(const struct pg_session *session, bool allow_unsafe, struct bus_error *err) {
  if (*session->differ)
    return bus_fail(err, BUS_E_DB_CONNECTION, "settings of the database session did not take effect: %s",
                    session->differ);
  if (*session->unsafe && !allow_unsafe)
    return bus_fail(err, BUS_E_CONFIG,
                    "the database runs with %s, so that it may lose or damage what it committed: change that, or set "
                    "ALLOW_UNSAFE_DATABASE=true where nothing is to be kept",
                    session->unsafe);
  return true;
}

bool pg_session_pooler_error(const char *sqlstate, bool starting, struct bus_error *err) {
  if (!sqlstate || (strcmp(sqlstate, "26000") != 0 && strcmp(sqlstate, "42P05") != 0))
    return false;
  (void)bus_fail(err, starting ? BUS_E_CONFIG : BUS_E_DB_CONNECTION,
                 "SQLSTATE %s: the pooler in front of the database does not keep prepared statements: set its "
                 "pool_mode to session; PgBouncer's transaction mode needs version 1.21 or later and "
                 "max_prepared_statements",
                 sqlstate);
  return true;
}
