/* order_replay.c: events are made again from the log as they were sent. */
#include <order_replay.h>
#include <test.h>

#define AT(seconds) (INT64_C(1772366400) * BUS_SECOND + (seconds)*BUS_SECOND)
static const struct bus_uuid order_id = {{1, 2, 3}};
static struct bus_arena *arena;
static struct order_replay replay;

static struct order_event_view row_of(int64_t seq, enum order_fact_type type, const struct order_fact *fact) {
  struct order_event_view row = {.seq = seq, .type = bus_str(order_fact_names[type]), .at = AT(seq)};
  struct order_fact whole = *fact;
  whole.type = type;
  assert_true(order_fact_encode(&whole, arena, &row.data));
  return row;
}

static const struct bus_message_type *next(const struct order_event_view *row, struct order_event *body) {
  const struct bus_message_type *type = NULL;
  struct bus_error err = {.code = BUS_OK};
  if (!order_replay_next(&replay, row, &type, body, &err))
    fail_msg("%s", err.text);
  return type;
}

static struct order_fact created(void) {
  static struct order_item items[] = {{.product_id = {"A", 1}, .quantity = 2, .unit_price = BUS_NO_INT64}};
  return (struct order_fact){.customer_id = BUS_STR("ann"),
                             .items = items,
                             .item_count = 1,
                             .request.expected_total = BUS_NO_INT64,
                             .request_hash =
                                 BUS_STR("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
                             .total = BUS_NO_INT64,
                             .amount = BUS_NO_INT64};
}

TEST(events_are_made_again_of_the_facts_that_were_told)
{
  struct order_event body;
  arena = bus_arena_new(1 << 20);
  struct order_fact first = created(), rejected = {.reason = BUS_STR("out_of_stock"), .amount = BUS_NO_INT64};
  order_replay_begin(&replay, &order_id, arena);
  struct order_event_view row = row_of(1, FACT_CREATED, &first);
  assert_ptr_equal(next(&row, &body), &order_created_type);
  assert_true(bus_uuid_equal(&body.order_id, &order_id) && bus_str_is(body.customer_id, "ann"));
  assert_int_equal(body.item_count, 1);
  assert_int_equal(body.items[0].quantity, 2);
  assert_null(body.reason.data);
  row = row_of(2, FACT_REJECTED, &rejected);
  assert_ptr_equal(next(&row, &body), &order_rejected_type);
  assert_true(bus_str_is(body.reason, "out_of_stock"));
  bus_arena_free(arena);
}

TEST(a_fact_that_was_not_told_has_no_event)
{
  struct order_event body;
  arena = bus_arena_new(1 << 20);
  struct order_fact first = created(), undone = {.reason = BUS_STR("timeout"), .amount = BUS_NO_INT64};
  order_replay_begin(&replay, &order_id, arena);
  struct order_event_view row = row_of(1, FACT_CREATED, &first);
  (void)next(&row, &body);
  row = row_of(2, FACT_COMPENSATING, &undone);
  assert_null(next(&row, &body));
  bus_arena_free(arena);
}

TEST(a_log_with_a_gap_or_of_another_form_is_refused)
{
  const struct bus_message_type *type;
  struct order_event body;
  struct bus_error err;
  arena = bus_arena_new(1 << 20);
  struct order_fact first = created();
  order_replay_begin(&replay, &order_id, arena);
  struct order_event_view row = row_of(2, FACT_CREATED, &first);
  assert_false(order_replay_next(&replay, &row, &type, &body, &err));
  assert_string_equal(err.text, "event 2 comes behind event 0");
  row.seq = 1;
  row.type = BUS_STR("order.danced");
  assert_false(order_replay_next(&replay, &row, &type, &body, &err));
  assert_non_null(strstr(err.text, "unknown type order.danced"));
  row.type = BUS_STR("order.created");
  row.data = BUS_STR("{}");
  assert_false(order_replay_next(&replay, &row, &type, &body, &err));
  assert_non_null(strstr(err.text, "event 1 (order.created): "));
  bus_arena_free(arena);
}
