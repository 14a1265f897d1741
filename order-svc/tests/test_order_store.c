/* The store over a real Postgres: what was decided comes back as it was, two workers do not disturb each other, queries
 * find it, and every row is the fold of its log. */
#include "database.h"
#include "order_audit.h"
#include "order_statements.h"
#include "saga.h"

#include <stdlib.h>

#define NUMBERS(...) (const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)

static struct migrated database;
static struct link *link;
static struct saga_bodies bodies;
static char text[1 << 20];

static void begin(void) {
  migrated_open(&database, MIGRATIONS, "order_svc");
  link = order_database_open(&database);
  saga_bodies_init(&bodies);
}

static void end(void) {
  link_disconnect(link);
  migrated_close(&database);
}

static void run(struct link *by) {
  if (!link_run(by))
    fail_msg("%s", by->error.text);
}

static void tell(const struct bus_message_type *type, const void *body) {
  link_add(link, type, body);
  link->now += BUS_SECOND;
  run(link);
}

static struct bus_uuid id_of(uint8_t n) {
  struct bus_uuid id = saga_order_id;
  id.bytes[15] = n;
  return id;
}

static void assert_says(const char *sql, const char *expected) {
  assert_string_equal(database_ask(&database, sql, text, sizeof text), expected);
}

/* ---- the fold, over all rows ---- */

static void report(void *context, const char *order_id, const char *difference) {
  (void)context;
  print_error("%s: %s\n", order_id, difference);
}

static void audit(size_t orders) {
  struct bus_arena *arena = bus_arena_new(16 << 20);
  size_t lines = 0;
  char *rest = NULL;
  (void)database_ask(&database, "SELECT line FROM orders.audit_lines", text, sizeof text);
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    lines++;
    assert_int_equal(order_audit_line(bus_str(line), arena, report, NULL), 0);
    bus_arena_reset(arena);
  }
  assert_int_equal(lines, orders);
  bus_arena_free(arena);
}

/* ---- there and back ---- */

static void assert_same_items(const struct order *a, const struct order *b) {
  assert_int_equal(a->item_count, b->item_count);
  for (size_t i = 0; i < a->item_count; i++) {
    assert_true(bus_str_equal(a->items[i].product_id, b->items[i].product_id));
    assert_true(a->items[i].quantity == b->items[i].quantity && a->items[i].unit_price == b->items[i].unit_price);
  }
}

static void assert_same_text(struct bus_str a, struct bus_str b) {
  assert_true((a.data == NULL) == (b.data == NULL) && bus_str_equal(a, b));
}

static void assert_same(const struct order *a, const struct order *b) {
  assert_true(bus_uuid_equal(&a->order_id, &b->order_id));
  assert_int_equal(a->status, b->status);
  assert_true(a->version == b->version && a->request.expected_total == b->request.expected_total &&
              a->total == b->total);
  assert_same_text(a->customer_id, b->customer_id);
  assert_same_text(a->request_hash, b->request_hash);
  assert_same_text(a->reason, b->reason);
  assert_same_text(a->currency, b->currency);
  assert_same_text(a->payment_token, b->payment_token);
  assert_same_text(a->asker.reply_to, b->asker.reply_to);
  assert_same_items(a, b);
  assert_true(a->captured == b->captured && a->refunded == b->refunded && a->resends == b->resends);
  assert_true(a->stock_settled == b->stock_settled && a->payment_settled == b->payment_settled);
  assert_true(a->created_at == b->created_at && a->updated_at == b->updated_at);
  assert_true(a->deadline == b->deadline && a->due_at == b->due_at && a->reply_until == b->reply_until);
  assert_memory_equal(&a->asker.request_id, &b->asker.request_id, sizeof a->asker.request_id);
  assert_memory_equal(&a->cause.message_id, &b->cause.message_id, sizeof a->cause.message_id);
  assert_memory_equal(&a->cause.trace, &b->cause.trace, offsetof(struct bus_trace, state));
  assert_same_text(a->cause.trace.state, b->cause.trace.state);
}

/* Looks at the order as the next batch will find it. */
static void check_loaded(const struct order *expected) {
  struct link *other = order_database_open(&database);
  const struct order_cancel look = {.order_id = expected->order_id};
  link_add(other, &order_cancel_type, &look);
  link_send_lock(other);
  assert_true(link_finish_lock(other));
  const struct order_entry *entry = order_model_find(other->model, &expected->order_id);
  const struct order_model *model = other->model;
  assert_true(bus_set_is_stored(&model->orders, entry));
  assert_same(&entry->now, expected);
  link_disconnect(other);
}

