/* core/effects.c: what a decision gives, in order, and what a retry or a park takes back. */
#include <bus/effects.h>
#include <bus/topology.h>

#include <test.h>

#include <string.h>

struct body {
  int64_t n;
};
static const struct bus_field fields[] = {BUS_FIELD_INT64(struct body, n, 0, 100, BUS_REQUIRED, "a number")};
static const struct bus_schema schema = BUS_SCHEMA("body", struct body, fields);
static const struct bus_message_type happened = BUS_EVENT("thing.happened.v1", &schema, "thing");
static const struct bus_message_type found = BUS_ANSWER("thing.found.v1", &schema);

#define NOW (INT64_C(1700000000) * BUS_SECOND)

struct fixture {
  struct bus_arena *arena;
  struct bus_uuid_source ids;
  struct bus_effects effects;
  struct bus_envelope envelope;
  struct bus_input delivery, deadline;
};

static void open(struct fixture *f) {
  static const uint64_t seed[4] = {1, 2, 3, 4};
  *f = (struct fixture){.arena = bus_arena_new(1 << 20)};
  bus_uuid_source_init(&f->ids, seed);
  bus_effects_init(&f->effects, f->arena, &f->ids, NOW, "thing");
  f->envelope = (struct bus_envelope){.message_id = {{1}},
                                      .correlation_id = {{2}},
                                      .causation_id = {{3}},
                                      .reply_to = BUS_STR("edge.reply.1"),
                                      .attempt = 4,
                                      .first_failed_at = 5};
  bus_trace_start(&f->ids, &f->envelope.trace);
  f->delivery = (struct bus_input){.kind = BUS_INPUT_DELIVERY, .type = &happened, .envelope = &f->envelope};
  f->deadline = (struct bus_input){.kind = BUS_INPUT_DEADLINE};
}

static void close_all(struct fixture *f) {
  bus_arena_free(f->arena);
}

static void emit(struct fixture *f, int64_t n) {
  const struct body body = {n};
  const struct bus_uuid order = {{9}};
  bus_emit(&f->effects, &happened, &order, &body);
}

/* The numbers of the effects' bodies, as text. */
static void assert_order(const struct fixture *f, const char *expected) {
  char text[200] = "";
  size_t count = 0, len = 0;
  const struct bus_effect *last = NULL;
  for (const struct bus_effect *effect = f->effects.first; effect; last = effect, effect = effect->next, count++)
    len += (size_t)snprintf(text + len, sizeof text - len, "%.*s", (int)effect->body.len, effect->body.data);
  assert_string_equal(text, expected);
  assert_int_equal(f->effects.count, count);
  assert_ptr_equal(f->effects.last, last);
}

TEST(an_event_is_caused_by_its_input)
{
  struct fixture f;
  open(&f);
  bus_effects_begin(&f.effects, &f.delivery);
  emit(&f, 7);
  assert_int_equal(bus_effects_end(&f.effects), BUS_DONE);
  const struct bus_effect *effect = f.effects.first;
  assert_int_equal(effect->kind, BUS_EFFECT_EMIT);
  assert_ptr_equal(effect->cause, &f.delivery);
  assert_ptr_equal(effect->type, &happened);
  assert_true(bus_str_is(effect->body, "{\"n\":7}"));
  const struct bus_envelope *envelope = &effect->envelope;
  assert_true(bus_str_is(envelope->type, "thing.happened.v1"));
  assert_true(bus_str_is(envelope->app_id, "thing"));
  assert_int_equal(envelope->correlation_id.bytes[0], 9);
  assert_true(bus_uuid_equal(&envelope->causation_id, &f.envelope.message_id));
  assert_true(envelope->timestamp == NOW);
  assert_int_equal(envelope->attempt, 0);
  assert_true(envelope->first_failed_at == BUS_NO_TIME);
  assert_null(envelope->reply_to.data);
  assert_int_equal(envelope->message_id.bytes[6] >> 4, 7); /* version 7 */
  close_all(&f);
}

