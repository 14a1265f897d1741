/* The SQL of queries: one statement for all products asked for by id, one for all pages. */
#include "inventory_query_store.h"

#include "inventory_query.h"
#include "inventory_rows.h"
#include "inventory_statements.h"

bool query_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                struct bus_sql *sql, void **ret_model) {
  const struct bus_worker *worker = context;
  struct query_model *model;
  if (!query_model_new(inputs, count, arena, &model))
    return false;
  model->pong.workers_down = worker && !bus_worker_commands_are_up(worker);
  struct bus_args *args = model->id_count > 0 ? bus_sql_add(sql, GET_PRODUCTS) : NULL;
  for (size_t i = 0; i < model->id_count; i++)
    bus_args_text(args, model->ids[i]);
  args = model->page_count > 0 ? bus_sql_add(sql, LIST_PRODUCTS) : NULL;
  for (size_t i = 0; i < model->page_count; i++) {
    bus_args_text(args, model->pages[i].cursor);
    bus_args_int64(args, model->pages[i].limit + 1);
  }
  *ret_model = model;
  return true;
}

static struct product *read_products(struct query_model *model, const struct bus_rows *rows) {
  size_t count = bus_rows_count(rows);
  struct product *products = bus_arena_array(model->arena, count, sizeof *products);
  for (size_t i = 0; products && i < count; i++)
    if (!inventory_read_product(model->arena, rows, i, &products[i]))
      return NULL;
  return products;
}

/* Rows come page by page; column 9 counts the pages from 1. */
static bool load_pages(struct query_model *model, const struct bus_rows *rows) {
  const struct product *products = read_products(model, rows);
  if (!products)
    return false;
  for (size_t i = 0; i < bus_rows_count(rows); i++) {
    struct query_page *page = &model->pages[bus_rows_int64(rows, i, 9) - 1];
    if (page->item_count++ == 0)
      page->items = &products[i];
  }
  return true;
}

bool query_load(void *context, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  (void)count; /* what query_lock queued, in its order */
  struct query_model *model = context;
  if (model->id_count > 0) {
    model->products = read_products(model, *rows);
    if (!model->products)
      return bus_fail(err, BUS_E_NOMEM, "products asked for");
    model->product_count = bus_rows_count(*rows++);
  }
  if (model->page_count > 0 && !load_pages(model, *rows))
    return bus_fail(err, BUS_E_NOMEM, "pages of products");
  return true;
}