static void tell_and_compare(const struct bus_message_type *type, const void *body, int status) {
  tell(type, body);
  const struct order *order = &order_model_find(link->model, &saga_order_id)->now;
  assert_int_equal(order->status, status);
  check_loaded(order);
}

TEST(every_step_comes_back_as_it_was)
{
  begin();
  bodies.place.wait_ms = 5000;
  link_add(link, &order_place_type, &bodies.place)->trace =
      (struct bus_trace){.trace_id = {1, 2}, .span_id = {3, 4}, .flags = 1, .state = BUS_STR("a=1,b=2")};
  run(link);
  check_loaded(&order_model_find(link->model, &saga_order_id)->now);
  tell_and_compare(&stock_reserved_type, &bodies.reserved, ORDER_RESERVED);
  tell_and_compare(&stock_rejected_type, &bodies.rejected, ORDER_COMPENSATING);
  tell_and_compare(&payment_captured_type, &bodies.captured, ORDER_COMPENSATING);
  tell_and_compare(&payment_refunded_type, &bodies.refunded, ORDER_COMPENSATING);
  tell_and_compare(&stock_released_type, &bodies.stock, ORDER_CANCELLED);
  assert_says("SELECT seq || ' ' || type FROM orders.order_events ORDER BY seq",
              "1 order.created\n2 order.reserved\n3 order.compensating\n4 payment.captured\n5 payment.refunded\n"
              "6 stock.returned\n7 order.cancelled\n");
  audit(1);
  end();
}

TEST(a_whole_saga_in_one_batch)
{
  begin();
  link_add(link, &order_place_type, &bodies.place);
  link_add(link, &stock_reserved_type, &bodies.reserved);
  link_add(link, &payment_captured_type, &bodies.captured);
  link_add(link, &stock_missing_type, &bodies.rejected);
  run(link);
  check_loaded(&order_model_find(link->model, &saga_order_id)->now);
  assert_says("SELECT status FROM orders.order_list", "CONFIRMED\n");
  audit(1);
  end();
}

TEST(what_is_ignored_writes_nothing)
{
  char before[64];
  begin();
  tell(&order_place_type, &bodies.place);
  (void)database_ask(&database, "SELECT xmin FROM orders.orders", before, sizeof before);
  tell(&order_place_type, &bodies.place);
  tell(&stock_released_type, &bodies.stock);
  assert_says("SELECT xmin FROM orders.orders", before);
  audit(1);
  end();
}

/* The largest that decodes, and the oddest. */
TEST(whatever_decodes_is_written)
{
  static struct order_item items[ORDER_ITEMS_MAX];
  static char ids[ORDER_ITEMS_MAX][65], customer[65], token[129], hash[65];
  begin();
  for (int i = 0; i < ORDER_ITEMS_MAX; i++) {
    (void)snprintf(ids[i], sizeof ids[i], "%02d:._-%058d", i, i);
    items[i] = (struct order_item){bus_str(ids[i]), ORDER_QUANTITY_MAX, BUS_NO_INT64};
  }
  memset(customer, '~', 64);
  memset(token, ':', 128);
  memset(hash, '-', 64); /* it need not be hexadecimal to decode */
  bodies.place.items = items;
  bodies.place.item_count = ORDER_ITEMS_MAX;
  bodies.place.customer_id = bus_str(customer);
  bodies.place.payment_token = bus_str(token);
  bodies.place.request_hash = bus_str(hash);
  bodies.place.request.expected_total = BUS_JSON_INT_MAX;
  bodies.place.wait_ms = 60000;
  tell(&order_place_type, &bodies.place);
  check_loaded(&order_model_find(link->model, &saga_order_id)->now);
  audit(1);
  end();
}

TEST(nonsense_is_written_as_rejected)
{
  begin();
  bodies.items[1].product_id = bodies.items[0].product_id;
  tell(&order_place_type, &bodies.place);
  assert_says("SELECT status || ' ' || reason FROM orders.order_list", "REJECTED product_twice: SKU-1\n");
  audit(1);
  end();
}

TEST(the_longest_reason)
{
  static char words[201];
  begin();
  memset(words, 'w', 200);
  bodies.cancel.reason = bus_str(words);
  tell(&order_place_type, &bodies.place);
  tell(&order_cancel_type, &bodies.cancel);
  assert_says("SELECT length(reason) FROM orders.orders", "210\n");
  audit(1);
  end();
}

/* ---- two workers ---- */

