/* Tables, row locks, outages. */
#include "database.h"

#include "table_bus.h"
#include "worker.h"

#include <assert.h>

static const struct store *const stores[DATABASES] = {&orders_store, &inventory_store_tables, &payments_store,
                                                      &webhooks_store};

void database_init(struct world *world, struct database *database, int service) {
  *database = (struct database){.service = service, .store = stores[service], .up = true, .bus = bus_tables_new(world)};
  bool made = database->store->make();
  assert(made);
  (void)made;
  database->store->init(database);
}

/* ---- tables ---- */

bool row_lock(struct reading *reading, struct bus_memory_row *row) {
  if (has_bug(reading->world, BUG_NO_LOCKS))
    return true;
  if (row->locker && row->locker != reading->session) {
    reading->blocked = true;
    return false;
  }
  row->locker = reading->session;
  return true;
}

void database_lock(struct reading *reading, const struct bus_memory_table *table, const struct bus_args *args,
                   struct bus_rows *ret) {
  for (size_t i = 0; i < bus_memory_arg_rows(args) && !reading->blocked; i++) {
    struct bus_memory_row *row = bus_memory_find_value(table, bus_memory_arg_row(args, i));
    if (row && row_lock(reading, row))
      (void)bus_memory_read(ret, table, row, reading->arena); /* no allocation fails here */
  }
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

void database_unlock(struct database *database, const struct session *session) {
  for (size_t what = 0; what < GUARDED; what++)
    for (size_t i = 0; i < WORKERS_MAX; i++)
      if (database->guards[what][i].session == session)
        database->guards[what][i].session = NULL;
  for (size_t i = 0; i < TABLES_MAX; i++)
    for (struct bus_memory_row *row = database->tables[i].rows; row; row = row->next)
      if (row->locker == session)
        row->locker = NULL;
}

void database_found(struct reading *reading, struct bus_rows *ret, const struct bus_uuid *id) {
  *bus_memory_rows_add(ret, 1, reading->arena) = (struct bus_memory_value){.uuid = *id};
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
    if (world->workers[i].database == database)
      session_die(world, &world->workers[i].session);
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
  database->refuses_all = random_chance(&world->random, PPM / 2);
  TRACE(world, "database of %s refuses every input", service_names[database->service]);
  world_after(world, duration, database_takes, database, 0);
}

static void database_mended(struct world *world, void *subject, uint64_t detail) {
  struct database *database = subject;
  (void)detail;
  database->broken = 0;
  TRACE(world, "database of %s carries out all statements again", service_names[database->service]);
}

void database_breaks(struct world *world, struct database *database, int64_t duration) {
  static const enum bus_errc kinds[] = {BUS_E_DB_FAULT, BUS_E_DB_DATA, BUS_E_DB_OTHER};
  if (database->broken != 0)
    return;
  database->broken = 1 + random_below(&world->random, BUS_TABLES_RIDERS + 1);
  database->broken_as = kinds[random_below(&world->random, BUS_COUNT(kinds))];
  TRACE(world, "database of %s fails in a statement that rides along", service_names[database->service]);
  world_after(world, duration, database_mended, database, 0);
}