TEST(the_trace_of_an_input_goes_on_as_it_is)
{
  struct fixture f;
  open(&f);
  f.envelope.trace.state = BUS_STR("a=1");
  bus_effects_begin(&f.effects, &f.delivery);
  emit(&f, 1);
  const struct body body = {2};
  bus_answer(&f.effects, &happened, &body);
  assert_memory_equal(&f.effects.first->envelope.trace, &f.envelope.trace, sizeof f.envelope.trace);
  assert_memory_equal(&f.effects.last->envelope.trace, &f.envelope.trace, sizeof f.envelope.trace);
  close_all(&f);
}

TEST(ids_are_of_their_own_and_ascend)
{
  struct fixture f;
  open(&f);
  bus_effects_begin(&f.effects, &f.delivery);
  for (int i = 0; i < 50; i++)
    emit(&f, i);
  for (const struct bus_effect *effect = f.effects.first; effect->next; effect = effect->next)
    assert_true(bus_uuid_compare(&effect->envelope.message_id, &effect->next->envelope.message_id) < 0);
  close_all(&f);
}

/* A deadline has no message: the aggregate keeps the cause. */
TEST(a_deadline_emits_with_the_cause_that_was_kept)
{
  struct fixture f;
  open(&f);
  const struct body body = {1};
  const struct bus_uuid order = {{9}};
  bus_effects_begin(&f.effects, &f.deadline);
  struct bus_cause kept = {.trace = f.envelope.trace, .message_id = {{7}}};
  bus_trace_set_state(&kept.trace, BUS_STR("vendor=1"));
  bus_emit_caused(&f.effects, &happened, &order, &kept, &body);
  bus_emit(&f.effects, &happened, &order, &body);
  const struct bus_effect *effect = f.effects.first;
  assert_true(bus_uuid_equal(&effect->envelope.causation_id, &kept.message_id));
  assert_memory_equal(effect->envelope.trace.trace_id, f.envelope.trace.trace_id, 16);
  assert_string_equal(effect->envelope.trace.state.data, "vendor=1");
  assert_true(bus_uuid_is_nil(&effect->next->envelope.causation_id));
  assert_false(bus_trace_is_set(&effect->next->envelope.trace));
  close_all(&f);
}

TEST(a_message_is_the_cause_before_what_was_kept)
{
  struct fixture f;
  open(&f);
  const struct body body = {1};
  const struct bus_uuid order = {{9}};
  const struct bus_cause kept = {.trace = {.trace_id = {5}, .span_id = {6}}, .message_id = {{7}}};
  bus_effects_begin(&f.effects, &f.delivery);
  bus_emit_caused(&f.effects, &happened, &order, &kept, &body);
  assert_true(bus_uuid_equal(&f.effects.first->envelope.causation_id, &f.envelope.message_id));
  assert_memory_equal(f.effects.first->envelope.trace.trace_id, f.envelope.trace.trace_id, 16);
  f.envelope.trace = (struct bus_trace){.flags = 0}; /* it had none */
  bus_emit_caused(&f.effects, &happened, &order, &kept, &body);
  assert_memory_equal(f.effects.last->envelope.trace.trace_id, kept.trace.trace_id, 16);
  close_all(&f);
}

TEST(an_answer_goes_to_who_asked)
{
  struct fixture f;
  open(&f);
  const struct body body = {3};
  bus_effects_begin(&f.effects, &f.delivery);
  bus_answer(&f.effects, &found, &body);
  const struct bus_effect *effect = f.effects.first;
  assert_int_equal(effect->kind, BUS_EFFECT_ANSWER);
  assert_true(bus_str_is(effect->envelope.reply_to, "edge.reply.1"));
  assert_true(bus_uuid_equal(&effect->envelope.causation_id, &f.envelope.message_id));
  assert_true(bus_uuid_equal(&effect->envelope.correlation_id, &f.envelope.correlation_id));
  assert_memory_equal(effect->envelope.trace.trace_id, f.envelope.trace.trace_id, 16);
  close_all(&f);
}

