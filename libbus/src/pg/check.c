/* Checks before the first connection: a malformed URL, a registry that cannot be prepared. */
#include "args.h"
#include "pg.h"

#include <ctype.h>
#include <stdlib.h>

enum { URL_SIZE = 1024 + 1 };

static bool is_host(const char *text, size_t len) {
  for (size_t i = 0; i < len && *text != '/'; i++) /* a folder of sockets may have any name */
    if (!isalnum((unsigned char)text[i]) && !strchr("._-:%", text[i]))
      return false;
  return true;
}

static bool is_port(const char *text, size_t len) {
  if (len == 0)
    return true;
  long port = len <= 5 && strspn(text, "0123456789") == len ? strtol(text, NULL, 10) : 0;
  return port >= 1 && port <= 65535;
}

static bool is_each(const char *list, bool (*is_good)(const char *text, size_t len)) {
  for (const char *at = list;; at++) {
    size_t len = strcspn(at, ",");
    if (!is_good(at, len))
      return false;
    at += len;
    if (*at == '\0')
      return true;
  }
}

/* libpq reads host and port up to a "/" and the password up to an "@". After a password with one of them it reads no
 * valid host, port or database. */
static bool part_is_good(const char *keyword, const char *value) {
  if (strcmp(keyword, "host") == 0 || strcmp(keyword, "hostaddr") == 0)
    return is_each(value, is_host);
  if (strcmp(keyword, "port") == 0)
    return is_each(value, is_port);
  return strcmp(keyword, "dbname") != 0 || strpbrk(value, "/@") == NULL;
}

static bool parts_are_good(const PQconninfoOption *options) {
  for (const PQconninfoOption *option = options; option->keyword; option++)
    if (option->val && !part_is_good(option->keyword, option->val))
      return false;
  return true;
}

static bool check_plain(const char *url, struct bus_error *err) {
  char *why = NULL;
  PQconninfoOption *options = PQconninfoParse(url, &why);
  bool good = options != NULL && parts_are_good(options);
  bool no_memory = options == NULL && (why == NULL || strncmp(why, "out of memory", strlen("out of memory")) == 0);
  PQconninfoFree(options);
  PQfreemem(why);
  if (no_memory)
    return bus_fail(err, BUS_E_NOMEM, "the database's URL: out of memory");
  return good ||
         bus_fail(
             err, BUS_E_CONFIG,
             "the database's URL is malformed: postgres://user:password@host:port/database, where \"/\", \"@\", \":\" "
             "and \"%%\" in the password are written %%2F, %%40, %%3A and %%25");
}

/* libpq takes hosts and ports also from parameters behind the database's name. */
static bool has_only_host(const char *plain, const char *host) {
  char *ignored = NULL;
  PQconninfoOption *options = PQconninfoParse(plain, &ignored);
  bool only = true;
  for (const PQconninfoOption *option = options; option && option->keyword; option++)
    if (option->val && strcmp(option->keyword, "host") == 0)
      only = only && strcmp(option->val, host) == 0;
    else if (option->val && (strcmp(option->keyword, "hostaddr") == 0 || strcmp(option->keyword, "port") == 0))
      only = false;
  PQconninfoFree(options);
  PQfreemem(ignored);
  return only;
}

static bool check_service(const char *url, struct bus_error *err) {
  char name[SRV_NAME_MAX], plain[URL_SIZE];
  if (!srv_url_name(url, name, err))
    return bus_error_wrap(err, "the database's URL");
  if (!srv_url_plain(url, plain, sizeof plain))
    return bus_fail(err, BUS_E_CONFIG, "the database's URL is longer than %d bytes", URL_SIZE - 1);
  bool good = check_plain(plain, err);
  if (good && !has_only_host(plain, strstr(name, "_tcp.") + strlen("_tcp.")))
    good = bus_fail(err, BUS_E_CONFIG,
                    "the database's URL names a service and also host, hostaddr or port: the records of %s have them",
                    name);
  explicit_bzero(plain, sizeof plain);
  return good;
}

bool pg_url_check(const char *url, struct bus_error *err) {
  return srv_is_url(url) ? check_service(url, err) : check_plain(url, err);
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

bool pg_registry_check(const struct bus_registry *registry, struct bus_error *err) {
  for (size_t i = 0; i < registry->count; i++) {
    const struct bus_statement *statement = &registry->statements[i];
    if (!statement->sql)
      return bus_fail(err, BUS_E_CONFIG, "statement %zu has no SQL", i);
    if (!letters_are_good(statement->params))
      return bus_fail(err, BUS_E_CONFIG,
                      "statement %zu: at most %d letters of uitzblUITZBLVW, single values first, not \"%s\"", i,
                      PG_PARAMS_MAX, statement->params);
  }
  return true;
}
