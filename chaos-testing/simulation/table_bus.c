/* Inbox, outbox, suspects and dead letters of one database. */
#include "table_bus.h"

#include "check.h"
#include "database.h"
#include "session.h"
#include "worker.h"

#include "../../libbus/src/pipeline/own.h"

#include <assert.h>
#include <stdlib.h>

#define LONGEST (35 * BUS_SECOND)     /* no row is due later, by libbus's lease and margin */
#define RECALL_AFTER (5 * BUS_MINUTE) /* no unroutable one */
enum { INBOX_SLOTS = 256 };

struct id_count {
  struct bus_uuid id;
  int64_t count;
  struct id_count *next;
};

/* A row of the outbox. */
struct outgoing {
  struct letter *letter;
  struct letters letters;
  struct bus_uuid id, correlation_id, causation_id;
  struct bus_str type, traceparent, tracestate, body;
  bus_time created_at, next_attempt_at;
  int64_t attempts, messages;
  bool unroutable;
  const struct session *locker;
  struct outgoing *next;
};

struct bus_tables {
  struct id_count *inbox[INBOX_SLOTS];
  struct id_count *suspects;
  struct outgoing *outbox, **outbox_end;
  size_t parked;
};

struct fresh_id {
  struct bus_uuid id;
  struct fresh_id *next;
};

struct claim {
  struct outgoing *row;
  bus_time next_attempt_at;
  bool tried; /* by the sweeper */
  struct claim *next;
};

struct bus_tables *bus_tables_new(struct world *world) {
  struct bus_tables *tables = world_alloc(world, sizeof *tables);
  tables->outbox_end = &tables->outbox;
  return tables;
}

/* ---- ids ---- */

static int by_uuid(const void *a, const void *b) {
  return bus_uuid_compare(&((const struct bus_memory_value *)a)->uuid, &((const struct bus_memory_value *)b)->uuid);
}

static struct id_count **find(struct id_count **at, const struct bus_uuid *id) {
  while (*at && !bus_uuid_equal(&(*at)->id, id))
    at = &(*at)->next;
  return at;
}

static struct id_count **inbox_find(struct bus_tables *tables, const struct bus_uuid *id) {
  return find(&tables->inbox[id->bytes[15]], id);
}

static void add_id(struct world *world, struct id_count **list, const struct bus_uuid *id) {
  struct id_count *entry = world_alloc(world, sizeof *entry);
  *entry = (struct id_count){*id, 1, *list};
  *list = entry;
}

static struct fresh_id **fresh_find(struct session *session, const struct bus_uuid *id) {
  struct fresh_id **at = &session->unseen.ids;
  while (*at && !bus_uuid_equal(&(*at)->id, id))
    at = &(*at)->next;
  return at;
}

/* Inserting an id waits for another transaction that inserts it. */
static bool is_inserted_elsewhere(struct world *world, const struct session *session, const struct bus_uuid *id) {
  for (size_t i = 0; i < world->worker_count; i++) {
    struct session *other = &world->workers[i].session;
    if (other != session && other->database == session->database && other->open && *fresh_find(other, id))
      return true;
  }
  return false;
}

/* In order of id. */
static bool inbox_insert(struct world *world, struct session *session, const struct bus_args *args,
                         struct bus_rows *ret) {
  qsort(args->values, args->count, sizeof *args->values, by_uuid);
  for (size_t i = 0; i < args->count; i++) {
    const struct bus_uuid *id = &args->values[i].uuid;
    if (*inbox_find(session->database->bus, id) || *fresh_find(session, id))
      continue;
    if (is_inserted_elsewhere(world, session, id))
      return false;
    struct fresh_id *fresh = bus_arena_alloc(session->arena, sizeof *fresh);
    assert(fresh);
    *fresh = (struct fresh_id){*id, session->unseen.ids};
    session->unseen.ids = fresh;
  }
  for (const struct fresh_id *fresh = session->unseen.ids; fresh; fresh = fresh->next) {
    struct bus_memory_value *cells = bus_memory_rows_add(ret, 2, session->arena);
    cells[0] = (struct bus_memory_value){.uuid = fresh->id};
    cells[1] = (struct bus_memory_value){.number = session->now};
  }
  return true;
}

