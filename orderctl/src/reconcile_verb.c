/* orderctl reconcile: contradictions between orders, stock, payments and the provider, order by order, and their
 * repair. */
#include "reconcile_outbox.h"
#include "reconcile_read.h"
#include "reconcile_repair.h"

#include <bus/clock.h>

#include <inttypes.h>
#include <stdio.h>

enum { DAY_S = 86400 };
enum { MARGIN_S = 86400 }; /* rows of one order are as far apart: an order may be paid a day later */
enum { SCRATCH = 1 << 20 };
#define MEMORY ((size_t)1 << 30)

struct found {
  struct bus_uuid order_id;
  struct misfit misfit;
};

struct reconciling {
  const struct program *program;
  struct bus_arena *arena, *scratch;
  struct reconcile_books books;
  struct reconcile_outbox outboxes[STORY_BROKER];
  struct found *found;
  size_t count, room;
  int64_t orders, fresh, by_hand;
};

/* ---- finding ---- */

static bool keep(struct reconciling *reconciling, const struct bus_uuid *order_id, const struct misfit *misfits,
                 size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct found *grown =
        story_grow(reconciling->arena, reconciling->found, reconciling->count, &reconciling->room, sizeof *grown);
    if (!grown)
      return false;
    reconciling->found = grown;
    grown[reconciling->count++] = (struct found){*order_id, misfits[i]};
    reconciling->by_hand += misfits[i].repair == MISFIT_BY_HAND;
  }
  return true;
}

static bool find_all(struct reconciling *reconciling, int64_t since, struct bus_error *err) {
  struct reconcile_walk walk = {0};
  struct reconcile_page page;
  struct misfit misfits[MISFITS_MAX];
  bus_time young = bus_wall_clock() - reconciling->program->older_s * BUS_SECOND;
  while (reconcile_books_next(&reconciling->books, &walk, &page)) {
    if (page.newest.created_at < since * BUS_SECOND)
      continue;
    size_t count = misfit_find(&page.facts, misfits);
    reconciling->orders++;
    if (count > 0 && page.newest.updated_at > young)
      reconciling->fresh++;
    else if (!keep(reconciling, &page.newest.order_id, misfits, count))
      return bus_fail(err, BUS_E_NOMEM, "out of memory for contradictions");
  }
  return true;
}

/* ---- printing ---- */

struct document {
  struct bus_uuid order_id;
  struct bus_str text, repair;
  bool repaired;
};
static const struct bus_field fields[] = {
    BUS_FIELD_UUID(struct document, order_id, BUS_REQUIRED, "order"),
    BUS_FIELD_STRING(struct document, text, BUS_TEXT, 0, MISFIT_TEXT, BUS_REQUIRED, "contradiction"),
    BUS_FIELD_STRING(struct document, repair, BUS_TOKEN, 1, 32, BUS_REQUIRED, "repair, or by_hand"),
    BUS_FIELD_BOOL(struct document, repaired, BUS_REQUIRED, "by this run"),
};
static const struct bus_schema schema = BUS_SCHEMA("misfit", struct document, fields);

static bool print_found(const struct reconciling *reconciling, const struct found *found) {
  const char *repair = misfit_repair_names[found->misfit.repair];
  char id[BUS_UUID_TEXT];
  struct bus_str json;
  const struct document document = {found->order_id, bus_str(found->misfit.text), bus_str(repair),
                                    reconciling->program->repair && found->misfit.repair != MISFIT_BY_HAND};
  bus_uuid_format(&found->order_id, id);
  bus_arena_reset(reconciling->scratch);
  if (!reconciling->program->json)
    return printf("%s: %s -> %s\n", id, found->misfit.text, repair) > 0;
  return bus_encode(&schema, &document, reconciling->scratch, &json) && printf("%.*s\n", (int)json.len, json.data) > 0;
}

/* No contradiction: inboxes know their ids. */
static void print_outboxes(const struct reconciling *reconciling) {
  for (int place = 0; place < STORY_BROKER; place++)
    if (reconciling->outboxes[place].waiting > 0)
      (void)fprintf(stderr,
                    "orderctl: %s publishes %" PRId64 " messages of its outbox again; %" PRId64
                    " of them were taken before, and are taken once\n",
                    story_services[place], reconciling->outboxes[place].waiting, reconciling->outboxes[place].taken);
}

