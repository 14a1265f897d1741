/* A database of a test's own with a service's migrations, on the Postgres in TEST_DATABASE_URL; the test is skipped
 * where that is not set. Migrated is a template, once for all tests that use the server: sqitch takes seconds. */
#pragma once

#include <libpq-fe.h>
#include <stddef.h>

struct migrated {
  char name[64];
  PGconn *admin; /* a superuser's, in this database */
};

/* project: the folder of the migrations; role: the service's, whose rights all have who log in from now on. */
void migrated_open(struct migrated *database, const char *project, const char *role);
void migrated_close(struct migrated *database);
void migrated_url(const struct migrated *database, char *text, size_t size);
/* As the superuser. */
void migrated_do(const struct migrated *database, const char *sql);