TEST(who_did_not_ask_gets_no_answer)
{
  struct fixture f;
  open(&f);
  const struct body body = {3};
  f.envelope.reply_to = BUS_NO_STR;
  bus_effects_begin(&f.effects, &f.delivery);
  bus_answer(&f.effects, &found, &body);
  f.envelope.reply_to = BUS_STR("");
  bus_answer(&f.effects, &found, &body);
  bus_effects_begin(&f.effects, &f.deadline);
  bus_answer(&f.effects, &found, &body);
  assert_null(f.effects.first);
  assert_int_equal(f.effects.count, 0);
  close_all(&f);
}

/* The aggregate kept who waits, and another message brings the news. */
TEST(a_later_answer_names_the_request_and_not_its_own_cause)
{
  struct fixture f;
  open(&f);
  const struct body body = {3};
  const struct bus_asker asker = {.reply_to = BUS_STR("edge.reply.2"), .request_id = {{77}}};
  const struct bus_asker nobody = {.request_id = {{78}}};
  bus_effects_begin(&f.effects, &f.delivery);
  bus_answer_to(&f.effects, &asker, &found, &body);
  bus_answer_to(&f.effects, &nobody, &found, &body);
  assert_int_equal(f.effects.count, 1);
  assert_true(bus_str_is(f.effects.first->envelope.reply_to, "edge.reply.2"));
  assert_int_equal(f.effects.first->envelope.causation_id.bytes[0], 77);
  bus_effects_begin(&f.effects, &f.deadline);
  bus_answer_to(&f.effects, &asker, &found, &body);
  assert_int_equal(f.effects.last->envelope.causation_id.bytes[0], 77);
  assert_true(bus_uuid_is_nil(&f.effects.last->envelope.correlation_id));
  close_all(&f);
}

/* ---- taking back ---- */

TEST(a_retry_takes_back_what_its_own_input_gave)
{
  struct fixture f;
  open(&f);
  bus_effects_begin(&f.effects, &f.delivery);
  emit(&f, 1);
  assert_int_equal(bus_effects_end(&f.effects), BUS_DONE);
  bus_effects_begin(&f.effects, &f.delivery);
  emit(&f, 2);
  bus_act(&f.effects, "static");
  emit(&f, 3);
  bus_retry(&f.effects, "not yet: %d", 5);
  assert_int_equal(bus_effects_end(&f.effects), BUS_RETRY);
  assert_string_equal(f.effects.reason, "not yet: 5");
  assert_order(&f, "{\"n\":1}");
  bus_effects_begin(&f.effects, &f.delivery);
  assert_string_equal(f.effects.reason, "");
  emit(&f, 4);
  assert_int_equal(bus_effects_end(&f.effects), BUS_DONE);
  assert_order(&f, "{\"n\":1}{\"n\":4}");
  close_all(&f);
}

TEST(a_park_of_the_first_input_leaves_nothing)
{
  struct fixture f;
  open(&f);
  bus_effects_begin(&f.effects, &f.delivery);
  emit(&f, 1);
  emit(&f, 2);
  bus_park(&f.effects, "never");
  assert_int_equal(bus_effects_end(&f.effects), BUS_PARK);
  assert_order(&f, "");
  assert_null(f.effects.first);
  bus_effects_begin(&f.effects, &f.delivery);
  emit(&f, 3);
  assert_int_equal(bus_effects_end(&f.effects), BUS_DONE);
  assert_order(&f, "{\"n\":3}");
  close_all(&f);
}

TEST(a_verdict_with_nothing_to_take_back)
{
  struct fixture f;
  open(&f);
  bus_effects_begin(&f.effects, &f.delivery);
  bus_retry(&f.effects, "at once");
  assert_int_equal(bus_effects_end(&f.effects), BUS_RETRY);
  assert_order(&f, "");
  bus_effects_begin(&f.effects, &f.delivery);
  emit(&f, 1);
  assert_int_equal(bus_effects_end(&f.effects), BUS_DONE);
  bus_effects_begin(&f.effects, &f.delivery);
  bus_park(&f.effects, "at once");
  bus_retry(&f.effects, "no, later"); /* the last word counts */
  assert_int_equal(bus_effects_end(&f.effects), BUS_RETRY);
  assert_order(&f, "{\"n\":1}");
  close_all(&f);
}

