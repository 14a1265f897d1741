/* The session's settings and what its server reports, as SQL and as a verdict. */
#pragma once

#include <bus/error.h>

/* Sent with the statements that are prepared: set, then check, which gives one row of three texts. */
extern const char pg_session_set[], pg_session_check[];
enum { PG_SESSION_STATEMENTS = 2 };

/* That row; NULL is "". */
struct pg_session {
  const char *pid;    /* of the backend: another one than libpq knows means that a pooler stands between */
  const char *differ; /* settings that are not as they were set */
  const char *unsafe; /* settings of the server that may lose what was committed */
};

/* Pure. */
bool pg_session_is_good(const struct pg_session *session, bool allow_unsafe, struct bus_error *err) BUS_MUST_CHECK;
/* True if the error is that of a pooler which shares one session among several clients; then fills err. Pure. */
bool pg_session_pooler_error(const char *sqlstate, bool starting, struct bus_error *err) BUS_MUST_CHECK;