TEST(the_same_order_at_two_workers_is_one)
{
  begin();
  struct link *other = order_database_open(&database);
  link_add(link, &order_place_type, &bodies.place);
  link_add(other, &order_place_type, &bodies.place);
  link_send_lock(link);
  link_send_lock(other);
  assert_true(link_finish_lock(link) && link_finish_lock(other)); /* neither finds it */
  assert_true(link_decide_and_store(link));
  assert_false(link_decide_and_store(other));
  assert_int_equal(other->error.code, BUS_E_DB_CONFLICT);
  run(other); /* the batch comes again */
  assert_true(
      bus_str_equal((struct bus_str){order_database_said(other, 0).data, 22}, BUS_STR("{\"outcome\":\"replayed\",")));
  assert_says("SELECT count(*) FROM orders.order_events", "1\n");
  link_disconnect(other);
  end();
}

TEST(the_second_worker_waits_and_sees_what_the_first_did)
{
  begin();
  tell(&order_place_type, &bodies.place);
  struct link *other = order_database_open(&database);
  link_add(link, &stock_reserved_type, &bodies.reserved);
  link_send_lock(link);
  assert_true(link_finish_lock(link));
  link_add(other, &order_cancel_type, &bodies.cancel);
  link_send_lock(other); /* waits for the row */
  assert_true(link_decide_and_store(link));
  assert_true(link_finish_lock(other));
  assert_true(link_decide_and_store(other));
  assert_int_equal(order_model_find(other->model, &saga_order_id)->now.version, 3);
  assert_says("SELECT status || ' ' || payment_settled FROM orders.order_list", "COMPENSATING false\n");
  audit(1);
  link_disconnect(other);
  end();
}

/* ---- deadlines and the gate ---- */

/* numbers: rows to look at, repetitions of a stuck order, how close the deadline of a late one is, how old it is at
 * least, and how many of the newest are searched for late ones. */
static void assert_load(const int64_t *numbers, size_t count, int64_t open, int64_t late) {
  const struct bus_rows *load = link_statement(link, COUNT_OPEN, numbers, count);
  assert_int_equal(bus_rows_int64(load, 0, 0), open);
  assert_int_equal(bus_rows_int64(load, 0, 1), late);
}

TEST(due_orders_are_found_and_open_ones_counted)
{
  begin();
  struct order_place places[3];
  for (uint8_t i = 0; i < 3; i++) {
    places[i] = bodies.place;
    places[i].order_id = id_of(i);
    link_add(link, &order_place_type, &places[i]);
  }
  const struct stock_rejected rejected = {id_of(1), STOCK_OUT_OF_STOCK, BUS_NO_STR};
  link_add(link, &stock_rejected_type, &rejected);
  run(link); /* long ago: all of them are due */
  const struct bus_rows *due = order_database_statement(link, FIND_DUE, 10);
  assert_int_equal(bus_rows_count(due), 2);
  struct bus_uuid first = bus_rows_uuid(due, 0, 0);
  assert_false(bus_uuid_equal(&first, &places[1].order_id));
  assert_int_equal(bus_rows_count(order_database_statement(link, FIND_DUE, 1)), 1);
  assert_int_equal(bus_rows_count(order_database_statement(link, FIND_DUE, 0)), 0);
  /* A deadline of long ago is further away than one of a thousand years before. */
  int64_t millennium = 365000 * 24 * BUS_HOUR;
  assert_int_equal(bus_rows_count(link_statement(link, FIND_PUT_OFF, NUMBERS(10, BUS_SECOND, BUS_SECOND))), 0);
  assert_int_equal(bus_rows_count(link_statement(link, FIND_PUT_OFF, NUMBERS(10, -millennium, -millennium))), 2);
  assert_int_equal(bus_rows_count(link_statement(link, FIND_PUT_OFF, NUMBERS(1, -millennium, -millennium))), 1);
  assert_load(NUMBERS(10, 0, 0, 10), 2, 2);
  assert_load(NUMBERS(1, 0, 0, 1), 1, 1);
  assert_load(NUMBERS(10, -millennium, 0, 10), 2, 0);
  assert_load(NUMBERS(10, 0, millennium, 10), 2, 0);
  end();
}

/* sql: an UPDATE. */
static void change(const char *sql) {
  char whole[512];
  (void)snprintf(whole, sizeof whole, "%s RETURNING 1", sql);
  (void)database_ask(&database, whole, text, sizeof text);
}

