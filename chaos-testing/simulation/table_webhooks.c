/* The webhooks database: what notify-svc's statements do to endpoints, deliveries and attempts. */
#include "table_webhooks.h"

#include <notify_statements.h>

/* The CHECKs of the migration webhooks.sql. */
static bool is_valid_endpoint(const void *record) {
  const struct endpoint *e = record;
  return e->events >= 1 && e->events < 1 << WEBHOOK_EVENTS &&
         bus_implies(e->status == WEBHOOK_DISABLED, e->cause >= 0 && e->disabled_at != BUS_NO_TIME);
}

static bool is_valid_delivery(const void *record) {
  const struct delivery *d = record;
  return d->payload.len >= 2 && d->attempts >= 0 && d->failures >= 0 && d->failures <= NOTIFY_SCHEDULE_MAX + 1 &&
         (d->status == DELIVERY_WAITING) == (d->next_attempt_at != BUS_NO_TIME);
}

static void init(struct database *database) {
  bus_memory_table_init(&database->tables[ENDPOINTS], &endpoint_columns, is_valid_endpoint);
  bus_memory_table_init(&database->tables[DELIVERIES], &delivery_columns, is_valid_delivery);
  bus_memory_table_init(&database->tables[ATTEMPTS], &attempt_columns, NULL);
}

/* ---- reading ---- */

static const struct endpoint *endpoint_in(const struct bus_memory_row *row) {
  return row->record;
}

/* Named by its id, or by its customer. */
static bool is_wanted(const struct bus_args *args, const struct endpoint *endpoint) {
  for (size_t i = 0; i < bus_memory_arg_rows(args); i++) {
    const struct bus_memory_value *values = bus_memory_arg_row(args, i);
    if ((!values[0].null && bus_uuid_equal(&values[0].uuid, &endpoint->endpoint_id)) ||
        (!values[1].null && bus_str_equal(values[1].text, endpoint->customer_id)))
      return true;
  }
  return false;
}

/* They were inserted by their ids. */
static void lock_endpoints(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  const struct bus_memory_table *endpoints = &reading->database->tables[ENDPOINTS];
  for (struct bus_memory_row *row = endpoints->rows; row && !reading->blocked; row = row->next)
    if (is_wanted(args, endpoint_in(row)) && row_lock(reading, row))
      (void)bus_memory_read(ret, endpoints, row, reading->arena); /* no allocation fails here */
}

static bool is_due(const struct delivery *delivery, const struct bus_uuid *endpoint_id, bus_time now) {
  return delivery->next_attempt_at != BUS_NO_TIME && delivery->next_attempt_at <= now &&
         bus_uuid_equal(&delivery->endpoint_id, endpoint_id);
}

/* FIND_DUE: some of each endpoint behind the one where the last look ended. */
static void find_due(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  const struct bus_memory_table *tables = reading->database->tables;
  int64_t most = args->values[1].number, of_each = args->values[2].number;
  for (const struct bus_memory_row *row = tables[ENDPOINTS].rows; row; row = row->next) {
    const struct endpoint *endpoint = endpoint_in(row);
    int64_t left = of_each;
    if (endpoint->status != WEBHOOK_ENABLED ||
        memcmp(&endpoint->endpoint_id, &args->values[0].uuid, sizeof endpoint->endpoint_id) <= 0)
      continue;
    for (const struct bus_memory_row *at = tables[DELIVERIES].rows; at && left > 0; at = at->next) {
      if (!is_due(delivery_in(at), &endpoint->endpoint_id, reading->now) || (int64_t)ret->count >= most)
        continue;
      struct bus_memory_value *cells = bus_memory_rows_add(ret, 4, reading->arena);
      cells[0] = (struct bus_memory_value){.uuid = delivery_in(at)->delivery_id};
      cells[1] = (struct bus_memory_value){.uuid = endpoint->endpoint_id};
      cells[2] = (struct bus_memory_value){.null = true}; /* no address */
      left--;
    }
  }
}

static void read(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  if (args->statement == LOCK_ENDPOINTS)
    lock_endpoints(reading, args, ret);
  else if (args->statement == FIND_DUE)
    find_due(reading, args, ret);
  else if (args->statement == LOOK_AFTER)
    (void)bus_memory_rows_add(ret, 4, reading->arena);
  else
    database_lock(reading, &reading->database->tables[DELIVERIES], args, ret);
}

/* ---- writing ---- */

/* ON CONFLICT DO NOTHING. */
static enum bus_memory_outcome insert_deliveries(struct bus_memory_table *table, const struct bus_args *args,
                                                 struct bus_arena *keep) {
  enum bus_memory_outcome outcome = BUS_MEMORY_DONE;
  struct bus_args one = *args;
  one.singles = 0;
  one.count = args->width;
  for (size_t i = 0; i < bus_memory_arg_rows(args) && outcome == BUS_MEMORY_DONE; i++) {
    one.values = bus_memory_arg_row(args, i);
    if (!bus_memory_find_value(table, one.values))
      outcome = bus_memory_insert(table, &one, keep);
  }
  return outcome;
}

static enum bus_memory_outcome write(struct world *world, struct database *database, const struct bus_args *args) {
  struct bus_memory_table *tables = database->tables;
  switch (args->statement) {
  case INSERT_DELIVERIES:
    return insert_deliveries(&tables[DELIVERIES], args, world_keep(world));
  case UPDATE_DELIVERIES:
    return bus_memory_update(&tables[DELIVERIES], args, world_keep(world));
  case UPDATE_ENDPOINTS:
    return bus_memory_update(&tables[ENDPOINTS], args, world_keep(world));
  case INSERT_ATTEMPTS:
    return bus_memory_insert(&tables[ATTEMPTS], args, world_keep(world));
  default: /* no row is old enough to be purged */
    return BUS_MEMORY_DONE;
  }
}

static bool is_enabled(const struct database *database, const struct bus_uuid *endpoint_id) {
  return endpoint_in(bus_memory_find(&database->tables[ENDPOINTS], endpoint_id))->status == WEBHOOK_ENABLED;
}

static bus_time due_at(const struct database *database, bus_time now) {
  bus_time first = INT64_MAX;
  (void)now;
  for (const struct bus_memory_row *row = database->tables[DELIVERIES].rows; row; row = row->next) {
    bus_time due = delivery_in(row)->next_attempt_at;
    if (due != BUS_NO_TIME && due < first && is_enabled(database, &delivery_in(row)->endpoint_id))
      first = due;
  }
  return first;
}

const struct store webhooks_store = {FIND_DUE, notify_statements_make, init, read, write, due_at};
