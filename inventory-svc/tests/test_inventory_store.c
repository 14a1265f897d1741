/* The store over a real Postgres: what is stored is what was decided, comes back as it was, and holds the invariants
 * under random batches and under two workers at once. */
#include "inventory_statements.h"
#include "shelf.h"
#include "store.h"

#include <order_messages.h>

#include <stdio.h>
#include <stdlib.h>
#include <test.h>

#define AUDIT "SELECT count(*) FROM inventory.stock_audit"

static void run_one(struct link *link, const struct bus_message_type *type, const void *body,
                    const struct bus_message_type *said, const char *json) {
  link_add(link, type, body);
  if (!link_run(link))
    fail_msg("%s", link->error.text);
  link_assert_said(link, 0, said, json);
}

static void run_silent(struct link *link, const struct bus_message_type *type, const void *body) {
  link_add(link, type, body);
  if (!link_run(link))
    fail_msg("%s", link->error.text);
  assert_null(link_message(link, 0));
}

/* items: with prices. */
static struct order_event confirmed_of(uint32_t order, struct order_item *items, size_t count) {
  return (struct order_event){.order_id = order_id(order),
                              .customer_id = BUS_STR("c-1"),
                              .items = items,
                              .item_count = count,
                              .total = 9,
                              .currency = BUS_STR("EUR")};
}

#define ORDER(n) "0f000000-0000-5000-8000-00000000000" #n

TEST(a_reservation_comes_back_as_it_was)
{
  struct migrated database;
  migrated_open(&database, MIGRATIONS, "inventory_svc");
  struct link *link = store_connect(&database);
  store_put(link, "SKU-1", 250, "EUR", 10);
  store_put(link, "SKU-2", 99, "EUR", 5);
  struct stock_item items[] = {{BUS_STR("SKU-2"), 1, 0}, {BUS_STR("SKU-1"), 2, 0}, {BUS_STR("SKU-2"), 3, 0}};
  const struct inventory_reserve reserve = {order_id(1), items, 3, 250 * 2 + 99 * 4, BUS_NO_TIME};
  static const char json[] = "{\"order_id\":\"" ORDER(1) "\",\"items\":["
                                                         "{\"product_id\":\"SKU-2\",\"quantity\":1,\"unit_price\":99},"
                                                         "{\"product_id\":\"SKU-1\",\"quantity\":2,\"unit_price\":250},"
                                                         "{\"product_id\":\"SKU-2\",\"quantity\":3,\"unit_price\":99}],"
                                                         "\"total\":896,\"currency\":\"EUR\"}";
  run_one(link, &inventory_reserve_type, &reserve, &stock_reserved_type, json);
  store_put(link, "SKU-2", 1, "USD", 0);
  run_one(link, &inventory_reserve_type, &reserve, &stock_reserved_type, json);
  assert_int_equal(link_number(&database, "SELECT reserved FROM inventory.products WHERE product_id = 'SKU-2'"), 4);
  assert_int_equal(link_number(&database, AUDIT), 0);
  struct order_item sold[] = {{BUS_STR("SKU-1"), 7, 7}}; /* the row knows better */
  const struct order_event confirmed = confirmed_of(1, sold, 1);
  const struct inventory_order order = {order_id(1)};
  run_silent(link, &order_confirmed_type, &confirmed);
  assert_int_equal(link_number(&database, "SELECT sold FROM inventory.products WHERE product_id = 'SKU-2'"), 4);
  assert_int_equal(link_number(&database, "SELECT reserved FROM inventory.products WHERE product_id = 'SKU-1'"), 0);
  run_silent(link, &inventory_release_type, &order);
  assert_int_equal(link_number(&database, "SELECT sum(sold) FROM inventory.products"), 6);
  assert_int_equal(link_number(&database, AUDIT), 0);
  link_disconnect(link);
  migrated_close(&database);
}

