/* The batch of queries: one statement reads all products asked for by id, one all pages of a kind; and the answers. */
#include "inventory_queries.h"

#include "inventory_columns.h"
#include "inventory_service.h"
#include "inventory_statements.h"

#include <assert.h>

/* ---- what is asked for ---- */

/* The order of the products and whether words are searched for: the statement, counted from LIST_PRODUCTS. */
static size_t kind_of(const struct product_list *list) {
  size_t sort = list->sort < 0 ? PRODUCTS_BY_ID : (size_t)list->sort;
  return sort + (list->q.data ? SEARCH_PRODUCTS - LIST_PRODUCTS : 0);
}

static bool is_same(const struct product_list *a, const struct product_list *b) {
  return a->limit == b->limit && a->min_price == b->min_price && a->max_price == b->max_price &&
         a->in_stock == b->in_stock && bus_str_equal(a->cursor, b->cursor) && bus_str_equal(a->q, b->q);
}

/* Among the pages of its kind. */
static struct inventory_query_page *find_page(const struct inventory_query_model *model,
                                              const struct product_list *list) {
  size_t kind = kind_of(list);
  for (size_t i = model->first[kind]; i < model->first[kind + 1]; i++)
    if (is_same(model->pages[i].list, list))
      return &model->pages[i];
  return NULL;
}

/* Pages lie by kind. */
static void gather_pages(struct inventory_query_model *model, const struct bus_input *inputs, size_t count) {
  for (size_t kind = 0; kind < INVENTORY_PAGE_KINDS; kind++) {
    model->first[kind + 1] = model->first[kind];
    for (size_t i = 0; i < count; i++) {
      const struct product_list *list = inputs[i].body;
      if (inputs[i].type == &product_list_type && kind_of(list) == kind && !find_page(model, list))
        model->pages[model->first[kind + 1]++] = (struct inventory_query_page){{.limit = list->limit}, list};
    }
  }
}

bool inventory_query_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                               struct inventory_query_model **ret) {
  struct inventory_query_model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model)
    return false;
  model->pages = bus_arena_array(arena, count, sizeof *model->pages);
  if (!model->pages)
    return false;
  model->arena = arena;
  bus_set_init(&model->products, &product_columns, 0, arena);
  bus_set_init(&model->reservations, &reservation_columns, 0, arena);
  for (size_t i = 0; i < count; i++)
    if (inputs[i].type == &product_get_type)
      bus_set_add(&model->products, &((const struct product_get *)inputs[i].body)->product_id);
    else if (inputs[i].type == &reservation_get_type)
      bus_set_add(&model->reservations, &((const struct own_name *)inputs[i].body)->reservation_id);
  gather_pages(model, inputs, count);
  *ret = model;
  return bus_set_open(&model->products) && bus_set_open(&model->reservations);
}

/* A cursor of another order begins a page that is empty: behind the last product. */
static struct product_place place_behind(const struct product_list *list) {
  bool down = list->sort == PRODUCTS_BY_PRICE_DOWN;
  struct product_place place = {down ? INT64_MAX : -1, BUS_STR("")};
  if (list->cursor.data && !product_cursor_parse(list->sort, list->cursor, &place))
    place = (struct product_place){down ? -1 : INT64_MAX, BUS_STR("~")}; /* behind every id */
  return place;
}

static void add_page(struct bus_args *args, const struct inventory_query_page *asked) {
  const struct product_list *list = asked->list;
  const struct product_place place = place_behind(list);
  bus_args_int64(args, asked->page.limit + 1);
  bus_args_int64(args, list->min_price == BUS_NO_INT64 ? 0 : list->min_price);
  bus_args_int64(args, list->max_price == BUS_NO_INT64 ? INT64_MAX : list->max_price);
  bus_args_int64(args, list->in_stock ? 1 : 0);
  bus_args_int64(args, place.price);
  bus_args_text(args, place.id);
  if (list->q.data)
    bus_args_text(args, list->q);
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
  if (model->reservations.count > 0)
    bus_set_lock(&model->reservations, sql, GET_RESERVATIONS);
  for (size_t kind = 0; kind < INVENTORY_PAGE_KINDS; kind++) {
    struct bus_args *args = NULL;
    for (size_t i = model->first[kind]; i < model->first[kind + 1]; i++) {
      args = args ? args : bus_sql_add(sql, LIST_PRODUCTS + kind);
      add_page(args, &model->pages[i]);
    }
  }
  *ret_model = model;
  return true;
}

bool inventory_query_load(void *context, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  (void)count; /* what inventory_query_lock queued, in its order */
  struct inventory_query_model *model = context;
  bool good = bus_set_load_next(&model->products, &rows, err) && bus_set_load_next(&model->reservations, &rows, err);
  for (size_t kind = 0; good && kind < INVENTORY_PAGE_KINDS; kind++) {
    const struct bus_pages pages = {&model->pages[model->first[kind]], model->first[kind + 1] - model->first[kind],
                                    sizeof *model->pages, model->arena};
    good = pages.count == 0 || bus_pages_load(&pages, &product_columns, BUS_ROW, *rows++, err);
  }
  return good;
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
  char cursor[PRODUCT_CURSOR_MAX + 1];
  struct product_page body = {.item_count = bus_page_shown(&asked->page)};
  body.items = bus_effects_array(effects, body.item_count, sizeof *body.items);
  for (size_t i = 0; body.items && i < body.item_count; i++)
    product_view_of(&products[i], &body.items[i]);
  if (body.items && body.item_count < asked->page.count) {
    const struct product *last = &products[body.item_count - 1];
    product_cursor_format(list->sort, &(struct product_place){last->price, last->id}, cursor);
    body.next_cursor = bus_str(cursor);
  }
  if (body.items)
    bus_answer(effects, &product_page_type, &body);
}

static void answer_own(const struct inventory_query_model *model, const struct own_name *get,
                       struct bus_effects *effects) {
  const struct reservation *reservation = bus_set_find(&model->reservations, &get->reservation_id);
  bool found = reservation && bus_set_is_stored(&model->reservations, reservation) && reservation_is_own(reservation);
  inventory_own_answer(found ? reservation : NULL, found ? OWN_FOUND : OWN_NOT_FOUND, NULL, effects);
}

static bool answer_catalogue(const struct inventory_query_model *model, const struct bus_input *input,
                             struct bus_effects *effects) {
  if (input->type == &product_get_type) {
    answer_get(model, input->body, effects);
    return true;
  }
  if (input->type == &product_list_type)
    answer_list(model, input->body, effects);
  return input->type == &product_list_type;
}

void inventory_query_decide(void *context, const struct bus_input *input, struct bus_effects *effects) {
  const struct inventory_query_model *model = context;
  if (answer_catalogue(model, input, effects))
    return;
  if (input->type == &reservation_get_type)
    answer_own(model, input->body, effects);
  else if (input->type == &inventory_ping_type)
    bus_answer(effects, &inventory_pong_type, &model->pong);
  else
    bus_park(effects, "inventory-svc answers no such query");
}
