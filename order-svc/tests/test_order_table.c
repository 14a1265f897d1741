/* Every cell of the table, told what it must do in other words than the table's own. */
#include "saga.h"

/* The effect of one message on the standard order in one state. */
struct expected {
  int status;   /* afterwards */
  size_t facts; /* how many happen */
  unsigned sends;
  int outcome;
  bool alarm, parked;
};

#define NOTHING(state)                                                                                                 \
  { (state), 0, 0, ORDER_NO_OUTCOME, false, false }
#define ALARM(state)                                                                                                   \
  { (state), 0, 0, ORDER_NO_OUTCOME, true, false }
#define PARKED                                                                                                         \
  { ORDER_NONE, 0, 0, ORDER_NO_OUTCOME, false, true }
#define ANSWER(state, what)                                                                                            \
  { (state), 0, 0, (what), false, false }
#define MOVE(state, facts, sends)                                                                                      \
  { (state), (facts), (sends), ORDER_NO_OUTCOME, false, false }

static void check_row(int state, const struct expected row[ORDER_MESSAGES]) {
  for (int message = 0; message < ORDER_MESSAGES; message++) {
    const struct expected *want = &row[message];
    struct saga saga;
    saga_init(&saga);
    saga_bring_to(&saga, state);
    int64_t version = saga.order.version;
    saga_tell(&saga, (enum order_message)message);
    print_message("%s + %s\n", order_state_name(saga.order.status), order_saga.messages[message].name);
    assert_int_equal(saga.order.status, want->status);
    assert_int_equal(saga.last.fact_count, want->facts);
    assert_int_equal(saga.order.version, version + (int64_t)want->facts);
    assert_int_equal(saga.last.sends, want->sends);
    assert_int_equal(saga.last.outcome, want->outcome);
    assert_int_equal(saga.last.alarm != NULL, want->alarm);
    assert_int_equal(saga.last.unusable != NULL, want->parked);
    saga_done(&saga);
  }
}

TEST(no_order)
{
  static const struct expected row[ORDER_MESSAGES] = {
      [ORDER_ON_PLACE] = {ORDER_PENDING, 1, SEND_RESERVE, ORDER_ACCEPTED, false, false},
      [ORDER_ON_CANCEL] = ANSWER(ORDER_NONE, ORDER_NOT_FOUND),
      [ORDER_ON_PAY] = ANSWER(ORDER_NONE, ORDER_NOT_FOUND),
      [ORDER_ON_STOCK_RESERVED] = PARKED,
      [ORDER_ON_STOCK_REJECTED] = PARKED,
      [ORDER_ON_STOCK_RELEASED] = PARKED,
      [ORDER_ON_STOCK_MISSING] = PARKED,
      [ORDER_ON_STOCK_HELD] = ALARM(ORDER_NONE),
      [ORDER_ON_STOCK_COMMITTED] = PARKED,
      [ORDER_ON_PAYMENT_CAPTURED] = PARKED,
      [ORDER_ON_PAYMENT_DECLINED] = PARKED,
      [ORDER_ON_PAYMENT_FAILED] = PARKED,
      [ORDER_ON_PAYMENT_REFUNDED] = PARKED,
      [ORDER_ON_DEADLINE] = NOTHING(ORDER_NONE),
  };
  check_row(ORDER_NONE, row);
}

TEST(tombstone)
{
  static const struct expected row[ORDER_MESSAGES] = {
      [ORDER_ON_PLACE] = {ORDER_CANCELLED, 4, 0, ORDER_ACCEPTED, false, false},
      [ORDER_ON_CANCEL] = ANSWER(ORDER_NONE, ORDER_CANCEL_ACCEPTED),
      [ORDER_ON_PAY] = ANSWER(ORDER_NONE, ORDER_NOT_FOUND),
      [ORDER_ON_STOCK_RESERVED] = PARKED,
      [ORDER_ON_STOCK_REJECTED] = PARKED,
      [ORDER_ON_STOCK_RELEASED] = PARKED,
      [ORDER_ON_STOCK_MISSING] = PARKED,
      [ORDER_ON_STOCK_HELD] = ALARM(ORDER_NONE),
      [ORDER_ON_STOCK_COMMITTED] = PARKED,
      [ORDER_ON_PAYMENT_CAPTURED] = PARKED,
      [ORDER_ON_PAYMENT_DECLINED] = PARKED,
      [ORDER_ON_PAYMENT_FAILED] = PARKED,
      [ORDER_ON_PAYMENT_REFUNDED] = PARKED,
      [ORDER_ON_DEADLINE] = NOTHING(ORDER_NONE),
  };
  check_row(ORDER_TOMBSTONE, row);
}