TEST(every_mix_of_verdicts_keeps_what_is_done)
{
  uint64_t random = 88172645463325252u;
  for (int round = 0; round < 200; round++) {
    struct fixture f;
    char expected[400] = "";
    size_t len = 0;
    open(&f);
    for (int input = 0; input < 10; input++) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      int count = (int)(random % 4);
      bool taken_back = random / 4 % 3 == 0;
      bus_effects_begin(&f.effects, &f.delivery);
      for (int i = 0; i < count; i++) {
        emit(&f, input);
        if (!taken_back)
          len += (size_t)snprintf(expected + len, sizeof expected - len, "{\"n\":%d}", input);
      }
      if (taken_back)
        bus_park(&f.effects, "round %d", round);
      assert_int_equal(bus_effects_end(&f.effects), taken_back ? BUS_PARK : BUS_DONE);
    }
    char kept[400] = "";
    size_t at = 0;
    for (const struct bus_effect *effect = f.effects.first; effect; effect = effect->next)
      at += (size_t)snprintf(kept + at, sizeof kept - at, "%.*s", (int)effect->body.len, effect->body.data);
    assert_string_equal(kept, expected);
    close_all(&f);
  }
}

TEST(actions_keep_their_place)
{
  struct fixture f;
  open(&f);
  static const int action = 5;
  bus_effects_begin(&f.effects, &f.delivery);
  emit(&f, 1);
  bus_act(&f.effects, &action);
  emit(&f, 2);
  assert_int_equal(f.effects.first->next->kind, BUS_EFFECT_ACTION);
  assert_ptr_equal(f.effects.first->next->action, &action);
  assert_ptr_equal(f.effects.first->next->cause, &f.delivery);
  close_all(&f);
}

TEST(a_long_reason_is_cut)
{
  struct fixture f;
  open(&f);
  bus_effects_begin(&f.effects, &f.delivery);
  bus_park(&f.effects, "%500d", 1);
  assert_int_equal(strlen(f.effects.reason), sizeof f.effects.reason - 1);
  close_all(&f);
}

/* The batch is not committed then. */
TEST(out_of_memory_is_remembered)
{
  struct fixture f;
  open(&f);
  bus_arena_free(f.arena);
  f.arena = bus_arena_new(4096);
  bus_effects_init(&f.effects, f.arena, &f.ids, NOW, "thing");
  bus_effects_begin(&f.effects, &f.delivery);
  for (int i = 0; i < 100; i++)
    emit(&f, i % 100);
  assert_true(f.effects.failed);
  bus_effects_begin(&f.effects, &f.delivery);
  assert_true(f.effects.failed); /* of the whole batch */
  close_all(&f);
}

/* Before the first input, too. */
TEST(an_event_without_an_input_has_no_cause)
{
  struct fixture f;
  open(&f);
  emit(&f, 1);
  assert_null(f.effects.first->cause);
  assert_true(bus_uuid_is_nil(&f.effects.first->envelope.causation_id));
  assert_false(bus_trace_is_set(&f.effects.first->envelope.trace));
  close_all(&f);
}

TEST(a_notice_is_of_the_batch)
{
  static const struct bus_message_type noticed = BUS_NOTICE("thing.noticed.v1", &schema, "thing");
  const struct body body = {3};
  struct fixture f;
  open(&f);
  bus_effects_begin(&f.effects, NULL);
  bus_notify(&f.effects, &noticed, &body);
  const struct bus_effect *effect = f.effects.first;
  assert_int_equal(effect->kind, BUS_EFFECT_NOTICE);
  assert_null(effect->cause);
  assert_true(bus_uuid_is_nil(&effect->envelope.causation_id) && bus_uuid_is_nil(&effect->envelope.correlation_id));
  assert_true(bus_str_is(effect->envelope.app_id, "thing") && bus_str_is(effect->body, "{\"n\":3}"));
  close_all(&f);
}

struct bodies {
  struct body *items;
  size_t count;
};

