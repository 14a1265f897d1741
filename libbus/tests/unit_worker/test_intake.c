/* worker_intake.c on a worker without links: what is batched in which order, who is suspected, where a message goes
 * that cannot be processed now. */
#include "worker_internal.h"

#include <test.h>

#include <bus/clock.h>
#include <bus/metrics.h>

#include <stdlib.h>

struct body {
  int64_t n;
};
static const struct bus_field fields[] = {BUS_FIELD_INT64(struct body, n, 0, 100, BUS_REQUIRED, "a number")};
static const struct bus_schema schema = BUS_SCHEMA("body", struct body, fields);
static const struct bus_message_type known = {"thing.do.v1", BUS_EXCHANGE_CMD, "owner", true, &schema};
static const struct bus_message_type *const types[] = {&known};
static const struct bus_queue queues[] = {{.name = "things", .service = "thing", .types = types, .type_count = 1}};
static const struct bus_user users[] = {
    {.name = "owner", .asks = true}, {.name = "operator", .redrives = true}, {.name = "other", .asks = true}};
static const struct bus_topology topology = {
    .users = users, .user_count = 3, .queues = queues, .queue_count = 1, .tiers = bus_default_tiers, .tier_count = 3};
static const char *const names[] = {"things"};

static bool store(void *model, struct bus_sql *sql) {
  (void)model;
  (void)sql;
  return true;
}
static const struct bus_service service = {.name = "thing", .queues = names, .queue_count = 1, .store = store};
static const struct bus_service query_service = {.name = "thing", .queues = names, .queue_count = 1};

static struct bus_worker *make(void) {
  struct bus_worker *worker = calloc(1, sizeof *worker);
  assert_non_null(worker);
  worker->service = &service;
  worker->topology = &topology;
  worker->settings = (struct bus_worker_settings){BUS_WORKER_DEFAULTS};
  assert_true(intake_init(worker) && ledger_init(&worker->ledger, 100) && metrics_init(worker));
  return worker;
}

static void destroy(struct bus_worker *worker) {
  intake_free(worker);
  ledger_free(&worker->ledger);
  metrics_free(worker);
  free(worker);
}

static void deliver_from(struct bus_worker *worker, int consumer, uint64_t tag, bool redelivered) {
  struct bus_delivery delivery = {.tag = tag, .consumer = consumer, .body = BUS_STR("{\"n\":1}")};
  delivery.envelope = (struct bus_envelope){.message_id = {{1, (uint8_t)tag}},
                                            .type = BUS_STR("thing.do.v1"),
                                            .user_id = BUS_STR("owner"),
                                            .first_failed_at = BUS_NO_TIME,
                                            .redelivered = redelivered};
  intake_on_delivery(worker, &delivery);
}

static void deliver(struct bus_worker *worker, uint64_t tag, bool redelivered) {
  deliver_from(worker, 0, tag, redelivered);
}

static void push(struct bus_worker *worker, int64_t n) {
  const struct body body = {n};
  assert_true(bus_worker_push(worker, BUS_INPUT_DEADLINE, &body, sizeof body));
}

TEST(takes_what_has_arrived_in_order_and_no_more_than_fits)
{
  struct bus_worker *worker = make();
  struct item *items[10];
  assert_int_equal(intake_take(worker, items, 10), 0);
  assert_true(intake_is_empty(worker));
  for (uint64_t tag = 1; tag <= 7; tag++)
    deliver(worker, tag, false);
  assert_false(intake_is_empty(worker));
  assert_int_equal(intake_take(worker, items, 4), 4);
  deliver(worker, 8, false); /* during that batch */
  for (uint64_t i = 0; i < 4; i++)
    assert_int_equal(items[i]->tag, i + 1);
  assert_int_equal(intake_take(worker, items, 4), 3);
  assert_int_equal(items[2]->tag, 7);
  assert_int_equal(intake_take(worker, items, 4), 1);
  assert_int_equal(items[0]->tag, 8);
  assert_true(intake_is_empty(worker));
  destroy(worker);
}

