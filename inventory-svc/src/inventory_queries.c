/* The batch of queries: one statement reads all products asked for by id, one all pages; and the answers. */
#include "inventory_queries.h"

#include "inventory_columns.h"
#include "inventory_service.h"
#include "inventory_statements.h"

#include <assert.h>

static struct inventory_query_page *find_page(const struct inventory_query_model *model,
                                              const struct product_list *list) {
  for (size_t i = 0; i < model->page_count; i++) {
    struct inventory_query_page *asked = &model->pages[i];
    if (asked->page.limit == list->limit && bus_str_equal(asked->cursor, list->cursor))
      return asked;
  }
  return NULL;
}

static void gather(struct inventory_query_model *model, const struct bus_input *input) {
  if (input->type == &product_get_type) {
    bus_set_add(&model->products, &((const struct product_get *)input->body)->product_id);
  } else if (input->type == &product_list_type) {
    const struct product_list *list = input->body;
    if (!find_page(model, list))
      model->pages[model->page_count++] = (struct inventory_query_page){{.limit = list->limit}, list->cursor};
  }
}

bool inventory_query_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                               struct inventory_query_model **ret) {
  struct inventory_query_model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model)
    return false;
  model->arena = arena;
  bus_set_init(&model->products, &product_columns, 0, arena);
  model->pages = bus_arena_array(arena, count, sizeof *model->pages);
  if (!model->pages)
    return false;
  for (size_t i = 0; i < count; i++)
    gather(model, &inputs[i]);
  *ret = model;
  return bus_set_open(&model->products);
}

bool inventory_query_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                          struct bus_sql *sql, void **ret_model) {
  const struct bus_worker *worker = context;
  struct inventory_query_model *model;
  if (!inventory_query_model_new(inputs, count, arena, &model))
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

bool inventory_query_load(void *context, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  (void)count; /* what inventory_query_lock queued, in its order */
  struct inventory_query_model *model = context;
  const struct bus_pages pages = {model->pages, model->page_count, sizeof *model->pages, model->arena};
  return bus_set_load_next(&model->products, &rows, err) &&
         (pages.count == 0 || bus_pages_load(&pages, &product_columns, BUS_ROW, *rows, err));
}

/* ---- answers ---- */

static void answer_get(const struct inventory_query_model *model, const struct product_get *get,
                       struct bus_effects *effects) {
  struct product_view view;
  struct inventory_answer body = {.outcome = INVENTORY_NOT_FOUND};
  const struct product *product = bus_set_find(&model->products, &get->product_id);
  if (product && bus_set_is_stored(&model->products, product)) {
    product_view_of(product, &view);
    body = (struct inventory_answer){.outcome = INVENTORY_FOUND, .product = &view};
  }
  bus_answer(effects, &inventory_answer_type, &body);
}

static void answer_list(const struct inventory_query_model *model, const struct product_list *list,
                        struct bus_effects *effects) {
  const struct inventory_query_page *asked = find_page(model, list);
  assert(asked);
  const struct product *products = asked->page.items;
  struct product_page body = {.item_count = bus_page_shown(&asked->page)};
  body.items = bus_effects_array(effects, body.item_count, sizeof *body.items);
  for (size_t i = 0; body.items && i < body.item_count; i++)
    product_view_of(&products[i], &body.items[i]);
  if (body.item_count < asked->page.count)
    body.next_cursor = products[body.item_count - 1].id;
  if (body.items)
    bus_answer(effects, &product_page_type, &body);
}

void inventory_query_decide(void *context, const struct bus_input *input, struct bus_effects *effects) {
  const struct inventory_query_model *model = context;
  if (input->type == &product_get_type)
    answer_get(model, input->body, effects);
  else if (input->type == &product_list_type)
    answer_list(model, input->body, effects);
  else if (input->type == &inventory_ping_type)
    bus_answer(effects, &inventory_pong_type, &model->pong);
  else
    bus_park(effects, "inventory-svc answers no such query");
}