TEST(a_release_gives_back_what_only_the_row_knows)
{
  struct migrated database;
  migrated_open(&database, MIGRATIONS, "inventory_svc");
  struct link *link = store_connect(&database);
  store_put(link, "SKU-1", 250, "EUR", 10);
  struct stock_item items[] = {{BUS_STR("SKU-1"), 10, 0}};
  const struct inventory_reserve reserve = {order_id(1), items, 1, BUS_NO_INT64, BUS_NO_TIME};
  const struct inventory_order order = {order_id(1)};
  link_add(link, &inventory_reserve_type, &reserve);
  assert_true(link_run(link));
  run_one(link, &inventory_release_type, &order, &stock_released_type, "{\"order_id\":\"" ORDER(1) "\"}");
  assert_int_equal(link_number(&database, "SELECT on_hand FROM inventory.products"), 10);
  run_one(link, &inventory_reserve_type, &reserve, &stock_rejected_type,
          "{\"order_id\":\"" ORDER(1) "\",\"reason\":\"already_released\"}");
  assert_int_equal(link_number(&database, AUDIT), 0);
  link_disconnect(link);
  migrated_close(&database);
}

TEST(confirmed_finds_no_reservation)
{
  struct migrated database;
  migrated_open(&database, MIGRATIONS, "inventory_svc");
  struct link *link = store_connect(&database);
  store_put(link, "SKU-1", 250, "EUR", 10);
  struct order_item sold[] = {{BUS_STR("SKU-1"), 3, 3}}, much[] = {{BUS_STR("SKU-1"), 5, 1}};
  struct stock_item items[] = {{BUS_STR("SKU-1"), 4, 0}};
  const struct order_event absent = confirmed_of(1, sold, 1), released = confirmed_of(2, much, 1),
                           missing = confirmed_of(3, much, 1);
  const struct inventory_reserve reserve = {order_id(2), items, 1, BUS_NO_INT64, BUS_NO_TIME};
  const struct inventory_order order = {order_id(2)};
  run_silent(link, &order_confirmed_type, &absent);
  link_add(link, &inventory_reserve_type, &reserve);
  assert_true(link_run(link));
  link_add(link, &inventory_release_type, &order);
  assert_true(link_run(link));
  run_silent(link, &order_confirmed_type, &released);
  assert_int_equal(link_number(&database, "SELECT sold FROM inventory.products"), 7);
  assert_int_equal(link_number(&database, "SELECT sum(total) FROM inventory.reservations WHERE state = 'COMMITTED'"),
                   9 + 1000);
  run_one(link, &order_confirmed_type, &missing, &stock_missing_type,
          "{\"order_id\":\"" ORDER(3) "\",\"reason\":\"out_of_stock\",\"product_id\":\"SKU-1\"}");
  assert_int_equal(link_number(&database, "SELECT count(*) FROM inventory.reservations"), 2);
  assert_int_equal(link_number(&database, AUDIT), 0);
  link_disconnect(link);
  migrated_close(&database);
}

TEST(a_held_reservation_is_found_and_asked_about)
{
  char found[512];
  struct migrated database;
  migrated_open(&database, MIGRATIONS, "inventory_svc");
  struct link *link = store_connect(&database);
  (void)snprintf(found, sizeof found, "SELECT count(*) FROM (%s) AS held", inventory_statements[FIND_HELD].sql);
  store_put(link, "SKU-1", 250, "EUR", 10);
  struct stock_item items[] = {{BUS_STR("SKU-1"), 4, 0}};
  const struct inventory_reserve reserve = {order_id(1), items, 1, BUS_NO_INT64, BUS_SECOND};
  const struct inventory_due due = {order_id(1)};
  link_add(link, &inventory_reserve_type, &reserve);
  assert_true(link_run(link));
  assert_int_equal(link_number(&database, found), 1);
  link_add_due(link, &due);
  assert_true(link_run(link));
  link_assert_said(link, 0, &stock_held_type, "{\"order_id\":\"" ORDER(1) "\"}");
  assert_int_equal(link_number(&database, "SELECT extract(epoch FROM expected_until)::bigint "
                                          "FROM inventory.reservations"),
                   61);
  const struct inventory_order order = {order_id(1)};
  link_add(link, &inventory_release_type, &order);
  assert_true(link_run(link));
  assert_int_equal(link_number(&database, found), 0);
  link_disconnect(link);
  migrated_close(&database);
}