TEST(pending)
{
  static const struct expected row[ORDER_MESSAGES] = {
      [ORDER_ON_PLACE] = ANSWER(ORDER_PENDING, ORDER_REPLAYED),
      [ORDER_ON_CANCEL] = {ORDER_COMPENSATING, 1, SEND_RELEASE, ORDER_CANCEL_ACCEPTED, false, false},
      [ORDER_ON_PAY] = ANSWER(ORDER_PENDING, ORDER_PAY_NOT_DUE),
      [ORDER_ON_STOCK_RESERVED] = MOVE(ORDER_RESERVED, 1, SEND_CHARGE),
      [ORDER_ON_STOCK_REJECTED] = MOVE(ORDER_REJECTED, 1, 0),
      [ORDER_ON_STOCK_RELEASED] = NOTHING(ORDER_PENDING),
      [ORDER_ON_STOCK_MISSING] = ALARM(ORDER_PENDING),
      [ORDER_ON_STOCK_HELD] = NOTHING(ORDER_PENDING),
      [ORDER_ON_STOCK_COMMITTED] = ALARM(ORDER_PENDING),
      [ORDER_ON_PAYMENT_CAPTURED] = ALARM(ORDER_PENDING),
      [ORDER_ON_PAYMENT_DECLINED] = NOTHING(ORDER_PENDING),
      [ORDER_ON_PAYMENT_FAILED] = NOTHING(ORDER_PENDING),
      [ORDER_ON_PAYMENT_REFUNDED] = NOTHING(ORDER_PENDING),
      [ORDER_ON_DEADLINE] = MOVE(ORDER_COMPENSATING, 1, SEND_RELEASE),
  };
  check_row(ORDER_PENDING, row);
}

TEST(reserved)
{
  static const struct expected row[ORDER_MESSAGES] = {
      [ORDER_ON_PLACE] = ANSWER(ORDER_RESERVED, ORDER_REPLAYED),
      [ORDER_ON_CANCEL] = {ORDER_COMPENSATING, 1, SEND_RELEASE | SEND_REFUND, ORDER_CANCEL_ACCEPTED, false, false},
      [ORDER_ON_PAY] = ANSWER(ORDER_RESERVED, ORDER_PAY_NOT_DUE),
      [ORDER_ON_STOCK_RESERVED] = NOTHING(ORDER_RESERVED),
      [ORDER_ON_STOCK_REJECTED] = {ORDER_COMPENSATING, 1, SEND_RELEASE | SEND_REFUND, ORDER_NO_OUTCOME, true, false},
      [ORDER_ON_STOCK_RELEASED] = NOTHING(ORDER_RESERVED),
      [ORDER_ON_STOCK_MISSING] = ALARM(ORDER_RESERVED),
      [ORDER_ON_STOCK_HELD] = NOTHING(ORDER_RESERVED),
      [ORDER_ON_STOCK_COMMITTED] = ALARM(ORDER_RESERVED),
      [ORDER_ON_PAYMENT_CAPTURED] = MOVE(ORDER_CONFIRMED, 1, 0),
      [ORDER_ON_PAYMENT_DECLINED] = MOVE(ORDER_COMPENSATING, 2, SEND_RELEASE),
      [ORDER_ON_PAYMENT_FAILED] = MOVE(ORDER_COMPENSATING, 2, SEND_RELEASE),
      [ORDER_ON_PAYMENT_REFUNDED] = MOVE(ORDER_RESERVED, 1, 0),
      [ORDER_ON_DEADLINE] = MOVE(ORDER_COMPENSATING, 1, SEND_RELEASE | SEND_REFUND),
  };
  check_row(ORDER_RESERVED, row);
}