/* Undone for whatever reason, or PAID since the release before: others need not wait. */
TEST(orders_that_wait_for_a_human_do_not_count)
{
  begin();
  struct order_place places[5];
  for (uint8_t i = 0; i < 5; i++) {
    places[i] = bodies.place;
    places[i].order_id = id_of(i);
    link_add(link, &order_place_type, &places[i]);
  }
  run(link);
  assert_load(NUMBERS(100, 0, 0, 100), 5, 5);
  change("UPDATE orders.orders SET status = 3, reason = 'customer', payment_token = NULL, payment_settled = true");
  assert_load(NUMBERS(100, 0, 0, 100), 0, 0);
  change("UPDATE orders.orders SET reason = 'timeout'"); /* perhaps all are: then the intake waits for one to succeed */
  assert_load(NUMBERS(100, 0, 0, 100), 0, 5);
  change("UPDATE orders.orders SET status = 2, reason = NULL, unit_prices = '{1}', total = 2, currency = 'EUR', "
         "captured = 2, payment_settled = false, product_ids = '{A}', quantities = '{2}'");
  assert_load(NUMBERS(100, 0, 0, 100), 0, 0);
  end();
}

/* A newer order came through: the older ones are late by themselves. */
TEST(late_orders_that_a_newer_one_overtook_do_not_count)
{
  begin();
  struct order_place places[3];
  for (uint8_t i = 0; i < 3; i++) {
    places[i] = bodies.place;
    places[i].order_id = id_of(i);
    link->now += BUS_SECOND;
    link_add(link, &order_place_type, &places[i]);
    run(link);
  }
  assert_load(NUMBERS(100, 0, 0, 100), 3, 3);
  change("UPDATE orders.orders SET status = 4, unit_prices = '{1}', total = 2, currency = 'EUR', captured = 2, "
         "stock_settled = true, payment_settled = true, product_ids = '{A}', quantities = '{2}', deadline = NULL, "
         "due_at = NULL, payment_token = NULL WHERE created_at = (SELECT created_at FROM orders.orders "
         "ORDER BY created_at OFFSET 1 LIMIT 1)");
  assert_load(NUMBERS(100, 0, 0, 100), 2, 1);
  end();
}

/* Two late orders close the intake where they are half of the newest four, but not while more orders of their age were
 * rejected in time. */
TEST(few_late_orders_among_many_rejected_ones_do_not_count)
{
  begin();
  struct order_place places[6];
  struct stock_rejected rejections[6];
  const struct order_limits limits = {10000, 2};
  for (uint8_t i = 0; i < 6; i++) {
    places[i] = bodies.place;
    places[i].order_id = id_of(i);
    rejections[i] = (struct stock_rejected){id_of(i), STOCK_OUT_OF_STOCK, BUS_NO_STR};
    link->now += BUS_SECOND;
    link_add(link, &order_place_type, &places[i]);
    if (i == 1 || i == 3 || i == 4)
      link_add(link, &stock_rejected_type, &rejections[i]);
    run(link);
  }
  assert_load(NUMBERS(100, 0, 0, 100), 3, 3); /* late: 0, 2 and 5 */
  assert_load(NUMBERS(100, 0, 0, order_intake_window(&limits)), 3, 2);
  change("UPDATE orders.orders SET created_at = created_at - interval '1 minute' WHERE order_id = "
         "(SELECT order_id FROM orders.orders WHERE status = 0 ORDER BY created_at OFFSET 1 LIMIT 1)");
  assert_load(NUMBERS(100, 0, 0, order_intake_window(&limits)), 3, 1); /* it is not among the newest any more */
  end();
}

/* ---- queries ---- */

static bool contains(struct bus_str json, const char *part) {
  return memmem(json.data, json.len, part, strlen(part)) != NULL;
}