TEST(rejections_and_tombstones_are_remembered)
{
  struct migrated database;
  migrated_open(&database, MIGRATIONS, "inventory_svc");
  struct link *link = store_connect(&database);
  store_put(link, "SKU-1", 250, "EUR", 1);
  struct stock_item items[] = {{BUS_STR("SKU-1"), 2, 0}}, unknown[] = {{BUS_STR("none"), 2, 0}};
  const struct inventory_reserve one = {order_id(1), items, 1, BUS_NO_INT64, BUS_NO_TIME},
                                 two = {order_id(2), items, 1, 1, BUS_NO_TIME},
                                 three = {order_id(3), unknown, 1, BUS_NO_INT64, BUS_NO_TIME},
                                 four = {order_id(4), items, 1, BUS_NO_INT64, BUS_NO_TIME};
  const struct inventory_order fourth = {order_id(4)};
  for (int round = 0; round < 2; round++) {
    run_one(link, &inventory_reserve_type, &one, &stock_rejected_type,
            "{\"order_id\":\"" ORDER(1) "\",\"reason\":\"out_of_stock\",\"product_id\":\"SKU-1\"}");
    run_one(link, &inventory_reserve_type, &two, &stock_rejected_type,
            "{\"order_id\":\"" ORDER(2) "\",\"reason\":\"total_mismatch\"}");
    run_one(link, &inventory_reserve_type, &three, &stock_rejected_type,
            "{\"order_id\":\"" ORDER(3) "\",\"reason\":\"unknown_product\",\"product_id\":\"none\"}");
    run_one(link, &inventory_release_type, &fourth, &stock_released_type, "{\"order_id\":\"" ORDER(4) "\"}");
    store_put(link, "none", 1, "EUR", 100);
  }
  run_one(link, &inventory_reserve_type, &four, &stock_rejected_type,
          "{\"order_id\":\"" ORDER(4) "\",\"reason\":\"already_released\"}");
  assert_int_equal(link_number(&database, "SELECT count(*) FROM inventory.reservations WHERE state = 'REJECTED'"), 3);
  assert_int_equal(link_number(&database, "SELECT count(*) FROM inventory.reservations WHERE state = 'RELEASED'"), 1);
  link_disconnect(link);
  migrated_close(&database);
}

TEST(set_stock_is_carried_out_once_and_forgotten_after_seven_days)
{
  struct migrated database;
  migrated_open(&database, MIGRATIONS, "inventory_svc");
  struct link *link = store_connect(&database);
  store_put(link, "SKU-1", 250, "EUR", 1);
  const struct inventory_set_stock set = {order_id(1), BUS_STR("SKU-1"), 7}, other = {order_id(1), BUS_STR("SKU-1"), 8},
                                   none = {order_id(2), BUS_STR("none"), 7};
#define VIEW(on_hand, stock_version)                                                                                   \
  "{\"outcome\":\"updated\",\"product\":{\"product_id\":\"SKU-1\",\"name\":\"Ein Ding\",\"price\":250,"                \
  "\"currency\":\"EUR\",\"on_hand\":" on_hand                                                                          \
  ",\"reserved\":0,\"version\":1,\"withdrawn\":false,\"stock_version\":" stock_version "}}"
  run_one(link, &inventory_set_stock_type, &set, &inventory_answer_type, VIEW("7", "2"));
  run_one(link, &inventory_set_stock_type, &set, &inventory_answer_type, VIEW("7", "2"));
  run_one(link, &inventory_set_stock_type, &other, &inventory_answer_type, "{\"outcome\":\"key_reused\"}");
  run_one(link, &inventory_set_stock_type, &none, &inventory_answer_type, "{\"outcome\":\"not_found\"}");
  assert_int_equal(link_number(&database, "SELECT count(*) FROM inventory.stock_requests"), 1);
  (void)link_statement(link, PURGE_REQUESTS, NULL, 0);
  assert_int_equal(link_number(&database, "SELECT count(*) FROM inventory.stock_requests"), 1);
  migrated_do(&database, "UPDATE inventory.stock_requests SET created_at = now() - interval '169 hours'");
  (void)link_statement(link, PURGE_REQUESTS, NULL, 0);
  assert_int_equal(link_number(&database, "SELECT count(*) FROM inventory.stock_requests"), 0);
  run_one(link, &inventory_set_stock_type, &other, &inventory_answer_type, VIEW("8", "3"));
  assert_int_equal(link_number(&database, AUDIT), 0);
  link_disconnect(link);
  migrated_close(&database);
}

