/* Tests the response to each outcome: status, headers and the exact body. */
#include "responses.h"
#include "test.h"

static struct order_item items[] = {{BUS_STR("SKU-00001"), 2, BUS_NO_INT64}};

static struct order_view a_view(enum order_status status) {
  return (struct order_view){
      .order_id = {{0x01}},
      .customer_id = BUS_STR("c-1"),
      .status = (int)status,
      .items = items,
      .item_count = 1,
      .total = BUS_NO_INT64,
      .created_at = INT64_C(1700000000123456),
      .updated_at = INT64_C(1700000001000000),
      .version = 1,
      .pay_by = BUS_NO_TIME,
  };
}

static struct bus_arena *arena;

static void assert_body(const struct response *response, const char *expected) {
  struct bus_str json;
  assert_non_null(response->schema);
  assert_true(bus_encode_nulls(response->schema, response->body, arena, &json));
  assert_string_equal(json.data, expected);
}

#define OPEN arena = bus_arena_new(65536)
#define CLOSE bus_arena_free(arena)
#define ID "01000000-0000-0000-0000-000000000000"

TEST(a_new_order_is_202_with_location_and_the_order)
{
  OPEN;
  struct order_view view = a_view(ORDER_PENDING);
  struct response response = response_place(&(struct order_answer){ORDER_ACCEPTED, &view}, 0);
  assert_int_equal(response.status, 202);
  assert_true(bus_uuid_equal(&response.location, &view.order_id));
  assert_false(response.replayed);
  assert_int_equal(response.retry_after_s, 0);
  assert_body(&response, "{\"order_id\":\"" ID "\",\"customer_id\":\"c-1\",\"status\":\"PENDING\",\"reason\":null,"
                         "\"items\":[{\"product_id\":\"SKU-00001\",\"quantity\":2,\"unit_price\":null}],\"total\":null,"
                         "\"currency\":null,\"refunded\":0,\"created_at\":\"2023-11-14T22:13:20.123Z\",\"updated_at\":"
                         "\"2023-11-14T22:13:21.000Z\",\"version\":1,\"pay_by\":null}");
  CLOSE;
}

TEST(an_order_that_became_final_in_time_is_201)
{
  for (int status = ORDER_CONFIRMED; status <= ORDER_CANCELLED; status++) {
    struct order_view view = a_view((enum order_status)status);
    struct response response = response_place(&(struct order_answer){ORDER_FINAL, &view}, 10);
    assert_int_equal(response.status, 201);
    assert_int_equal(response.applied_wait_s, 10);
    assert_true(bus_uuid_equal(&response.location, &view.order_id));
  }
}

TEST(a_wait_that_was_too_short_is_202_and_not_applied)
{
  struct order_view view = a_view(ORDER_PENDING);
  struct response response = response_place(&(struct order_answer){ORDER_ACCEPTED, &view}, 10);
  assert_int_equal(response.status, 202);
  assert_int_equal(response.applied_wait_s, 0);
}

TEST(a_repeated_request_is_200_replayed_with_the_order_as_it_is)
{
  struct order_view view = a_view(ORDER_CONFIRMED);
  struct response response = response_place(&(struct order_answer){ORDER_REPLAYED, &view}, 0);
  assert_int_equal(response.status, 200);
  assert_true(response.replayed);
  assert_ptr_equal(response.body, &view);
}

TEST(another_body_under_the_key_is_422)
{
  struct response response = response_place(&(struct order_answer){ORDER_KEY_REUSED, NULL}, 0);
  assert_int_equal(response.status, 422);
  assert_null(response.schema);
  assert_non_null(response.detail);
  assert_int_equal(response_key_reused().status, 422);
}