TEST(paid)
{
  static const struct expected row[ORDER_MESSAGES] = {
      [ORDER_ON_PLACE] = ANSWER(ORDER_PAID, ORDER_REPLAYED),
      [ORDER_ON_CANCEL] = ANSWER(ORDER_PAID, ORDER_CANCEL_TOO_LATE),
      [ORDER_ON_PAY] = ANSWER(ORDER_PAID, ORDER_PAY_NOT_DUE),
      [ORDER_ON_STOCK_RESERVED] = NOTHING(ORDER_PAID),
      [ORDER_ON_STOCK_REJECTED] = {ORDER_COMPENSATING, 1, SEND_RELEASE | SEND_REFUND, ORDER_NO_OUTCOME, true, false},
      [ORDER_ON_STOCK_RELEASED] = NOTHING(ORDER_PAID),
      [ORDER_ON_STOCK_MISSING] = ALARM(ORDER_PAID),
      [ORDER_ON_STOCK_HELD] = NOTHING(ORDER_PAID),
      [ORDER_ON_STOCK_COMMITTED] = MOVE(ORDER_CONFIRMED, 1, 0),
      [ORDER_ON_PAYMENT_CAPTURED] = NOTHING(ORDER_PAID),
      [ORDER_ON_PAYMENT_DECLINED] = ALARM(ORDER_PAID),
      [ORDER_ON_PAYMENT_FAILED] = ALARM(ORDER_PAID),
      [ORDER_ON_PAYMENT_REFUNDED] = MOVE(ORDER_PAID, 1, 0),
      [ORDER_ON_DEADLINE] = MOVE(ORDER_CONFIRMED, 1, 0),
  };
  check_row(ORDER_PAID, row);
}

TEST(compensating)
{
  static const struct expected row[ORDER_MESSAGES] = {
      [ORDER_ON_PLACE] = ANSWER(ORDER_COMPENSATING, ORDER_REPLAYED),
      [ORDER_ON_CANCEL] = ANSWER(ORDER_COMPENSATING, ORDER_CANCEL_ACCEPTED),
      [ORDER_ON_PAY] = ANSWER(ORDER_COMPENSATING, ORDER_PAY_NOT_DUE),
      [ORDER_ON_STOCK_RESERVED] = NOTHING(ORDER_COMPENSATING),
      [ORDER_ON_STOCK_REJECTED] = MOVE(ORDER_COMPENSATING, 1, 0),
      [ORDER_ON_STOCK_RELEASED] = MOVE(ORDER_COMPENSATING, 1, 0),
      [ORDER_ON_STOCK_MISSING] = ALARM(ORDER_COMPENSATING),
      [ORDER_ON_STOCK_HELD] = MOVE(ORDER_COMPENSATING, 0, SEND_RELEASE),
      [ORDER_ON_STOCK_COMMITTED] = ALARM(ORDER_COMPENSATING),
      [ORDER_ON_PAYMENT_CAPTURED] = MOVE(ORDER_COMPENSATING, 1, 0),
      [ORDER_ON_PAYMENT_DECLINED] = MOVE(ORDER_COMPENSATING, 1, 0),
      [ORDER_ON_PAYMENT_FAILED] = MOVE(ORDER_COMPENSATING, 1, 0),
      [ORDER_ON_PAYMENT_REFUNDED] = MOVE(ORDER_COMPENSATING, 1, 0),
      [ORDER_ON_DEADLINE] = MOVE(ORDER_COMPENSATING, 0, SEND_RELEASE | SEND_REFUND),
  };
  check_row(ORDER_COMPENSATING, row);
}

TEST(confirmed)
{
  static const struct expected row[ORDER_MESSAGES] = {
      [ORDER_ON_PLACE] = ANSWER(ORDER_CONFIRMED, ORDER_REPLAYED),
      [ORDER_ON_CANCEL] = ANSWER(ORDER_CONFIRMED, ORDER_CANCEL_TOO_LATE),
      [ORDER_ON_PAY] = ANSWER(ORDER_CONFIRMED, ORDER_PAY_NOT_DUE),
      [ORDER_ON_STOCK_RESERVED] = NOTHING(ORDER_CONFIRMED),
      [ORDER_ON_STOCK_REJECTED] = ALARM(ORDER_CONFIRMED),
      [ORDER_ON_STOCK_RELEASED] = NOTHING(ORDER_CONFIRMED),
      [ORDER_ON_STOCK_MISSING] = {ORDER_CONFIRMED, 1, 0, ORDER_NO_OUTCOME, true, false},
      [ORDER_ON_STOCK_HELD] = MOVE(ORDER_CONFIRMED, 0, SEND_CONFIRMED),
      [ORDER_ON_STOCK_COMMITTED] = NOTHING(ORDER_CONFIRMED),
      [ORDER_ON_PAYMENT_CAPTURED] = NOTHING(ORDER_CONFIRMED),
      [ORDER_ON_PAYMENT_DECLINED] = ALARM(ORDER_CONFIRMED),
      [ORDER_ON_PAYMENT_FAILED] = ALARM(ORDER_CONFIRMED),
      [ORDER_ON_PAYMENT_REFUNDED] = MOVE(ORDER_CONFIRMED, 1, 0),
      [ORDER_ON_DEADLINE] = NOTHING(ORDER_CONFIRMED),
  };
  check_row(ORDER_CONFIRMED, row);
}

