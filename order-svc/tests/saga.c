/* The standard order and its messages. */
#include "saga.h"

const struct bus_uuid saga_order_id = {
    {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x57, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x01}};
const struct order_policy saga_policy = {
    .deadline = 60 * BUS_SECOND, .resend = 30 * BUS_SECOND, .pay_later = 15 * BUS_MINUTE};

void saga_bodies_init(struct saga_bodies *b) {
  const struct bus_uuid id = saga_order_id;
  *b = (struct saga_bodies){
      .items = {{BUS_STR("SKU-1"), 2, BUS_NO_INT64}, {BUS_STR("SKU-2"), 1, BUS_NO_INT64}},
      .priced = {{BUS_STR("SKU-1"), 2, 999}, {BUS_STR("SKU-2"), 1, 1}},
      .cancel = {.order_id = id, .customer_id = BUS_STR("c-1")},
      .pay = {.order_id = id,
              .customer_id = BUS_STR("c-1"),
              .pay_id = {{1}},
              .payment_token = BUS_STR("pm_card_visa"),
              .request_hash = BUS_STR(SAGA_HASH)},
      .rejected = {id, STOCK_OUT_OF_STOCK, BUS_STR("SKU-2")},
      .stock = {id},
      .captured = {id, SAGA_TOTAL, BUS_STR("EUR"), BUS_NO_INT64, BUS_NO_INT64},
      .refunded = {id, SAGA_TOTAL, BUS_STR("EUR"), BUS_NO_INT64, BUS_NO_INT64},
      .refusal = {id, BUS_STR("insufficient_funds"), BUS_NO_INT64},
  };
  b->place = (struct order_place){.order_id = id,
                                  .customer_id = BUS_STR("c-1"),
                                  .items = b->items,
                                  .item_count = 2,
                                  .payment_token = BUS_STR("pm_card_visa"),
                                  .request = {.expected_total = SAGA_TOTAL},
                                  .request_hash = BUS_STR(SAGA_HASH),
                                  .wait_ms = BUS_NO_INT64};
  b->reserved = (struct stock_reserved){id, b->priced, 2, SAGA_TOTAL, BUS_STR("EUR")};
}

const void *saga_body(const struct saga_bodies *b, enum order_message message) {
  const void *const bodies[ORDER_MESSAGES] = {
      [ORDER_ON_PLACE] = &b->place,
      [ORDER_ON_CANCEL] = &b->cancel,
      [ORDER_ON_PAY] = &b->pay,
      [ORDER_ON_STOCK_RESERVED] = &b->reserved,
      [ORDER_ON_STOCK_REJECTED] = &b->rejected,
      [ORDER_ON_STOCK_RELEASED] = &b->stock,
      [ORDER_ON_STOCK_MISSING] = &b->rejected,
      [ORDER_ON_STOCK_HELD] = &b->stock,
      [ORDER_ON_STOCK_COMMITTED] = &b->stock,
      [ORDER_ON_PAYMENT_CAPTURED] = &b->captured,
      [ORDER_ON_PAYMENT_DECLINED] = &b->refusal,
      [ORDER_ON_PAYMENT_FAILED] = &b->refusal,
      [ORDER_ON_PAYMENT_REFUNDED] = &b->refunded,
  };
  return bodies[message];
}

void saga_init(struct saga *saga) {
  saga->arena = bus_arena_new(1 << 20);
  assert_non_null(saga->arena);
  saga_bodies_init(&saga->bodies);
  order_init(&saga->order, &saga_order_id);
  saga->now = SAGA_START;
}

void saga_done(struct saga *saga) {
  bus_arena_free(saga->arena);
}

static void keep_cancel(struct saga *saga, const struct order_cancel *cancel) {
  struct order_tombstone *tombstone = bus_arena_alloc(saga->arena, sizeof *tombstone);
  assert_non_null(tombstone);
  *tombstone = (struct order_tombstone){
      .customer_id = cancel->customer_id, .reason = cancel->reason, .next = saga->order.tombstones};
  saga->order.tombstones = tombstone;
}

static void keep_attempt(struct saga *saga, const struct order_fact *fact) {
  struct order_attempt *attempt = bus_arena_alloc(saga->arena, sizeof *attempt);
  assert_non_null(attempt);
  *attempt = (struct order_attempt){saga_order_id, fact->pay_id, fact->request_hash, saga->order.tried};
  saga->order.tried = attempt;
}