/* Every outcome that does not belong to the request, or comes without its order, is a 503 and never a crash. */
TEST(what_cannot_be_an_answer_is_503)
{
  OPEN;
  struct order_view view = a_view(ORDER_PENDING);
  struct bus_uuid id = {{0x01}};
  static const bool belongs[][ORDER_FINAL + 1] = {
      {[ORDER_ACCEPTED] = 1, [ORDER_REPLAYED] = 1, [ORDER_KEY_REUSED] = 1, [ORDER_FINAL] = 1},
      {[ORDER_FOUND] = 1, [ORDER_NOT_FOUND] = 1},
      {[ORDER_CANCEL_ACCEPTED] = 1, [ORDER_CANCEL_DONE] = 1, [ORDER_CANCEL_TOO_LATE] = 1, [ORDER_NOT_FOUND] = 1},
  };
  for (int outcome = 0; outcome <= ORDER_FINAL; outcome++) {
    struct order_answer whole = {outcome, &view}, hollow = {outcome, NULL};
    struct response responses[][2] = {{response_place(&whole, 0), response_place(&hollow, 0)},
                                      {response_get(&whole), response_get(&hollow)},
                                      {response_cancel(&whole, &id, arena), response_cancel(&hollow, &id, arena)}};
    for (size_t i = 0; i < BUS_COUNT(responses); i++) {
      assert_int_equal(responses[i][0].status == 503, !belongs[i][outcome]);
      bool needs_none = outcome == ORDER_KEY_REUSED || outcome == ORDER_NOT_FOUND || outcome == ORDER_CANCEL_ACCEPTED;
      assert_int_equal(responses[i][1].status == 503, !(belongs[i][outcome] && needs_none));
      if (responses[i][0].status == 503)
        assert_int_equal(responses[i][0].refusal, REFUSAL_BAD_ANSWER);
    }
  }
  CLOSE;
}

/* All that is known, whatever was asked for. */
#define ONLY_ACCEPTED                                                                                                  \
  "{\"order_id\":\"" ID                                                                                                \
  "\",\"customer_id\":null,\"status\":\"ACCEPTED\",\"reason\":null,\"items\":null,\"total\":null,"                     \
  "\"currency\":null,\"refunded\":null,\"created_at\":null,\"updated_at\":null,\"version\":null,\"pay_by\":null}"

TEST(an_order_accepted_on_the_confirm_is_202_and_repeats_nothing_of_the_request)
{
  OPEN;
  struct bus_uuid id = {{0x01}};
  struct response response = response_place_accepted(&id, arena);
  assert_int_equal(response.status, 202);
  assert_int_equal(response.retry_after_s, 1);
  assert_true(bus_uuid_equal(&response.location, &id));
  assert_body(&response, ONLY_ACCEPTED);
  CLOSE;
}

TEST(an_order_that_only_the_edge_knows_is_200_accepted)
{
  OPEN;
  struct bus_uuid id = {{0x01}};
  struct response response = response_accepted(200, &id, arena);
  assert_int_equal(response.status, 200);
  assert_int_equal(response.retry_after_s, 1);
  assert_body(&response, ONLY_ACCEPTED);
  CLOSE;
}

/* Compares the members of a schema with those of an accepted order, from the first on; → how many there are. */
static size_t same_members(const struct bus_schema *schema, size_t first) {
  size_t count = first;
  for (size_t i = 0; i < schema->field_count; i++)
    if (schema->fields[i].kind == BUS_KIND_EMBED)
      count = same_members(schema->fields[i].item, count);
    else
      assert_string_equal(accepted_order_schema.fields[count++].name, schema->fields[i].name);
  return count;
}

/* Clients must see one shape: every member of an order, in its order. */
TEST(an_accepted_order_has_the_members_of_an_order)
{
  responses_init();
  assert_int_equal(same_members(&order_view_schema, 0), accepted_order_schema.field_count);
}

TEST(an_order_is_found_or_404_with_retry_after)
{
  struct order_view view = a_view(ORDER_PAID);
  assert_int_equal(response_get(&(struct order_answer){ORDER_FOUND, &view}).status, 200);
  struct response response = response_get(&(struct order_answer){ORDER_NOT_FOUND, NULL});
  assert_int_equal(response.status, 404);
  assert_int_equal(response.retry_after_s, 1);
}

TEST(cancel_is_202_then_200_or_409_with_the_status)
{
  OPEN;
  struct bus_uuid id = {{0x01}};
  struct order_view view = a_view(ORDER_COMPENSATING);
  assert_int_equal(response_cancel(&(struct order_answer){ORDER_CANCEL_ACCEPTED, &view}, &id, arena).status, 202);
  view = a_view(ORDER_CANCELLED);
  assert_int_equal(response_cancel(&(struct order_answer){ORDER_CANCEL_DONE, &view}, &id, arena).status, 200);
  view = a_view(ORDER_CONFIRMED);
  struct response response = response_cancel(&(struct order_answer){ORDER_CANCEL_TOO_LATE, &view}, &id, arena);
  assert_int_equal(response.status, 409);
  assert_string_equal(response.detail, "the order is CONFIRMED and can no longer be cancelled");
  assert_int_equal(response_cancel(&(struct order_answer){ORDER_NOT_FOUND, NULL}, &id, arena).status, 404);
  CLOSE;
}

