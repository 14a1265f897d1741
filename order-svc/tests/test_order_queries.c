/* Queries to answers, without a database. */
#include "order_queries.h"
#include "saga.h"

static struct bus_arena *arena;
static struct bus_envelope envelope = {.reply_to = {"edge.reply.1", 12}, .first_failed_at = BUS_NO_TIME};
static struct bus_input inputs[5];
static struct order_query_model *model;
static struct bus_effects effects;
static struct bus_uuid_source ids;

static void begin(void) {
  arena = bus_arena_new(64 << 20);
  memset(inputs, 0, sizeof inputs);
}

static void ask(size_t index, const struct bus_message_type *type, const void *body) {
  inputs[index] = (struct bus_input){.kind = BUS_INPUT_DELIVERY, .type = type, .envelope = &envelope, .body = body};
}

static void make(size_t count) {
  assert_true(order_query_model_new(inputs, count, arena, &model));
}

static const struct bus_effect *decide(size_t index) {
  bus_effects_init(&effects, arena, &ids, SAGA_START, "order-svc");
  bus_effects_begin(&effects, &inputs[index]);
  order_query_decide(model, &inputs[index], &effects);
  assert_false(effects.failed);
  return effects.first;
}

static struct order *some_orders(size_t count, size_t items) {
  struct order *orders = bus_arena_array(arena, count, sizeof *orders);
  for (size_t i = 0; i < count; i++) {
    struct bus_uuid id = saga_order_id;
    id.bytes[15] = (uint8_t)i;
    order_init(&orders[i], &id);
    orders[i].status = ORDER_PENDING;
    orders[i].version = 1;
    orders[i].customer_id = BUS_STR("c-1");
    orders[i].created_at = orders[i].updated_at = SAGA_START - (bus_time)i;
    orders[i].item_count = items;
    orders[i].items = bus_arena_array(arena, items, sizeof *orders[i].items);
    for (size_t j = 0; j < items; j++)
      orders[i].items[j] = (struct order_item){BUS_STR("SKU-1"), 1, BUS_NO_INT64};
  }
  return orders;
}

static size_t count_of(struct bus_str json, const char *part) {
  size_t count = 0, len = strlen(part);
  for (size_t i = 0; i + len <= json.len; i++)
    count += memcmp(json.data + i, part, len) == 0;
  return count;
}

static size_t count_orders(struct bus_str json) {
  return count_of(json, "\"order_id\"");
}

static bool ends_with(struct bus_str text, const char *end) {
  size_t len = strlen(end);
  return text.len >= len && memcmp(text.data + text.len - len, end, len) == 0;
}

/* ---- order.get ---- */

TEST(an_order_that_is_there)
{
  const struct order_get get = {.order_id = saga_order_id};
  begin();
  ask(0, &order_get_type, &get);
  make(1);
  model->asked[0].page.items = some_orders(1, 1);
  model->asked[0].page.count = 1;
  assert_text(decide(0)->body,
              "{\"outcome\":\"found\",\"order\":{\"order_id\":\"11223344-5566-5788-99aa-bbccddeeff00\",\"customer_id\":"
              "\"c-1\",\"status\":\"PENDING\",\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":1}],\"refunded\":0,"
              "\"created_at\":"
              "\"2026-01-01T00:00:00.000Z\",\"updated_at\":\"2026-01-01T00:00:00.000Z\",\"version\":1}}");
  bus_arena_free(arena);
}

TEST(an_order_that_is_not_there)
{
  const struct order_get get = {.order_id = saga_order_id};
  begin();
  ask(0, &order_get_type, &get);
  make(1);
  assert_text(decide(0)->body, "{\"outcome\":\"not_found\"}");
  bus_arena_free(arena);
}

/* ---- order.get-many ---- */

static struct bus_str many(struct order *orders, size_t count, size_t missing) {
  struct order_get gets[ORDER_GET_MANY_MAX];
  const struct order_get_many get_many = {gets, count};
  for (size_t i = 0; i < count; i++)
    gets[i] = (struct order_get){.order_id = orders[i].order_id};
  ask(0, &order_get_many_type, &get_many);
  make(1);
  assert_int_equal(model->first[ASK_ORDER + 1] - model->first[ASK_ORDER], count);
  for (size_t i = 0; i < count; i++) {
    model->asked[i].page.items = &orders[i];
    model->asked[i].page.count = i != missing;
  }
  struct bus_str json = decide(0)->body;
  assert_string_equal(effects.first->type->type, "order.answers.v1");
  return json;
}

