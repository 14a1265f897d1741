/* misfit.c: facts in, contradictions and repairs out. */
#include "misfit.h"

#include <test.h>

#define TOTAL 998
#define CAPTURE                                                                                                        \
  { .amount = TOTAL, .currency = BUS_STR("EUR"), .psp_id = BUS_STR("pi_1") }
#define REFUND(money)                                                                                                  \
  { .is_refund = true, .amount = (money), .currency = BUS_STR("EUR"), .psp_id = BUS_STR("re_1") }
#define PAYMENT(what, ...)                                                                                             \
  { .state = (what), .amount = TOTAL, .psp_id = BUS_STR("pi_1"), __VA_ARGS__ }
/* The provider has told no id of it. */
#define UNNAMED(what, number)                                                                                          \
  { .state = (what), .amount = TOTAL, .attempt = (number) }

struct story {
  const char *name;
  struct misfit_facts facts;
  struct misfit_payment payments[3];
  struct misfit_movement movements[3];
  enum misfit_repair repairs[MISFITS_MAX + 1]; /* up to the first BY_HAND behind the last one */
  size_t repair_count;
};

#define FACTS(state, stock_state, payment_number, movement_number, ...)                                                \
  .facts = {.order = (state),                                                                                          \
            .total = TOTAL,                                                                                            \
            .stock = (stock_state),                                                                                    \
            .payment_count = (payment_number),                                                                         \
            .movement_count = (movement_number),                                                                       \
            __VA_ARGS__}
#define FINDS(...)                                                                                                     \
  .repairs = {__VA_ARGS__}, .repair_count = sizeof((enum misfit_repair[]){__VA_ARGS__}) / sizeof(enum misfit_repair)

static void assert_story(const struct story *story, struct misfit found[MISFITS_MAX]) {
  struct misfit_facts facts = story->facts;
  facts.payments = story->payments;
  facts.movements = story->movements;
  size_t count = misfit_find(&facts, found);
  if (count != story->repair_count)
    fail_msg("%s: %zu contradictions, %zu expected; the first: %s", story->name, count, story->repair_count,
             count > 0 ? found[0].text : "none");
  for (size_t i = 0; i < count; i++)
    if (found[i].repair != story->repairs[i] || found[i].text[0] == '\0')
      fail_msg("%s: %s -> %s", story->name, found[i].text, misfit_repair_names[found[i].repair]);
}

static void assert_stories(const struct story *stories, size_t count) {
  struct misfit found[MISFITS_MAX];
  for (size_t i = 0; i < count; i++)
    assert_story(&stories[i], found);
}

TEST(what_fits_is_no_contradiction)
{
  static const struct story stories[] = {
      {.name = "confirmed",
       FACTS(MISFIT_CONFIRMED, MISFIT_STOCK_COMMITTED, 1, 1),
       .payments = {PAYMENT(MISFIT_CAPTURED)},
       .movements = {CAPTURE}},
      {.name = "confirmed, refunded in part and put back",
       FACTS(MISFIT_CONFIRMED, MISFIT_STOCK_RETURNED, 1, 2, .refunded = 100),
       .payments = {PAYMENT(MISFIT_CAPTURED, .refunded = 100)},
       .movements = {CAPTURE, REFUND(100)}},
      {.name = "confirmed, and its stock was missing",
       FACTS(MISFIT_CONFIRMED, MISFIT_STOCK_REJECTED, 1, 1, .stock_missing = true),
       .payments = {PAYMENT(MISFIT_CAPTURED)},
       .movements = {CAPTURE}},
      {.name = "rejected", FACTS(MISFIT_REJECTED, MISFIT_STOCK_REJECTED, 0, 0)},
      {.name = "cancelled before its payment", FACTS(MISFIT_CANCELLED, MISFIT_STOCK_RELEASED, 0, 0)},
      {.name = "cancelled and refunded",
       FACTS(MISFIT_CANCELLED, MISFIT_STOCK_RELEASED, 1, 2, .refunded = TOTAL),
       .payments = {PAYMENT(MISFIT_REFUNDED, .refunded = TOTAL)},
       .movements = {CAPTURE, REFUND(TOTAL)}},
      {.name = "its charge is under way",
       FACTS(MISFIT_RESERVED, MISFIT_STOCK_RESERVED, 1, 0),
       .payments = {PAYMENT(MISFIT_PROCESSING)}},
      {.name = "its charge was carried out, and its payment asks for the outcome",
       FACTS(MISFIT_CONFIRMED, MISFIT_STOCK_COMMITTED, 1, 1),
       .payments = {UNNAMED(MISFIT_PROCESSING, 0)},
       .movements = {CAPTURE}},
      {.name = "undone, and its commands are sent again",
       FACTS(MISFIT_COMPENSATING, MISFIT_STOCK_RESERVED, 1, 1),
       .payments = {PAYMENT(MISFIT_CAPTURED)},
       .movements = {CAPTURE}},
      {.name = "awaits its payment, the first attempt was declined",
       FACTS(MISFIT_AWAITING_PAYMENT, MISFIT_STOCK_RESERVED, 1, 0, .pay_later = true, .attempts = 1,
             .payment_settled = true),
       .payments = {PAYMENT(MISFIT_DECLINED, .attempt = 1)}},
      {.name = "nothing but a refund of a capture that is older than what was read",
       FACTS(MISFIT_NO_ORDER, 0, 0, 1),
       .movements = {REFUND(TOTAL)}},
  };
  assert_stories(stories, BUS_COUNT(stories));
}

