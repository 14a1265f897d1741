/* Parameters of a statement in Postgres's binary form, built in an arena. */
#include "args.h"

#include "rows.h"

#include <ctype.h>
#include <endian.h>

enum { ARRAY_HEADER = 20, FIRST_ROOM = 256, NULL_VALUE = 'n', LIST_BEGIN = 's', CUT_SHORT = 0 };

/* The function that gives a value of the kind. */
static const struct {
  char kind;
  const char *name;
} givers[] = {{'u', "bus_args_uuid"}, {'i', "bus_args_int64"}, {'t', "bus_args_text"},
              {'z', "bus_args_time"}, {'b', "bus_args_bytes"}, {'l', "bus_args_bool"}};

static bool is_list(char letter) {
  return pg_letter(letter)->single == 0;
}

struct bus_args *pg_args_new(struct bus_arena *arena, const struct bus_statement *statement) {
  struct bus_args *args = bus_arena_alloc(arena, sizeof *args);
  if (!args)
    return NULL;
  args->statement = statement;
  args->arena = arena;
  args->param_count = statement->params ? strlen(statement->params) : 0; /* pg_registry_check has bounded it */
  for (size_t i = 0; i < args->param_count; i++) {
    args->params[i].letter = statement->params[i];
    if (islower((unsigned char)statement->params[i]))
      args->single_count = i + 1;
  }
  return args;
}

static char *reserve(struct bus_args *args, struct pg_param *param, size_t more) {
  size_t len = param->len;
  char *data = bus_arena_grow(args->arena, param->data, len, len + more, FIRST_ROOM, &param->room);
  if (!data) {
    args->failed = true;
    return NULL;
  }
  param->data = data;
  param->len = len + more;
  return data + len;
}

static void put32(char *at, uint32_t value) {
  value = htobe32(value);
  memcpy(at, &value, sizeof value);
}

/* The next parameter in order; round again over the arrays once every parameter has a value. */
static struct pg_param *peek_param(struct bus_args *args) {
  if (args->next == args->param_count)
    args->next = args->single_count;
  return args->next < args->param_count ? &args->params[args->next] : NULL;
}

static void *misuse(struct bus_args *args, char kind) {
  args->failed = args->misused = true;
  args->misused_at = args->next;
  args->misused_by = kind;
  return NULL;
}

/* The one that takes the next value. Kind 0: any. */
static struct pg_param *next_param(struct bus_args *args, char kind) {
  struct pg_param *param = peek_param(args);
  if (!param || (kind != 0 && pg_letter(param->letter)->kind != kind) || is_list(param->letter) != (args->in_list > 0))
    return misuse(args, kind != 0 ? kind : NULL_VALUE);
  if (args->in_list == 0 || --args->in_list == 0)
    args->next++;
  return param;
}

void bus_args_list(struct bus_args *args, size_t count) {
  if (!args || args->failed)
    return;
  const struct pg_param *param = peek_param(args);
  if (!param || !is_list(param->letter) || args->in_list > 0)
    (void)misuse(args, LIST_BEGIN);
  else if (count == 0)
    args->next++;
  args->in_list = count;
}

void bus_args_list_bounds(struct bus_args *args, size_t count) {
  if (!args)
    return;
  bus_args_int64(args, (int64_t)args->listed + 1);
  args->listed += count;
  bus_args_int64(args, (int64_t)args->listed);
}

/* Room for a value of len bytes, with its length before it inside an array. */
static char *add_value(struct bus_args *args, char kind, size_t len) {
  if (!args || args->failed)
    return NULL;
  struct pg_param *param = next_param(args, kind);
  if (!param)
    return NULL;
  if (islower((unsigned char)param->letter))
    return reserve(args, param, len ? len : 1) ? (param->len = len, param->data) : NULL;
  if (param->rows == 0 && !reserve(args, param, ARRAY_HEADER))
    return NULL;
  char *at = reserve(args, param, 4 + len);
  if (!at)
    return NULL;
  put32(at, (uint32_t)len);
  param->rows++;
  return at + 4;
}

