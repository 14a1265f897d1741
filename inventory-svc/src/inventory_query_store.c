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
    bus_args_int64(args, model->pages[i].limit + 1);
  }
  *ret_model = model;
  return true;
}

/* Rows come page by page; column 0 counts the pages from 1. */
static bool load_pages(struct query_model *model, const struct bus_rows *rows, struct bus_error *err) {
  struct product *products = bus_arena_array(model->arena, bus_rows_count(rows) + 1, sizeof *products);
  if (!products)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for pages of products");
  for (size_t i = 0; i < bus_rows_count(rows); i++) {
    struct query_page *page = &model->pages[bus_rows_int64(rows, i, 0) - 1];
    if (!bus_row_read(&product_columns, BUS_ROW, rows, i, 1, model->arena, &products[i], err))
      return false;
    if (page->item_count++ == 0)
      page->items = &products[i];
  }
  return true;
}

bool query_load(void *context, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  (void)count; /* what query_lock queued, in its order */
  struct query_model *model = context;
  if (model->products.count > 0 && !bus_set_load(&model->products, *rows++, err))
    return false;
  return model->page_count == 0 || load_pages(model, *rows, err);
}