TEST(payments_take_over_what_only_the_provider_knows)
{
  static const struct story stories[] = {
      {.name = "no payment",
       FACTS(MISFIT_CONFIRMED, MISFIT_STOCK_COMMITTED, 0, 1),
       .movements = {CAPTURE},
       FINDS(MISFIT_ADOPT)},
      {.name = "a payment of unknown outcome",
       FACTS(MISFIT_CONFIRMED, MISFIT_STOCK_COMMITTED, 1, 1),
       .payments = {PAYMENT(MISFIT_UNKNOWN)},
       .movements = {CAPTURE},
       FINDS(MISFIT_ADOPT)},
      {.name = "a refund of an operator",
       FACTS(MISFIT_CONFIRMED, MISFIT_STOCK_COMMITTED, 1, 2),
       .payments = {PAYMENT(MISFIT_CAPTURED)},
       .movements = {CAPTURE, REFUND(100)},
       FINDS(MISFIT_ADOPT, MISFIT_TELL_REFUNDED)},
      {.name = "a charge under way that was refunded since",
       FACTS(MISFIT_CANCELLED, MISFIT_STOCK_RELEASED, 1, 2, .refunded = TOTAL),
       .payments = {PAYMENT(MISFIT_PROCESSING)},
       .movements = {CAPTURE, REFUND(TOTAL)},
       FINDS(MISFIT_ADOPT)},
      {.name = "a refund that the payment does not know of is asked for before",
       FACTS(MISFIT_CANCELLED, MISFIT_STOCK_RELEASED, 1, 2, .refunded = TOTAL),
       .payments = {PAYMENT(MISFIT_CAPTURED)},
       .movements = {CAPTURE, REFUND(TOTAL)},
       FINDS(MISFIT_ADOPT)},
  };
  assert_stories(stories, BUS_COUNT(stories));
}

TEST(an_adoption_has_the_providers_amounts_and_ids)
{
  static const struct story story = {.name = "refunded in part",
                                     FACTS(MISFIT_CONFIRMED, MISFIT_STOCK_COMMITTED, 0, 2, .refunded = 100),
                                     .movements = {CAPTURE, REFUND(100)},
                                     FINDS(MISFIT_ADOPT)};
  struct misfit found[MISFITS_MAX];
  assert_story(&story, found);
  assert_int_equal(found[0].captured, TOTAL);
  assert_int_equal(found[0].refunded, 100);
  assert_int_equal(found[0].attempt, 0);
  assert_true(bus_str_is(found[0].psp_id, "pi_1") && bus_str_is(found[0].refund_psp_id, "re_1") &&
              bus_str_is(found[0].currency, "EUR"));
  assert_string_equal(found[0].text, "the provider captured 998, and payment-svc has no payment");
}

