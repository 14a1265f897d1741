/* The edge without memory: a request is refused for that and nothing else, and what is remembered stays right. */
#include <bus/topology.h>

#include <test.h>
#include <torture.h>

#include "accepted.h"
#include "decode.h"
#include "responses.h"
#include "settings.h"

static const char body[] = "{\"idempotency_key\":\"k\",\"customer_id\":\"c-1\",\"items\":[{\"product_id\":\"A\","
                           "\"quantity\":1},{\"product_id\":\"B\",\"quantity\":2}],\"payment\":{\"token\":\"pm\"}}";

static bool place(struct bus_arena *arena, const void *context) {
  struct bus_problems problems = {.count = 0};
  struct order_place order;
  bool done = decode_place(bus_str(context), BUS_STR("k"), BUS_STR("pm"), arena, &order, &problems);
  assert_true(done || bus_problems_no_memory(&problems));
  if (done) {
    struct response answer = response_place_accepted(&order.order_id, arena);
    done = answer.status == 202;
    assert_true(done || answer.refusal == REFUSAL_NO_MEMORY);
  }
  bus_refusals_over();
  return done;
}

static bool cancel(struct bus_arena *arena, const void *context) {
  static const struct bus_uuid id = {{1}};
  struct bus_problems problems = {.count = 0};
  struct order_cancel order;
  bool done = decode_cancel(bus_str(context), &id, arena, &order, &problems);
  assert_true(done || bus_problems_no_memory(&problems));
  if (done) {
    struct response answer = response_accepted(202, &id, arena);
    done = answer.status == 202;
    assert_true(done || answer.refusal == REFUSAL_NO_MEMORY);
  }
  bus_refusals_over();
  return done;
}

static bool stock(struct bus_arena *arena, const void *context) {
  struct bus_problems problems = {.count = 0};
  struct stock_request update;
  bool done = decode_stock(bus_str(context), BUS_NO_STR, arena, &update, &problems);
  assert_true(done || bus_problems_no_memory(&problems));
  if (done) {
    struct response answer = response_stock_accepted(update.idempotency_key, arena);
    done = answer.status == 202;
    assert_true(done || answer.refusal == REFUSAL_NO_MEMORY);
  }
  bus_refusals_over();
  return done;
}

TEST(requests)
{
  torture(place, body);
  torture(cancel, "{\"reason\":\"changed my mind\"}");
  torture(stock, "{\"idempotency_key\":\"k\",\"product_id\":\"A\",\"on_hand\":5}");
}

enum { REMEMBERED = 5000, TOLD = 7000 }; /* two slabs, and what displaces the oldest */

static bool remember(struct bus_arena *arena, const void *context) {
  struct accepted *accepted = accepted_new(REMEMBERED);
  bool done = accepted != NULL;
  size_t kept = 0;
  (void)arena;
  for (uint16_t i = 0; accepted && i < TOLD; i++) {
    const struct bus_uuid id = {{1, [12] = (uint8_t)i, [13] = (uint8_t)(i >> 8)}};
    (void)accepted_remember(accepted, &id, bus_str(context), 1);
    enum accepted_verdict verdict = accepted_check(accepted, &id, bus_str(context), 1);
    assert_true(verdict == ACCEPTED_SAME || verdict == ACCEPTED_UNKNOWN);
    kept += verdict == ACCEPTED_SAME;
  }
  bus_refusals_over();
  assert_true(!accepted || accepted_count(accepted) <= kept);
  done = done && kept == TOLD && accepted_count(accepted) == REMEMBERED;
  accepted_free(accepted);
  return done;
}

TEST(what_was_accepted)
{ torture(remember, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"); }

static const char *lookup(void *context, const char *name) {
  (void)context;
  return strcmp(name, "RABBITMQ_URL") == 0 ? "amqp://u:p@h" : NULL;
}

static bool settings(struct bus_arena *arena, const void *context) {
  struct bus_error err = {.code = BUS_OK};
  (void)arena;
  bool done = bus_config_read(context, 1, lookup, NULL, &err);
  bus_refusals_over();
  if (done)
    bus_config_done(context, 1);
  assert_true(done || err.code == BUS_E_NOMEM);
  assert_null(edge_settings.rabbitmq_url.text);
  return done;
}

TEST(settings_of_the_edge)
{ torture(settings, &edge_option_table); }
