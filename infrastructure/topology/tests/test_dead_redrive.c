/* dead_redrive.c: a new message, as if the old one had never failed, and the same new one each time; and whose message
 * it may be. */
#include "dead_redrive.h"
#include "orderbus_topology.h"

#include <stdio.h>
#include <test.h>

#define HISTORY                                                                                                        \
  "2026-03-01T12:00:00.000Z 0 payment-svc/1.2.0 BUS_E_LATER not yet\n"                                                 \
  "2026-03-01T12:00:30.250Z 1 payment-svc/1.2.0 BUS_E_DB_DATA SQLSTATE 23514"
#define PARKED_AT (INT64_C(1772366430250) * BUS_MILLISECOND)
#define NOW (PARKED_AT + BUS_HOUR)

static struct bus_uuid_source source;

static struct bus_envelope parked(void) {
  struct bus_envelope envelope = {.type = BUS_STR("payment.charge.v1"),
                                  .message_id = {{1, 2, 3}},
                                  .correlation_id = {{4}},
                                  .causation_id = {{5}},
                                  .trace = {.trace_id = {6}, .span_id = {7}},
                                  .user_id = BUS_STR("payment-svc"),
                                  .reply_to = BUS_STR("edge.reply.1"),
                                  .timestamp = PARKED_AT - BUS_MINUTE,
                                  .attempt = 1,
                                  .first_failed_at = PARKED_AT - BUS_SECOND,
                                  .history = BUS_STR(HISTORY),
                                  .redelivered = true};
  return envelope;
}

static struct bus_envelope redrive(struct bus_envelope envelope) {
  static const uint64_t seed[4] = {1, 2, 3, 4};
  bus_uuid_source_init(&source, seed);
  return dead_redrive(&envelope, BUS_STR("order-svc"), NOW, &source);
}

TEST(a_redriven_message_is_new)
{
  struct bus_envelope old = parked(), new = redrive(old);
  assert_false(bus_uuid_equal(&new.message_id, &old.message_id));
  assert_true(bus_uuid_equal(&new.causation_id, &old.message_id));
  assert_true(bus_uuid_equal(&new.correlation_id, &old.correlation_id));
  assert_memory_equal(&new.trace, &old.trace, sizeof old.trace);
  assert_true(bus_str_is(new.type, "payment.charge.v1"));
  assert_int_equal(new.attempt, 0);
  assert_int_equal(new.first_failed_at, BUS_NO_TIME);
  assert_int_equal(new.timestamp, NOW);
  assert_null(new.history.data);
  assert_null(new.reply_to.data); /* who asked has gone */
  assert_true(bus_str_is(new.sender, "order-svc"));
}

TEST(an_undone_message_is_the_old_one_and_becomes_the_same_new_one_again)
{
  struct bus_envelope old = parked(), new = redrive(old);
  new.user_id = BUS_STR("operator");
  new.redelivered = true;
  struct bus_envelope undone =
      dead_undone(&new, BUS_STR("order-svc"), &old.message_id, &old.causation_id, bus_str(HISTORY));
  assert_true(bus_uuid_equal(&undone.message_id, &old.message_id));
  assert_true(bus_uuid_equal(&undone.causation_id, &old.causation_id));
  assert_true(bus_uuid_equal(&undone.correlation_id, &old.correlation_id));
  assert_true(bus_str_is(undone.history, HISTORY) && bus_str_is(undone.sender, "order-svc"));
  assert_int_equal(undone.attempt, 1);
  assert_false(undone.redelivered);
  assert_int_equal(dead_parked_at(&undone), PARKED_AT);
  struct bus_envelope again = redrive(undone);
  assert_true(bus_uuid_equal(&again.message_id, &new.message_id));
}

TEST(a_redriven_bundle_is_a_bundle)
{
  struct bus_envelope old = parked(), new = redrive(old);
  assert_false(new.bundle);
  old.bundle = true;
  old.bundle_count = 7;
  new = redrive(old);
  assert_true(new.bundle &&new.bundle_count == 7);
  assert_false(bus_uuid_equal(&new.message_id, &old.message_id));
}

/* A program that died between the confirm and the ack is run again. */
TEST(a_message_that_is_sent_twice_has_one_new_id)
{
  struct bus_envelope first = redrive(parked()), second = redrive(parked());
  assert_true(bus_uuid_equal(&first.message_id, &second.message_id));
}

TEST(another_message_or_another_parking_has_another_id)
{
  struct bus_envelope first = redrive(parked()), other = parked(), again = parked();
  other.message_id.bytes[15] = 9;
  again.history = BUS_STR("2026-03-01T12:00:30.250Z 0 payment-svc/1.2.1 BUS_E_DB_DATA SQLSTATE 23514");
  other = redrive(other);
  again = redrive(again);
  assert_false(bus_uuid_equal(&first.message_id, &other.message_id));
  assert_false(bus_uuid_equal(&first.message_id, &again.message_id));
}

/* The inbox forgets ids by the time in them. */
TEST(the_new_id_is_a_v7_of_when_it_was_parked)
{
  struct bus_uuid id = redrive(parked()).message_id;
  int64_t ms = 0;
  for (int i = 0; i < 6; i++)
    ms = ms << 8 | id.bytes[i];
  assert_int_equal(ms, PARKED_AT / BUS_MILLISECOND);
  assert_int_equal(id.bytes[6] >> 4, 7);
  assert_int_equal(id.bytes[8] >> 6, 2);
}