void saga_tell_body(struct saga *saga, enum order_message message, const void *body) {
  int before = saga->order.status;
  assert_true(order_decide(&saga->order, message, body, saga->now, saga->arena, &saga->last));
  for (size_t i = 0; i < saga->last.fact_count; i++)
    order_evolve(&saga->order, &saga->last.facts[i], saga->now);
  if (saga->last.fact_count > 0 && saga->last.facts[0].type == FACT_PAYMENT_REQUESTED)
    keep_attempt(saga, &saga->last.facts[0]);
  if (saga->last.keeps_cancel)
    keep_cancel(saga, body);
  if (saga->order.status == ORDER_NONE)
    return;
  order_schedule(&saga->order, before, message == ORDER_ON_DEADLINE, &saga_policy, saga->now);
  assert_true(order_is_valid(&saga->order));
}

void saga_tell(struct saga *saga, enum order_message message) {
  if (message == ORDER_ON_DEADLINE && saga->order.deadline != BUS_NO_TIME)
    saga->now = saga->order.deadline;
  saga_tell_body(saga, message, saga_body(&saga->bodies, message));
}

/* As the release before left it when the money was there. */
static void leave_paid(struct saga *saga) {
  const struct order_fact paid = {.type = FACT_PAID, .amount = saga->bodies.captured.amount};
  order_evolve(&saga->order, &paid, saga->now);
  order_schedule(&saga->order, ORDER_RESERVED, false, &saga_policy, saga->now);
  assert_true(order_is_valid(&saga->order));
}

/* The order is paid later, by one attempt. */
static void saga_pay_later(struct saga *saga) {
  struct saga_bodies *b = &saga->bodies;
  b->place.pay_later = true;
  b->place.payment_token = BUS_NO_STR;
  b->captured.attempt = b->refunded.attempt = b->refusal.attempt = 1;
}

void saga_bring_to(struct saga *saga, int state) {
  static const enum order_message ways[ORDER_STATES + 1][6] = {
      [ORDER_PENDING] = {ORDER_ON_PLACE, ORDER_MESSAGES},
      [ORDER_RESERVED] = {ORDER_ON_PLACE, ORDER_ON_STOCK_RESERVED, ORDER_MESSAGES},
      [ORDER_PAID] = {ORDER_ON_PLACE, ORDER_ON_STOCK_RESERVED, ORDER_MESSAGES},
      [ORDER_COMPENSATING] = {ORDER_ON_PLACE, ORDER_ON_STOCK_RESERVED, ORDER_ON_CANCEL, ORDER_MESSAGES},
      [ORDER_CONFIRMED] = {ORDER_ON_PLACE, ORDER_ON_STOCK_RESERVED, ORDER_ON_PAYMENT_CAPTURED, ORDER_MESSAGES},
      [ORDER_REJECTED] = {ORDER_ON_PLACE, ORDER_ON_STOCK_REJECTED, ORDER_MESSAGES},
      [ORDER_CANCELLED] = {ORDER_ON_PLACE, ORDER_ON_STOCK_RESERVED, ORDER_ON_CANCEL, ORDER_ON_STOCK_RELEASED,
                           ORDER_ON_PAYMENT_REFUNDED, ORDER_MESSAGES},
      [ORDER_AWAITING_PAYMENT] = {ORDER_ON_PLACE, ORDER_ON_STOCK_RESERVED, ORDER_MESSAGES},
      [SAGA_PAYING] = {ORDER_ON_PLACE, ORDER_ON_STOCK_RESERVED, ORDER_ON_PAY, ORDER_MESSAGES},
      [ORDER_NONE] = {ORDER_MESSAGES},
      [ORDER_TOMBSTONE] = {ORDER_ON_CANCEL, ORDER_MESSAGES},
  };
  saga->bodies.cancel.accepted = state == ORDER_TOMBSTONE;
  if (state == ORDER_AWAITING_PAYMENT || state == SAGA_PAYING)
    saga_pay_later(saga);
  for (size_t i = 0; ways[state][i] != ORDER_MESSAGES; i++)
    saga_tell(saga, ways[state][i]);
  if (state == ORDER_PAID)
    leave_paid(saga);
  saga->bodies.cancel.accepted = false;
  assert_int_equal(order_state_for(&saga->order, ORDER_ON_CANCEL, &saga->bodies.cancel),
                   state == SAGA_PAYING ? ORDER_AWAITING_PAYMENT : state);
}
