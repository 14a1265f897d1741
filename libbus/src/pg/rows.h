/* Results of one statement in Postgres's binary form. */
#pragma once

#include <bus/sql.h>

#include <libpq-fe.h>

/* From 1970-01-01 to 2000-01-01, where Postgres's timestamps begin. */
#define POSTGRES_EPOCH (INT64_C(946684800) * BUS_SECOND)

struct bus_rows {
  PGresult *result;
};
