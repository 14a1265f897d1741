/* The inventory database: what inventory-svc's statements do to products, reservations and stock requests. */
#include "table_inventory.h"

#include <inventory_columns.h>
#include <inventory_statements.h>

/* The CHECKs of the migrations products.sql, reservations.sql and own_reservations.sql. */
static bool is_valid_product(const void *record) {
  const struct product *p = record;
  return p->on_hand >= 0 && p->reserved >= 0 && p->sold >= 0 && p->price >= 0 && p->version >= 1 &&
         p->received == p->on_hand + p->reserved + p->sold;
}

static bool is_valid_reservation(const void *record) {
  const struct reservation *r = record;
  bool rejected = r->state == RESERVATION_REJECTED, priced = r->total != BUS_NO_INT64;
  bool own =
      reservation_is_own(r) ? !rejected && priced && r->expires_at > r->created_at : r->state != RESERVATION_EXPIRED;
  bool held = rejected ? !priced : r->state == RESERVATION_RELEASED || priced;
  return r->state != RESERVATION_NONE && rejected == ((int)r->reason >= 0) && priced == (r->line_count > 0) &&
         priced == (r->currency.data != NULL) && held && own;
}

static void init(struct database *database) {
  bus_memory_table_init(&database->tables[PRODUCTS], &product_columns, is_valid_product);
  bus_memory_table_init(&database->tables[RESERVATIONS], &reservation_columns, is_valid_reservation);
  bus_memory_table_init(&database->tables[STOCK_REQUESTS], &request_columns, NULL);
}

const struct product *products_find(const struct database *database, struct bus_str id) {
  const struct bus_memory_row *row = bus_memory_find(&database->tables[PRODUCTS], &id);
  return row ? row->record : NULL;
}

const struct reservation *reservation_in(const struct bus_memory_row *row) {
  return row->record;
}

/* ---- reading ---- */

static bool names(const struct reservation *reservation, struct bus_str product) {
  for (size_t i = 0; i < reservation->line_count; i++)
    if (bus_str_equal(reservation->lines[i].product_id, product))
      return true;
  return false;
}

/* Named by the messages, or by the reservations that they name. */
static bool is_wanted(const struct reading *reading, const struct bus_args *args, struct bus_str product) {
  for (size_t i = 0; i < bus_memory_arg_rows(args); i++) {
    const struct bus_memory_value *values = bus_memory_arg_row(args, i);
    const struct bus_memory_row *row =
        values[1].null ? NULL : bus_memory_find(&reading->database->tables[RESERVATIONS], &values[1].uuid);
    if ((!values[0].null && bus_str_equal(values[0].text, product)) || (row && names(row->record, product)))
      return true;
  }
  return false;
}

static void lock_products(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  const struct bus_memory_table *products = &reading->database->tables[PRODUCTS];
  for (struct bus_memory_row *row = products->rows; row && !reading->blocked; row = row->next)
    if (is_wanted(reading, args, ((const struct product *)row->record)->id) && row_lock(reading, row))
      bus_memory_read(ret, products, row, reading->arena);
}

static bus_time due_of(const struct reservation *reservation) {
  return reservation->state == RESERVATION_RESERVED ? reservation->expected_until : BUS_NO_TIME;
}

static void find_held(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  bus_time now = reading->now;
  for (const struct bus_memory_row *row = reading->database->tables[RESERVATIONS].rows; row; row = row->next) {
    bus_time until = due_of(reservation_in(row));
    bool own = reservation_is_own(reservation_in(row));
    if (until != BUS_NO_TIME &&
        (args->statement == FIND_HELD ? until <= now : !own && until > now + args->values[0].number))
      database_found(reading, ret, &reservation_in(row)->order_id);
  }
}

static void read(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  const struct bus_memory_table *tables = reading->database->tables;
  if (args->statement == LOCK_PRODUCTS)
    lock_products(reading, args, ret);
  else if (args->statement == FIND_HELD || args->statement == FIND_HELD_PUT_OFF)
    find_held(reading, args, ret);
  else
    database_lock(reading, &tables[args->statement == LOCK_RESERVATIONS ? RESERVATIONS : STOCK_REQUESTS], args, ret);
}

/* ---- writing ---- */

static enum bus_memory_outcome write(struct world *world, struct database *database, const struct bus_args *args) {
  struct bus_memory_table *tables = database->tables;
  switch (args->statement) {
  case INSERT_RESERVATIONS:
    return bus_memory_insert(&tables[RESERVATIONS], args, world_keep(world));
  case UPDATE_RESERVATIONS:
    return bus_memory_update(&tables[RESERVATIONS], args, world_keep(world));
  case INSERT_PRODUCTS:
    return bus_memory_insert(&tables[PRODUCTS], args, world_keep(world));
  case UPDATE_PRODUCTS:
    return bus_memory_update(&tables[PRODUCTS], args, world_keep(world));
  case PURGE_REQUESTS: /* none is old enough */
    return BUS_MEMORY_DONE;
  default:
    return bus_memory_insert(&tables[STOCK_REQUESTS], args, world_keep(world));
  }
}

static bus_time due_at(const struct database *database, bus_time now) {
  bus_time first = INT64_MAX;
  for (const struct bus_memory_row *row = database->tables[RESERVATIONS].rows; row; row = row->next) {
    bus_time due = due_of(reservation_in(row));
    if (due == BUS_NO_TIME)
      continue;
    if (!reservation_is_own(reservation_in(row)) && due > now + RESERVATION_LONGEST_WAIT)
      due = now;
    first = due < first ? due : first;
  }
  return first;
}

const struct store inventory_store_tables = {FIND_HELD, inventory_statements_make, init, read, write, due_at};