static void inbox_delete(struct session *session, const struct bus_args *args) {
  for (size_t i = 0; i < args->count; i++) {
    const struct bus_uuid *id = &args->values[i].uuid;
    struct fresh_id **fresh = fresh_find(session, id);
    struct id_count **kept = inbox_find(session->database->bus, id);
    if (*fresh)
      *fresh = (*fresh)->next;
    if (*kept)
      *kept = (*kept)->next;
  }
}

static void suspect_count(struct world *world, struct session *session, const struct bus_args *args,
                          struct bus_rows *ret) {
  struct id_count **list = &session->database->bus->suspects;
  const struct bus_uuid *id = &args->values[0].uuid;
  struct id_count *known = *find(list, id);
  if (!known)
    add_id(world, list, id);
  *bus_memory_rows_add(ret, 1, session->arena) = (struct bus_memory_value){.number = known ? ++known->count : 1};
}

static void suspect_delete(struct session *session, const struct bus_args *args) {
  for (size_t i = 0; i < args->count; i++) {
    struct id_count **at = find(&session->database->bus->suspects, &args->values[i].uuid);
    if (*at)
      *at = (*at)->next;
  }
}

/* ---- the outbox ---- */

static struct bus_str keep(struct world *world, const struct bus_memory_value *value) {
  return value->null ? BUS_NO_STR : world_text(world, value->text);
}

static void note_row(struct world *world, const struct outgoing *row) {
  size_t count = row->letters.count;
  for (size_t i = 0; i < count; i++) {
    row->letters.items[i]->committed = true;
    row->letters.items[i]->row = row->letter;
  }
  if (count > 1 && !world->quiet && random_chance(&world->random, world->plan.stumble_ppm))
    row->letters.items[random_below(&world->random, count)]->stumbles = true;
}

static void outbox_insert(struct world *world, struct session *session, const struct bus_args *args) {
  struct bus_tables *tables = session->database->bus;
  bus_time due = session->now + args->values[0].number * BUS_MILLISECOND;
  for (size_t i = 0; i < bus_memory_arg_rows(args); i++) {
    const struct bus_memory_value *cells = bus_memory_arg_row(args, i);
    struct outgoing *row = world_alloc(world, sizeof *row);
    *row = (struct outgoing){.letter = letter_of(world, &cells[0].uuid),
                             .id = cells[0].uuid,
                             .type = keep(world, &cells[1]),
                             .correlation_id = cells[2].uuid,
                             .causation_id = cells[3].uuid,
                             .traceparent = keep(world, &cells[4]),
                             .tracestate = keep(world, &cells[5]),
                             .body = keep(world, &cells[6]),
                             .messages = cells[7].number,
                             .created_at = session->now,
                             .next_attempt_at = due};
    const struct bus_envelope envelope = {
        .message_id = row->id, .type = row->type, .bundle = row->messages > 1, .bundle_count = row->messages};
    row->letters = letters_of(world, &envelope, row->body, NULL);
    note_row(world, row);
    row->letter->body = row->body;
    session->emitted++;
    *tables->outbox_end = row;
    tables->outbox_end = &row->next;
  }
}

static bool is_named(const struct bus_args *args, const struct bus_uuid *id) {
  size_t i = 0;
  while (i < args->count && !bus_uuid_equal(&args->values[i].uuid, id))
    i++;
  return i < args->count;
}

static bool is_free(const struct outgoing *row, const struct session *session) {
  return !row->locker || row->locker == session;
}

