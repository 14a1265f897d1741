/* The models of batches in the database. Reservations are locked by id, then products by id; each changed row is
 * written once. */
#include "inventory_store.h"

#include "inventory_columns.h"
#include "inventory_statements.h"

bool inventory_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                    struct bus_sql *sql, void **ret_model) {
  (void)context;
  struct inventory_model *model;
  if (!inventory_model_new(inputs, count, arena, &model))
    return false;
  if (model->reservations.count > 0)
    bus_set_lock(&model->reservations, sql, LOCK_RESERVATIONS);
  /* Products that messages name, and those of the reservations that they name. */
  bus_set_lock_both(&model->products, &model->reservations, sql, LOCK_PRODUCTS);
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