TEST(a_capture_of_an_order_that_is_paid_later_is_its_last_attempt)
{
  static const struct story stories[] = {
      {.name = "the order knows it",
       FACTS(MISFIT_AWAITING_PAYMENT, MISFIT_STOCK_RESERVED, 1, 1, .pay_later = true, .attempts = 2),
       .payments = {UNNAMED(MISFIT_DECLINED, 1)},
       .movements = {CAPTURE},
       FINDS(MISFIT_ADOPT, MISFIT_TELL_CAPTURED)},
      {.name = "the payments know it",
       FACTS(MISFIT_AWAITING_PAYMENT, MISFIT_STOCK_RESERVED, 2, 1, .pay_later = true, .attempts = 1),
       .payments = {UNNAMED(MISFIT_DECLINED, 1), UNNAMED(MISFIT_UNKNOWN, 2)},
       .movements = {CAPTURE},
       FINDS(MISFIT_ADOPT, MISFIT_TELL_CAPTURED)},
      {.name = "an attempt has the provider's id",
       FACTS(MISFIT_AWAITING_PAYMENT, MISFIT_STOCK_RESERVED, 2, 1, .pay_later = true, .attempts = 3),
       .payments = {UNNAMED(MISFIT_DECLINED, 1), PAYMENT(MISFIT_UNKNOWN, .attempt = 2)},
       .movements = {CAPTURE},
       FINDS(MISFIT_ADOPT, MISFIT_TELL_CAPTURED)},
  };
  struct misfit found[MISFITS_MAX];
  for (size_t i = 0; i < BUS_COUNT(stories); i++) {
    assert_story(&stories[i], found);
    assert_int_equal(found[0].attempt, 2);
    assert_int_equal(found[1].attempt, 2);
  }
  const struct story first = {.name = "nobody knows of an attempt",
                              FACTS(MISFIT_AWAITING_PAYMENT, MISFIT_STOCK_RESERVED, 0, 1, .pay_later = true),
                              .movements = {CAPTURE},
                              FINDS(MISFIT_ADOPT, MISFIT_TELL_CAPTURED)};
  assert_story(&first, found);
  assert_int_equal(found[0].attempt, 1);
}

TEST(what_has_no_order_is_undone)
{
  static const struct story stories[] = {
      {.name = "a reservation", FACTS(MISFIT_NO_ORDER, MISFIT_STOCK_RESERVED, 0, 0), FINDS(MISFIT_RELEASE)},
      {.name = "a sale and its payment",
       FACTS(MISFIT_NO_ORDER, MISFIT_STOCK_COMMITTED, 1, 1),
       .payments = {PAYMENT(MISFIT_CAPTURED)},
       .movements = {CAPTURE},
       FINDS(MISFIT_REFUND, MISFIT_RETURN)},
      {.name = "a charge that only the provider knows",
       FACTS(MISFIT_NO_ORDER, MISFIT_NO_STOCK, 0, 1),
       .movements = {CAPTURE},
       FINDS(MISFIT_ADOPT, MISFIT_REFUND)},
      {.name = "a charge that is under way",
       FACTS(MISFIT_NO_ORDER, MISFIT_STOCK_RESERVED, 1, 0),
       .payments = {PAYMENT(MISFIT_PROCESSING)},
       FINDS(MISFIT_REFUND, MISFIT_RELEASE)},
      {.name = "what was undone before",
       FACTS(MISFIT_NO_ORDER, MISFIT_STOCK_RELEASED, 1, 2),
       .payments = {PAYMENT(MISFIT_REFUNDED, .refunded = TOTAL)},
       .movements = {CAPTURE, REFUND(TOTAL)}},
  };
  assert_stories(stories, BUS_COUNT(stories));
}