static void outbox_delete(struct world *world, struct session *session, const struct bus_args *args) {
  struct bus_tables *tables = session->database->bus;
  for (struct outgoing **at = &tables->outbox; *at;) {
    struct outgoing *row = *at;
    if (!is_free(row, session) || !is_named(args, &row->id)) {
      at = &row->next;
      continue;
    }
    for (size_t i = 0; i < row->letters.count; i++)
      check_delivered(world, row->letters.items[i]);
    *at = row->next;
    if (tables->outbox_end == &row->next)
      tables->outbox_end = at;
  }
}

static void outbox_unroutable(struct session *session, const struct bus_args *args) {
  for (struct outgoing *row = session->database->bus->outbox; row; row = row->next) {
    int64_t power = row->attempts < 6 ? INT64_C(1) << row->attempts : 60;
    if (!is_free(row, session) || !is_named(args, &row->id))
      continue;
    row->unroutable = true;
    row->next_attempt_at = session->now + (power < 60 ? power : 60) * 5 * BUS_SECOND;
  }
}

static void claim(struct session *session, struct outgoing *row, bus_time next_attempt_at, bool tried) {
  struct claim *claimed = bus_arena_alloc(session->arena, sizeof *claimed);
  assert(claimed);
  row->locker = session;
  *claimed = (struct claim){row, next_attempt_at, tried, session->unseen.claims};
  session->unseen.claims = claimed;
}

static void put_text(struct bus_memory_value *cell, struct bus_str text) {
  *cell = (struct bus_memory_value){.null = !text.data, .text = text};
}

static void outbox_sweep(struct world *world, struct session *session, const struct bus_args *args,
                         struct bus_rows *ret) {
  bus_time until = session->now + args->values[0].number * BUS_MILLISECOND;
  for (struct outgoing *row = session->database->bus->outbox; row; row = row->next) {
    if (row->next_attempt_at > session->now || !is_free(row, session) || (int64_t)ret->count == args->values[1].number)
      continue;
    claim(session, row, until, true);
    struct bus_memory_value *cells = bus_memory_rows_add(ret, BUS_TABLES_COLUMNS, session->arena);
    cells[0] = (struct bus_memory_value){.uuid = row->id};
    put_text(&cells[1], row->type);
    cells[2] = (struct bus_memory_value){.uuid = row->correlation_id};
    cells[3] = (struct bus_memory_value){.uuid = row->causation_id};
    put_text(&cells[4], row->traceparent);
    put_text(&cells[5], row->body);
    cells[6] = (struct bus_memory_value){.number = row->created_at};
    put_text(&cells[7], row->tracestate);
    cells[8] = (struct bus_memory_value){.number = row->messages};
  }
  world->tally->sweeps += ret->count > 0;
}

/* Due later than anything can be. */
static bool is_put_off(const struct outgoing *row, bus_time now, int64_t longest) {
  return row->next_attempt_at > now + longest && (!row->unroutable || row->next_attempt_at > now + RECALL_AFTER);
}

static void outbox_recall(struct session *session, const struct bus_args *args, struct bus_rows *ret) {
  for (struct outgoing *row = session->database->bus->outbox; row; row = row->next)
    if (is_free(row, session) && is_put_off(row, session->now, args->values[0].number * BUS_MILLISECOND)) {
      claim(session, row, session->now, false);
      (void)bus_memory_rows_add(ret, 1, session->arena);
    }
}

static void outbox_depth(struct session *session, struct bus_rows *ret) {
  const struct outgoing *first = session->database->bus->outbox;
  struct bus_memory_value *cells = bus_memory_rows_add(ret, 4, session->arena);
  cells[0] = (struct bus_memory_value){.number = (int64_t)bus_tables_count(session->database)};
  cells[1] = (struct bus_memory_value){.null = !first, .number = first ? first->created_at : 0};
  cells[2] = (struct bus_memory_value){.number = session->now};
  cells[3] = (struct bus_memory_value){.number = 0};
  for (const struct outgoing *row = first; row; row = row->next)
    cells[3].number += row->unroutable;
}

/* ---- statements ---- */

