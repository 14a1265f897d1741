/* Sagas at random: messages late, twice, in any order. Whatever happens, money and stock come out right and it ends. */
#include "saga.h"

enum { SAGAS = 4000, FLYING_MAX = 256, STEPS_MAX = 600, LOG_MAX = 64 };

/* xorshift64*: the same seed gives the same saga. */
static uint64_t seed;
static unsigned roll(unsigned sides) {
  seed ^= seed >> 12;
  seed ^= seed << 25;
  seed ^= seed >> 27;
  return (unsigned)((seed * UINT64_C(2685821657736338717)) >> 33) % sides;
}

/* ---- a world of two other services that undo before they do ---- */

enum stock_state { STOCK_NONE, STOCK_HELD, STOCK_SOLD, STOCK_FREE, STOCK_REFUSED };
enum money_state {
  MONEY_NONE,
  MONEY_PROCESSING,
  MONEY_CAPTURED,
  MONEY_DECLINED,
  MONEY_FAILED,
  MONEY_VOIDED,
  MONEY_REFUNDED
};

enum flying_kind { TO_ORDER, TO_SERVICE, FROM_PSP };
struct flying {
  enum flying_kind kind;
  enum order_message message; /* TO_ORDER */
  unsigned command;           /* TO_SERVICE: one SEND_… bit */
  int64_t amount;             /* of payment events */
};

struct world {
  struct saga saga;
  struct flying flying[FLYING_MAX];
  size_t flying_count;
  enum stock_state stock;
  enum money_state money;
  bool refund_noted;
  unsigned charges, confirmations, captures;
  struct order_fact log[LOG_MAX];
  bus_time at[LOG_MAX];
  size_t log_count;
};

static void fly(struct world *world, struct flying message) {
  int copies = roll(6) == 0 ? 2 : 1;
  while (copies-- > 0) {
    assert_true(world->flying_count < FLYING_MAX);
    world->flying[world->flying_count++] = message;
  }
}

static void tell_order(struct world *world, enum order_message message, int64_t amount) {
  fly(world, (struct flying){.kind = TO_ORDER, .message = message, .amount = amount});
}

static void stock_takes(struct world *world, unsigned command) {
  if (command == SEND_CONFIRMED)
    assert_true(world->stock == STOCK_HELD || world->stock == STOCK_SOLD); /* no order is CONFIRMED without its stock */
  if (command == SEND_RESERVE && world->stock == STOCK_NONE)
    world->stock = roll(5) == 0 ? STOCK_REFUSED : STOCK_HELD;
  else if (command == SEND_CONFIRMED)
    world->stock = STOCK_SOLD;
  else if (command == SEND_RELEASE && (world->stock == STOCK_NONE || world->stock == STOCK_HELD))
    world->stock = STOCK_FREE;
  static const enum order_message answers[] = {[STOCK_HELD] = ORDER_ON_STOCK_RESERVED,
                                               [STOCK_FREE] = ORDER_ON_STOCK_RELEASED,
                                               [STOCK_REFUSED] = ORDER_ON_STOCK_REJECTED};
  if (world->stock == STOCK_SOLD)
    return;
  bool refused = world->stock == STOCK_NONE || (world->stock == STOCK_FREE && command != SEND_RELEASE);
  tell_order(world, refused ? ORDER_ON_STOCK_REJECTED : answers[world->stock], 0);
}

static void say_money(struct world *world) {
  switch (world->money) {
  case MONEY_CAPTURED:
    tell_order(world, ORDER_ON_PAYMENT_CAPTURED, SAGA_TOTAL);
    break;
  case MONEY_DECLINED:
    tell_order(world, ORDER_ON_PAYMENT_DECLINED, 0);
    break;
  case MONEY_FAILED:
    tell_order(world, ORDER_ON_PAYMENT_FAILED, 0);
    break;
  case MONEY_VOIDED:
    tell_order(world, ORDER_ON_PAYMENT_REFUNDED, 0);
    break;
  case MONEY_REFUNDED:
    tell_order(world, ORDER_ON_PAYMENT_REFUNDED, SAGA_TOTAL);
    break;
  default:
    break;
  }
}

static void refund(struct world *world) {
  if (world->money == MONEY_CAPTURED)
    world->money = MONEY_REFUNDED;
  say_money(world);
}