TEST(a_saga_gets_the_answer_that_it_waits_for)
{
  static const struct story stories[] = {
      {.name = "no reservation", FACTS(MISFIT_PENDING, MISFIT_NO_STOCK, 0, 0), FINDS(MISFIT_RESERVE)},
      {.name = "a reservation", FACTS(MISFIT_PENDING, MISFIT_STOCK_RESERVED, 0, 0), FINDS(MISFIT_RESERVE)},
      {.name = "a sale, whose payment answers the charge again",
       FACTS(MISFIT_PENDING, MISFIT_STOCK_COMMITTED, 1, 1),
       .payments = {PAYMENT(MISFIT_CAPTURED)},
       .movements = {CAPTURE},
       FINDS(MISFIT_TELL_RESERVED)},
      {.name = "a capture",
       FACTS(MISFIT_RESERVED, MISFIT_STOCK_RESERVED, 1, 1),
       .payments = {PAYMENT(MISFIT_CAPTURED)},
       .movements = {CAPTURE},
       FINDS(MISFIT_TELL_CAPTURED)},
      {.name = "a capture whose reservation is lost: it is sold without",
       FACTS(MISFIT_RESERVED, MISFIT_NO_STOCK, 1, 1),
       .payments = {PAYMENT(MISFIT_CAPTURED)},
       .movements = {CAPTURE},
       FINDS(MISFIT_TELL_CAPTURED)},
      {.name = "a sale that was refunded whole",
       FACTS(MISFIT_RESERVED, MISFIT_STOCK_RETURNED, 1, 2),
       .payments = {PAYMENT(MISFIT_REFUNDED, .refunded = TOTAL)},
       .movements = {CAPTURE, REFUND(TOTAL)},
       FINDS(MISFIT_TELL_CAPTURED, MISFIT_TELL_REFUNDED)},
      {.name = "undone later on: inventory-svc says so",
       FACTS(MISFIT_RESERVED, MISFIT_STOCK_RELEASED, 1, 2),
       .payments = {PAYMENT(MISFIT_REFUNDED, .refunded = TOTAL)},
       .movements = {CAPTURE, REFUND(TOTAL)},
       FINDS(MISFIT_RESERVE)},
      {.name = "a declined card",
       FACTS(MISFIT_RESERVED, MISFIT_STOCK_RESERVED, 1, 0),
       .payments = {PAYMENT(MISFIT_DECLINED)},
       FINDS(MISFIT_TELL_REFUSED)},
      {.name = "a declined attempt",
       FACTS(MISFIT_AWAITING_PAYMENT, MISFIT_STOCK_RESERVED, 1, 0, .pay_later = true, .attempts = 1),
       .payments = {PAYMENT(MISFIT_FAILED, .attempt = 1)},
       FINDS(MISFIT_TELL_REFUSED)},
      {.name = "no reservation of an order that awaits its payment",
       FACTS(MISFIT_AWAITING_PAYMENT, MISFIT_NO_STOCK, 0, 0, .pay_later = true, .payment_settled = true),
       FINDS(MISFIT_RESERVE)},
      {.name = "stock that was sold, and a release that inventory-svc does not answer",
       FACTS(MISFIT_COMPENSATING, MISFIT_STOCK_COMMITTED, 1, 1),
       .payments = {PAYMENT(MISFIT_CAPTURED)},
       .movements = {CAPTURE},
       FINDS(MISFIT_RETURN, MISFIT_TELL_RELEASED)},
      {.name = "stock that was put back",
       FACTS(MISFIT_COMPENSATING, MISFIT_STOCK_RETURNED, 0, 0),
       FINDS(MISFIT_TELL_RELEASED)},
      {.name = "its stock is settled", FACTS(MISFIT_COMPENSATING, MISFIT_STOCK_RETURNED, 0, 0, .stock_settled = true)},
  };
  assert_stories(stories, BUS_COUNT(stories));
}

TEST(others_follow_an_order_that_is_final)
{
  static const struct story stories[] = {
      {.name = "confirmed, no reservation",
       FACTS(MISFIT_CONFIRMED, MISFIT_NO_STOCK, 1, 1),
       .payments = {PAYMENT(MISFIT_CAPTURED)},
       .movements = {CAPTURE},
       FINDS(MISFIT_SELL)},
      {.name = "confirmed, reserved",
       FACTS(MISFIT_CONFIRMED, MISFIT_STOCK_RESERVED, 1, 1),
       .payments = {PAYMENT(MISFIT_CAPTURED)},
       .movements = {CAPTURE},
       FINDS(MISFIT_SELL)},
      {.name = "confirmed, refunded",
       FACTS(MISFIT_CONFIRMED, MISFIT_STOCK_COMMITTED, 1, 2),
       .payments = {PAYMENT(MISFIT_REFUNDED, .refunded = TOTAL)},
       .movements = {CAPTURE, REFUND(TOTAL)},
       FINDS(MISFIT_TELL_REFUNDED)},
      {.name = "cancelled, reserved", FACTS(MISFIT_CANCELLED, MISFIT_STOCK_RESERVED, 0, 0), FINDS(MISFIT_RELEASE)},
      {.name = "cancelled, sold", FACTS(MISFIT_CANCELLED, MISFIT_STOCK_COMMITTED, 0, 0), FINDS(MISFIT_RETURN)},
      {.name = "cancelled, captured",
       FACTS(MISFIT_CANCELLED, MISFIT_STOCK_RELEASED, 1, 1),
       .payments = {PAYMENT(MISFIT_CAPTURED)},
       .movements = {CAPTURE},
       FINDS(MISFIT_REFUND)},
      {.name = "cancelled, its refund is under way",
       FACTS(MISFIT_CANCELLED, MISFIT_STOCK_RELEASED, 1, 1),
       .payments = {PAYMENT(MISFIT_REFUNDING)},
       .movements = {CAPTURE}},
      {.name = "rejected, reserved", FACTS(MISFIT_REJECTED, MISFIT_STOCK_RESERVED, 0, 0), FINDS(MISFIT_RELEASE)},
  };
  assert_stories(stories, BUS_COUNT(stories));
}