TEST(a_long_list_takes_several_notices)
{
  static const struct bus_field list_fields[] = {
      BUS_FIELD_ARRAY(struct bodies, items, count, struct body, &schema, 1, 2, BUS_REQUIRED, "two at most")};
  static const struct bus_schema list_schema = BUS_SCHEMA("things", struct bodies, list_fields);
  static const struct bus_message_type noticed = BUS_NOTICE("thing.noticed.v1", &list_schema, "thing");
  static const char *const expected[] = {"{\"items\":[{\"n\":1},{\"n\":2}]}", "{\"items\":[{\"n\":3}]}"};
  const struct body items[] = {{1}, {2}, {3}};
  struct fixture f;
  open(&f);
  bus_effects_begin(&f.effects, NULL);
  bus_notify_list(&f.effects, &noticed, items, 0);
  assert_int_equal(f.effects.count, 0);
  bus_notify_list(&f.effects, &noticed, items, 3);
  assert_int_equal(f.effects.count, 2);
  const struct bus_effect *effect = f.effects.first;
  for (int i = 0; i < 2; i++, effect = effect->next)
    assert_true(bus_str_is(effect->body, expected[i]));
  close_all(&f);
}

/* ---- what a topology does not let a service send ---- */

static const struct bus_message_type foreign = BUS_EVENT("order.placed.v1", &schema, "shop", "edge");
static const struct bus_message_type forgotten = BUS_EVENT("thing.forgotten.v1", &schema, "thing");
static const struct bus_message_type query = BUS_QUERY("thing.get.v1", &schema, "edge");
static const struct bus_message_type notice = BUS_NOTICE("thing.changed.v1", &schema, "thing");
static const struct bus_message_type *const known[] = {&happened, &found, &foreign, &query, &notice};
static const struct bus_topology_part part = {
    .user = {.name = "thing"}, .types = known, .type_count = BUS_COUNT(known)};
static const struct bus_topology_part *const parts[] = {&part};
static const struct bus_topology topology = {.parts = parts, .part_count = 1};

static void assert_refused(void (*send)(struct bus_effects *effects, const struct bus_message_type *type,
                                        const void *body),
                           const struct bus_message_type *type, const char *reason) {
  struct fixture f;
  const struct body body = {1};
  open(&f);
  f.effects.topology = &topology;
  bus_effects_begin(&f.effects, &f.delivery);
  emit(&f, 1);
  assert_false(f.effects.failed);
  send(&f.effects, type, &body);
  assert_true(f.effects.failed && f.effects.refused);
  assert_string_equal(f.effects.reason, reason);
  bus_retry(&f.effects, "another reason");
  bus_park(&f.effects, "another reason");
  emit(&f, 2);
  assert_string_equal(f.effects.reason, reason);
  assert_order(&f, "{\"n\":1}");
  close_all(&f);
}

static void emit_it(struct bus_effects *effects, const struct bus_message_type *type, const void *body) {
  const struct bus_uuid order = {{9}};
  bus_emit(effects, type, &order, body);
}

TEST(a_type_that_the_service_may_not_send_is_refused_with_the_cure)
{
  assert_refused(emit_it, &foreign,
                 "order.placed.v1: thing may not send it, shop, edge may: name thing in the type's senders, or send a "
                 "type of its own");
  assert_refused(emit_it, &forgotten,
                 "thing.forgotten.v1: not in the topology: add it to the types of the part of its sender");
}

TEST(a_type_of_another_kind_is_refused_with_the_function_that_sends_it)
{
  assert_refused(emit_it, &found, "thing.found.v1: an answer is sent by bus_answer");
  assert_refused(emit_it, &notice, "thing.changed.v1: a notice is sent by bus_notify");
  assert_refused(emit_it, &query, "thing.get.v1: a query is sent by bus_request_begin");
  assert_refused(bus_answer, &happened,
                 "thing.happened.v1: bus_answer sends answers alone: declare the type with BUS_ANSWER");
  assert_refused(bus_notify, &happened,
                 "thing.happened.v1: bus_notify sends notices alone: declare the type with BUS_NOTICE, or emit it");
}

TEST(a_body_is_found_by_its_type_alone)
{
  struct fixture f;
  const struct body body = {3};
  open(&f);
  f.delivery.body = &body;
  assert_ptr_equal(bus_input_body(&f.delivery, &happened), &body);
  assert_null(bus_input_body(&f.delivery, &foreign));
  close_all(&f);
}
