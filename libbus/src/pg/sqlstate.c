/* Which error a SQLSTATE is, class by class (PostgreSQL manual, appendix A). Pure. */
#include "pg.h"

/* The longest prefix decides, so an exception stands before its class. bus/error.h says how a batch reacts. Every other
 * state is BUS_E_DB_FAULT: of the classes 00 to 03, 0F, 0L, 0P, 0Z, 24, 2B, 34, 3B, 42 (a missing GRANT, a syntax
 * error), 55, F0, HV and XX, or of a later Postgres. */
static const struct {
  const char *prefix;
  enum bus_errc errc;
} map[] = {
    {"08", BUS_E_DB_CONNECTION},    /* connection exception */
    {"09", BUS_E_DB_OTHER},         /* triggered action exception: the trigger has looked at one row */
    {"0A", BUS_E_DB_CONNECTION},    /* feature not supported: a migration changed a prepared statement's columns */
    {"0B", BUS_E_DB_CONNECTION},    /* invalid transaction initiation: the session is out of step */
    {"20", BUS_E_DB_OTHER},         /* case not found: in a function that looked at one row */
    {"21", BUS_E_DB_OTHER},         /* cardinality violation: more rows than one for this value */
    {"22", BUS_E_DB_DATA},          /* data exception */
    {"23505", BUS_E_DB_CONFLICT},   /* unique violation: two transactions inserted the same aggregate */
    {"23P01", BUS_E_DB_CONFLICT},   /* exclusion violation: the same */
    {"23001", BUS_E_DB_DATA},       /* restrict violation */
    {"23502", BUS_E_DB_DATA},       /* not null violation */
    {"23503", BUS_E_DB_DATA},       /* foreign key violation */
    {"23514", BUS_E_DB_DATA},       /* check violation */
    {"23", BUS_E_DB_OTHER},         /* integrity constraint violation that says no more */
    {"25", BUS_E_DB_CONNECTION},    /* invalid transaction state: read-only (a standby), idle too long, out of step */
    {"26", BUS_E_DB_CONNECTION},    /* invalid SQL statement name: the prepared statements are gone */
    {"27", BUS_E_DB_OTHER},         /* triggered data change violation */
    {"28", BUS_E_DB_CONNECTION},    /* invalid authorization: credentials may be being rotated */
    {"2D", BUS_E_DB_CONNECTION},    /* invalid transaction termination: the session is out of step */
    {"2F", BUS_E_DB_OTHER},         /* SQL routine exception */
    {"38", BUS_E_DB_OTHER},         /* external routine exception */
    {"39", BUS_E_DB_OTHER},         /* external routine invocation exception */
    {"3D", BUS_E_DB_CONNECTION},    /* invalid catalog name: the database is not there (yet) */
    {"3F", BUS_E_DB_SCHEMA},        /* invalid schema name */
    {"40", BUS_E_DB_CONFLICT},      /* transaction rollback: serialization failure, deadlock */
    {"42703", BUS_E_DB_SCHEMA},     /* undefined column */
    {"42704", BUS_E_DB_SCHEMA},     /* undefined object: a type */
    {"42883", BUS_E_DB_SCHEMA},     /* undefined function */
    {"42P01", BUS_E_DB_SCHEMA},     /* undefined table */
    {"42P10", BUS_E_DB_SCHEMA},     /* invalid column reference: ON CONFLICT without its unique index */
    {"42P05", BUS_E_DB_CONNECTION}, /* duplicate prepared statement: the session has been used by another client */
    {"44", BUS_E_DB_DATA},          /* WITH CHECK OPTION violation */
    {"53400", BUS_E_DB_OTHER},      /* configuration limit exceeded: temp_file_limit */
    {"53", BUS_E_DB_CONNECTION},    /* insufficient resources: disk full, out of memory, too many connections */
    {"54", BUS_E_DB_DATA},          /* program limit exceeded, by a value */
    {"55P03", BUS_E_DB_CONFLICT},   /* lock not available: lock_timeout */
    {"57014", BUS_E_DB_OTHER},      /* query canceled: statement_timeout */
    {"57", BUS_E_DB_CONNECTION},    /* operator intervention: shutdown, crash, cannot connect now, database dropped */
    {"58", BUS_E_DB_CONNECTION},    /* system error: I/O */
    {"72", BUS_E_DB_CONFLICT},      /* snapshot too old */
    {"P0", BUS_E_DB_OTHER},         /* PL/pgSQL error: a trigger that looked at one row */
    {"XX001", BUS_E_DB_OTHER},      /* data corrupted: perhaps the rows of one message */
    {"XX002", BUS_E_DB_OTHER},      /* index corrupted: the same */
};

static bool begins(const char *sqlstate, const char *prefix) {
  return strncmp(sqlstate, prefix, strlen(prefix)) == 0;
}

enum bus_errc pg_errc_of(const char *sqlstate) {
  if (!sqlstate || !*sqlstate)
    return BUS_E_DB_CONNECTION; /* libpq's own error: the server said nothing */
  for (size_t i = 0; i < BUS_COUNT(map); i++)
    if (begins(sqlstate, map[i].prefix))
      return map[i].errc;
  return BUS_E_DB_FAULT;
}