TEST(an_id_follows_from_its_parts)
{
  const struct bus_uuid space = {{1}};
  struct bus_uuid id = dead_id_of(&space, BUS_STR("replay 3"), PARKED_AT), again, other;
  again = dead_id_of(&space, BUS_STR("replay 3"), PARKED_AT);
  other = dead_id_of(&space, BUS_STR("replay 4"), PARKED_AT);
  assert_true(bus_uuid_equal(&id, &again));
  assert_false(bus_uuid_equal(&id, &other));
  assert_int_equal(id.bytes[6] >> 4, 7);
  assert_memory_equal(id.bytes, other.bytes, 6); /* the time */
}

TEST(a_message_without_id_or_history_can_be_sent_too)
{
  struct bus_envelope envelope = parked(), first, second;
  envelope.message_id = (struct bus_uuid){{0}};
  envelope.history = BUS_NO_STR;
  assert_int_equal(dead_parked_at(&envelope), PARKED_AT - BUS_MINUTE);
  first = redrive(envelope);
  assert_false(bus_uuid_is_nil(&first.message_id));
  assert_true(bus_uuid_is_nil(&first.causation_id));
  second = dead_redrive(&envelope, BUS_STR("order-svc"), NOW, &source); /* two of them are two */
  assert_false(bus_uuid_equal(&first.message_id, &second.message_id));
  envelope.timestamp = BUS_NO_TIME;
  assert_int_equal(dead_parked_at(&envelope), 0);
}

/* ---- who sent it ---- */

/* As payment-svc dead-lettered it: user_id is payment-svc's, sender what it named. */
static struct bus_envelope charge_of(struct bus_str user_id, struct bus_str sender) {
  struct bus_envelope envelope = parked();
  envelope.user_id = user_id;
  envelope.sender = sender;
  return envelope;
}

/* The expected error, or NULL: it may be sent again. */
static void assert_sender(struct bus_envelope envelope, const char *sender, const char *error) {
  struct bus_str found;
  struct bus_error err = {.code = BUS_OK};
  const struct bus_queue *queue = bus_topology_queue(&orderbus_topology, "payment-svc");
  bool right = dead_sender(&orderbus_topology, queue, &envelope, &found, &err);
  assert_true(bus_str_is(found, sender));
  assert_int_equal(right, error == NULL);
  if (error)
    assert_string_equal(err.text, error);
}

TEST(a_dead_message_of_its_types_sender_may_be_sent_again)
{
  assert_sender(charge_of(BUS_STR("payment-svc"), BUS_STR("order-svc")), "order-svc", NULL);
  assert_sender(charge_of(BUS_STR("order-svc"), BUS_NO_STR), "order-svc", NULL); /* dead-lettered by the broker */
  assert_sender(charge_of(BUS_STR("operator"), BUS_STR("order-svc")), "order-svc", NULL); /* after a replay */
}

TEST(a_forged_dead_message_may_not_be_sent_again)
{
  const char *edge = "sender edge may not send payment.charge.v1: order-svc may";
  assert_sender(charge_of(BUS_STR("payment-svc"), BUS_STR("edge")), "edge", edge);
  assert_sender(charge_of(BUS_STR("edge"), BUS_NO_STR), "edge", edge);
  assert_sender(charge_of(BUS_STR("edge"), BUS_STR("order-svc")), "edge", edge); /* a header that anyone can write */
  const char *operator= "sender operator may not send payment.charge.v1: order-svc may";
  assert_sender(charge_of(BUS_STR("operator"), BUS_NO_STR), "operator", operator);
  const char *unknown = "sender - may not send payment.charge.v1: order-svc may";
  assert_sender(charge_of(BUS_NO_STR, BUS_NO_STR), "-", unknown);
  assert_sender(charge_of(BUS_NO_STR, BUS_STR("order-svc")), "-", unknown);
  assert_sender(charge_of(BUS_STR("payment-svc"), BUS_STR("-")), "-", unknown);
}

TEST(a_dead_message_that_no_sender_may_send_here_stays)
{
  struct bus_envelope envelope = charge_of(BUS_STR("payment-svc"), BUS_STR("order-svc"));
  envelope.copied = true;
  assert_sender(envelope, "order-svc", "sender order-svc: it carries the header CC or BCC");
  envelope = charge_of(BUS_STR("payment-svc"), BUS_STR("order-svc"));
  envelope.type = BUS_STR("order.place.v1");
  assert_sender(envelope, "order-svc", "sender order-svc: the queue does not take this type");
}

static struct bus_envelope unnamed(const char *error) {
  static char history[128];
  struct bus_envelope envelope = charge_of(BUS_STR("payment-svc"), BUS_NO_STR);
  (void)snprintf(history, sizeof history, "2026-03-01T12:00:00.000Z 0 payment-svc/1.2.0 %s why", error);
  envelope.history = bus_str(history);
  return envelope;
}

/* Services of before named no sender; they had checked it when they said BUS_E_DB_DATA, but not when BUS_E_DECODE. */
TEST(a_dead_message_of_an_earlier_version_counts_as_its_history_shows)
{
  const char *unknown = "sender - may not send payment.charge.v1: order-svc may";
  assert_sender(unnamed("BUS_E_DB_DATA"), "order-svc", NULL);
  assert_sender(unnamed("BUS_E_LATER"), "order-svc", NULL);
  assert_sender(unnamed("BUS_E_DECODE"), "-", unknown);
  assert_sender(unnamed("BUS_E_UNKNOWN_TYPE"), "-", unknown);
  assert_sender(unnamed("BUS_E_CRASHED"), "-", unknown);
  assert_sender(unnamed("BUS_E_SENDER"), "-", "sender -: the service refused the sender");
  struct bus_envelope envelope = charge_of(BUS_STR("payment-svc"), BUS_NO_STR);
  envelope.history = BUS_NO_STR;
  assert_sender(envelope, "-", unknown);
}
