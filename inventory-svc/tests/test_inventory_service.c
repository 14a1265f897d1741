/* From message to effects and back to what is stored, batch by batch: golden bodies, answers, what a batch sees of
 * itself. */
#include "shelf.h"

#include <order_messages.h>

#include <test.h>

#define ORDER(n) "0f000000-0000-5000-8000-00000000000" #n

TEST(reserve_emits_the_locked_prices)
{
  struct shelf *shelf = shelf_with_stock();
  struct stock_item items[] = {{BUS_STR("SKU-2"), 1, BUS_NO_INT64}, {BUS_STR("SKU-1"), 2, BUS_NO_INT64}};
  const struct inventory_reserve body = reserve_of(1, items, 2);
  const struct bus_effect *effect = shelf_one(shelf, &inventory_reserve_type, &body);
  shelf_assert_says(
      effect, &stock_reserved_type,
      "{\"order_id\":\"" ORDER(
          1) "\",\"items\":[{\"product_id\":\"SKU-2\",\"quantity\":1,\"unit_price\":99},"
             "{\"product_id\":\"SKU-1\",\"quantity\":2,\"unit_price\":250}],\"total\":599,\"currency\":\"EUR\"}");
  const struct bus_uuid id = order_id(1);
  assert_true(bus_uuid_equal(&effect->envelope.correlation_id, &id));
  assert_true(bus_uuid_equal(&effect->envelope.causation_id, &shelf->envelopes[0].message_id));
  assert_int_equal(shelf->stored_products, 2);
  assert_int_equal(shelf->stored_reservations, 1);
  assert_true(shelf_balances(shelf));
  shelf_free(shelf);
}

TEST(a_repeated_reserve_is_answered_with_the_prices_of_then)
{
  struct shelf *shelf = shelf_with_stock();
  struct stock_item items[] = {{BUS_STR("SKU-1"), 2, BUS_NO_INT64}};
  const struct inventory_reserve body = reserve_of(1, items, 1);
  (void)shelf_one(shelf, &inventory_reserve_type, &body);
  shelf_put(shelf, "SKU-1", 1, "USD", 0);
  shelf_assert_says(shelf_one(shelf, &inventory_reserve_type, &body), &stock_reserved_type,
                    "{\"order_id\":\"" ORDER(1) "\",\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":2,"
                                                "\"unit_price\":250}],\"total\":500,\"currency\":\"EUR\"}");
  assert_int_equal(shelf->stored_products, 0);
  assert_int_equal(shelf->stored_reservations, 0);
  assert_int_equal(shelf_product(shelf, "SKU-1")->reserved, 2);
  shelf_free(shelf);
}

TEST(a_repeated_reserve_of_other_items_is_answered_as_it_is)
{
  struct shelf *shelf = shelf_with_stock();
  struct stock_item items[] = {{BUS_STR("SKU-1"), 2, BUS_NO_INT64}}, others[] = {{BUS_STR("SKU-2"), 5, BUS_NO_INT64}};
  const struct inventory_reserve body = reserve_of(1, items, 1), other = reserve_of(1, others, 1);
  (void)shelf_one(shelf, &inventory_reserve_type, &body);
  shelf_assert_says(shelf_one(shelf, &inventory_reserve_type, &other), &stock_reserved_type,
                    "{\"order_id\":\"" ORDER(1) "\",\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":2,"
                                                "\"unit_price\":250}],\"total\":500,\"currency\":\"EUR\"}");
  assert_int_equal(shelf_product(shelf, "SKU-2")->on_hand, 5);
  shelf_free(shelf);
}

/* items: with prices. */
static struct order_event confirmed_of(uint32_t order, struct order_item *items, size_t count, int64_t total) {
  return (struct order_event){.order_id = order_id(order),
                              .customer_id = BUS_STR("c-1"),
                              .items = items,
                              .item_count = count,
                              .total = total,
                              .currency = BUS_STR("EUR")};
}

/* The message is decided, and leads to no other. */
static void run_silent(struct shelf *shelf, const struct bus_message_type *type, const void *body) {
  shelf_add(shelf, type, body);
  shelf_run(shelf);
  assert_null(shelf_message(shelf, 0));
}