TEST(the_largest_batch_fits)
{
  enum { ORDERS = 200, ITEMS = STOCK_ITEMS_MAX };
  struct migrated database;
  migrated_open(&database, MIGRATIONS, "inventory_svc");
  struct link *link = store_connect(&database);
  migrated_do(&database, "INSERT INTO inventory.products (product_id, name, price, currency, on_hand, received) "
                         "SELECT rpad('P' || n || '.', 64, 'x'), repeat('n', 200), 1, 'EUR', 1000000, 1000000 "
                         "FROM generate_series(0, 999) AS n");
  static char ids[1000][65];
  static struct stock_item items[ORDERS][ITEMS];
  static struct inventory_reserve reserves[ORDERS];
  for (int i = 0; i < 1000; i++) {
    memset(ids[i], 'x', 64);
    ids[i][snprintf(ids[i], 64, "P%d.", i)] = 'x';
  }
  for (uint32_t i = 0; i < ORDERS; i++) {
    for (uint32_t j = 0; j < ITEMS; j++)
      items[i][j] = (struct stock_item){{ids[(i * 7 + j) % 1000], 64}, STOCK_QUANTITY_MAX, BUS_NO_INT64};
    reserves[i] = (struct inventory_reserve){order_id(i), items[i], ITEMS, ITEMS * STOCK_QUANTITY_MAX, BUS_NO_TIME};
    link_add(link, &inventory_reserve_type, &reserves[i]);
  }
  assert_true(link_run(link));
  assert_int_equal(link_number(&database, "SELECT sum(reserved) FROM inventory.products"),
                   ORDERS * ITEMS * STOCK_QUANTITY_MAX);
  static struct order_item sold[ITEMS];
  static struct order_event orders[ORDERS];
  for (uint32_t j = 0; j < ITEMS; j++)
    sold[j] = (struct order_item){{ids[j], 64}, STOCK_QUANTITY_MAX, 1};
  for (uint32_t i = 0; i < ORDERS; i++) {
    orders[i] = confirmed_of(i, sold, ITEMS);
    link_add(link, &order_confirmed_type, &orders[i]);
  }
  assert_true(link_run(link));
  assert_int_equal(link_number(&database, "SELECT sum(sold) FROM inventory.products"),
                   ORDERS * ITEMS * STOCK_QUANTITY_MAX);
  assert_int_equal(link_number(&database, AUDIT), 0);
  link_disconnect(link);
  migrated_close(&database);
}

/* ---- two workers ---- */

TEST(two_workers_on_one_product_wait_for_each_other)
{
  struct migrated database;
  migrated_open(&database, MIGRATIONS, "inventory_svc");
  struct link *one = store_connect(&database), *two = store_connect(&database);
  store_put(one, "SKU-1", 1, "EUR", 10);
  struct stock_item items[] = {{BUS_STR("SKU-1"), 6, 0}};
  const struct inventory_reserve first = {order_id(1), items, 1, BUS_NO_INT64, BUS_NO_TIME},
                                 second = {order_id(2), items, 1, BUS_NO_INT64, BUS_NO_TIME};
  link_add(one, &inventory_reserve_type, &first);
  link_add(two, &inventory_reserve_type, &second);
  link_send_lock(one);
  assert_true(link_finish_lock(one));
  link_send_lock(two);
  link_await_waiter(&database);
  assert_true(link_decide_and_store(one));
  assert_true(link_finish_lock(two));
  assert_true(link_decide_and_store(two));
  link_assert_said(two, 0, &stock_rejected_type,
                   "{\"order_id\":\"" ORDER(2) "\",\"reason\":\"out_of_stock\",\"product_id\":\"SKU-1\"}");
  assert_int_equal(link_number(&database, "SELECT on_hand FROM inventory.products"), 4);
  assert_int_equal(link_number(&database, AUDIT), 0);
  link_disconnect(one);
  link_disconnect(two);
  migrated_close(&database);
}