TEST(queries_find_what_was_stored)
{
  begin();
  struct link *asking = order_database_open_queries(&database);
  const struct order_get own = {saga_order_id, BUS_STR("c-1")}, others = {saga_order_id, BUS_STR("c-2")};
  const struct order_events_get events = {saga_order_id, BUS_NO_STR, 1, 1},
                                hidden = {saga_order_id, BUS_STR("c-2"), 0, 9};
  struct order_get together[] = {others, own, own};
  const struct order_get_many many = {together, BUS_COUNT(together)};
  const struct order_list list = {.status = ORDER_RESERVED, .limit = 5}, empty = {BUS_STR("c-2"), -1, BUS_NO_STR, 5};
  tell(&order_place_type, &bodies.place);
  tell(&stock_reserved_type, &bodies.reserved);
  tell(&payment_declined_type, &bodies.refusal);
  link_add(asking, &order_get_type, &own);
  link_add(asking, &order_get_type, &others);
  link_add(asking, &order_events_get_type, &events);
  link_add(asking, &order_events_get_type, &hidden);
  link_add(asking, &order_list_type, &list);
  link_add(asking, &order_list_type, &empty);
  link_add(asking, &order_get_many_type, &many);
  link_query(asking);
  assert_true(contains(order_database_said(asking, 0), "\"status\":\"COMPENSATING\",\"reason\":\"payment_declined: "));
  assert_true(contains(order_database_said(asking, 0), "{\"product_id\":\"SKU-1\",\"quantity\":2,\"unit_price\":999}"));
  assert_text(order_database_said(asking, 1), "{\"outcome\":\"not_found\"}");
  assert_true(contains(order_database_said(asking, 2), "\"seq\":2,\"type\":\"order.reserved\""));
  assert_true(contains(order_database_said(asking, 2), "\"next_after_seq\":2}"));
  assert_text(order_database_said(asking, 3), "{\"outcome\":\"not_found\",\"items\":[]}");
  assert_text(order_database_said(asking, 4), "{\"items\":[]}");
  assert_text(order_database_said(asking, 5), "{\"items\":[]}");
  assert_true(
      contains(order_database_said(asking, 6), "{\"answers\":[{\"outcome\":\"not_found\"},{\"outcome\":\"found\","));
  assert_true(contains(order_database_said(asking, 6), "}},{\"outcome\":\"found\","));
  link_disconnect(asking);
  end();
}

static long age_said(struct bus_str json) {
  long age = -1;
  /* NOLINTNEXTLINE(cert-err34-c): the count is checked */
  assert_int_equal(sscanf(json.data, "{\"outbox_age_ms\":%ld,\"workers_down\":false}", &age), 1);
  return age;
}

/* Two ask, beside another query: one row answers both. The oldest counts, whenever it is due. */
TEST(pings_are_told_the_age_of_the_oldest_message)
{
  begin();
  struct link *asking = order_database_open_queries(&database);
  const struct order_ping ping = {.deep = false};
  const struct order_get get = {saga_order_id, BUS_NO_STR};
  for (int round = 0; round < 2; round++) {
    link_add(asking, &order_ping_type, &ping);
    link_add(asking, &order_get_type, &get);
    link_add(asking, &order_ping_type, &ping);
    link_query(asking);
    assert_text(order_database_said(asking, 1), "{\"outcome\":\"not_found\"}");
    assert_int_equal(age_said(order_database_said(asking, 0)) / 1000, round ? 40 : 0);
    assert_int_equal(age_said(order_database_said(asking, 2)) / 1000, round ? 40 : 0);
    (void)database_ask(&database,
                       "INSERT INTO bus.outbox (id, type, body, created_at, next_attempt_at) VALUES "
                       "('01890000-0000-7000-8000-000000000002', 'a.v1', '{}', now() - interval '9 s', now()), "
                       "('01890000-0000-7000-8000-000000000001', 'a.v1', '{}', now() - interval '40 s', "
                       "now() + interval '1 hour') ON CONFLICT DO NOTHING RETURNING 1",
                       text, sizeof text);
  }
  link_disconnect(asking);
  end();
}

TEST(pages_follow_each_other_to_the_end)
{
  struct order_place places[7];
  size_t seen = 0, pages = 0;
  struct order_list list = {.status = -1, .limit = 3};
  static char cursor[ORDER_CURSOR_TEXT];
  begin();
  struct link *asking = order_database_open_queries(&database);
  for (uint8_t i = 0; i < 7; i++) {
    places[i] = bodies.place;
    places[i].order_id = id_of(i);
    link_add(link, &order_place_type, &places[i]); /* all at the same time: the id decides */
  }
  run(link);
  for (; pages < 5; pages++) {
    link_add(asking, &order_list_type, &list);
    link_query(asking);
    struct bus_str json = order_database_said(asking, 0);
    const char *next = memmem(json.data, json.len, "\"next_cursor\":\"", 15);
    for (size_t i = 0; i + 10 < json.len; i++)
      seen += memcmp(json.data + i, "\"order_id\"", 10) == 0;
    if (!next)
      break;
    (void)snprintf(cursor, sizeof cursor, "%.53s", next + 15);
    list.cursor = bus_str(cursor);
  }
  assert_int_equal(pages, 2);
  assert_int_equal(seen, 7);
  link_disconnect(asking);
  end();
}