TEST(local_inputs_travel_beside_deliveries)
{
  struct bus_worker *worker = make();
  struct item *items[10];
  deliver(worker, 1, false);
  push(worker, 42);
  deliver(worker, 2, false);
  assert_int_equal(bus_worker_pushed(worker), 1);
  assert_int_equal(intake_take(worker, items, 10), 3);
  assert_int_equal(bus_worker_pushed(worker), 0);
  assert_false(item_is_delivery(items[1]));
  assert_int_equal(((const struct body *)items[1]->input.body)->n, 42);
  destroy(worker);
}

TEST(local_inputs_are_bounded)
{
  struct bus_worker *worker = make();
  const struct body body = {1};
  for (size_t i = 0; i < PUSHED_MAX; i++)
    assert_true(bus_worker_push(worker, BUS_INPUT_COMPLETION, &body, sizeof body));
  assert_false(bus_worker_push(worker, BUS_INPUT_COMPLETION, &body, sizeof body));
  struct item *items[10];
  assert_int_equal(intake_take(worker, items, 10), 10);
  assert_true(bus_worker_push(worker, BUS_INPUT_COMPLETION, NULL, 0));
  destroy(worker);
}

/* After a lost connection deliveries come again by themselves; local inputs would not. */
TEST(a_lost_connection_forgets_deliveries_alone)
{
  struct bus_worker *worker = make();
  struct item *items[10];
  for (uint64_t tag = 1; tag <= 4; tag++)
    deliver(worker, tag, false);
  push(worker, 1);
  assert_int_equal(intake_take(worker, items, 2), 2);
  deliver(worker, 5, false);
  push(worker, 2);
  intake_forget_deliveries(worker);
  assert_int_equal(items[0]->tag, 1); /* what is being processed stays where it is */
  assert_int_equal(intake_take(worker, items, 10), 1);
  assert_int_equal(((const struct body *)items[0]->input.body)->n, 1);
  assert_int_equal(intake_take(worker, items, 10), 1);
  assert_int_equal(((const struct body *)items[0]->input.body)->n, 2);
  assert_int_equal(intake_take(worker, items, 10), 0);
  destroy(worker);
}

/* The first message of a connection was delivered before: one by one, until a fresh one comes. */
TEST(suspects_are_taken_one_by_one_until_a_fresh_one_comes)
{
  struct bus_worker *worker = make();
  struct item *items[10];
  deliver(worker, 1, true);
  deliver(worker, 2, true);
  deliver(worker, 3, false);
  deliver(worker, 4, true);
  assert_int_equal(intake_take(worker, items, 10), 1);
  assert_int_equal(intake_take(worker, items, 10), 1);
  assert_int_equal(items[0]->tag, 2);
  assert_int_equal(intake_take(worker, items, 10), 2);
  assert_false(worker->suspect[0]);
  destroy(worker);
}

/* What a lost connection brings again has not crashed this process; what was under suspicion still is. */
TEST(a_new_connection_of_the_same_process_brings_no_suspects_of_its_own)
{
  struct bus_worker *worker = make();
  struct item *items[10];
  deliver(worker, 1, true);
  deliver(worker, 2, true);
  assert_int_equal(intake_take(worker, items, 10), 1);
  intake_forget_deliveries(worker);
  deliver(worker, 1, true);
  deliver(worker, 2, true);
  assert_int_equal(intake_take(worker, items, 10), 1);
  assert_int_equal(intake_take(worker, items, 10), 1);
  deliver(worker, 3, false);
  assert_int_equal(intake_take(worker, items, 10), 1);
  intake_forget_deliveries(worker);
  deliver(worker, 1, true);
  deliver(worker, 2, true);
  assert_int_equal(intake_take(worker, items, 10), 2);
  destroy(worker);
}

TEST(a_fresh_first_message_suspects_nobody)
{
  struct bus_worker *worker = make();
  struct item *items[10];
  deliver(worker, 1, false);
  deliver(worker, 2, true);
  assert_int_equal(intake_take(worker, items, 10), 2);
  destroy(worker);
}