static const struct inventory_tally *first_tally(const struct shelf *shelf) {
  for (const struct bus_effect *effect = shelf->effects.first; effect; effect = effect->next)
    if (effect->kind == BUS_EFFECT_ACTION)
      return effect->action;
  return NULL;
}

TEST(confirmed_is_sold_in_silence_and_released_answers_with_the_order)
{
  struct shelf *shelf = shelf_with_stock();
  struct stock_item items[] = {{BUS_STR("SKU-1"), 2, BUS_NO_INT64}};
  const struct inventory_reserve one = reserve_of(1, items, 1), two = reserve_of(2, items, 1);
  struct order_item sold[] = {{BUS_STR("SKU-1"), 2, 250}};
  const struct order_event first = confirmed_of(1, sold, 1, 500);
  const struct inventory_order second = {order_id(2)};
  (void)shelf_one(shelf, &inventory_reserve_type, &one);
  (void)shelf_one(shelf, &inventory_reserve_type, &two);
  run_silent(shelf, &order_confirmed_type, &first);
  shelf_assert_says(shelf_one(shelf, &inventory_release_type, &second), &stock_released_type,
                    "{\"order_id\":\"" ORDER(2) "\"}");
  const struct product *product = shelf_product(shelf, "SKU-1");
  assert_int_equal(product->on_hand, 8);
  assert_int_equal(product->sold, 2);
  assert_true(shelf_balances(shelf));
  shelf_free(shelf);
}

TEST(undo_before_do)
{
  struct shelf *shelf = shelf_with_stock();
  struct stock_item items[] = {{BUS_STR("SKU-1"), 2, BUS_NO_INT64}};
  const struct inventory_reserve reserve = reserve_of(1, items, 1);
  const struct inventory_order order = {order_id(1)};
  shelf_assert_says(shelf_one(shelf, &inventory_release_type, &order), &stock_released_type,
                    "{\"order_id\":\"" ORDER(1) "\"}");
  shelf_assert_says(shelf_one(shelf, &inventory_reserve_type, &reserve), &stock_rejected_type,
                    "{\"order_id\":\"" ORDER(1) "\",\"reason\":\"already_released\"}");
  assert_int_equal(shelf_product(shelf, "SKU-1")->on_hand, 10);
  assert_int_equal(shelf->reservation_count, 1);
  shelf_free(shelf);
}

TEST(a_rejection_names_reason_and_product_each_time)
{
  struct shelf *shelf = shelf_with_stock();
  struct stock_item items[] = {{BUS_STR("SKU-1"), 11, BUS_NO_INT64}};
  const struct inventory_reserve body = reserve_of(1, items, 1);
  const struct inventory_order order = {order_id(1)};
  static const char json[] = "{\"order_id\":\"" ORDER(1) "\",\"reason\":\"out_of_stock\",\"product_id\":\"SKU-1\"}";
  shelf_assert_says(shelf_one(shelf, &inventory_reserve_type, &body), &stock_rejected_type, json);
  shelf_assert_says(shelf_one(shelf, &inventory_reserve_type, &body), &stock_rejected_type, json);
  shelf_assert_says(shelf_one(shelf, &inventory_release_type, &order), &stock_rejected_type, json);
  shelf_assert_says(shelf_one(shelf, &inventory_commit_type, &order), &stock_missing_type, json);
  assert_int_equal(shelf->reservation_count, 1);
  shelf_free(shelf);
}

TEST(an_unknown_product_is_rejected_and_stored_so)
{
  struct shelf *shelf = shelf_with_stock();
  struct stock_item items[] = {{BUS_STR("SKU-1"), 1, BUS_NO_INT64}, {BUS_STR("nothing"), 1, BUS_NO_INT64}};
  const struct inventory_reserve body = reserve_of(1, items, 2);
  shelf_assert_says(shelf_one(shelf, &inventory_reserve_type, &body), &stock_rejected_type,
                    "{\"order_id\":\"" ORDER(1) "\",\"reason\":\"unknown_product\",\"product_id\":\"nothing\"}");
  assert_int_equal(shelf->product_count, 2);
  assert_int_equal(shelf->stored_products, 0);
  assert_int_equal(shelf->stored_reservations, 1);
  shelf_free(shelf);
}

/* ---- CONFIRMED, and no reservation ---- */