TEST(a_person_decides_what_no_place_can_tell)
{
  static const struct story stories[] = {
      {.name = "two captures",
       FACTS(MISFIT_CONFIRMED, MISFIT_STOCK_COMMITTED, 1, 2),
       .payments = {PAYMENT(MISFIT_CAPTURED)},
       .movements = {CAPTURE, {.amount = TOTAL, .psp_id = BUS_STR("pi_2")}},
       FINDS(MISFIT_BY_HAND)},
      {.name = "a capture that the provider does not have",
       FACTS(MISFIT_CONFIRMED, MISFIT_STOCK_COMMITTED, 1, 0),
       .payments = {PAYMENT(MISFIT_CAPTURED)},
       FINDS(MISFIT_BY_HAND)},
      {.name = "another amount",
       FACTS(MISFIT_CONFIRMED, MISFIT_STOCK_COMMITTED, 1, 1),
       .payments = {PAYMENT(MISFIT_CAPTURED)},
       .movements = {{.amount = 1, .psp_id = BUS_STR("pi_1")}},
       FINDS(MISFIT_BY_HAND)},
      {.name = "a refund that the provider does not have",
       FACTS(MISFIT_CONFIRMED, MISFIT_STOCK_COMMITTED, 1, 1),
       .payments = {PAYMENT(MISFIT_CAPTURED, .refunded = 100)},
       .movements = {CAPTURE},
       FINDS(MISFIT_BY_HAND)},
      {.name = "confirmed without a payment",
       FACTS(MISFIT_CONFIRMED, MISFIT_STOCK_COMMITTED, 0, 0),
       FINDS(MISFIT_BY_HAND)},
      {.name = "refunded whole, and its reservation is lost: it may have been put back",
       FACTS(MISFIT_CONFIRMED, MISFIT_NO_STOCK, 1, 2, .refunded = TOTAL),
       .payments = {PAYMENT(MISFIT_REFUNDED, .refunded = TOTAL)},
       .movements = {CAPTURE, REFUND(TOTAL)},
       FINDS(MISFIT_BY_HAND)},
      {.name = "confirmed, and its reservation was rejected",
       FACTS(MISFIT_CONFIRMED, MISFIT_STOCK_REJECTED, 1, 1),
       .payments = {PAYMENT(MISFIT_CAPTURED)},
       .movements = {CAPTURE},
       FINDS(MISFIT_BY_HAND)},
  };
  assert_stories(stories, BUS_COUNT(stories));
}

TEST(states_are_read_as_the_databases_write_them)
{
  enum misfit_order_state order;
  enum misfit_stock_state stock;
  enum misfit_payment_state payment;
  assert_true(misfit_order_state_of(BUS_STR("PAID"), &order) && order == MISFIT_RESERVED);
  assert_true(misfit_order_state_of(BUS_STR("CANCELLED"), &order) && order == MISFIT_CANCELLED);
  assert_false(misfit_order_state_of(BUS_STR("none"), &order) || misfit_order_state_of(BUS_STR("paid"), &order));
  assert_true(misfit_stock_state_of(BUS_STR("RETURNED"), &stock) && stock == MISFIT_STOCK_RETURNED);
  assert_false(misfit_stock_state_of(BUS_STR("none"), &stock) || misfit_stock_state_of(BUS_STR("EXPIRED"), &stock));
  assert_true(misfit_payment_state_of(BUS_STR("processing"), &payment) && payment == MISFIT_PROCESSING);
  assert_false(misfit_payment_state_of(BUS_STR("paid"), &payment));
}