static void psp_says(struct world *world) {
  if (world->money != MONEY_PROCESSING)
    return;
  world->money = roll(4) ? MONEY_CAPTURED : roll(2) ? MONEY_DECLINED : MONEY_FAILED;
  world->captures += world->money == MONEY_CAPTURED;
  say_money(world);
  if (world->refund_noted)
    refund(world);
}

static void money_takes(struct world *world, unsigned command) {
  if (command == SEND_CHARGE && world->money == MONEY_NONE) {
    world->money = MONEY_PROCESSING;
    fly(world, (struct flying){.kind = FROM_PSP});
  } else if (command == SEND_CHARGE && world->money == MONEY_VOIDED) {
    tell_order(world, ORDER_ON_PAYMENT_FAILED, 0);
  } else if (command == SEND_CHARGE) {
    say_money(world);
  } else if (world->money == MONEY_PROCESSING) {
    world->refund_noted = true;
  } else {
    if (world->money == MONEY_NONE)
      world->money = MONEY_VOIDED;
    refund(world);
  }
}

/* ---- the order in it ---- */

static void check_decision(struct world *world) {
  const struct order_decision *decision = &world->saga.last;
  assert_null(decision->unusable);
  for (unsigned bit = SEND_RESERVE; bit <= SEND_REFUND; bit <<= 1)
    if (decision->sends & bit)
      fly(world, (struct flying){.kind = TO_SERVICE, .command = bit});
  world->charges += (decision->sends & SEND_CHARGE) != 0;
  assert_true(world->charges <= 1);
  if (decision->sends & SEND_CHARGE)
    assert_true(world->stock != STOCK_NONE); /* no charge before something was reserved */
  for (size_t i = 0; i < decision->fact_count; i++) {
    if (decision->facts[i].type == FACT_CONFIRMED) {
      assert_int_equal(world->captures, 1);
      world->confirmations++;
      fly(world, (struct flying){.kind = TO_SERVICE, .command = SEND_CONFIRMED});
    }
    assert_true(world->log_count < LOG_MAX);
    world->at[world->log_count] = world->saga.now;
    world->log[world->log_count++] = decision->facts[i];
  }
  assert_true(world->confirmations <= 1);
}

static void order_takes(struct world *world, enum order_message message, int64_t amount) {
  struct order *order = &world->saga.order;
  int before = order->status;
  bool was_final = before != ORDER_NONE && order_is_final(order);
  world->saga.bodies.captured.amount = world->saga.bodies.refunded.amount = amount;
  world->saga.now += 1 + roll(1000);
  saga_tell_body(&world->saga, message, saga_body(&world->saga.bodies, message));
  check_decision(world);
  assert_true(!was_final || order->status == before);
  if (order->status != before && order->status != ORDER_CANCELLED && order->status != ORDER_REJECTED)
    assert_int_equal(order->status, order_rule_of(before, message)->cell.next);
}

static void deliver(struct world *world) {
  if (world->stock == STOCK_HELD && roll(16) == 0)
    tell_order(world, ORDER_ON_STOCK_HELD, 0);
  size_t pick = roll((unsigned)world->flying_count);
  struct flying message = world->flying[pick];
  world->flying[pick] = world->flying[--world->flying_count];
  if (message.kind == TO_ORDER)
    order_takes(world, message.message, message.amount);
  else if (message.kind == FROM_PSP)
    psp_says(world);
  else if (message.command == SEND_CHARGE || message.command == SEND_REFUND)
    money_takes(world, message.command);
  else
    stock_takes(world, message.command);
}

static void check_end(const struct world *world) {
  const struct order *order = &world->saga.order;
  assert_true(order_is_final(order));
  assert_true(order->payment_settled);
  if (order->status == ORDER_CONFIRMED) {
    assert_int_equal(world->stock, STOCK_SOLD);
    assert_int_equal(world->money, MONEY_CAPTURED);
    return;
  }
  assert_true(world->stock != STOCK_HELD && world->stock != STOCK_SOLD);
  assert_true(world->money != MONEY_CAPTURED && world->money != MONEY_PROCESSING);
  if (order->status == ORDER_REJECTED)
    assert_int_equal(world->money, MONEY_NONE);
}

