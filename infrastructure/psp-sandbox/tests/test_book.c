/* Keys, records and refunds in memory. */
#include "book.h"

#include <stdio.h>

#include "test.h"

static const char one[] = "1111111111111111111111111111111111111111111111111111111111111111";
static const char two[] = "2222222222222222222222222222222222222222222222222222222222222222";

static struct psp_entry capture(const char *id, const char *key, int64_t amount) {
  return (struct psp_entry){.type = PSP_CAPTURED,
                            .id = bus_str(id),
                            .idempotency_key = bus_str(key),
                            .fingerprint = key ? bus_str(one) : BUS_NO_STR,
                            .amount = amount,
                            .currency = BUS_STR("eur"),
                            .status = 200,
                            .answer = BUS_STR("{\"a\":1}")};
}

static struct psp_entry refund_of(const char *id, const char *intent, int64_t amount) {
  return (struct psp_entry){.type = PSP_REFUNDED,
                            .id = bus_str(id),
                            .amount = amount,
                            .currency = BUS_STR("eur"),
                            .payment_intent = bus_str(intent),
                            .status = 200,
                            .answer = BUS_STR("{}")};
}

static enum psp_claim claim(struct psp_book *book, const char *key, const char *fingerprint, int *attempt) {
  const struct psp_record *record;
  return psp_book_claim(book, bus_str(key), fingerprint, attempt, &record);
}

TEST(a_key_is_new_then_in_use_then_answered)
{
  struct psp_book book = {0};
  const struct psp_record *record = NULL;
  int attempt = -1;
  assert_int_equal(claim(&book, "k", one, &attempt), PSP_CLAIM_NEW);
  assert_int_equal(attempt, 0);
  assert_int_equal(claim(&book, "k", one, &attempt), PSP_CLAIM_IN_USE);
  struct psp_entry entry = capture("pi_1", "k", 5);
  assert_true(psp_book_record(&book, &entry, true));
  assert_int_equal(psp_book_claim(&book, BUS_STR("k"), one, &attempt, &record), PSP_CLAIM_REPLAY);
  assert_true(bus_str_is(record->answer, "{\"a\":1}"));
  assert_int_equal(record->status, 200);
  psp_book_done(&book);
}

TEST(a_key_with_other_parameters_is_a_mismatch_in_every_state)
{
  struct psp_book book = {0};
  int attempt;
  assert_int_equal(claim(&book, "k", one, &attempt), PSP_CLAIM_NEW);
  assert_int_equal(claim(&book, "k", two, &attempt), PSP_CLAIM_MISMATCH);
  struct psp_entry entry = capture("pi_1", "k", 5);
  assert_true(psp_book_record(&book, &entry, true));
  assert_int_equal(claim(&book, "k", two, &attempt), PSP_CLAIM_MISMATCH);
  psp_book_done(&book);
}

TEST(a_released_key_is_new_again_and_counts)
{
  struct psp_book book = {0};
  int attempt = -1;
  for (int i = 0; i < 3; i++) {
    assert_int_equal(claim(&book, "k", one, &attempt), PSP_CLAIM_NEW);
    assert_int_equal(attempt, i);
    psp_book_release(&book, BUS_STR("k"));
  }
  psp_book_release(&book, BUS_STR("unknown"));
  psp_book_done(&book);
}

TEST(an_entry_read_again_answers_its_key)
{
  struct psp_book book = {0};
  int attempt;
  struct psp_entry entry = capture("pi_1", "k", 5), keyless = capture("pi_2", NULL, 6);
  assert_true(psp_book_record(&book, &entry, false));
  assert_true(psp_book_record(&book, &keyless, false));
  assert_int_equal(claim(&book, "k", one, &attempt), PSP_CLAIM_REPLAY);
  assert_int_equal(psp_book_find(&book, BUS_STR("pi_2"))->amount, 6);
  assert_null(psp_book_find(&book, BUS_STR("pi_3")));
  psp_book_done(&book);
}

static bool reserve(struct psp_book *book, const char *intent, int64_t amount, int64_t *ret, struct psp_error *error) {
  const struct psp_refund refund = {.payment_intent = bus_str(intent), .amount = amount};
  struct psp_reservation reserved = {.amount = *ret};
  bool done = psp_book_reserve_refund(book, &refund, &reserved, error);
  *ret = reserved.amount;
  return done;
}

