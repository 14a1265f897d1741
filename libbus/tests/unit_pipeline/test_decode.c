/* decode.c: which messages are refused, where an answer may go, and in which tier a
 * message waits that cannot be processed now. */
#include "part_rig.h"

#include <test.h>

#include <bus/clock.h>

/* ---- what is refused before it is decided ---- */

static struct entry *decoded(struct parts *parts, struct bus_envelope envelope, const char *body) {
  struct entry *entry;
  struct bus_delivery delivery = {.tag = 1, .envelope = envelope, .body = bus_str(body)};
  parts_deliver(parts, &delivery);
  assert_int_equal(parts_take(parts, &entry, 1), 1);
  parts_decode(parts, entry);
  return entry;
}

#define GOOD                                                                                                           \
  { .message_id = {{1}}, .type = BUS_STR("thing.do.v1"), .user_id = BUS_STR("owner"), .first_failed_at = BUS_NO_TIME }

TEST(decodes_what_is_right)
{
  struct parts *parts = parts_new();
  const struct entry *entry = decoded(parts, (struct bus_envelope)GOOD, "{\"n\":7,\"unknown\":[]}");
  assert_false(entry->ruling.refused);
  assert_ptr_equal(entry->input.type, &part_rig_type);
  assert_ptr_equal(entry->input.envelope, &entry->envelope);
  assert_int_equal(((const struct body *)entry->input.body)->n, 7);
  parts_free(parts);
}

static void assert_refused(struct bus_envelope envelope, const char *body, enum bus_errc code, enum bus_verdict verdict,
                           const char *text) {
  struct parts *parts = parts_new();
  const struct entry *entry = decoded(parts, envelope, body);
  assert_true(entry->ruling.refused);
  assert_int_equal(entry->ruling.cause.code, code);
  assert_int_equal(entry->ruling.verdict, verdict);
  assert_non_null(strstr(entry->ruling.cause.text, text));
  parts_free(parts);
}

TEST(parks_what_can_never_be_processed)
{
  struct bus_envelope envelope = GOOD;
  assert_refused(envelope, "{\"n\":700}", BUS_E_DECODE, BUS_PARK, "n ");
  assert_refused(envelope, "no json", BUS_E_DECODE, BUS_PARK, "");
  assert_refused(envelope, NULL, BUS_E_DECODE, BUS_PARK, "body");
  envelope.user_id = BUS_STR("somebody");
  assert_refused(envelope, "{\"n\":1}", BUS_E_SENDER, BUS_PARK, "sender somebody may not send this type: owner may");
  envelope.user_id = BUS_NO_STR;
  assert_refused(envelope, "{\"n\":1}", BUS_E_SENDER, BUS_PARK, "sender - may not");
  envelope = (struct bus_envelope)GOOD;
  envelope.copied = true;
  assert_refused(envelope, "{\"n\":1}", BUS_E_SENDER, BUS_PARK, "CC or BCC");
  envelope = (struct bus_envelope)GOOD;
  envelope.message_id = (struct bus_uuid){{0}};
  assert_refused(envelope, "{\"n\":1}", BUS_E_DECODE, BUS_PARK, "message_id");
  envelope = (struct bus_envelope)GOOD;
  envelope.type = BUS_NO_STR;
  assert_refused(envelope, "{\"n\":1}", BUS_E_DECODE, BUS_PARK, "type");
}

static void assert_taken(const char *user, struct bus_str sender) {
  struct parts *parts = parts_new();
  struct bus_envelope envelope = GOOD;
  envelope.user_id = bus_str(user);
  envelope.sender = sender;
  assert_false(decoded(parts, envelope, "{\"n\":1}")->ruling.refused);
  parts_free(parts);
}

TEST(a_retry_and_a_replay_are_taken_where_they_name_the_types_sender)
{
  assert_taken("thing", BUS_STR("owner"));
  assert_taken("thing", BUS_NO_STR); /* retried by an earlier version */
  assert_taken("operator", BUS_STR("owner"));
}

/* A forged event must not become trusted because someone with more rights sent it on. */
TEST(a_retry_or_a_replay_of_a_forged_message_is_forged_still)
{
  static const char *const relays[] = {"thing", "operator", "somebody"};
  static const char *const senders[] = {"somebody", "-", "thing", NULL};
  for (size_t u = 0; u < BUS_COUNT(relays); u++)
    for (size_t s = 0; s < BUS_COUNT(senders); s++) {
      struct bus_envelope envelope = GOOD;
      envelope.user_id = bus_str(relays[u]);
      envelope.sender = senders[s] ? bus_str(senders[s]) : BUS_NO_STR;
      if (u > 0 || s < 2) /* a service trusts itself */
        assert_refused(envelope, "{\"n\":1}", BUS_E_SENDER, BUS_PARK, "may not send this type");
    }
}