bool bus_tables_run(struct world *world, struct session *session, const struct bus_args *args, struct bus_rows *ret) {
  switch ((enum own_statement)args->statement) {
  case OWN_NOW:
    *bus_memory_rows_add(ret, 1, session->arena) = (struct bus_memory_value){.number = session->now};
    return true;
  case OWN_INBOX_INSERT:
    return inbox_insert(world, session, args, ret);
  case OWN_OUTBOX_SWEEP:
    outbox_sweep(world, session, args, ret);
    return true;
  case OWN_OUTBOX_RECALL:
    outbox_recall(session, args, ret);
    return true;
  case OWN_OUTBOX_DEPTH:
    outbox_depth(session, ret);
    return true;
  default:
    return true;
  }
}

void bus_tables_apply(struct world *world, struct session *session, const struct bus_args *args, struct bus_rows *ret) {
  switch ((enum own_statement)args->statement) {
  case OWN_INBOX_DELETE:
    inbox_delete(session, args);
    break;
  case OWN_OUTBOX_INSERT:
    outbox_insert(world, session, args);
    break;
  case OWN_OUTBOX_DELETE:
    outbox_delete(world, session, args);
    break;
  case OWN_OUTBOX_UNROUTABLE:
    outbox_unroutable(session, args);
    break;
  case OWN_PARKED_INSERT:
    session->database->bus->parked += bus_memory_arg_rows(args);
    break;
  case OWN_SUSPECT_COUNT:
    suspect_count(world, session, args, ret);
    break;
  case OWN_SUSPECT_DELETE:
    suspect_delete(session, args);
    break;
  default:
    break;
  }
}

void bus_tables_commit(struct world *world, struct session *session) {
  struct bus_tables *tables = session->database->bus;
  for (const struct fresh_id *fresh = session->unseen.ids; fresh; fresh = fresh->next)
    add_id(world, &tables->inbox[fresh->id.bytes[15]], &fresh->id);
  for (const struct claim *claimed = session->unseen.claims; claimed; claimed = claimed->next) {
    claimed->row->next_attempt_at = claimed->next_attempt_at;
    claimed->row->attempts += claimed->tried;
  }
}

void bus_tables_unlock(struct session *session) {
  for (const struct claim *claimed = session->unseen.claims; claimed; claimed = claimed->next)
    claimed->row->locker = NULL;
  session->unseen = (struct unseen){NULL, NULL};
}

/* ---- for who looks at them ---- */

bus_time bus_tables_due(const struct database *database, bus_time now) {
  bus_time first = INT64_MAX;
  for (const struct outgoing *row = database->bus->outbox; row; row = row->next) {
    bus_time due = is_put_off(row, now, LONGEST) ? now : row->next_attempt_at;
    first = due < first ? due : first;
  }
  return first;
}

const struct letter *bus_tables_first(const struct database *database) {
  return database->bus->outbox ? database->bus->outbox->letter : NULL;
}

size_t bus_tables_count(const struct database *database) {
  size_t count = 0;
  for (const struct outgoing *row = database->bus->outbox; row; row = row->next)
    count++;
  return count;
}

size_t bus_tables_ids(const struct bus_args *args) {
  return args->own && args->statement == OWN_INBOX_INSERT ? args->count : 0;
}

const struct bus_uuid *bus_tables_id(const struct bus_args *args, size_t index) {
  return &args->values[index].uuid;
}

bool bus_tables_is_rider(const struct bus_args *args, uint64_t which) {
  static const enum own_statement riders[BUS_TABLES_RIDERS] = {OWN_OUTBOX_SWEEP, OWN_OUTBOX_RECALL, OWN_OUTBOX_DEPTH,
                                                               OWN_PURGE, OWN_OUTBOX_DELETE};
  return args->own && args->statement == (size_t)riders[which];
}

bool bus_tables_adds(const struct bus_args *args) {
  return args->own && args->statement == OWN_OUTBOX_INSERT;
}