/* The row is the fold of the log. */
static void check_fold(const struct world *world) {
  struct order fold;
  order_init(&fold, &saga_order_id);
  for (size_t i = 0; i < world->log_count; i++)
    order_evolve(&fold, &world->log[i], world->at[i]);
  const struct order *order = &world->saga.order;
  assert_int_equal(fold.status, order->status);
  assert_int_equal(fold.version, order->version);
  assert_true(fold.captured == order->captured && fold.refunded == order->refunded);
  assert_true(fold.stock_settled == order->stock_settled && fold.payment_settled == order->payment_settled);
  assert_true(fold.updated_at == order->updated_at);
}

static void run_saga(uint64_t number, bool impatient, size_t finals[ORDER_STATES]) {
  struct world world = {.stock = STOCK_NONE};
  seed = number * UINT64_C(0x9E3779B97F4A7C15) + 1;
  saga_init(&world.saga);
  tell_order(&world, ORDER_ON_PLACE, 0);
  if (roll(3) == 0)
    tell_order(&world, ORDER_ON_CANCEL, 0);
  for (int steps = 0; world.flying_count > 0 || !order_is_final(&world.saga.order); steps++) {
    assert_true(steps < STEPS_MAX);
    if (world.flying_count > 0 && !(impatient && roll(8) == 0 && world.saga.order.status != ORDER_NONE)) {
      deliver(&world);
      continue;
    }
    if (world.saga.order.deadline != BUS_NO_TIME)
      world.saga.now = world.saga.order.deadline;
    order_takes(&world, ORDER_ON_DEADLINE, 0);
  }
  check_end(&world);
  check_fold(&world);
  finals[world.saga.order.status]++;
  saga_done(&world.saga);
}

static void run_sagas(bool impatient) {
  size_t finals[ORDER_STATES] = {0};
  for (uint64_t number = 0; number < SAGAS; number++)
    run_saga(number, impatient, finals);
  print_message("confirmed %zu, rejected %zu, cancelled %zu\n", finals[ORDER_CONFIRMED], finals[ORDER_REJECTED],
                finals[ORDER_CANCELLED]);
  assert_true(finals[ORDER_CONFIRMED] > 0 && finals[ORDER_REJECTED] > 0 && finals[ORDER_CANCELLED] > 0);
}

TEST(messages_in_any_order_and_twice)
{ run_sagas(false); }

TEST(deadlines_at_any_time_too)
{ run_sagas(true); }

/* ---- no world at all: whatever anybody may send ---- */

static void check_nonsense(struct saga *saga, int before, unsigned *charges, unsigned *confirmations) {
  bool was_final = before == ORDER_CONFIRMED || before == ORDER_REJECTED || before == ORDER_CANCELLED;
  *charges += (saga->last.sends & SEND_CHARGE) != 0;
  for (size_t i = 0; i < saga->last.fact_count; i++)
    *confirmations += saga->last.facts[i].type == FACT_CONFIRMED;
  assert_true(*charges <= 1 && *confirmations <= 1);
  if (saga->last.sends & SEND_CHARGE)
    assert_int_equal(saga->order.status, ORDER_RESERVED);
  if (saga->last.sends & SEND_CONFIRMED)
    assert_int_equal(saga->order.status, ORDER_CONFIRMED);
  if (was_final)
    assert_int_equal(saga->order.status, before);
  assert_false((saga->last.sends & SEND_CONFIRMED) && (saga->last.sends & (SEND_RELEASE | SEND_REFUND)));
}

TEST(nonsense_never_breaks_an_order)
{
  static const int64_t amounts[] = {0, 1, SAGA_TOTAL, SAGA_TOTAL + 1, BUS_JSON_INT_MAX};
  for (uint64_t number = 0; number < SAGAS; number++) {
    struct saga saga;
    unsigned charges = 0, confirmations = 0;
    seed = number * UINT64_C(0xD1B54A32D192ED03) + 7;
    saga_init(&saga);
    for (int i = 0; i < 40; i++) {
      int before = saga.order.status;
      enum order_message message = (enum order_message)roll(ORDER_MESSAGES);
      saga.bodies.captured.amount = amounts[roll(BUS_COUNT(amounts))];
      saga.bodies.refunded.amount = amounts[roll(BUS_COUNT(amounts))];
      saga.now += roll(40) * BUS_SECOND;
      saga_tell_body(&saga, message, saga_body(&saga.bodies, message));
      check_nonsense(&saga, before, &charges, &confirmations);
    }
    saga_done(&saga);
  }
}