TEST(a_payment_is_202_then_200_or_409_with_the_status)
{
  OPEN;
  static const struct {
    int outcome;
    enum order_status order;
    int status, retry_after_s;
    const char *detail;
  } cases[] = {
      {ORDER_PAY_ACCEPTED, ORDER_AWAITING_PAYMENT, 202, 0, NULL},
      {ORDER_REPLAYED, ORDER_CONFIRMED, 200, 0, NULL},
      {ORDER_KEY_REUSED, ORDER_CONFIRMED, 422, 0, "this idempotency key was used with another request"},
      {ORDER_PAY_OPEN, ORDER_AWAITING_PAYMENT, 409, 1,
       "the order is AWAITING_PAYMENT, and its last payment may still be captured"},
      {ORDER_PAY_NOT_DUE, ORDER_CANCELLED, 409, 0, "the order is CANCELLED and awaits no payment"},
      {ORDER_PAY_SPENT, ORDER_AWAITING_PAYMENT, 409, 0,
       "the order is AWAITING_PAYMENT, and too many payments of it have failed"},
      {ORDER_NOT_FOUND, ORDER_CANCELLED, 404, 1, "no such order"},
      {ORDER_CANCEL_DONE, ORDER_CANCELLED, 503, 1, NULL},
  };
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    struct order_view view = a_view(cases[i].order);
    struct response response = response_pay(&(struct order_answer){cases[i].outcome, &view}, arena);
    assert_int_equal(response.status, cases[i].status);
    assert_int_equal(response.replayed, cases[i].outcome == ORDER_REPLAYED);
    if (response.status < 500)
      assert_int_equal(response.retry_after_s, cases[i].retry_after_s);
    if (cases[i].detail)
      assert_string_equal(response.detail, cases[i].detail);
  }
  CLOSE;
}

/* On the broker's confirm, or on order-svc's word that it keeps the cancel until the order comes. */
TEST(a_cancel_that_comes_before_its_order_is_202_and_claims_nothing)
{
  OPEN;
  struct bus_uuid id = {{0x01}};
  const struct order_answer kept = {ORDER_CANCEL_ACCEPTED, NULL};
  struct response responses[] = {response_accepted(202, &id, arena), response_cancel(&kept, &id, arena)};
  for (size_t i = 0; i < BUS_COUNT(responses); i++) {
    assert_int_equal(responses[i].status, 202);
    assert_int_equal(responses[i].retry_after_s, 1);
    assert_body(&responses[i], ONLY_ACCEPTED);
  }
  CLOSE;
}

TEST(events_are_a_list_with_a_cursor)
{
  OPEN;
  struct order_event_view event = {1, BUS_STR("created"), INT64_C(1700000000000000), BUS_STR("{\"x\":1}")};
  struct order_history history = {ORDER_FOUND, &event, 1, 1};
  struct response response = response_events(&history, false, arena);
  assert_int_equal(response.status, 200);
  assert_body(&response, "{\"items\":[{\"seq\":1,\"type\":\"created\",\"at\":\"2023-11-14T22:13:20.000Z\","
                         "\"data\":{\"x\":1}}],\"next_cursor\":\"1\"}");
  history.next_after_seq = BUS_NO_INT64;
  response = response_events(&history, false, arena);
  assert_body(&response, "{\"items\":[{\"seq\":1,\"type\":\"created\",\"at\":\"2023-11-14T22:13:20.000Z\","
                         "\"data\":{\"x\":1}}],\"next_cursor\":null}");
  CLOSE;
}

TEST(an_accepted_order_has_no_events_yet)
{
  OPEN;
  struct order_history history = {ORDER_NOT_FOUND, NULL, 0, BUS_NO_INT64};
  struct response response = response_events(&history, true, arena);
  assert_int_equal(response.status, 200);
  assert_int_equal(response.retry_after_s, 1);
  assert_body(&response, "{\"items\":[],\"next_cursor\":null}");
  assert_int_equal(response_events(&history, false, arena).status, 404);
  CLOSE;
}

TEST(orders_are_a_list_with_a_cursor)
{
  OPEN;
  struct order_page page = {.items = NULL, .next_cursor = BUS_NO_STR};
  struct response response = response_found(&order_page_schema, &page);
  assert_int_equal(response.status, 200);
  assert_body(&response, "{\"items\":[],\"next_cursor\":null}");
  CLOSE;
}