TEST(rejected)
{
  static const struct expected row[ORDER_MESSAGES] = {
      [ORDER_ON_PLACE] = ANSWER(ORDER_REJECTED, ORDER_REPLAYED),
      [ORDER_ON_CANCEL] = ANSWER(ORDER_REJECTED, ORDER_CANCEL_TOO_LATE),
      [ORDER_ON_PAY] = ANSWER(ORDER_REJECTED, ORDER_PAY_NOT_DUE),
      [ORDER_ON_STOCK_RESERVED] = ALARM(ORDER_REJECTED),
      [ORDER_ON_STOCK_REJECTED] = NOTHING(ORDER_REJECTED),
      [ORDER_ON_STOCK_RELEASED] = NOTHING(ORDER_REJECTED),
      [ORDER_ON_STOCK_MISSING] = ALARM(ORDER_REJECTED),
      [ORDER_ON_STOCK_HELD] = MOVE(ORDER_REJECTED, 0, SEND_RELEASE),
      [ORDER_ON_STOCK_COMMITTED] = ALARM(ORDER_REJECTED),
      [ORDER_ON_PAYMENT_CAPTURED] = ALARM(ORDER_REJECTED),
      [ORDER_ON_PAYMENT_DECLINED] = NOTHING(ORDER_REJECTED),
      [ORDER_ON_PAYMENT_FAILED] = NOTHING(ORDER_REJECTED),
      [ORDER_ON_PAYMENT_REFUNDED] = NOTHING(ORDER_REJECTED),
      [ORDER_ON_DEADLINE] = NOTHING(ORDER_REJECTED),
  };
  check_row(ORDER_REJECTED, row);
}

TEST(cancelled)
{
  static const struct expected row[ORDER_MESSAGES] = {
      [ORDER_ON_PLACE] = ANSWER(ORDER_CANCELLED, ORDER_REPLAYED),
      [ORDER_ON_CANCEL] = ANSWER(ORDER_CANCELLED, ORDER_CANCEL_DONE),
      [ORDER_ON_PAY] = ANSWER(ORDER_CANCELLED, ORDER_PAY_NOT_DUE),
      [ORDER_ON_STOCK_RESERVED] = NOTHING(ORDER_CANCELLED),
      [ORDER_ON_STOCK_REJECTED] = NOTHING(ORDER_CANCELLED),
      [ORDER_ON_STOCK_RELEASED] = NOTHING(ORDER_CANCELLED),
      [ORDER_ON_STOCK_MISSING] = ALARM(ORDER_CANCELLED),
      [ORDER_ON_STOCK_HELD] = MOVE(ORDER_CANCELLED, 0, SEND_RELEASE),
      [ORDER_ON_STOCK_COMMITTED] = ALARM(ORDER_CANCELLED),
      [ORDER_ON_PAYMENT_CAPTURED] = MOVE(ORDER_CANCELLED, 1, 0), /* overtaken by the refund that covers it */
      [ORDER_ON_PAYMENT_DECLINED] = NOTHING(ORDER_CANCELLED),
      [ORDER_ON_PAYMENT_FAILED] = NOTHING(ORDER_CANCELLED),
      [ORDER_ON_PAYMENT_REFUNDED] = NOTHING(ORDER_CANCELLED),
      [ORDER_ON_DEADLINE] = NOTHING(ORDER_CANCELLED),
  };
  check_row(ORDER_CANCELLED, row);
}