/* The queue that stood still when the process crashed sends something fresh first: the suspect lies in the other. */
TEST(each_queue_has_suspects_of_its_own)
{
  struct bus_worker *worker = make();
  struct item *items[10];
  deliver_from(worker, 0, 1, false);
  deliver_from(worker, 1, 2, true);
  deliver_from(worker, 0, 3, false);
  deliver_from(worker, 1, 4, true);
  deliver_from(worker, 1, 5, false);
  deliver_from(worker, 1, 6, true);
  assert_int_equal(intake_take(worker, items, 10), 1);
  assert_false(items[0]->alone);
  assert_int_equal(intake_take(worker, items, 10), 1);
  assert_true(items[0]->alone && items[0]->tag == 2);
  assert_int_equal(intake_take(worker, items, 10), 1);
  assert_false(items[0]->alone);
  assert_int_equal(intake_take(worker, items, 10), 1);
  assert_true(items[0]->alone && items[0]->tag == 4);
  assert_int_equal(intake_take(worker, items, 10), 2);
  assert_false(items[0]->alone || items[1]->alone);
  destroy(worker);
}

TEST(local_inputs_are_never_suspects)
{
  struct bus_worker *worker = make();
  struct item *items[10];
  deliver(worker, 1, true);
  assert_int_equal(intake_take(worker, items, 10), 1);
  for (int i = 0; i < 5; i++)
    push(worker, i);
  deliver(worker, 2, true);
  push(worker, 5);
  assert_int_equal(intake_take(worker, items, 10), 5);
  assert_int_equal(intake_take(worker, items, 10), 1);
  assert_true(item_is_delivery(items[0]));
  assert_int_equal(intake_take(worker, items, 10), 1);
  assert_true(worker->suspect[0]);
  destroy(worker);
}

/* An ack that is due at once, behind a delivery that is not settled yet, may not keep the worker awake. */
TEST(an_ack_behind_a_gap_is_no_deadline)
{
  struct bus_worker *worker = make();
  worker->service = &query_service;
  deliver(worker, 1, false);
  deliver(worker, 2, false);
  ledger_settle(&worker->ledger, 2);
  worker->ack_at = 1;
  assert_true(batch_next_deadline(worker) > bus_monotonic());
  ledger_settle(&worker->ledger, 1);
  assert_int_equal(batch_next_deadline(worker), 1);
  destroy(worker);
}

/* More unsettled deliveries than the ledger keeps would lose an ack for ever: the connection is given up instead. */
TEST(a_window_that_overflows_ends_the_connection)
{
  struct bus_worker *worker = make();
  uint64_t tag = 1;
  while (!worker->amqp_lost && tag < 10000)
    deliver(worker, tag++, false);
  assert_true(worker->amqp_lost);
  assert_in_range(tag, 100, 1000);
  assert_int_equal(worker->amqp_error.code, BUS_E_AMQP_CONNECTION);
  destroy(worker);
}

/* ---- what is refused before it is decided ---- */

static struct item *decoded(struct bus_worker *worker, struct bus_envelope envelope, const char *body) {
  struct item *item;
  struct bus_delivery delivery = {.tag = 1, .envelope = envelope, .body = bus_str(body)};
  intake_on_delivery(worker, &delivery);
  assert_int_equal(intake_take(worker, &item, 1), 1);
  intake_decode(worker, item);
  return item;
}

#define GOOD                                                                                                           \
  { .message_id = {{1}}, .type = BUS_STR("thing.do.v1"), .user_id = BUS_STR("owner"), .first_failed_at = BUS_NO_TIME }

TEST(decodes_what_is_right)
{
  struct bus_worker *worker = make();
  const struct item *item = decoded(worker, (struct bus_envelope)GOOD, "{\"n\":7,\"unknown\":[]}");
  assert_false(item->refused);
  assert_ptr_equal(item->input.type, &known);
  assert_ptr_equal(item->input.envelope, &item->envelope);
  assert_int_equal(((const struct body *)item->input.body)->n, 7);
  destroy(worker);
}