TEST(products_are_found_or_404)
{
  OPEN;
  struct product_view view = {.product_id = BUS_STR("A"),
                              .name = BUS_STR("An A"),
                              .price = 999,
                              .currency = BUS_STR("EUR"),
                              .on_hand = 5,
                              .reserved = 2,
                              .version = 3,
                              .stock_version = 8};
  struct response response = response_product(&(struct inventory_answer){INVENTORY_FOUND, &view}, NULL);
  assert_int_equal(response.status, 200);
  assert_body(&response, "{\"product_id\":\"A\",\"name\":\"An A\",\"price\":999,\"currency\":\"EUR\",\"on_hand\":5,"
                         "\"reserved\":2,\"version\":3,\"withdrawn\":false,\"stock_version\":8}");
  assert_int_equal(response_product(&(struct inventory_answer){INVENTORY_NOT_FOUND, NULL}, NULL).status, 404);
  assert_int_equal(response_product(&(struct inventory_answer){INVENTORY_FOUND, NULL}, NULL).status, 503);
  assert_int_equal(response_product(&(struct inventory_answer){INVENTORY_UPDATED, &view}, NULL).status, 503);
  assert_int_equal(response_found(&product_page_schema, &(struct product_page){.items = &view, .item_count = 1}).status,
                   200);
  CLOSE;
}

TEST(an_update_is_200_404_or_422_and_202_on_the_confirm)
{
  OPEN;
  struct product_view view = {.product_id = BUS_STR("A"),
                              .name = BUS_STR("An A"),
                              .price = 999,
                              .currency = BUS_STR("EUR"),
                              .on_hand = 5,
                              .reserved = 2,
                              .version = 3};
  assert_int_equal(response_stock(&(struct inventory_answer){INVENTORY_UPDATED, &view}, arena).status, 200);
  assert_int_equal(response_stock(&(struct inventory_answer){INVENTORY_FOUND, &view}, arena).status, 200);
  assert_int_equal(response_stock(&(struct inventory_answer){INVENTORY_NOT_FOUND, NULL}, arena).status, 404);
  assert_int_equal(response_stock(&(struct inventory_answer){INVENTORY_KEY_REUSED, NULL}, arena).status, 422);
  assert_int_equal(response_stock(&(struct inventory_answer){INVENTORY_UPDATED, NULL}, arena).status, 503);
  assert_int_equal(response_stock(&(struct inventory_answer){99, &view}, arena).status, 503);
  assert_int_equal(response_stock(&(struct inventory_answer){INVENTORY_CHANGED_MEANWHILE, &view}, arena).status, 412);
  assert_int_equal(response_stock(&(struct inventory_answer){INVENTORY_TOO_MUCH, &view}, arena).status, 409);
  assert_int_equal(response_stock(&(struct inventory_answer){INVENTORY_BELOW_RESERVED, NULL}, arena).status, 503);
  struct response refused = response_stock(&(struct inventory_answer){INVENTORY_BELOW_RESERVED, &view}, arena);
  assert_int_equal(refused.status, 409);
  assert_string_equal(refused.detail, "only 5 are on hand; what is reserved cannot be taken away (2)");
  struct response response = response_stock_accepted(BUS_STR("k-1"), arena);
  assert_int_equal(response.status, 202);
  assert_int_equal(response.retry_after_s, 1);
  assert_body(&response, "{\"idempotency_key\":\"k-1\",\"status\":\"ACCEPTED\"}");
  CLOSE;
}

TEST(a_reservation_is_201_200_404_409_or_422)
{
  OPEN;
  struct stock_item item = {BUS_STR("A"), 2, 5};
  struct own_view view = {
      .reservation_id = {{7}}, .items = &item, .item_count = 1, .total = 10, .currency = BUS_STR("EUR")};
  static const struct {
    int outcome, status;
    bool shows;
  } cases[] = {{OWN_MADE, 201, true},   {OWN_FOUND, 200, true},       {OWN_REPEATED, 200, true},  {OWN_DONE, 200, true},
               {OWN_NOT_FOUND, 404, 0}, {OWN_KEY_REUSED, 422, false}, {OWN_TOO_LATE, 409, false}, {99, 503, false}};
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    const struct own_answer answer = {cases[i].outcome, &view, -1, BUS_NO_STR};
    struct response response = response_reservation(&answer, arena);
    assert_int_equal(response.status, cases[i].status);
    assert_ptr_equal(response.schema, cases[i].shows ? &own_view_schema : NULL);
    assert_int_equal(bus_uuid_is_nil(&response.location), cases[i].outcome != OWN_MADE);
    assert_int_equal(response.replayed, cases[i].outcome == OWN_REPEATED);
  }
  const struct own_answer empty = {OWN_DONE, NULL, -1, BUS_NO_STR}, late = {OWN_TOO_LATE, NULL, -1, BUS_NO_STR},
                          reasonless = {OWN_REFUSED, NULL, -1, BUS_NO_STR};
  assert_int_equal(response_reservation(&empty, arena).status, 503);
  assert_int_equal(response_reservation(&late, arena).status, 503);
  assert_int_equal(response_reservation(&reasonless, arena).status, 503);
  CLOSE;
}