#define AWAITS ORDER_AWAITING_PAYMENT
/* Cells that do the same whether an attempt is open or not. */
#define AWAITING_ANYHOW                                                                                                \
  [ORDER_ON_PLACE] = ANSWER(AWAITS, ORDER_REPLAYED), [ORDER_ON_STOCK_RESERVED] = NOTHING(AWAITS),                      \
  [ORDER_ON_STOCK_RELEASED] = NOTHING(AWAITS), [ORDER_ON_STOCK_MISSING] = ALARM(AWAITS),                               \
  [ORDER_ON_STOCK_HELD] = NOTHING(AWAITS), [ORDER_ON_STOCK_COMMITTED] = ALARM(AWAITS),                                 \
  [ORDER_ON_PAYMENT_CAPTURED] = MOVE(ORDER_CONFIRMED, 1, 0)

TEST(awaiting_payment)
{
  static const struct expected row[ORDER_MESSAGES] = {
      AWAITING_ANYHOW,
      [ORDER_ON_PAYMENT_REFUNDED] = NOTHING(AWAITS),
      [ORDER_ON_CANCEL] = {ORDER_COMPENSATING, 1, SEND_RELEASE, ORDER_CANCEL_ACCEPTED, false, false},
      [ORDER_ON_PAY] = {AWAITS, 1, SEND_CHARGE, ORDER_PAY_ACCEPTED, false, false},
      [ORDER_ON_STOCK_REJECTED] = {ORDER_COMPENSATING, 1, SEND_RELEASE, ORDER_NO_OUTCOME, true, false},
      [ORDER_ON_PAYMENT_DECLINED] = NOTHING(AWAITS),
      [ORDER_ON_PAYMENT_FAILED] = NOTHING(AWAITS),
      [ORDER_ON_DEADLINE] = MOVE(ORDER_COMPENSATING, 1, SEND_RELEASE),
  };
  check_row(ORDER_AWAITING_PAYMENT, row);
}

TEST(awaiting_payment_with_an_open_attempt)
{
  static const struct expected row[ORDER_MESSAGES] = {
      AWAITING_ANYHOW,
      [ORDER_ON_PAYMENT_REFUNDED] = MOVE(AWAITS, 1, 0),
      [ORDER_ON_CANCEL] = {ORDER_COMPENSATING, 1, SEND_RELEASE | SEND_REFUND, ORDER_CANCEL_ACCEPTED, false, false},
      [ORDER_ON_PAY] = ANSWER(AWAITS, ORDER_REPLAYED),
      [ORDER_ON_STOCK_REJECTED] = {ORDER_COMPENSATING, 1, SEND_RELEASE | SEND_REFUND, ORDER_NO_OUTCOME, true, false},
      [ORDER_ON_PAYMENT_DECLINED] = MOVE(AWAITS, 1, 0),
      [ORDER_ON_PAYMENT_FAILED] = MOVE(AWAITS, 1, 0),
      [ORDER_ON_DEADLINE] = MOVE(ORDER_COMPENSATING, 1, SEND_RELEASE | SEND_REFUND),
  };
  check_row(SAGA_PAYING, row);
}

TEST(every_cell_is_filled_and_every_story_ends)
{
  struct bus_error err = {.code = BUS_OK};
  if (!bus_saga_check(&order_saga, &err))
    fail_msg("%s", err.text);
}

TEST(only_commands_are_refused)
{
  for (int from = 0; from < ORDER_STATES; from++)
    for (int message = 0; message < ORDER_MESSAGES; message++)
      if (order_rule_of(from, (enum order_message)message)->cell.step == STEP_REFUSE)
        assert_true(message == ORDER_ON_CANCEL || message == ORDER_ON_PAY);
}

TEST(names_of_all_states_and_messages)
{
  assert_string_equal(order_state_name(ORDER_NONE), "none");
  assert_string_equal(order_state_name(ORDER_TOMBSTONE), "tombstone");
  assert_string_equal(order_state_name(ORDER_CANCELLED), "CANCELLED");
  assert_string_equal(order_state_name(ORDER_AWAITING_PAYMENT), "AWAITING_PAYMENT");
  for (int message = 0; message < ORDER_MESSAGES; message++)
    assert_non_null(order_saga.messages[message].name);
  for (int status = 0; status < ORDER_STATUS_COUNT; status++) {
    assert_string_equal(order_state_name(status), order_status_names[status]);
    assert_int_equal(order_saga.states[status].is_final, order_status_is_final(status));
  }
}
