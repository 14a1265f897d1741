/* orderctl pay: the ledger of payment-svc beside the provider's records. */
#include "program.h"
#include "provider.h"
#include "story_statements.h"

#include <bus/clock.h>

#include <inttypes.h>
#include <stdio.h>

enum { READ_MS = 5000, DAY_S = 86400 };
enum { FRESH_S = 60 };     /* movements of the last minute may be on one side alone */
enum { MARGIN_S = 86400 }; /* a charge may be pending that long before it moves money */
#define MEMORY ((size_t)1 << 30)

/* One side's movements. */
struct side {
  struct bus_arena *arena;
  struct reconcile_line *lines;
  size_t count, room;
  bool wrong; /* a line is no movement */
};

static bool add(void *context, const struct reconcile_line *line) {
  struct side *side = context;
  struct reconcile_line *grown = story_grow(side->arena, side->lines, side->count, &side->room, sizeof *grown);
  if (!grown)
    return false;
  side->lines = grown;
  grown[side->count++] = *line;
  return true;
}

/* ---- ours ---- */

struct reading {
  struct side *side;
  int64_t since;
  bool failed; /* out of memory */
};

static void ask(void *context, struct bus_sql *sql) {
  const struct reading *reading = context;
  bus_args_int64(bus_sql_add(sql, STORY_SQL_MOVEMENTS), reading->since);
}

static void take(void *context, size_t index, const struct bus_rows *rows) {
  struct reading *reading = context;
  struct reconcile_line line;
  (void)index;
  for (size_t i = 0; i < bus_rows_count(rows) && !reading->failed; i++)
    if (!reconcile_line_parse(bus_rows_text(rows, i, 0), &line))
      reading->side->wrong = true;
    else
      reading->failed = !add(reading->side, &line);
}

static bool read_ours(const struct program *program, int64_t since, struct side *side, struct bus_error *err) {
  const struct bus_reader_settings settings = story_reader(&program->settings, program->settings.urls[STORY_PAYMENTS],
                                                           &story_statements[STORY_PAYMENTS], READ_MS);
  struct reading reading = {.side = side, .since = since};
  const struct bus_reader_calls calls = {ask, take, &reading};
  struct bus_reader *reader = NULL;
  bool good = bus_reader_open(&settings, &reader, err) && bus_reader_run(reader, side->arena, &calls, err);
  bus_reader_free(reader);
  if (!good)
    return bus_error_wrap(err, "payments database");
  if (reading.failed)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the ledger");
  return !side->wrong || bus_fail(err, BUS_E_DECODE, "payments.ledger has a row that is no movement");
}

/* ---- comparing ---- */

struct printing {
  struct bus_arena *arena;
  bool json, failed;
};

struct document {
  struct bus_uuid order_id;
  struct bus_str text;
};
static const struct bus_field fields[] = {
    BUS_FIELD_UUID(struct document, order_id, BUS_OPTIONAL, "order; null: an object of the provider without one"),
    BUS_FIELD_STRING(struct document, text, BUS_TEXT, 0, 512, BUS_REQUIRED, "difference"),
};
static const struct bus_schema schema = BUS_SCHEMA("difference", struct document, fields);

static void print_difference(void *context, const char *order, const char *text) {
  struct printing *printing = context;
  struct document document = {.text = bus_str(text)};
  struct bus_str json;
  bool named = bus_uuid_parse(bus_str(order), &document.order_id);
  if (!printing->json)
    (void)printf("%s: %s\n", named ? order : "no order", text);
  else if (!bus_encode_nulls(&schema, &document, printing->arena, &json) ||
           printf("%.*s\n", (int)json.len, json.data) < 0)
    printing->failed = true;
}

static int compare(const struct program *program, struct side *ours, struct side *theirs, int64_t since,
                   int64_t until) {
  struct printing printing = {.arena = ours->arena, .json = program->json};
  struct reconcile reconcile = {.since = since, .until = until, .report = print_difference, .context = &printing};
  reconcile_all(&reconcile, ours->lines, ours->count, theirs->lines, theirs->count);
  if (!program->json)
    (void)printf("%zu orders, %zu differences, %zu under way\n", reconcile.orders, reconcile.differences,
                 reconcile.open);
  if (printing.failed || fflush(stdout) != 0)
    return trouble("cannot write the standard output");
  return reconcile.differences > 0 ? EXIT_ACT : EXIT_FINE;
}

static int pay(const struct program *program, struct bus_arena *arena) {
  struct side ours = {.arena = arena}, theirs = {.arena = arena};
  struct bus_error err;
  int64_t until = bus_wall_clock() / BUS_SECOND - FRESH_S;
  int64_t since = program->days > 0 ? until - program->days * DAY_S : 0;
  int64_t begin = since > MARGIN_S ? since - MARGIN_S : 0;
  if (!read_ours(program, begin, &ours, &err) || !provider_read(program, begin, add, &theirs, &err))
    return trouble(err.text);
  return compare(program, &ours, &theirs, since, until);
}

int run_pay(const struct program *program, int count, char **words) {
  (void)words;
  if (count != 0)
    return trouble("pay takes options alone; see --help");
  if (!program->psp_url[0] || !program->psp_key[0])
    return trouble("PSP_URL and PSP_KEY must name the payment provider");
  struct bus_arena *arena = bus_arena_new(MEMORY);
  int status = arena ? pay(program, arena) : trouble("out of memory");
  bus_arena_free(arena);
  return status;
}