static void assert_refused(struct bus_envelope envelope, const char *body, enum bus_errc code, enum bus_verdict verdict,
                           const char *text) {
  struct bus_worker *worker = make();
  const struct item *item = decoded(worker, envelope, body);
  assert_true(item->refused);
  assert_int_equal(item->cause.code, code);
  assert_int_equal(item->verdict, verdict);
  assert_non_null(strstr(item->cause.text, text));
  destroy(worker);
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
  struct bus_worker *worker = make();
  struct bus_envelope envelope = GOOD;
  envelope.user_id = bus_str(user);
  envelope.sender = sender;
  assert_false(decoded(worker, envelope, "{\"n\":1}")->refused);
  destroy(worker);
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

/* ---- where an answer may go ---- */

static char metrics[65536];
static size_t metrics_len;

static void keep_metrics(void *context, struct bus_str text) {
  (void)context;
  assert_true(text.len < sizeof metrics - metrics_len);
  memcpy(metrics + metrics_len, text.data, text.len);
  metrics_len += text.len;
  metrics[metrics_len] = '\0';
}

static int64_t dropped(void) {
  static const char name[] = "\nbus_answers_dropped_total ";
  metrics_len = 0;
  bus_metrics_print(keep_metrics, NULL);
  const char *line = strstr(metrics, name);
  return line ? strtoll(line + sizeof name - 1, NULL, 10) : 0;
}

/* An answer to a queue that is not the asker's own would close the channel with 403, and hold up everyone's. */
TEST(a_forged_reply_address_gets_no_answer)
{
  static const char *const addresses[] = {"other.reply.1", "owner.reply.", "payment-svc",
                                          "ownerXreply.1", "bus.cmd",      "owner"};
  for (size_t i = 0; i < BUS_COUNT(addresses); i++) {
    struct bus_worker *worker = make();
    struct bus_envelope envelope = GOOD;
    int64_t before = dropped();
    envelope.reply_to = bus_str(addresses[i]);
    const struct item *item = decoded(worker, envelope, "{\"n\":1}");
    assert_false(item->refused); /* the command itself is carried out */
    assert_null(item->envelope.reply_to.data);
    assert_int_equal(dropped(), before + 1);
    destroy(worker);
  }
}

TEST(an_asker_gets_the_answer_also_after_a_retry)
{
  static const char *const relays[] = {"owner", "thing"};
  for (size_t i = 0; i < BUS_COUNT(relays); i++) {
    struct bus_worker *worker = make();
    struct bus_envelope envelope = GOOD;
    envelope.user_id = bus_str(relays[i]);
    envelope.sender = BUS_STR("owner");
    envelope.reply_to = BUS_STR("owner.reply.7");
    assert_true(bus_str_is(decoded(worker, envelope, "{\"n\":1}")->envelope.reply_to, "owner.reply.7"));
    destroy(worker);
  }
}

/* ---- tiers ---- */

static struct item failing(int64_t attempt, int64_t failed_for, enum bus_errc code) {
  struct item item = {.cause = {.code = code}};
  item.envelope.attempt = attempt;
  item.envelope.first_failed_at = failed_for < 0 ? BUS_NO_TIME : bus_wall_clock() - failed_for;
  return item;
}

static void assert_tier(const struct bus_worker *worker, struct item item, int tier) {
  intake_put_off(worker, &item);
  assert_int_equal(item.tier, tier);
  assert_int_equal(item.verdict, tier < 0 ? BUS_PARK : BUS_RETRY);
}

TEST(three_tries_in_each_tier_then_the_last_until_its_time_is_over)
{
  struct bus_worker *worker = make();
  static const int tiers[] = {0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2};
  for (size_t i = 0; i < BUS_COUNT(tiers); i++)
    assert_tier(worker, failing((int64_t)i, i ? BUS_SECOND : -1, BUS_E_LATER), tiers[i]);
  assert_tier(worker, failing(100, 23 * BUS_HOUR, BUS_E_LATER), 2);
  assert_tier(worker, failing(100, 25 * BUS_HOUR, BUS_E_LATER), -1);
  assert_tier(worker, failing(0, 25 * BUS_HOUR, BUS_E_LATER), 0); /* its short tiers come in any case */
  destroy(worker);
}

/* A deployment is what it waits for. */
TEST(an_unknown_type_waits_in_the_last_tier)
{
  struct bus_worker *worker = make();
  struct bus_envelope envelope = GOOD;
  envelope.type = BUS_STR("thing.do.v2");
  struct item *item = decoded(worker, envelope, "{}");
  assert_int_equal(item->cause.code, BUS_E_UNKNOWN_TYPE);
  assert_int_equal(item->verdict, BUS_RETRY);
  assert_int_equal(item->tier, 2);
  assert_tier(worker, failing(1, 23 * BUS_HOUR, BUS_E_UNKNOWN_TYPE), 2);
  assert_tier(worker, failing(1, 25 * BUS_HOUR, BUS_E_UNKNOWN_TYPE), -1);
  destroy(worker);
}

/* A question is not asked again hours later. */
TEST(queries_are_never_put_off)
{
  struct bus_worker *worker = make();
  worker->service = &query_service;
  assert_tier(worker, failing(0, -1, BUS_E_LATER), -1);
  destroy(worker);
}

static void defer_one(struct bus_worker *worker, size_t number) {
  struct item item = {.raw = BUS_STR("{\"n\":1}")};
  item.envelope = (struct bus_envelope){.message_id = {{1, (uint8_t)(number >> 8), (uint8_t)number}},
                                        .type = BUS_STR("thing.do.v1"),
                                        .user_id = BUS_STR("owner"),
                                        .first_failed_at = BUS_NO_TIME};
  item.input.kind = BUS_INPUT_DELIVERY;
  assert_true(deferred_add(worker, &item));
}

/* The arena that it came in is reset: a text that still lay there would be another message's. */
TEST(a_message_that_is_tried_again_keeps_every_text_of_its_envelope)
{
  char came_in[] = "thing.do.v1 owner app back history sender {\"n\":1}";
  struct bus_worker *worker = make();
  struct item item = {.raw = {came_in + 42, 7}, .input.kind = BUS_INPUT_DELIVERY}, *kept;
  item.envelope = (struct bus_envelope){.message_id = {{1}},
                                        .type = {came_in, 11},
                                        .user_id = {came_in + 12, 5},
                                        .app_id = {came_in + 18, 3},
                                        .reply_to = {came_in + 22, 4},
                                        .history = {came_in + 27, 7},
                                        .sender = {came_in + 35, 6},
                                        .first_failed_at = BUS_NO_TIME};
  assert_true(deferred_add(worker, &item));
  memset(came_in, 'x', sizeof came_in);
  assert_int_equal(deferred_take(worker, &kept, 1), 1);
  assert_true(bus_str_is(kept->envelope.type, "thing.do.v1") && bus_str_is(kept->envelope.user_id, "owner"));
  assert_true(bus_str_is(kept->envelope.app_id, "app") && bus_str_is(kept->envelope.reply_to, "back"));
  assert_true(bus_str_is(kept->envelope.history, "history") && bus_str_is(kept->envelope.sender, "sender"));
  assert_true(bus_str_is(kept->raw, "{\"n\":1}"));
  destroy(worker);
}

/* Its order would be another message's; after the list has grown, nobody's. */
TEST(a_message_that_is_tried_again_keeps_its_own_envelope)
{
  enum { ROUNDS = 8, MESSAGES = 200, AT_ONCE = 150 };
  struct bus_worker *worker = make();
  struct item *items[AT_ONCE];
  size_t added = 0;
  worker->work = bus_arena_new(16 << 20);
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < MESSAGES; i++)
      defer_one(worker, added++);
    size_t count = deferred_take(worker, items, AT_ONCE);
    assert_int_equal(count, AT_ONCE);
    for (size_t i = 0; i < count; i++) {
      intake_decode(worker, items[i]);
      assert_false(items[i]->refused);
      assert_ptr_equal(items[i]->input.envelope, &items[i]->envelope);
      if (i % 3 != 0)
        assert_true(deferred_add(worker, items[i]));
    }
    deferred_done(worker);
  }
  assert_int_equal(worker->deferred.count, ROUNDS * (MESSAGES - AT_ONCE / 3));
  bus_arena_free(worker->work);
  destroy(worker);
}