TEST(refunds_never_exceed_what_was_captured)
{
  struct psp_book book = {0};
  struct psp_error error = {0};
  int64_t amount = 0;
  struct psp_entry entry = capture("pi_1", "k", 100);
  assert_true(psp_book_record(&book, &entry, true));
  assert_false(reserve(&book, "pi_1", 101, &amount, &error));
  assert_string_equal(error.code, "charge_already_refunded");
  assert_true(reserve(&book, "pi_1", 60, &amount, &error));
  assert_false(reserve(&book, "pi_1", 41, &amount, &error));
  assert_true(reserve(&book, "pi_1", BUS_NO_INT64, &amount, &error));
  assert_int_equal(amount, 40);
  assert_false(reserve(&book, "pi_1", BUS_NO_INT64, &amount, &error));
  assert_int_equal(error.status, 400);
  psp_book_done(&book);
}

TEST(a_refund_is_of_an_amount_that_stripe_takes)
{
  struct psp_book book = {0};
  struct psp_error error = {0};
  int64_t amount = 0;
  struct psp_entry entry = capture("pi_1", "k", 1000);
  entry.currency = BUS_STR("kwd");
  assert_true(psp_book_record(&book, &entry, true));
  assert_false(reserve(&book, "pi_1", 995, &amount, &error));
  assert_string_equal(error.code, "invalid_charge_amount");
  assert_string_equal(error.param, "amount");
  assert_true(reserve(&book, "pi_1", 990, &amount, &error));
  assert_true(reserve(&book, "pi_1", BUS_NO_INT64, &amount, &error));
  assert_int_equal(amount, 10);
  psp_book_done(&book);
}

TEST(a_live_refund_is_counted_once_and_one_read_again_too)
{
  struct psp_book live = {0}, again = {0};
  struct psp_error error;
  int64_t amount = 0;
  struct psp_entry entry = capture("pi_1", "k", 100), refund = refund_of("re_1", "pi_1", 30);
  assert_true(psp_book_record(&live, &entry, true));
  assert_true(reserve(&live, "pi_1", 30, &amount, &error));
  assert_true(psp_book_record(&live, &refund, true));
  assert_int_equal(psp_book_find(&live, BUS_STR("pi_1"))->refunded, 30);
  assert_true(psp_book_record(&again, &entry, false));
  assert_true(psp_book_record(&again, &refund, false));
  assert_int_equal(psp_book_find(&again, BUS_STR("pi_1"))->refunded, 30);
  psp_book_done(&live);
  psp_book_done(&again);
}

TEST(only_a_captured_intent_can_be_refunded)
{
  struct psp_book book = {0};
  struct psp_error error;
  int64_t amount = 0;
  struct psp_entry declined = capture("pi_1", "k", 100), captured = capture("pi_2", "l", 100);
  struct psp_entry refund = refund_of("re_1", "pi_2", 1);
  declined.type = PSP_DECLINED;
  assert_true(psp_book_record(&book, &declined, true) && psp_book_record(&book, &captured, true) &&
              psp_book_record(&book, &refund, true));
  assert_false(reserve(&book, "pi_1", 1, &amount, &error));
  assert_int_equal(error.status, 400);
  assert_false(reserve(&book, "re_1", 1, &amount, &error));
  assert_int_equal(error.status, 404);
  assert_false(reserve(&book, "pi_9", 1, &amount, &error));
  assert_int_equal(error.status, 404);
  psp_book_done(&book);
}

TEST(many_entries_are_all_found)
{
  struct psp_book book = {0};
  char id[32], key[32];
  for (int i = 0; i < 5000; i++) {
    snprintf(id, sizeof id, "pi_%d", i);
    snprintf(key, sizeof key, "charge-%d", i);
    struct psp_entry entry = capture(id, key, i + 1);
    assert_true(psp_book_record(&book, &entry, false));
  }
  for (int i = 0; i < 5000; i++) {
    int attempt;
    snprintf(id, sizeof id, "pi_%d", i);
    snprintf(key, sizeof key, "charge-%d", i);
    assert_int_equal(psp_book_find(&book, bus_str(id))->amount, i + 1);
    assert_int_equal(claim(&book, key, one, &attempt), PSP_CLAIM_REPLAY);
  }
  psp_book_done(&book);
}

/* ---- objects that become final later ---- */

static struct psp_entry pending(struct psp_turn *turn, bool refund) {
  struct psp_entry entry = refund ? refund_of("re_1", "pi_1", 60) : capture("pi_1", "k", 100);
  entry.type = refund ? PSP_REFUND_PENDING : PSP_PENDING;
  entry.answer = BUS_STR("{\"now\":1}");
  entry.then = turn;
  return entry;
}

