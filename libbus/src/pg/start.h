/* The first step of a connection: which server. */
#pragma once

#include "pg.h"

#include <libpq-fe.h>

/* NULL with an error: the URL's file cannot be used now, or DNS does not name the hosts. The connection counts as lost,
 * for the next one asks again. NULL without: libpq is out of memory. */
PGconn *pg_start(const struct pg_settings *settings, struct bus_error *err);
