/* The letters of parameters in the registry of statements, and their types in Postgres. */
#pragma once

#include <bus/base.h>

#include <libpq-fe.h>

enum { PG_PARAMS_MAX = 40 };

struct pg_letter {
  char letter, kind; /* of the values */
  Oid single, array; /* single 0: there are lists alone */
};
/* In either case; NULL: no such letter. */
const struct pg_letter *pg_letter(char letter);
/* Type of the parameter that a letter stands for; 0: no such letter. */
Oid pg_letter_type(char letter);
/* Types of a statement's parameters, which pg_registry_check has bounded; returns their number. */
int pg_letter_types(const char *params, Oid types[PG_PARAMS_MAX]);
/* Is it the type of a column that bus/sql.h reads? */
bool pg_type_is_readable(Oid type) BUS_MUST_CHECK;