TEST(a_pending_intent_turns_when_its_time_has_come)
{
  struct psp_book book = {0};
  struct psp_turn turn = {PSP_CAPTURED, 50, BUS_STR("{\"then\":1}")};
  struct psp_entry entry = pending(&turn, false), final;
  bus_time next;
  int64_t amount = 0;
  struct psp_error error;
  assert_false(psp_book_due(&book, 0, &final, &next));
  assert_true(next == BUS_NO_TIME);
  assert_true(psp_book_record(&book, &entry, true));
  assert_false(psp_book_due(&book, 49, &final, &next));
  assert_int_equal(next, 50);
  assert_false(reserve(&book, "pi_1", 1, &amount, &error)); /* nothing was captured yet */
  assert_true(psp_book_due(&book, 50, &final, &next));
  assert_int_equal(final.type, PSP_CAPTURED);
  assert_true(bus_str_is(final.id, "pi_1"));
  assert_int_equal(final.amount, 100);
  assert_null(final.idempotency_key.data);
  assert_true(psp_book_record(&book, &final, true));
  assert_false(psp_book_due(&book, 1000, &final, &next));
  assert_true(bus_str_is(psp_book_find(&book, BUS_STR("pi_1"))->answer, "{\"then\":1}"));
  assert_true(reserve(&book, "pi_1", 1, &amount, &error));
  psp_book_done(&book);
}

/* A real provider keeps the first response of a key, whatever the object has become since. */
TEST(a_key_of_a_pending_intent_is_answered_as_at_first_forever)
{
  struct psp_book book = {0};
  const struct psp_record *record = NULL;
  struct psp_turn turn = {PSP_CAPTURED, 50, BUS_STR("{\"then\":1}")};
  struct psp_entry entry = pending(&turn, false), final;
  bus_time next;
  int attempt;
  assert_true(psp_book_record(&book, &entry, true) && psp_book_due(&book, 50, &final, &next) &&
              psp_book_record(&book, &final, true));
  assert_int_equal(psp_book_claim(&book, BUS_STR("k"), one, &attempt, &record), PSP_CLAIM_REPLAY);
  assert_true(bus_str_is(record->answer, "{\"now\":1}"));
  psp_book_done(&book);
}

TEST(a_pending_refund_holds_its_money_until_it_fails)
{
  for (int live = 0; live <= 1; live++) {
    struct psp_book book = {0};
    struct psp_error error;
    struct psp_turn turn = {PSP_REFUND_FAILED, 50, BUS_STR("{}")};
    struct psp_entry charge = capture("pi_1", "k", 100), refund = pending(&turn, true), final;
    bus_time next;
    int64_t amount = 0;
    assert_true(psp_book_record(&book, &charge, live));
    if (live)
      assert_true(reserve(&book, "pi_1", 60, &amount, &error));
    assert_true(psp_book_record(&book, &refund, live));
    assert_int_equal(psp_book_find(&book, BUS_STR("pi_1"))->refunded, 60);
    assert_true(psp_book_due(&book, 50, &final, &next));
    assert_true(bus_str_is(final.payment_intent, "pi_1"));
    assert_true(psp_book_record(&book, &final, live));
    assert_int_equal(psp_book_find(&book, BUS_STR("pi_1"))->refunded, 0);
    assert_int_equal(psp_book_find(&book, BUS_STR("pi_1"))->refunds, 1);
    assert_int_equal(psp_book_find(&book, BUS_STR("re_1"))->type, PSP_REFUND_FAILED);
    psp_book_done(&book);
  }
}

TEST(a_pending_refund_that_succeeds_is_counted_once)
{
  struct psp_book book = {0};
  struct psp_turn turn = {PSP_REFUNDED, 50, BUS_STR("{}")};
  struct psp_entry charge = capture("pi_1", "k", 100), refund = pending(&turn, true), final;
  bus_time next;
  assert_true(psp_book_record(&book, &charge, false) && psp_book_record(&book, &refund, false));
  assert_true(psp_book_due(&book, 50, &final, &next) && psp_book_record(&book, &final, false));
  assert_int_equal(psp_book_find(&book, BUS_STR("pi_1"))->refunded, 60);
  psp_book_done(&book);
}

TEST(only_the_first_refund_of_a_charge_takes_the_course_of_its_token)
{
  struct psp_book book = {0};
  struct psp_error error;
  struct psp_reservation reserved;
  const struct psp_refund refund = {.payment_intent = BUS_STR("pi_1"), .amount = 10};
  struct psp_entry charge = capture("pi_1", "k", 100);
  charge.payment_method = BUS_STR("pm_sandbox_refund_fails_later");
  assert_true(psp_book_record(&book, &charge, true));
  assert_true(psp_book_reserve_refund(&book, &refund, &reserved, &error));
  assert_string_equal(reserved.course->status, "pending");
  assert_true(psp_book_reserve_refund(&book, &refund, &reserved, &error));
  assert_null(reserved.course);
  psp_book_done(&book);
}