TEST(confirmed_without_a_reservation_is_sold_and_stored)
{
  struct shelf *shelf = shelf_with_stock();
  struct order_item sold[] = {{BUS_STR("SKU-1"), 2, 200}, {BUS_STR("SKU-2"), 5, 1}};
  const struct order_event body = confirmed_of(1, sold, 2, 405);
  run_silent(shelf, &order_confirmed_type, &body);
  const struct bus_uuid id = order_id(1);
  assert_int_equal(shelf_reservation(shelf, &id)->state, RESERVATION_COMMITTED);
  assert_int_equal(shelf_reservation(shelf, &id)->total, 405);
  assert_int_equal(shelf_reservation(shelf, &id)->lines[0].unit_price, 200);
  assert_int_equal(shelf_product(shelf, "SKU-1")->sold, 2);
  assert_true(shelf_balances(shelf));
  run_silent(shelf, &order_confirmed_type, &body);
  assert_int_equal(shelf->stored_reservations, 0);
  shelf_free(shelf);
}

TEST(confirmed_of_what_is_not_there_is_missing_and_alarmed)
{
  struct shelf *shelf = shelf_with_stock();
  struct order_item much[] = {{BUS_STR("SKU-1"), 11, 250}}, unknown[] = {{BUS_STR("nothing"), 1, 250}};
  const struct order_event body = confirmed_of(1, much, 1, 2750), other = confirmed_of(2, unknown, 1, 250);
  shelf_assert_says(shelf_one(shelf, &order_confirmed_type, &body), &stock_missing_type,
                    "{\"order_id\":\"" ORDER(1) "\",\"reason\":\"out_of_stock\",\"product_id\":\"SKU-1\"}");
  assert_int_equal(first_tally(shelf)->alarm, ALARM_MISSING);
  shelf_assert_says(shelf_one(shelf, &order_confirmed_type, &other), &stock_missing_type,
                    "{\"order_id\":\"" ORDER(2) "\",\"reason\":\"out_of_stock\",\"product_id\":\"nothing\"}");
  assert_int_equal(shelf->reservation_count, 0);
  assert_int_equal(shelf_product(shelf, "SKU-1")->on_hand, 10);
  shelf_free(shelf);
}

/* The release before sent order.confirmed without items, and inventory.commit. */
TEST(without_items_only_a_reservation_is_sold)
{
  struct shelf *shelf = shelf_with_stock();
  struct stock_item items[] = {{BUS_STR("SKU-1"), 2, BUS_NO_INT64}};
  const struct inventory_reserve one = reserve_of(1, items, 1), two = reserve_of(2, items, 1);
  const struct order_event confirmed = confirmed_of(1, NULL, 0, 500);
  const struct inventory_order commit = {order_id(2)}, third = {order_id(3)};
  static const char json[] = "{\"order_id\":\"" ORDER(3) "\",\"reason\":\"no_reservation\"}";
  (void)shelf_one(shelf, &inventory_reserve_type, &one);
  (void)shelf_one(shelf, &inventory_reserve_type, &two);
  run_silent(shelf, &order_confirmed_type, &confirmed);
  run_silent(shelf, &inventory_commit_type, &commit);
  assert_int_equal(shelf_product(shelf, "SKU-1")->sold, 4);
  shelf_assert_says(shelf_one(shelf, &inventory_commit_type, &third), &stock_missing_type, json);
  assert_int_equal(shelf->reservation_count, 2);
  shelf_free(shelf);
}

/* ---- reservations that are held for too long ---- */

static struct inventory_reserve expected_until(struct stock_item *item, bus_time until) {
  return (struct inventory_reserve){order_id(1), item, 1, BUS_NO_INT64, until};
}

static const struct bus_effect *due(struct shelf *shelf, bus_time now) {
  static struct inventory_due body;
  body = (struct inventory_due){order_id(1)};
  shelf->now = now;
  shelf_add_due(shelf, &body);
  shelf_run(shelf);
  return shelf_message(shelf, 0);
}

