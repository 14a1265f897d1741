/* The SQL of queries: one statement for all products asked for by id, one for all pages. */
#include "inventory_query_store.h"

#include "inventory_columns.h"
#include "inventory_query.h"
#include "inventory_statements.h"

bool query_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                struct bus_sql *sql, void **ret_model) {
  const struct bus_worker *worker = context;
  struct query_model *model;
  if (!query_model_new(inputs, count, arena, &model))
    return false;
  model->pong.workers_down = worker && !bus_worker_commands_are_up(worker);
  if (model->products.count > 0)
    bus_set_lock(&model->products, sql, GET_PRODUCTS);
  struct bus_args *args = model->page_count > 0 ? bus_sql_add(sql, LIST_PRODUCTS) : NULL;
  for (size_t i = 0; i < model->page_count; i++) {
    bus_args_text(args, model->pages[i].cursor);
    bus_args_int64(args, model->pages[i].page.limit + 1);
  }
  *ret_model = model;
  return true;
}

bool query_load(void *context, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  (void)count; /* what query_lock queued, in its order */
  struct query_model *model = context;
  const struct bus_pages pages = {model->pages, model->page_count, sizeof *model->pages, model->arena};
  return bus_set_load_next(&model->products, &rows, err) &&
         (pages.count == 0 || bus_pages_load(&pages, &product_columns, BUS_ROW, *rows, err));
}