TEST(an_uneven_refund_says_which_amounts_are_taken)
{
  OPEN;
  struct payment_view payment = {.currency = BUS_STR("KWD")};
  const struct payment_answer answer = {.outcome = PAYMENT_REFUND_UNEVEN, .payment = &payment},
                              bare = {.outcome = PAYMENT_REFUND_UNEVEN};
  struct response response = response_refund(&answer, arena);
  assert_int_equal(response.status, 409);
  assert_string_equal(response.detail, "amount must be a multiple of 10 in KWD, whose amounts have 3 decimals");
  assert_int_equal(response_refund(&bare, arena).status, 503);
  payment.currency = BUS_STR("XXX");
  assert_int_equal(response_refund(&answer, arena).status, 503);
  CLOSE;
}

TEST(a_refused_reservation_says_why)
{
  OPEN;
  struct own_answer answer = {OWN_REFUSED, NULL, STOCK_OUT_OF_STOCK, BUS_STR("A")};
  assert_string_equal(response_reservation(&answer, arena).detail, "nothing is reserved: out_of_stock (A)");
  answer = (struct own_answer){OWN_REFUSED, NULL, STOCK_TOTAL_TOO_LARGE, BUS_NO_STR};
  assert_string_equal(response_reservation(&answer, arena).detail, "nothing is reserved: total_too_large");
  static const char *const words[] = {
      [OWN_RESERVED] = "sold", [OWN_CONFIRMED] = "sold", [OWN_RELEASED] = "released", [OWN_EXPIRED] = "expired"};
  for (int status = OWN_CONFIRMED; status <= OWN_EXPIRED; status++) {
    struct own_view view = {.status = status};
    answer = (struct own_answer){OWN_TOO_LATE, &view, -1, BUS_NO_STR};
    assert_int_equal(response_reservation(&answer, arena).status, 409);
    assert_non_null(strstr(response_reservation(&answer, arena).detail, words[status]));
  }
  CLOSE;
}

/* Every 503 says when to come again, and has a name for the metric. */
TEST(every_refusal_is_503_with_retry_after)
{
  for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++) {
    struct response response = response_refusal((enum refusal)i);
    assert_int_equal(response.status, 503);
    assert_true(response.retry_after_s >= 1);
    assert_int_equal(response.refusal, i);
    assert_true(strlen(response.detail) > 10);
    for (int k = REFUSAL_NONE; k < i; k++)
      assert_string_not_equal(refusal_name((enum refusal)i), refusal_name((enum refusal)k));
  }
}

TEST(out_of_memory_is_a_refusal)
{
  struct bus_arena *tiny = bus_arena_new(1);
  struct bus_uuid id = {{1}};
  struct order_view view = a_view(ORDER_PAID);
  if (tiny) {
    assert_int_equal(response_accepted(200, &id, tiny).refusal, REFUSAL_NO_MEMORY);
    assert_int_equal(response_place_accepted(&id, tiny).refusal, REFUSAL_NO_MEMORY);
    assert_int_equal(response_accepted(202, &id, tiny).refusal, REFUSAL_NO_MEMORY);
    assert_int_equal(response_cancel(&(struct order_answer){ORDER_CANCEL_TOO_LATE, &view}, &id, tiny).refusal,
                     REFUSAL_NO_MEMORY);
    assert_int_equal(response_events(&(struct order_history){ORDER_FOUND, NULL, 0, 1}, false, tiny).refusal,
                     REFUSAL_NO_MEMORY);
    assert_int_equal(response_stock_accepted(BUS_STR("k"), tiny).refusal, REFUSAL_NO_MEMORY);
    struct product_view product = {.on_hand = 1};
    assert_int_equal(response_stock(&(struct inventory_answer){INVENTORY_BELOW_RESERVED, &product}, tiny).refusal,
                     REFUSAL_NO_MEMORY);
  }
  bus_arena_free(tiny);
}