TEST(only_who_relays_may_name_another_sender)
{
  struct bus_envelope envelope = GOOD;
  envelope.user_id = BUS_STR("somebody");
  envelope.sender = BUS_STR("owner");
  assert_refused(envelope, "{\"n\":1}", BUS_E_SENDER, BUS_PARK, "sender somebody may not");
  envelope.user_id = BUS_NO_STR;
  assert_refused(envelope, "{\"n\":1}", BUS_E_SENDER, BUS_PARK, "sender - may not");
}

/* ---- deadlines of requests ---- */

TEST(a_request_needs_a_deadline_and_is_late_after_it)
{
  struct parts *parts = parts_new();
  struct bus_envelope envelope = GOOD;
  parts_serve(parts, &part_rig_request);
  struct entry *entry = decoded(parts, envelope, "{\"n\":1}");
  assert_true(entry->ruling.refused);
  assert_non_null(strstr(entry->ruling.cause.text, "bus-deadline"));
  envelope.deadline = parts->turn.wall + BUS_HOUR;
  entry = decoded(parts, envelope, "{\"n\":1}");
  assert_false(entry->ruling.refused || decode_is_late(&parts->turn, entry));
  entry->envelope.deadline = parts->turn.wall - BUS_MILLISECOND;
  assert_true(decode_is_late(&parts->turn, entry));
  entry->input.kind = BUS_INPUT_COMPLETION; /* no asker waits for it */
  assert_false(decode_is_late(&parts->turn, entry));
  parts_free(parts);
}

/* Neither a tier nor a dead queue takes it: a request is only dropped. */
TEST(a_request_that_fails_is_in_no_tier)
{
  struct parts *parts = parts_new();
  struct entry entry = {.ruling = {.cause = {.code = BUS_E_LATER}}};
  entry.envelope.first_failed_at = BUS_NO_TIME;
  decode_put_off(&parts->turn, &entry);
  assert_int_equal(entry.ruling.verdict, BUS_RETRY);
  parts_serve(parts, &part_rig_request);
  decode_put_off(&parts->turn, &entry);
  assert_int_equal(entry.ruling.verdict, BUS_PARK);
  parts_free(parts);
}

/* ---- where an answer may go ---- */

/* An answer to a queue that is not the asker's own would close the channel with 403, and hold up everyone's. */
TEST(a_forged_reply_address_gets_no_answer)
{
  static const char *const addresses[] = {"other.reply.1", "owner.reply.", "payment-svc",
                                          "ownerXreply.1", "bus.cmd",      "owner"};
  for (size_t i = 0; i < BUS_COUNT(addresses); i++) {
    struct parts *parts = parts_new();
    struct bus_envelope envelope = GOOD;
    envelope.reply_to = bus_str(addresses[i]);
    const struct entry *entry = decoded(parts, envelope, "{\"n\":1}");
    assert_false(entry->ruling.refused); /* the command itself is carried out */
    assert_null(entry->envelope.reply_to.data);
    assert_int_equal(parts->actions.counts[BUS_COUNT_ANSWERS_DROPPED], 1);
    parts_free(parts);
  }
}

TEST(an_asker_gets_the_answer_also_after_a_retry)
{
  static const char *const relays[] = {"owner", "thing"};
  for (size_t i = 0; i < BUS_COUNT(relays); i++) {
    struct parts *parts = parts_new();
    struct bus_envelope envelope = GOOD;
    envelope.user_id = bus_str(relays[i]);
    envelope.sender = BUS_STR("owner");
    envelope.reply_to = BUS_STR("owner.reply.7");
    assert_true(bus_str_is(decoded(parts, envelope, "{\"n\":1}")->envelope.reply_to, "owner.reply.7"));
    parts_free(parts);
  }
}

/* ---- tiers ---- */

static struct entry failing(int64_t attempt, int64_t failed_for, enum bus_errc code) {
  struct entry entry = {.ruling = {.cause = {.code = code}}};
  entry.envelope.attempt = attempt;
  entry.envelope.first_failed_at = failed_for < 0 ? BUS_NO_TIME : bus_wall_clock() - failed_for;
  return entry;
}

static void assert_tier(struct parts *parts, struct entry entry, int tier) {
  decode_put_off(&parts->turn, &entry);
  assert_int_equal(entry.ruling.tier, tier);
  assert_int_equal(entry.ruling.verdict, tier < 0 ? BUS_PARK : BUS_RETRY);
}

TEST(three_tries_in_each_tier_then_the_last_until_its_time_is_over)
{
  struct parts *parts = parts_new();
  static const int tiers[] = {0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2};
  for (size_t i = 0; i < BUS_COUNT(tiers); i++)
    assert_tier(parts, failing((int64_t)i, i ? BUS_SECOND : -1, BUS_E_LATER), tiers[i]);
  assert_tier(parts, failing(100, 23 * BUS_HOUR, BUS_E_LATER), 2);
  assert_tier(parts, failing(100, 25 * BUS_HOUR, BUS_E_LATER), -1);
  assert_tier(parts, failing(0, 25 * BUS_HOUR, BUS_E_LATER), 0); /* its short tiers come in any case */
  parts_free(parts);
}

