/* What can be refused before a connection is tried: a malformed URL, a registry that cannot be prepared. */
#include "args.h"
#include "pg.h"

#include <ctype.h>

bool pg_url_check(const char *url, struct bus_error *err) {
  char *why = NULL;
  PQconninfoOption *options = PQconninfoParse(url, &why);
  bool good = options != NULL;
  bool no_memory = !good && (why == NULL || strncmp(why, "out of memory", strlen("out of memory")) == 0);
  PQconninfoFree(options);
  PQfreemem(why);
  if (no_memory)
    return bus_fail(err, BUS_E_NOMEM, "the database's URL: out of memory");
  return good ||
         bus_fail(err, BUS_E_CONFIG, "the database's URL is malformed: postgres://user:password@host:port/database");
}

static bool letters_are_good(const char *letters) {
  bool array_seen = false;
  for (const char *at = letters; at && *at; at++) {
    bool array = isupper((unsigned char)*at);
    if (pg_letter_type(*at) == 0 || (array_seen && !array))
      return false;
    array_seen = array;
  }
  return !letters || strlen(letters) <= PG_PARAMS_MAX;
}

bool pg_registry_check(const struct pg_registry *registry, struct bus_error *err) {
  for (size_t i = 0; i < registry->count; i++) {
    const struct bus_statement *statement = &registry->statements[i];
    if (!statement->sql)
      return bus_fail(err, BUS_E_CONFIG, "statement %zu has no SQL", i);
    if (!letters_are_good(statement->params))
      return bus_fail(err, BUS_E_CONFIG,
                      "statement %zu: at most %d letters of uitzblUITZBL, single values first, not \"%s\"", i,
                      PG_PARAMS_MAX, statement->params);
  }
  return true;
}