TEST(two_workers_on_one_new_order_conflict_and_the_second_sees_the_first)
{
  struct migrated database;
  migrated_open(&database, MIGRATIONS, "inventory_svc");
  struct link *one = store_connect(&database), *two = store_connect(&database);
  store_put(one, "SKU-1", 1, "EUR", 10);
  struct stock_item items[] = {{BUS_STR("SKU-1"), 6, 0}};
  const struct inventory_reserve reserve = {order_id(1), items, 1, BUS_NO_INT64, BUS_NO_TIME};
  const struct inventory_order order = {order_id(1)};
  link_add(one, &inventory_reserve_type, &reserve);
  link_add(two, &inventory_release_type, &order);
  link_send_lock(one);
  assert_true(link_finish_lock(one));
  link_send_lock(two); /* finds no row and locks none */
  assert_true(link_finish_lock(two));
  assert_true(link_decide_and_store(one));
  assert_false(link_decide_and_store(two));
  assert_int_equal(bus_error_class(two->error.code), BUS_CLASS_CONFLICT);
  assert_true(link_run(two));
  link_assert_said(two, 0, &stock_released_type, "{\"order_id\":\"" ORDER(1) "\"}");
  assert_int_equal(link_number(&database, "SELECT on_hand FROM inventory.products"), 10);
  assert_int_equal(link_number(&database, AUDIT), 0);
  link_disconnect(one);
  link_disconnect(two);
  migrated_close(&database);
}

/* The second finds no row, waits for a product, and then reads the items that the first has committed meanwhile. */
TEST(a_reservation_that_appears_between_two_statements_conflicts)
{
  struct migrated database;
  migrated_open(&database, MIGRATIONS, "inventory_svc");
  struct link *one = store_connect(&database), *two = store_connect(&database);
  store_put(one, "SKU-1", 1, "EUR", 10);
  store_put(one, "SKU-2", 1, "EUR", 10);
  struct stock_item both[] = {{BUS_STR("SKU-1"), 6, 0}, {BUS_STR("SKU-2"), 6, 0}};
  const struct inventory_reserve first = {order_id(1), both, 2, BUS_NO_INT64, BUS_NO_TIME},
                                 second = {order_id(1), both, 1, BUS_NO_INT64, BUS_NO_TIME};
  link_add(one, &inventory_reserve_type, &first);
  link_add(two, &inventory_reserve_type, &second);
  link_send_lock(one);
  assert_true(link_finish_lock(one));
  link_send_lock(two);
  link_await_waiter(&database);
  assert_true(link_decide_and_store(one));
  assert_true(link_finish_lock(two));
  assert_false(link_decide_and_store(two));
  assert_int_equal(bus_error_class(two->error.code), BUS_CLASS_CONFLICT);
  assert_true(link_run(two));
  assert_ptr_equal(link_message(two, 0)->type, &stock_reserved_type);
  assert_int_equal(link_number(&database, "SELECT sum(reserved) FROM inventory.products"), 12);
  assert_int_equal(link_number(&database, AUDIT), 0);
  link_disconnect(one);
  link_disconnect(two);
  migrated_close(&database);
}

/* Locks that were waited for: the second reads state and items as the first left them. */
TEST(a_sale_behind_a_release_of_the_same_order_sees_it)
{
  struct migrated database;
  migrated_open(&database, MIGRATIONS, "inventory_svc");
  struct link *one = store_connect(&database), *two = store_connect(&database);
  store_put(one, "SKU-1", 1, "EUR", 10);
  struct stock_item items[] = {{BUS_STR("SKU-1"), 6, 0}};
  const struct inventory_reserve reserve = {order_id(1), items, 1, BUS_NO_INT64, BUS_NO_TIME};
  const struct inventory_order order = {order_id(1)};
  link_add(one, &inventory_reserve_type, &reserve);
  assert_true(link_run(one));
  link_add(one, &inventory_release_type, &order);
  const struct order_event confirmed = confirmed_of(1, NULL, 0);
  link_add(two, &order_confirmed_type, &confirmed);
  link_send_lock(one);
  assert_true(link_finish_lock(one));
  link_send_lock(two);
  link_await_waiter(&database);
  assert_true(link_decide_and_store(one));
  assert_true(link_finish_lock(two));
  assert_true(link_decide_and_store(two));
  assert_null(link_message(two, 0)); /* what was given back is taken again */
  assert_int_equal(link_number(&database, "SELECT sold FROM inventory.products"), 6);
  assert_int_equal(link_number(&database, AUDIT), 0);
  link_disconnect(one);
  link_disconnect(two);
  migrated_close(&database);
}

/* ---- random batches, the same on the shelf and in the database ---- */

enum { RANDOM_BATCHES = 60, RANDOM_ORDERS = 120, RANDOM_PRODUCTS = 8 };

