/* Trip 1 of a batch: reservations are locked by id, then products by id; items are read behind those locks. */
#include "inventory_rows.h"
#include "inventory_statements.h"
#include "inventory_store.h"

static void add_order_ids(const struct inventory_model *model, struct bus_args *args) {
  for (size_t i = 0; i < model->reservation_count; i++)
    bus_args_uuid(args, &model->reservations[i].now.order_id);
}

static void lock_products(const struct inventory_model *model, struct bus_sql *sql) {
  struct bus_args *args = bus_sql_add(sql, LOCK_PRODUCTS);
  size_t orders = model->reservation_count, products = model->wanted_count;
  for (size_t i = 0; i < orders || i < products; i++) {
    bus_args_text_or_null(args, i < products ? model->wanted[i] : BUS_NO_STR);
    if (i < orders)
      bus_args_uuid(args, &model->reservations[i].now.order_id);
    else
      bus_args_null(args);
  }
}

bool inventory_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                    struct bus_sql *sql, void **ret_model) {
  (void)context;
  struct inventory_model *model;
  if (!inventory_model_new(inputs, count, arena, &model))
    return false;
  if (model->reservation_count > 0)
    add_order_ids(model, bus_sql_add(sql, LOCK_RESERVATIONS));
  lock_products(model, sql);
  if (model->reservation_count > 0)
    add_order_ids(model, bus_sql_add(sql, READ_ITEMS));
  if (model->request_count > 0) {
    struct bus_args *args = bus_sql_add(sql, READ_REQUESTS);
    for (size_t i = 0; i < model->request_count; i++)
      bus_args_uuid(args, &model->requests[i].id);
  }
  *ret_model = model;
  return true;
}

/* Index of the name in the NULL-terminated list; -1: none, or NULL in the database. */
static int find_name(const char *const *names, struct bus_str name) {
  for (int i = 0; names[i]; i++)
    if (bus_str_is(name, names[i]))
      return i;
  return -1;
}

static bool load_products(struct inventory_model *model, const struct bus_rows *rows) {
  size_t count = bus_rows_count(rows);
  struct product *found = bus_arena_array(model->arena, count, sizeof *found);
  if (!found)
    return false;
  for (size_t i = 0; i < count; i++)
    if (!inventory_read_product(model->arena, rows, i, &found[i]))
      return false;
  return inventory_model_set_products(model, found, count);
}

static bool load_reservation(struct inventory_model *model, const struct bus_rows *rows, size_t row,
                             struct bus_error *err) {
  const struct bus_uuid id = bus_rows_uuid(rows, row, 0);
  struct model_reservation *entry = inventory_model_reservation(model, &id);
  int state = find_name(reservation_state_names, bus_rows_text(rows, row, 1));
  int reason = find_name(stock_reason_names, bus_rows_text(rows, row, 2));
  if (!entry || state <= RESERVATION_NONE || (state == RESERVATION_REJECTED && reason < 0))
    return bus_fail(err, BUS_E_DB_OTHER, "a reservation in the database has a state or reason that is unknown here");
  entry->stored = entry->now.state = (enum reservation_state)state;
  if (reason >= 0)
    entry->now.reason = (enum stock_reason)reason;
  entry->now.total = bus_rows_int64(rows, row, 4);
  entry->now.created_at = bus_rows_time(rows, row, 6);
  entry->now.expected_until = bus_rows_time(rows, row, 7);
  if (!inventory_copy_text(model->arena, bus_rows_text(rows, row, 3), &entry->now.guilty) ||
      !inventory_copy_text(model->arena, bus_rows_text(rows, row, 5), &entry->now.currency))
    return bus_fail(err, BUS_E_NOMEM, "reservations of the batch");
  return true;
}

static size_t items_of_same_order(const struct bus_rows *rows, size_t first) {
  const struct bus_uuid id = bus_rows_uuid(rows, first, 0);
  size_t count = 1;
  while (first + count < bus_rows_count(rows)) {
    const struct bus_uuid next = bus_rows_uuid(rows, first + count, 0);
    if (!bus_uuid_equal(&id, &next))
      break;
    count++;
  }
  return count;
}

static bool load_items(struct inventory_model *model, struct reservation *reservation, const struct bus_rows *rows,
                       size_t first, size_t count, struct bus_error *err) {
  struct reservation_line *lines = bus_arena_array(model->arena, count, sizeof *lines);
  if (!lines)
    return bus_fail(err, BUS_E_NOMEM, "items of the batch");
  for (size_t i = 0; i < count; i++) {
    struct model_product *product = inventory_model_product(model, bus_rows_text(rows, first + i, 1));
    if (!product || !product_exists(&product->now))
      return bus_fail(err, BUS_E_DB_OTHER, "a reservation names a product that is not in the database");
    lines[i].product = &product->now;
    lines[i].quantity = bus_rows_int64(rows, first + i, 2);
    lines[i].unit_price = bus_rows_int64(rows, first + i, 3);
  }
  reservation->lines = lines;
  reservation->line_count = count;
  return true;
}

/* A reservation that another worker committed between the two statements has items here and no state: storing it will
 * fail on its key, and the batch comes again. */
static bool load_all_items(struct inventory_model *model, const struct bus_rows *rows, struct bus_error *err) {
  for (size_t first = 0; first < bus_rows_count(rows);) {
    size_t count = items_of_same_order(rows, first);
    const struct bus_uuid id = bus_rows_uuid(rows, first, 0);
    struct model_reservation *entry = inventory_model_reservation(model, &id);
    if (entry && entry->stored != RESERVATION_NONE && !load_items(model, &entry->now, rows, first, count, err))
      return false;
    first += count;
  }
  return true;
}

static bool load_requests(struct inventory_model *model, const struct bus_rows *rows) {
  for (size_t i = 0; i < bus_rows_count(rows); i++) {
    const struct bus_uuid id = bus_rows_uuid(rows, i, 0);
    struct model_request *request = inventory_model_request(model, &id);
    if (!request)
      continue;
    request->known = request->stored = true;
    request->on_hand = bus_rows_int64(rows, i, 2);
    if (!inventory_copy_text(model->arena, bus_rows_text(rows, i, 1), &request->product_id))
      return false;
  }
  return true;
}

bool inventory_load(void *context, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  (void)count; /* what inventory_lock queued, in its order */
  struct inventory_model *model = context;
  const struct bus_rows *reservations = model->reservation_count > 0 ? *rows++ : NULL;
  if (!load_products(model, *rows++))
    return bus_fail(err, BUS_E_NOMEM, "products of the batch");
  for (size_t i = 0; reservations && i < bus_rows_count(reservations); i++)
    if (!load_reservation(model, reservations, i, err))
      return false;
  if (reservations && !load_all_items(model, *rows++, err))
    return false;
  if (model->request_count > 0 && !load_requests(model, *rows++))
    return bus_fail(err, BUS_E_NOMEM, "requests of the batch");
  return true;
}
