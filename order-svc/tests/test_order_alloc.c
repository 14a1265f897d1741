/* order-svc's decisions without memory: a batch that cannot be decided says so, and is not committed. */
#include "order_queries.h"
#include "rig.h"

#include <torture.h>

struct cell {
  int state;
  enum order_message message;
};

static bool decide(struct bus_arena *arena, const void *context) {
  static struct rig rig;
  const struct cell *cell = context;
  struct order_model *model = NULL;
  struct bus_effects effects;
  bus_refusals_pause(true);
  rig_init(&rig);
  rig.bodies.cancel.reason = BUS_STR("no longer needed");
  struct bus_envelope *envelope = rig_add(&rig, cell->message);
  if (envelope)
    envelope->reply_to = BUS_STR("edge.reply.1");
  rig.bodies.place.wait_ms = 1000;
  struct order stored = rig_order(&rig, cell->state == ORDER_NONE ? ORDER_PENDING : cell->state);
  rig.now += BUS_HOUR; /* deadlines have come */
  bus_refusals_pause(false);
  bus_effects_init(&effects, arena, &rig.ids, rig.now, "order-svc");
  bool done = order_model_new(rig.inputs, rig.input_count, &saga_policy, &rig_unpaid_limits, arena, &model);
  if (done) {
    struct order_entry *entry = order_model_find(model, &saga_order_id);
    if (cell->state != ORDER_NONE)
      entry->now = stored;
    bus_effects_begin(&effects, &rig.inputs[0]);
    order_decide_input(model, &rig.inputs[0], &effects);
    assert_int_equal(bus_effects_end(&effects), BUS_DONE); /* not the message's fault */
    done = !effects.failed;
  }
  bus_refusals_over();
  assert_true(!done || effects.count > 0 || cell->state == ORDER_CANCELLED);
  rig_done(&rig);
  return done;
}

TEST(every_step_of_a_saga)
{
  static const struct cell cells[] = {
      {ORDER_NONE, ORDER_ON_PLACE},
      {ORDER_TOMBSTONE, ORDER_ON_PLACE},
      {ORDER_PENDING, ORDER_ON_PLACE},
      {ORDER_PENDING, ORDER_ON_STOCK_RESERVED},
      {ORDER_PENDING, ORDER_ON_STOCK_REJECTED},
      {ORDER_PENDING, ORDER_ON_CANCEL},
      {ORDER_PENDING, ORDER_ON_DEADLINE},
      {ORDER_RESERVED, ORDER_ON_PAYMENT_CAPTURED},
      {ORDER_RESERVED, ORDER_ON_PAYMENT_DECLINED},
      {ORDER_RESERVED, ORDER_ON_PAYMENT_FAILED},
      {ORDER_RESERVED, ORDER_ON_CANCEL},
      {ORDER_RESERVED, ORDER_ON_DEADLINE},
      {ORDER_RESERVED, ORDER_ON_STOCK_REJECTED},
      {ORDER_PAID, ORDER_ON_DEADLINE},
      {ORDER_CONFIRMED, ORDER_ON_STOCK_HELD},
      {ORDER_CONFIRMED, ORDER_ON_STOCK_MISSING},
      {ORDER_CONFIRMED, ORDER_ON_CANCEL},
      {ORDER_CANCELLED, ORDER_ON_PAYMENT_CAPTURED},
  };
  for (size_t i = 0; i < BUS_COUNT(cells); i++)
    torture(decide, &cells[i]);
}

/* ---- queries ---- */

enum { FOUND, TOGETHER, PAGE, QUESTIONS };

/* One order was found for each question. */
static bool answer(struct bus_arena *arena, const void *context) {
  const struct order_get get = {.order_id = saga_order_id};
  struct order_get gets[] = {get, {.order_id = {{1}}}};
  const struct order_get_many many = {gets, BUS_COUNT(gets)};
  const struct order_list list = {.status = -1, .limit = 1};
  const struct bus_envelope envelope = {.reply_to = BUS_STR("edge.reply.1"), .first_failed_at = BUS_NO_TIME};
  const struct bus_input inputs[QUESTIONS] = {
      [FOUND] = {.kind = BUS_INPUT_DELIVERY, .type = &order_get_type, .envelope = &envelope, .body = &get},
      [TOGETHER] = {.kind = BUS_INPUT_DELIVERY, .type = &order_get_many_type, .envelope = &envelope, .body = &many},
      [PAGE] = {.kind = BUS_INPUT_DELIVERY, .type = &order_list_type, .envelope = &envelope, .body = &list},
  };
  static struct rig rig;
  struct order_query_model *model = NULL;
  struct bus_effects effects;
  bus_refusals_pause(true);
  rig_init(&rig);
  struct order found = rig_order(&rig, ORDER_PENDING);
  bus_refusals_pause(false);
  const struct bus_input *input = &inputs[*(const int *)context];
  bus_effects_init(&effects, arena, &rig.ids, rig.now, "order-svc");
  bool done = order_query_model_new(input, 1, arena, &model);
  if (done) {
    model->asked[0].page.items = &found;
    model->asked[0].page.count = 1;
    bus_effects_begin(&effects, input);
    order_query_decide(model, input, &effects);
    assert_int_equal(bus_effects_end(&effects), BUS_DONE);
    done = !effects.failed;
  }
  bus_refusals_over();
  assert_true(!done || effects.count == 1);
  rig_done(&rig);
  return done;
}

TEST(every_kind_of_question)
{
  for (int question = 0; question < QUESTIONS; question++)
    torture(answer, &question);
}