#define ONE(last)                                                                                                      \
  "{\"outcome\":\"found\",\"order\":{\"order_id\":\"11223344-5566-5788-99aa-bbccddeeff" last "\",\"customer_id\":"     \
  "\"c-1\",\"status\":\"PENDING\",\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":1}],\"refunded\":0,\"created_"     \
  "at\":"                                                                                                              \
  "\"2026-01-01T00:00:00.000Z\",\"updated_at\":\"2026-01-01T00:00:00.000Z\",\"version\":1}}"

TEST(many_orders_are_answered_in_the_order_in_which_they_were_asked_for)
{
  begin();
  struct order *orders = some_orders(3, 1);
  orders[2].created_at = orders[2].updated_at = SAGA_START;
  assert_text(many(orders, 3, 1), "{\"answers\":[" ONE("00") ",{\"outcome\":\"not_found\"}," ONE("02") "]}");
  bus_arena_free(arena);
}

TEST(orders_that_do_not_fit_into_one_answer_are_left_out_of_it)
{
  begin();
  assert_int_equal(count_of(many(some_orders(41, 100), 41, 41), "\"left_out\""), 1);
  bus_arena_free(arena);
  begin();
  struct order *orders = some_orders(ORDER_GET_MANY_MAX, 100);
  orders[0].item_count = 1; /* the forty behind it do not fit with it: 39 do, and the small one at the end */
  orders[ORDER_GET_MANY_MAX - 1].item_count = 99;
  struct bus_str json = many(orders, ORDER_GET_MANY_MAX, 1);
  assert_int_equal(count_of(json, "\"found\""), 41);
  assert_int_equal(count_of(json, "\"not_found\""), 1);
  assert_int_equal(count_of(json, "\"left_out\""), 22);
  assert_true(ends_with(json, "\"version\":1}}]}"));
  assert_true(json.len < 1 << 20);
  bus_arena_free(arena);
}

/* ---- pages ---- */

static struct order_list list = {.status = -1, .limit = 2};

static const struct bus_effect *page(size_t found, size_t items) {
  begin();
  ask(0, &order_list_type, &list);
  make(1);
  model->asked[0].page.items = some_orders(found, items);
  model->asked[0].page.count = found;
  return decide(0);
}

TEST(an_empty_page)
{
  assert_text(page(0, 1)->body, "{\"items\":[]}");
  bus_arena_free(arena);
}

TEST(a_last_page_has_no_cursor)
{
  struct bus_str json = page(2, 1)->body;
  assert_int_equal(count_orders(json), 2);
  assert_true(ends_with(json, "}]}"));
  bus_arena_free(arena);
}

TEST(a_page_with_more_behind_it_ends_in_a_cursor)
{
  struct bus_str json = page(3, 1)->body;
  assert_int_equal(count_orders(json), 2);
  assert_true(ends_with(json, "],\"next_cursor\":\"1767225599999999.11223344-5566-5788-99aa-bbccddeeff01\"}"));
  bus_arena_free(arena);
}

TEST(a_page_of_large_orders_is_cut)
{
  list.limit = 100;
  struct bus_str json = page(100, ORDER_ITEMS_MAX)->body;
  assert_int_equal(count_orders(json), ORDER_PAGE_ITEMS / ORDER_ITEMS_MAX);
  assert_true(ends_with(json, "-bbccddeeff27\"}")); /* the fortieth */
  assert_true(json.len < 1 << 20);
  list.limit = 2;
  bus_arena_free(arena);
}

TEST(pages_begin_behind_their_cursor)
{
  char text[ORDER_CURSOR_TEXT];
  struct order_list behind = {.status = -1, .limit = 10}, broken = {.status = -1, .limit = 10};
  order_cursor_format(SAGA_START, &saga_order_id, text);
  behind.cursor = bus_str(text);
  broken.cursor = BUS_STR("17672255x.11223344-5566-5788-99aa-bbccddeeff01");
  begin();
  ask(0, &order_list_type, &list);
  ask(1, &order_list_type, &behind);
  ask(2, &order_list_type, &broken);
  make(3);
  assert_true(model->asked[0].before > SAGA_START * 10);
  assert_true(model->asked[1].before == SAGA_START);
  assert_true(bus_uuid_equal(&model->asked[1].before_id, &saga_order_id));
  assert_true(model->asked[2].before == 0); /* a page that is empty */
  bus_arena_free(arena);
}

