/* Tables, row locks, inbox, outbox. */
#include "database.h"

#include "check.h"
#include "worker.h"

#include <assert.h>

static const struct store *const stores[SERVICES] = {&orders_store, &inventory_store_tables, &payments_store};

void database_init(struct world *world, struct database *database, int service) {
  (void)world;
  *database = (struct database){.service = service, .store = stores[service], .up = true};
  database->outbox_end = &database->outbox;
  bool made = database->store->make();
  assert(made);
  (void)made;
  database->store->init(database);
}

/* ---- tables ---- */

bool row_lock(struct reading *reading, struct row *row) {
  if (has_bug(reading->world, BUG_NO_LOCKS))
    return true;
  if (row->locker && row->locker != reading->session) {
    reading->blocked = true;
    return false;
  }
  row->locker = reading->session;
  return true;
}

void database_guard(struct reading *reading, enum guarded what, bool alone) {
  struct guard *own = NULL;
  if (has_bug(reading->world, BUG_NO_LOCKS))
    return;
  for (size_t i = 0; i < WORKERS_MAX; i++) {
    struct guard *guard = &reading->database->guards[what][i];
    if (!guard->session || guard->session == reading->session)
      own = guard;
    else
      reading->blocked |= alone || guard->alone;
  }
  if (!reading->blocked)
    *own = (struct guard){reading->session, alone};
}

void database_unlock(struct database *database, const void *session) {
  for (size_t what = 0; what < GUARDED; what++)
    for (size_t i = 0; i < WORKERS_MAX; i++)
      if (database->guards[what][i].session == session)
        database->guards[what][i].session = NULL;
  for (size_t i = 0; i < TABLES_MAX; i++)
    for (struct row *row = database->tables[i].rows; row; row = row->next)
      if (row->locker == session)
        row->locker = NULL;
  for (struct outgoing *outgoing = database->outbox; outgoing; outgoing = outgoing->next)
    if (outgoing->locker == session)
      outgoing->locker = NULL;
}

/* ---- libbus's own tables ---- */

static struct id_count **slot_of(struct database *database, const struct bus_uuid *id) {
  return &database->inbox[id->bytes[15]];
}

struct id_count *inbox_find(struct database *database, const struct bus_uuid *id) {
  struct id_count *found = *slot_of(database, id);
  while (found && !bus_uuid_equal(&found->id, id))
    found = found->next;
  return found;
}

void inbox_add(struct world *world, struct database *database, const struct bus_uuid *id) {
  struct id_count *entry = world_alloc(world, sizeof *entry);
  *entry = (struct id_count){*id, 1, *slot_of(database, id)};
  *slot_of(database, id) = entry;
}

int64_t suspect_count(struct world *world, struct database *database, const struct bus_uuid *id) {
  struct id_count *entry = database->suspects;
  while (entry && !bus_uuid_equal(&entry->id, id))
    entry = entry->next;
  if (entry)
    return ++entry->count;
  entry = world_alloc(world, sizeof *entry);
  *entry = (struct id_count){*id, 1, database->suspects};
  database->suspects = entry;
  return 1;
}

void suspect_forget(struct database *database, const struct bus_uuid *id) {
  for (struct id_count **at = &database->suspects; *at; at = &(*at)->next)
    if (bus_uuid_equal(&(*at)->id, id)) {
      *at = (*at)->next;
      return;
    }
}

struct outgoing *outbox_add(struct world *world, struct database *database, const struct message *message,
                            bus_time next_attempt_at) {
  struct outgoing *outgoing = world_alloc(world, sizeof *outgoing);
  *outgoing = (struct outgoing){.message = message, .next_attempt_at = next_attempt_at};
  *database->outbox_end = outgoing;
  database->outbox_end = &outgoing->next;
  message->letter->committed = true;
  return outgoing;
}

struct outgoing *outbox_find(const struct database *database, const struct message *message) {
  struct outgoing *outgoing = database->outbox;
  while (outgoing && outgoing->message != message)
    outgoing = outgoing->next;
  return outgoing;
}

void outbox_delete(struct world *world, struct database *database, const struct message *message, const void *session) {
  for (struct outgoing **at = &database->outbox; *at; at = &(*at)->next) {
    struct outgoing *outgoing = *at;
    if (outgoing->message != message)
      continue;
    if (outgoing->locker && outgoing->locker != session)
      return;
    check_delivered(world, message);
    *at = outgoing->next;
    if (database->outbox_end == &outgoing->next)
      database->outbox_end = at;
    return;
  }
}

/* ---- what happens to it ---- */

static void database_returns(struct world *world, void *subject, uint64_t detail) {
  struct database *database = subject;
  (void)detail;
  database->up = true;
  TRACE(world, "database of %s is back", service_names[database->service]);
}

void database_outage(struct world *world, struct database *database, int64_t duration) {
  if (!database->up)
    return;
  database->up = false;
  TRACE(world, "database of %s goes away", service_names[database->service]);
  for (size_t i = 0; i < world->worker_count; i++)
    if (world->workers[i].service == database->service)
      worker_session_dies(world, &world->workers[i]);
  world_after(world, duration, database_returns, database, 0);
}

static void database_takes(struct world *world, void *subject, uint64_t detail) {
  struct database *database = subject;
  (void)detail;
  database->refuses_since = 0;
  TRACE(world, "database of %s takes inputs again", service_names[database->service]);
}

void database_refuses(struct world *world, struct database *database, int64_t duration) {
  if (database->refuses_since != 0)
    return;
  database->refuses_since = world->now;
  TRACE(world, "database of %s refuses every input", service_names[database->service]);
  world_after(world, duration, database_takes, database, 0);
}