/* A deployment is what it waits for. */
TEST(an_unknown_type_waits_in_the_last_tier)
{
  struct parts *parts = parts_new();
  struct bus_envelope envelope = GOOD;
  envelope.type = BUS_STR("thing.do.v2");
  struct entry *entry = decoded(parts, envelope, "{}");
  assert_int_equal(entry->ruling.cause.code, BUS_E_UNKNOWN_TYPE);
  assert_int_equal(entry->ruling.verdict, BUS_RETRY);
  assert_int_equal(entry->ruling.tier, 2);
  assert_tier(parts, failing(1, 23 * BUS_HOUR, BUS_E_UNKNOWN_TYPE), 2);
  assert_tier(parts, failing(1, 25 * BUS_HOUR, BUS_E_UNKNOWN_TYPE), -1);
  parts_free(parts);
}

/* A question is not asked again hours later. */
TEST(queries_are_never_put_off)
{
  struct parts *parts = parts_new();
  parts_serve(parts, &part_rig_query);
  assert_tier(parts, failing(0, -1, BUS_E_LATER), -1);
  parts_free(parts);
}

static void defer_one(struct parts *parts, size_t number) {
  struct entry entry = {.raw = BUS_STR("{\"n\":1}")};
  entry.envelope = (struct bus_envelope){.message_id = {{1, (uint8_t)(number >> 8), (uint8_t)number}},
                                         .type = BUS_STR("thing.do.v1"),
                                         .user_id = BUS_STR("owner"),
                                         .first_failed_at = BUS_NO_TIME};
  entry.input.kind = BUS_INPUT_DELIVERY;
  assert_true(intake_defer(&parts->intake, &entry));
}

/* The arena that it came in is reset: a text that still lay there would be another message's. */
TEST(a_message_that_is_tried_again_keeps_every_text_of_its_envelope)
{
  char came_in[] = "thing.do.v1 owner app back history sender {\"n\":1}";
  struct parts *parts = parts_new();
  struct entry entry = {.raw = {came_in + 42, 7}, .input.kind = BUS_INPUT_DELIVERY}, *kept;
  entry.envelope = (struct bus_envelope){.message_id = {{1}},
                                         .type = {came_in, 11},
                                         .user_id = {came_in + 12, 5},
                                         .app_id = {came_in + 18, 3},
                                         .reply_to = {came_in + 22, 4},
                                         .history = {came_in + 27, 7},
                                         .sender = {came_in + 35, 6},
                                         .first_failed_at = BUS_NO_TIME};
  assert_true(intake_defer(&parts->intake, &entry));
  memset(came_in, 'x', sizeof came_in);
  assert_int_equal(intake_take_deferred(&parts->intake, &kept, 1), 1);
  assert_true(bus_str_is(kept->envelope.type, "thing.do.v1") && bus_str_is(kept->envelope.user_id, "owner"));
  assert_true(bus_str_is(kept->envelope.app_id, "app") && bus_str_is(kept->envelope.reply_to, "back"));
  assert_true(bus_str_is(kept->envelope.history, "history") && bus_str_is(kept->envelope.sender, "sender"));
  assert_true(bus_str_is(kept->raw, "{\"n\":1}"));
  parts_free(parts);
}

/* Its order would be another message's; after the list has grown, nobody's. */
TEST(a_message_that_is_tried_again_keeps_its_own_envelope)
{
  enum { ROUNDS = 8, MESSAGES = 200, AT_ONCE = 150 };
  struct parts *parts = parts_new();
  struct entry *entries[AT_ONCE];
  size_t added = 0;
  struct bus_arena *scratch = bus_arena_new(16 << 20);
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < MESSAGES; i++)
      defer_one(parts, added++);
    size_t count = intake_take_deferred(&parts->intake, entries, AT_ONCE);
    assert_int_equal(count, AT_ONCE);
    for (size_t i = 0; i < count; i++) {
      parts_decode(parts, entries[i]);
      assert_false(entries[i]->ruling.refused);
      assert_ptr_equal(entries[i]->input.envelope, &entries[i]->envelope);
      if (i % 3 != 0)
        assert_true(intake_defer(&parts->intake, entries[i]));
    }
    assert_true(intake_deferred_done(&parts->intake, 0, scratch));
  }
  assert_int_equal(intake_deferred_count(&parts->intake), ROUNDS * (MESSAGES - AT_ONCE / 3));
  bus_arena_free(scratch);
  parts_free(parts);
}

/* Its age is nothing then, and does not exceed a limit of nothing. */
TEST(a_message_is_put_off_once_even_if_it_may_not_grow_old)
{
  struct parts *parts = parts_new();
  struct bus_envelope envelope = GOOD;
  envelope.type = BUS_STR("thing.do.v9");
  parts->settings.give_up_ms = 0;
  assert_int_equal(decoded(parts, envelope, "{}")->ruling.verdict, BUS_RETRY);
  envelope.first_failed_at = parts->turn.wall - 1;
  assert_int_equal(decoded(parts, envelope, "{}")->ruling.verdict, BUS_PARK);
  parts_free(parts);
}