/* ---- events ---- */

static const struct bus_effect *history(bool found, size_t count, int64_t limit) {
  static struct order_events_get get;
  static struct order_event_view events[3];
  get = (struct order_events_get){.order_id = saga_order_id, .after_seq = 4, .limit = limit};
  for (size_t i = 0; i < BUS_COUNT(events); i++)
    events[i] = (struct order_event_view){(int64_t)i + 5, BUS_STR("order.paid"), SAGA_START, BUS_STR("{\"amount\":1}")};
  begin();
  ask(0, &order_events_get_type, &get);
  make(1);
  assert_int_equal(model->asked[0].page.limit, limit);
  model->asked[0].page.found = found;
  model->asked[0].page.items = events;
  model->asked[0].page.count = count;
  return decide(0);
}

#define EVENT_5 "{\"seq\":5,\"type\":\"order.paid\",\"at\":\"2026-01-01T00:00:00.000Z\",\"data\":{\"amount\":1}}"

TEST(events_of_no_order)
{
  assert_text(history(false, 0, 10)->body, "{\"outcome\":\"not_found\",\"items\":[]}");
  bus_arena_free(arena);
}

TEST(events_at_the_end)
{
  assert_text(history(true, 0, 10)->body, "{\"outcome\":\"found\",\"items\":[]}");
  bus_arena_free(arena);
}

TEST(events_with_more_behind_them)
{
  assert_text(history(true, 2, 1)->body, "{\"outcome\":\"found\",\"items\":[" EVENT_5 "],\"next_after_seq\":5}");
  bus_arena_free(arena);
}

/* ---- batches ---- */

TEST(questions_are_sorted_by_kind_and_find_their_answers)
{
  const struct order_get first = {.order_id = saga_order_id}, second = {.order_id = saga_order_id};
  const struct order_list own = {.status = -1, .limit = 1, .customer_id = BUS_STR("c-1")};
  struct order_get together[2] = {{.order_id = saga_order_id}, {.order_id = saga_order_id}};
  const struct order_get_many both = {together, 2};
  begin();
  ask(0, &order_list_type, &own);
  ask(1, &order_get_type, &first);
  ask(2, &order_list_type, &list);
  ask(3, &order_get_type, &second);
  ask(4, &order_get_many_type, &both);
  make(5);
  assert_int_equal(model->first[ASK_PAGE] - model->first[ASK_ORDER], 4);
  assert_ptr_equal(model->asked[1].body, &second);
  assert_ptr_equal(model->asked[3].body, &together[1]);
  assert_int_equal(model->asked[4].kind, ASK_PAGE);
  assert_int_equal(model->asked[5].kind, ASK_PAGE_OF_CUSTOMER);
  model->asked[1].page.items = model->asked[3].page.items = some_orders(1, 1);
  model->asked[1].page.count = model->asked[3].page.count = 1;
  assert_text(decide(1)->body, "{\"outcome\":\"not_found\"}");
  assert_int_equal(count_orders(decide(3)->body), 1);
  assert_text(decide(4)->body, "{\"answers\":[{\"outcome\":\"not_found\"}," ONE("00") "]}");
  bus_arena_free(arena);
}

TEST(a_ping_is_answered)
{
  const struct order_ping ping = {false};
  begin();
  ask(0, &order_ping_type, &ping);
  make(1);
  assert_int_equal(model->first[ASK_AGE + 1] - model->first[ASK_AGE], 1);
  model->pong = (struct order_pong){31000, BUS_NO_INT64, false};
  assert_string_equal(decide(0)->type->type, "order.pong.v1");
  assert_text(effects.first->body, "{\"outbox_age_ms\":31000,\"workers_down\":false}");
  assert_text(effects.first->envelope.reply_to, "edge.reply.1");
  bus_arena_free(arena);
}

TEST(another_query_is_parked)
{
  begin();
  ask(0, &order_place_type, &ids);
  make(1);
  assert_null(decide(0));
  assert_int_equal(effects.verdict, BUS_PARK);
  bus_arena_free(arena);
}