struct draw {
  unsigned seed;
  struct inventory_reserve reserves[SHELF_BATCH];
  struct stock_item items[SHELF_BATCH][4];
  struct order_event confirmed[SHELF_BATCH];
  struct order_item sold[SHELF_BATCH];
  struct inventory_order orders[SHELF_BATCH];
  struct inventory_set_stock sets[SHELF_BATCH];
  struct inventory_put_product puts[SHELF_BATCH];
};

static const char *const product_ids[RANDOM_PRODUCTS] = {"a", "B", "b-1", "b.1", "_", "NULL", "zzz", "9"};

static uint32_t dice(struct draw *draw, uint32_t sides) {
  return (uint32_t)rand_r(&draw->seed) % sides;
}

static const void *draw_message(struct draw *draw, size_t n, const struct bus_message_type **ret_type) {
  uint32_t what = dice(draw, 24), order = dice(draw, RANDOM_ORDERS);
  const struct bus_str product = bus_str(product_ids[dice(draw, RANDOM_PRODUCTS)]);
  if (what == 0) {
    draw->sets[n] = (struct inventory_set_stock){order_id(5000 + dice(draw, 50)), product, dice(draw, 100)};
    *ret_type = &inventory_set_stock_type;
    return &draw->sets[n];
  }
  if (what == 1) {
    draw->puts[n] = (struct inventory_put_product){product, BUS_STR("x"), dice(draw, 1000),
                                                   dice(draw, 20) ? BUS_STR("EUR") : BUS_STR("USD"), dice(draw, 100)};
    *ret_type = &inventory_put_product_type;
    return &draw->puts[n];
  }
  if (what >= 18) {
    draw->orders[n] = (struct inventory_order){order_id(order)};
    *ret_type = &inventory_release_type;
    return &draw->orders[n];
  }
  if (what >= 12) {
    draw->sold[n] = (struct order_item){product, 1 + dice(draw, 6), 9};
    draw->confirmed[n] = confirmed_of(order, &draw->sold[n], 1);
    *ret_type = &order_confirmed_type;
    return &draw->confirmed[n];
  }
  draw->reserves[n] =
      (struct inventory_reserve){order_id(order), draw->items[n], 1 + dice(draw, 4), BUS_NO_INT64, BUS_NO_TIME};
  for (size_t i = 0; i < draw->reserves[n].item_count; i++)
    draw->items[n][i] =
        (struct stock_item){bus_str(product_ids[dice(draw, RANDOM_PRODUCTS)]), 1 + dice(draw, 6), BUS_NO_INT64};
  *ret_type = &inventory_reserve_type;
  return &draw->reserves[n];
}

static void assert_same_messages(const struct shelf *shelf, const struct link *link) {
  for (size_t n = 0;; n++) {
    const struct bus_effect *left = shelf_message(shelf, n), *right = link_message(link, n);
    if (!left && !right)
      return;
    if (!left || !right) {
      fail_msg("message %zu is missing", n);
      return;
    }
    assert_ptr_equal(left->type, right->type);
    assert_int_equal(left->body.len, right->body.len);
    assert_memory_equal(left->body.data, right->body.data, left->body.len);
  }
}

TEST(the_database_does_what_memory_does)
{
  static struct draw draw = {.seed = 20260302};
  struct migrated database;
  migrated_open(&database, MIGRATIONS, "inventory_svc");
  struct link *link = store_connect(&database);
  struct shelf *shelf = shelf_new();
  for (int batch = 0; batch < RANDOM_BATCHES; batch++) {
    size_t count = 1 + dice(&draw, SHELF_BATCH - 1);
    for (size_t n = 0; n < count; n++) {
      const struct bus_message_type *type;
      const void *body = draw_message(&draw, n, &type);
      shelf_add(shelf, type, body);
      link_add(link, type, body);
    }
    shelf_run(shelf);
    if (!link_run(link))
      fail_msg("%s", link->error.text);
    assert_same_messages(shelf, link);
    assert_true(shelf_balances(shelf));
    assert_int_equal(link_number(&database, AUDIT), 0);
  }
  assert_int_equal(link_number(&database, "SELECT count(*) FROM inventory.reservations"), shelf->reservation_count);
  assert_int_equal(link_number(&database, "SELECT count(*) FROM inventory.stock_requests"), shelf->request_count);
  shelf_free(shelf);
  link_disconnect(link);
  migrated_close(&database);
}
