/* The models of batches in the database. Reservations are locked by id, then products by id; each changed row is
 * written once. */
#include "inventory_store.h"

#include "inventory_columns.h"
#include "inventory_statements.h"

/* Products that messages name, and those of the reservations that they name; the shorter array is filled with NULL. */
static void lock_products(const struct inventory_model *model, struct bus_sql *sql) {
  struct bus_args *args = bus_sql_add(sql, LOCK_PRODUCTS);
  size_t orders = model->reservations.count, products = model->products.count;
  for (size_t i = 0; i < orders || i < products; i++) {
    const struct product *product = i < products ? bus_set_at(&model->products, i) : NULL;
    const struct reservation *reservation = i < orders ? bus_set_at(&model->reservations, i) : NULL;
    static const struct bus_uuid none;
    bus_args_text_or_null(args, product ? product->id : BUS_NO_STR);
    bus_args_uuid_or_null(args, reservation ? &reservation->order_id : &none);
  }
}

bool inventory_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                    struct bus_sql *sql, void **ret_model) {
  (void)context;
  struct inventory_model *model;
  if (!inventory_model_new(inputs, count, arena, &model))
    return false;
  if (model->reservations.count > 0)
    bus_set_lock(&model->reservations, sql, LOCK_RESERVATIONS);
  lock_products(model, sql);
  if (model->requests.count > 0)
    bus_set_lock(&model->requests, sql, READ_REQUESTS);
  *ret_model = model;
  return true;
}

bool inventory_load(void *context, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  (void)count; /* what inventory_lock queued, in its order */
  struct inventory_model *model = context;
  if (!bus_set_load_next(&model->reservations, &rows, err) || !bus_set_load(&model->products, *rows++, err) ||
      !bus_set_load_next(&model->requests, &rows, err))
    return false;
  return inventory_model_link(model) ||
         bus_fail(err, BUS_E_DB_OTHER, "a reservation names a product that is not in the database");
}

bool inventory_store(void *context, struct bus_sql *sql) {
  struct inventory_model *model = context;
  inventory_model_finish(model);
  bus_set_store(&model->reservations, sql, INSERT_RESERVATIONS, UPDATE_RESERVATIONS);
  bus_set_store(&model->products, sql, INSERT_PRODUCTS, UPDATE_PRODUCTS);
  bus_set_store(&model->requests, sql, INSERT_REQUESTS, INSERT_REQUESTS); /* none is changed once it is stored */
  return true; /* memory that ran out is remembered by the trip */
}