TEST(a_reservation_past_its_time_is_asked_about_each_minute)
{
  struct shelf *shelf = shelf_with_stock();
  struct stock_item item = {BUS_STR("SKU-1"), 1, BUS_NO_INT64};
  const struct inventory_reserve reserve = expected_until(&item, 120 * BUS_SECOND);
  const struct inventory_order order = {order_id(1)};
  (void)shelf_one(shelf, &inventory_reserve_type, &reserve);
  assert_null(due(shelf, 119 * BUS_SECOND));
  assert_int_equal(shelf->stored_reservations, 0);
  shelf_assert_says(due(shelf, 120 * BUS_SECOND), &stock_held_type, "{\"order_id\":\"" ORDER(1) "\"}");
  assert_int_equal(shelf->stored_reservations, 1);
  assert_null(first_tally(shelf));
  assert_null(due(shelf, 179 * BUS_SECOND));
  assert_non_null(due(shelf, 180 * BUS_SECOND));
  (void)shelf_one(shelf, &inventory_release_type, &order);
  assert_null(due(shelf, BUS_HOUR));
  shelf_free(shelf);
}

/* A reservation that is still held is alarmed at the first question that is ten minutes old. */
TEST(the_alarm_waits_for_ten_minutes_and_for_the_time_that_order_svc_expects)
{
  static const struct {
    bus_time until, alarmed;
    bool asked_before;
  } cases[] = {
      {BUS_NO_TIME, 10 * BUS_MINUTE, false},
      {120 * BUS_SECOND, 11 * BUS_MINUTE, true},
      {BUS_HOUR, BUS_HOUR, false},
      {30 * BUS_HOUR, RESERVATION_HOLD_MAX, false},
  };
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    struct shelf *shelf = shelf_with_stock();
    struct stock_item item = {BUS_STR("SKU-1"), 1, BUS_NO_INT64};
    const struct inventory_reserve reserve = expected_until(&item, cases[i].until);
    shelf->now = 0;
    (void)shelf_one(shelf, &inventory_reserve_type, &reserve);
    assert_int_equal(due(shelf, 10 * BUS_MINUTE - 1) != NULL, cases[i].asked_before);
    if (!cases[i].asked_before)
      assert_null(due(shelf, cases[i].alarmed - 1));
    assert_non_null(due(shelf, cases[i].alarmed));
    assert_int_equal(first_tally(shelf)->alarm, ALARM_HELD);
    shelf_free(shelf);
  }
}

/* ---- one batch ---- */

TEST(a_batch_sees_its_own_effects_and_stores_each_row_once)
{
  struct shelf *shelf = shelf_with_stock();
  struct stock_item six[] = {{BUS_STR("SKU-1"), 6, BUS_NO_INT64}};
  const struct inventory_reserve one = reserve_of(1, six, 1), two = reserve_of(2, six, 1),
                                 three = reserve_of(3, six, 1);
  struct order_item sold[] = {{BUS_STR("SKU-1"), 6, 250}};
  const struct order_event third = confirmed_of(3, sold, 1, 1500);
  const struct inventory_order first = {order_id(1)};
  shelf_add(shelf, &inventory_reserve_type, &one);
  shelf_add(shelf, &inventory_reserve_type, &two);
  shelf_add(shelf, &inventory_release_type, &first);
  shelf_add(shelf, &inventory_reserve_type, &three);
  shelf_add(shelf, &order_confirmed_type, &third);
  shelf_run(shelf);
  const struct bus_message_type *const said[] = {&stock_reserved_type, &stock_rejected_type, &stock_released_type,
                                                 &stock_reserved_type};
  for (size_t i = 0; i < BUS_COUNT(said); i++)
    assert_ptr_equal(shelf_message(shelf, i)->type, said[i]);
  assert_null(shelf_message(shelf, BUS_COUNT(said)));
  assert_int_equal(shelf->stored_products, 1);
  assert_int_equal(shelf->stored_reservations, 3);
  const struct bus_uuid id = order_id(3);
  assert_int_equal(shelf_reservation(shelf, &id)->state, RESERVATION_COMMITTED);
  assert_int_equal(shelf_product(shelf, "SKU-1")->sold, 6);
  assert_true(shelf_balances(shelf));
  shelf_free(shelf);
}