static bool print_all(const struct reconciling *reconciling) {
  bool good = true;
  print_outboxes(reconciling);
  for (size_t i = 0; i < reconciling->count; i++)
    good = print_found(reconciling, &reconciling->found[i]) && good;
  if (!reconciling->program->json)
    good = printf("%" PRId64 " orders, %zu contradictions, %" PRId64 " of them for a person, %" PRId64
                  " orders too young to judge\n",
                  reconciling->orders, reconciling->count, reconciling->by_hand, reconciling->fresh) > 0 &&
           good;
  return good && fflush(stdout) == 0;
}

/* ---- repairing ---- */

/* Rows first: messages are made of them. */
static bool mend_all(struct reconcile_repair *repair, const struct reconciling *reconciling, struct bus_error *err) {
  if (!reconcile_put_off(repair, err))
    return false;
  for (int rows = 1; rows >= 0; rows--)
    for (size_t i = 0; i < reconciling->count; i++) {
      const struct found *found = &reconciling->found[i];
      if ((found->misfit.repair == MISFIT_ADOPT) == rows &&
          !reconcile_mend(repair, &found->order_id, &found->misfit, err))
        return false;
    }
  return true;
}

static int act(struct reconcile_repair *repair, const struct reconciling *reconciling, struct bus_error *err) {
  struct bus_error ignored;
  char text[512];
  if (!audit_mark(&repair->audit, AUDIT_BEGIN, (int64_t)reconciling->count - reconciling->by_hand, "", err))
    return trouble(err->text);
  bool good = mend_all(repair, reconciling, err);
  (void)snprintf(text, sizeof text, "%s: %" PRId64 " repairs, %" PRId64 " for a person, %" PRId64 " outdated",
                 good ? "done" : "stopped", repair->done, reconciling->by_hand, repair->outdated);
  bool ended = audit_mark(&repair->audit, AUDIT_END, repair->done, text, &ignored);
  if (!good || !ended)
    return trouble(good ? ignored.text : err->text);
  return reconciling->by_hand + repair->outdated > 0 ? EXIT_ACT : EXIT_FINE;
}

static int repair_all(const struct reconciling *reconciling, struct bus_error *err) {
  static struct reconcile_repair repair; /* the session's window is large for a stack */
  bool opened = reconcile_repair_open(reconciling->program, &repair, err);
  int status = opened ? act(&repair, reconciling, err) : trouble(err->text);
  reconcile_repair_close(&repair);
  return status;
}

/* ---- the verb ---- */

static int reconcile(struct reconciling *reconciling) {
  const struct program *program = reconciling->program;
  int64_t now = bus_wall_clock() / BUS_SECOND;
  int64_t since = program->days > 0 ? now - program->days * DAY_S : 0;
  struct bus_error err;
  if (!reconcile_books_read(program, since > MARGIN_S ? since - MARGIN_S : 0, reconciling->arena, &reconciling->books,
                            &err) ||
      !find_all(reconciling, since, &err) || !reconcile_outboxes_read(program, reconciling->outboxes, &err))
    return trouble(err.text);
  if (!print_all(reconciling))
    return trouble("cannot write the standard output");
  if (program->repair)
    return repair_all(reconciling, &err);
  return reconciling->count > 0 ? EXIT_ACT : EXIT_FINE;
}

int run_reconcile(const struct program *program, int count, char **words) {
  struct reconciling reconciling = {.program = program};
  (void)words;
  if (count != 0)
    return trouble("reconcile takes options alone; see --help");
  if (!program->psp_url[0] || !program->psp_key[0])
    return trouble("PSP_URL and PSP_KEY must name the payment provider");
  reconciling.arena = bus_arena_new(MEMORY);
  reconciling.scratch = bus_arena_new(SCRATCH);
  int status = reconciling.arena && reconciling.scratch ? reconcile(&reconciling) : trouble("out of memory");
  bus_arena_free(reconciling.arena);
  bus_arena_free(reconciling.scratch);
  return status;
}
