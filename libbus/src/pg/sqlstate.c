/* Which error a SQLSTATE is (PostgreSQL manual, appendix A). Pure. */
#include "pg.h"

static bool begins(const char *sqlstate, const char *prefix) {
  return strncmp(sqlstate, prefix, strlen(prefix)) == 0;
}

enum bus_errc pg_errc_of(const char *sqlstate) {
  static const struct {
    const char *prefix;
    enum bus_errc errc;
  } map[] = {
      {"22", BUS_E_DB_DATA},        /* data exception */
      {"23502", BUS_E_DB_DATA},     /* not null */
      {"23503", BUS_E_DB_DATA},     /* foreign key */
      {"23514", BUS_E_DB_DATA},     /* check */
      {"54", BUS_E_DB_DATA},        /* a limit of the server's exceeded by a value */
      {"23505", BUS_E_DB_CONFLICT}, /* unique: two transactions inserted the same aggregate */
      {"40", BUS_E_DB_CONFLICT},    /* serialisation failure, deadlock */
      {"55P03", BUS_E_DB_CONFLICT}, /* lock timeout */
      {"08", BUS_E_DB_CONNECTION},
      {"57P", BUS_E_DB_CONNECTION},   /* shutdown, crash, cannot connect now, database dropped */
      {"53", BUS_E_DB_CONNECTION},    /* disk full, out of memory, too many connections: wait, nothing is settled */
      {"58", BUS_E_DB_CONNECTION},    /* I/O error */
      {"25006", BUS_E_DB_CONNECTION}, /* read-only: a standby, or failing over */
      {"25P03", BUS_E_DB_CONNECTION}, /* idle in transaction too long */
      {"28", BUS_E_DB_CONNECTION},    /* credentials: may be being rotated */
      {"0A000", BUS_E_DB_CONNECTION}, /* a migration changed what a prepared statement gives: prepare again */
      {"26000", BUS_E_DB_CONNECTION}, /* the prepared statements are gone */
  };
  if (!sqlstate || !*sqlstate)
    return BUS_E_DB_CONNECTION;
  for (size_t i = 0; i < BUS_COUNT(map); i++)
    if (begins(sqlstate, map[i].prefix))
      return map[i].errc;
  return BUS_E_DB_OTHER;
}