TEST(a_new_product_can_be_reserved_in_its_own_batch)
{
  struct shelf *shelf = shelf_new();
  const struct inventory_put_product put = {BUS_STR("new"), BUS_STR("New"), 3, BUS_STR("EUR"), 4};
  struct stock_item items[] = {{BUS_STR("new"), 4, BUS_NO_INT64}};
  const struct inventory_reserve body = reserve_of(1, items, 1);
  shelf_add(shelf, &inventory_put_product_type, &put);
  shelf_add(shelf, &inventory_reserve_type, &body);
  shelf_run(shelf);
  assert_ptr_equal(shelf_message(shelf, 1)->type, &stock_reserved_type);
  assert_int_equal(shelf_product(shelf, "new")->reserved, 4);
  assert_int_equal(shelf->stored_products, 1);
  assert_true(shelf_balances(shelf));
  shelf_free(shelf);
}

TEST(each_reservation_is_tallied_once)
{
  struct shelf *shelf = shelf_with_stock();
  struct stock_item items[] = {{BUS_STR("SKU-1"), 2, BUS_NO_INT64}, {BUS_STR("SKU-2"), 1, BUS_NO_INT64}};
  const struct inventory_reserve body = reserve_of(1, items, 2);
  shelf_add(shelf, &inventory_reserve_type, &body);
  shelf_add(shelf, &inventory_reserve_type, &body);
  shelf_run(shelf);
  struct inventory_tally tallies[2] = {{.changed = false}};
  size_t count = 0;
  for (const struct bus_effect *effect = shelf->effects.first; effect; effect = effect->next)
    if (effect->kind == BUS_EFFECT_ACTION && count < 2)
      tallies[count++] = *(const struct inventory_tally *)effect->action;
  assert_int_equal(count, 2);
  assert_true(tallies[0].changed);
  assert_int_equal(tallies[0].state, RESERVATION_RESERVED);
  assert_int_equal(tallies[0].units, 3);
  assert_false(tallies[1].changed);
  shelf_free(shelf);
}

TEST(a_message_of_no_use_is_parked)
{
  struct shelf *shelf = shelf_new();
  struct inventory_model *model;
  const struct bus_input input = {.kind = BUS_INPUT_DELIVERY, .type = &stock_released_type};
  assert_true(inventory_model_new(&input, 1, shelf->batch, &model));
  bus_effects_init(&shelf->effects, shelf->batch, &shelf->ids, 0, "inventory-svc");
  bus_effects_begin(&shelf->effects, &input);
  inventory_decide(model, &input, &shelf->effects);
  assert_int_equal(bus_effects_end(&shelf->effects), BUS_PARK);
  shelf_free(shelf);
}

TEST(a_batch_without_memory_fails_whole)
{
  struct shelf *shelf = shelf_with_stock();
  struct bus_arena *tiny = bus_arena_new(64);
  struct inventory_model *model;
  struct stock_item items[] = {{BUS_STR("SKU-1"), 4, BUS_NO_INT64}};
  const struct inventory_reserve reserve = reserve_of(1, items, 1);
  const struct bus_input input = {.kind = BUS_INPUT_DELIVERY, .type = &inventory_reserve_type, .body = &reserve};
  assert_non_null(tiny);
  assert_false(inventory_model_new(&input, 1, tiny, &model));
  bus_arena_free(tiny);
  shelf_free(shelf);
}

/* ---- the batch ---- */

TEST(a_batch_tells_which_products_have_changed)
{
  struct shelf *shelf = shelf_new();
  const struct inventory_set_stock set = {{{1}}, BUS_STR("B"), 7}, again = {{{2}}, BUS_STR("NONE"), 7};
  shelf_put(shelf, "A", 5, "EUR", 10);
  assert_ptr_equal(shelf_notice(shelf)->type, &product_changed_type);
  assert_true(bus_str_is(shelf_notice(shelf)->body, "{\"products\":[{\"product_id\":\"A\"}]}"));
  shelf_put(shelf, "B", 5, "EUR", 10);
  shelf_add(shelf, &inventory_set_stock_type, &set);
  shelf_add(shelf, &inventory_set_stock_type, &set); /* once is enough */
  shelf_run(shelf);
  assert_true(bus_str_is(shelf_notice(shelf)->body, "{\"products\":[{\"product_id\":\"B\"}]}"));
  shelf_add(shelf, &inventory_set_stock_type, &set); /* carried out already */
  shelf_add(shelf, &inventory_set_stock_type, &again);
  shelf_run(shelf);
  assert_null(shelf_notice(shelf));
  shelf_free(shelf);
}