void bus_args_null(struct bus_args *args) {
  if (!args || args->failed)
    return;
  struct pg_param *param = next_param(args, 0);
  if (!param)
    return;
  if (islower((unsigned char)param->letter)) {
    param->null = true;
    return;
  }
  if (param->rows == 0 && !reserve(args, param, ARRAY_HEADER))
    return;
  char *at = reserve(args, param, 4);
  if (!at)
    return;
  put32(at, UINT32_MAX); /* length -1 is NULL */
  param->rows++;
  param->has_null = true;
}

static void add_int64(struct bus_args *args, char kind, int64_t value) {
  char *at = add_value(args, kind, 8);
  if (!at)
    return;
  uint64_t wire = htobe64((uint64_t)value);
  memcpy(at, &wire, sizeof wire);
}

static void add_bytes(struct bus_args *args, char kind, const char *data, size_t len) {
  char *at = add_value(args, kind, len);
  if (at && len > 0)
    memcpy(at, data, len);
}

void bus_args_uuid(struct bus_args *args, const struct bus_uuid *value) {
  add_bytes(args, 'u', (const char *)value->bytes, sizeof value->bytes);
}

void bus_args_int64(struct bus_args *args, int64_t value) {
  add_int64(args, 'i', value);
}

void bus_args_text(struct bus_args *args, struct bus_str value) {
  add_bytes(args, 't', value.data, value.len);
}

void bus_args_time(struct bus_args *args, bus_time value) {
  add_int64(args, 'z', value - POSTGRES_EPOCH);
}

void bus_args_bytes(struct bus_args *args, struct bus_str value) {
  add_bytes(args, 'b', value.data, value.len);
}

void bus_args_bool(struct bus_args *args, bool value) {
  add_bytes(args, 'l', value ? "\1" : "\0", 1);
}

/* An array's header: dimensions, "has NULLs", element type, length, lower bound (array_send in Postgres). */
static void write_header(struct pg_param *param) {
  put32(param->data, param->rows ? 1 : 0);
  put32(param->data + 4, param->has_null ? 1 : 0);
  put32(param->data + 8, pg_letter(pg_letter(param->letter)->kind)->single);
  put32(param->data + 12, (uint32_t)param->rows);
  put32(param->data + 16, 1);
  if (param->rows == 0)
    param->len = 12; /* no dimensions, so no bounds */
}

/* Every single value given, and no row begun that is not complete. */
static bool is_complete(const struct bus_args *args) {
  return args->in_list == 0 && args->next >= args->single_count &&
         (args->next == args->single_count || args->next == args->param_count);
}

bool pg_args_finish(struct bus_args *args) {
  if (!args->failed && !is_complete(args))
    (void)misuse(args, CUT_SHORT);
  for (size_t i = 0; i < args->param_count && !args->failed; i++) {
    struct pg_param *param = &args->params[i];
    if (islower((unsigned char)param->letter))
      continue;
    if (param->rows == 0 && !reserve(args, param, ARRAY_HEADER))
      break;
    write_header(param);
  }
  return !args->failed;
}

static const char *giver_of(char kind) {
  for (size_t i = 0; i < BUS_COUNT(givers); i++)
    if (givers[i].kind == kind)
      return givers[i].name;
  return "bus_args_null";
}

bool pg_args_misuse(const struct bus_args *args, struct bus_error *err) {
  const char *all = args->statement->params ? args->statement->params : "";
  const char *by = args->misused_by == LIST_BEGIN ? "bus_args_list" : giver_of(args->misused_by);
  size_t at = args->misused_at;
  if (at >= args->param_count)
    return bus_fail(err, BUS_E_INVALID,
                    "statement \"%.60s\": %s gives a value, but its letters \"%s\" have none for it",
                    args->statement->sql, by, all);
  char letter = args->params[at].letter;
  const char *wanted = is_list(letter) && args->in_list == 0 ? "bus_args_list" : giver_of(pg_letter(letter)->kind);
  if (args->misused_by == CUT_SHORT)
    return bus_fail(err, BUS_E_INVALID,
                    "statement \"%.60s\": letter %zu of \"%s\" has no value, or its row or list ends "
                    "too early: give it by %s",
                    args->statement->sql, at + 1, all, wanted);
  return bus_fail(err, BUS_E_INVALID, "statement \"%.60s\": letter %zu of \"%s\" takes a value of %s, not of %s",
                  args->statement->sql, at + 1, all, wanted, by);
}
