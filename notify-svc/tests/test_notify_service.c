/* Batches over a model without a database: events, due deliveries, results, and requests of owners. */
#include "notify_model.h"

#include <test.h>

#define NOW (INT64_C(1767225600) * BUS_SECOND)
#define ANN BUS_STR("ann")
#define URL BUS_STR("https://example.org/x")

static const struct bus_uuid order_id = {{9}}, first_id = {{1}}, second_id = {{2}};
static struct notify_policy policy = {.schedule = {BUS_SECOND},
                                      .schedule_count = 1,
                                      .lease = 30 * BUS_SECOND,
                                      .disable_after = BUS_HOUR,
                                      .endpoint_concurrency = 2,
                                      .ports = {443},
                                      .port_count = 1,
                                      .sends_mail = true,
                                      .mails_per_hour = 2,
                                      .confirmations_per_day = 1,
                                      .refusals_max = 2};
static struct bus_arena *arena;
static struct bus_uuid_source ids;
static struct bus_effects effects;
static struct notify_model *model;
static struct bus_input input;
static int64_t under_way;

static int64_t count_under_way(void *context, const struct bus_uuid *endpoint_id) {
  (void)context, (void)endpoint_id;
  return under_way;
}

static bool reveal(void *context, struct bus_str stored, struct bus_str reply_key, struct bus_arena *into,
                   struct bus_str *ret) {
  (void)context, (void)reply_key, (void)into;
  *ret = stored;
  return true;
}

static bool confirms(void *context, struct bus_str stored, struct bus_str code_hash) {
  (void)context;
  return bus_str_equal(stored, code_hash);
}

/* A batch of one input, whose database has `count` endpoints of ann. */
static void begin(struct bus_input one, uint8_t count) {
  static const uint64_t seed[4] = {1, 2, 3, 4};
  static struct notify_secret secret = {BUS_STR("stored"), BUS_STR("shown")};
  arena = bus_arena_new(1 << 20);
  input = one;
  assert_true(notify_model_new(&input, 1, arena, &policy, &model));
  bus_set_init(&model->endpoints, &endpoint_columns, sizeof(struct endpoint_entry), arena);
  for (uint8_t i = 1; i <= count; i++)
    bus_set_add(&model->endpoints, &(struct bus_uuid){{i}});
  const struct webhook_request *request = one.type == &webhook_create_type ? one.body : NULL;
  if (request)
    bus_set_add(&model->endpoints, &request->webhook_id);
  assert_true(bus_set_open(&model->endpoints));
  for (uint8_t i = 1; i <= count; i++) {
    struct endpoint_entry *entry = bus_set_find(&model->endpoints, &(struct bus_uuid){{i}});
    entry->endpoint.customer_id = ANN;
    entry->endpoint.url = URL;
    entry->endpoint.events = 1 << WEBHOOK_ORDER_CONFIRMED;
    entry->endpoint.secret = BUS_STR("sealed");
    entry->endpoint.failing_since = entry->endpoint.old_secret_until = BUS_NO_TIME;
    bus_set_keep(&model->endpoints, entry);
  }
  model->room = model->failing_room = model->mail_room = 10;
  model->under_way = count_under_way;
  model->reveal = reveal;
  model->confirms = confirms;
  model->secrets = &secret;
  under_way = 0;
  bus_uuid_source_init(&ids, seed);
  bus_effects_init(&effects, arena, &ids, NOW, "notify-svc");
}

static struct endpoint *endpoint_of(const struct bus_uuid *id) {
  return &((struct endpoint_entry *)bus_set_find(&model->endpoints, id))->endpoint;
}

static void decide(void) {
  bus_effects_begin(&effects, &input);
  notify_decide(model, &input, &effects);
  assert_int_equal(bus_effects_end(&effects), BUS_DONE);
  assert_false(effects.failed);
}

/* The index-th effect of the kind; NULL: there are fewer. */
static const struct bus_effect *effect(enum bus_effect_kind kind, size_t index) {
  for (const struct bus_effect *one = effects.first; one; one = one->next)
    if (one->kind == kind && index-- == 0)
      return one;
  return NULL;
}

static size_t calls(void) {
  size_t count = 0;
  for (size_t i = 0; effect(BUS_EFFECT_ACTION, i); i++)
    count += ((const struct notify_action *)effect(BUS_EFFECT_ACTION, i)->action)->call != NULL;
  return count;
}

static struct bus_envelope envelope = {.message_id = {{7}}, .reply_to = BUS_STR("edge.reply.1")};
static const struct order_event confirmed = {
    .order_id = {{9}}, .customer_id = BUS_STR("ann"), .total = 1998, .currency = BUS_STR("EUR"), .at = BUS_NO_TIME};

static struct bus_input delivery_of(const struct bus_message_type *type, const void *body) {
  return (struct bus_input){BUS_INPUT_DELIVERY, type, &envelope, body};
}

TEST(event_becomes_a_delivery_of_each_endpoint_that_wants_it)
{
  static const struct bus_uuid third_id = {{3}}, fourth_id = {{4}};
  begin(delivery_of(&order_confirmed_type, &confirmed), 4);
  endpoint_of(&second_id)->events = 1 << WEBHOOK_ORDER_REFUNDED;
  endpoint_of(&third_id)->status = WEBHOOK_DISABLED;
  endpoint_of(&fourth_id)->customer_id = BUS_STR("bob");
  decide();
  assert_int_equal(model->fresh_count, 1);
  const struct delivery *fresh = &model->fresh[0];
  assert_true(bus_uuid_equal(&fresh->endpoint_id, &first_id) && bus_uuid_equal(&fresh->order_id, &order_id));
  assert_true(fresh->next_attempt_at == NOW + policy.lease); /* claimed */
  assert_int_equal(calls(), 1);
  assert_true(bus_str_is(fresh->payload,
                         "{\"type\":\"order.confirmed\",\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"data\":{"
                         "\"order_id\":\"09000000-0000-0000-0000-000000000000\",\"status\":\"CONFIRMED\","
                         "\"total\":1998,\"currency\":\"EUR\"}}"));
  bus_arena_free(arena);
}

TEST(event_that_is_told_again_is_the_same_delivery)
{
  begin(delivery_of(&order_confirmed_type, &confirmed), 2);
  decide();
  decide();
  assert_int_equal(model->fresh_count, 4);
  assert_true(bus_uuid_equal(&model->fresh[0].delivery_id, &model->fresh[2].delivery_id));
  assert_false(bus_uuid_equal(&model->fresh[0].delivery_id, &model->fresh[1].delivery_id));
  bus_arena_free(arena);
}

TEST(event_has_its_own_time_whenever_it_is_told)
{
  struct order_event timed = confirmed;
  timed.at = NOW - BUS_HOUR;
  struct order_refunded refunded = {
      .order_id = {{9}}, .customer_id = ANN, .refunded = 5, .total = BUS_NO_INT64, .at = NOW - BUS_HOUR};
  begin(delivery_of(&order_confirmed_type, &timed), 1);
  endpoint_of(&first_id)->events = 1 << WEBHOOK_ORDER_CONFIRMED | 1 << WEBHOOK_ORDER_REFUNDED;
  decide();
  input = delivery_of(&order_refunded_type, &refunded);
  decide();
  assert_int_equal(model->fresh_count, 2);
  for (size_t i = 0; i < model->fresh_count; i++)
    assert_non_null(strstr(model->fresh[i].payload.data, "\"timestamp\":\"2025-12-31T23:00:00.000Z\""));
  bus_arena_free(arena);
}

TEST(refund_of_another_amount_is_another_delivery)
{
  struct order_refunded refunded = {
      .order_id = {{9}}, .customer_id = ANN, .refunded = 5, .total = BUS_NO_INT64, .at = BUS_NO_TIME};
  begin(delivery_of(&order_refunded_type, &refunded), 1);
  endpoint_of(&first_id)->events = 1 << WEBHOOK_ORDER_REFUNDED;
  decide();
  refunded.refunded = 6;
  decide();
  assert_int_equal(model->fresh_count, 2);
  assert_false(bus_uuid_equal(&model->fresh[0].delivery_id, &model->fresh[1].delivery_id));
  assert_true(strstr(model->fresh[1].payload.data, "\"refunded\":6") != NULL);
  bus_arena_free(arena);
}

TEST(event_without_room_waits)
{
  begin(delivery_of(&order_confirmed_type, &confirmed), 1);
  decide();
  decide();
  decide(); /* the endpoint has two at once */
  assert_int_equal(calls(), 2);
  assert_true(model->fresh[2].next_attempt_at == NOW);
  bus_arena_free(arena);
  begin(delivery_of(&order_confirmed_type, &confirmed), 2);
  endpoint_of(&first_id)->failing_since = NOW - 1;
  model->failing_room = 0;
  decide(); /* the other one is not held up */
  assert_int_equal(calls(), 1);
  bus_arena_free(arena);
}

static const struct notify_due due = {{{5}}, {{1}}, ""};
static const struct notify_result answered = {
    .delivery_id = {{5}}, .endpoint_id = {{1}}, .number = 1, .kind = NOTIFY_ANSWERED, .status = 410};

/* Adds a delivery that waits to the batch's database. */
static struct delivery *put_delivery(void) {
  struct delivery *delivery = bus_set_find(&model->deliveries, &due.delivery_id);
  assert_non_null(delivery);
  delivery->endpoint_id = first_id;
  delivery->next_attempt_at = NOW;
  bus_set_keep(&model->deliveries, delivery);
  return delivery;
}

TEST(due_delivery_is_claimed_once)
{
  begin((struct bus_input){.kind = BUS_INPUT_DEADLINE, .body = &due}, 1);
  struct delivery *delivery = put_delivery();
  decide();
  decide();
  assert_int_equal(calls(), 1);
  assert_true(delivery->next_attempt_at == NOW + policy.lease);
  assert_true(bus_set_is_changed(&model->deliveries, delivery));
  bus_arena_free(arena);
}

TEST(due_delivery_of_a_disabled_endpoint_waits)
{
  begin((struct bus_input){.kind = BUS_INPUT_DEADLINE, .body = &due}, 1);
  const struct delivery *delivery = put_delivery();
  endpoint_of(&first_id)->status = WEBHOOK_DISABLED;
  decide();
  assert_int_equal(calls(), 0);
  assert_false(bus_set_is_changed(&model->deliveries, delivery));
  bus_arena_free(arena);
}

TEST(result_writes_its_attempt_and_disables)
{
  begin((struct bus_input){.kind = BUS_INPUT_COMPLETION, .body = &answered}, 1);
  (void)put_delivery();
  decide();
  decide(); /* the same result again is stale */
  assert_int_equal(model->attempt_count, 1);
  assert_true(model->attempts[0].status == 410 && model->attempts[0].number == 1);
  assert_int_equal(endpoint_of(&first_id)->status, WEBHOOK_DISABLED);
  assert_true(bus_set_is_changed(&model->endpoints, endpoint_of(&first_id)));
  const struct notify_action *action = effect(BUS_EFFECT_ACTION, 0)->action;
  assert_string_equal(action->counts, "retried");
  assert_int_equal(action->disabled, WEBHOOK_GONE);
  bus_arena_free(arena);
}

/* ---- requests ---- */

static void request(void) {
  bus_effects_begin(&effects, &input);
  notify_request_decide(model, &input, &effects);
  assert_int_equal(bus_effects_end(&effects), BUS_DONE);
}

static void assert_answered(const char *text) {
  size_t last = 0;
  while (effect(BUS_EFFECT_ANSWER, last + 1))
    last++;
  const struct bus_effect *answer = effect(BUS_EFFECT_ANSWER, last);
  if (!answer || !strstr(answer->body.data, text))
    fail_msg("%s is not in %s", text, answer ? answer->body.data : "nothing");
}

TEST(request_adds_ten_webhooks_at_most)
{
  static struct webhook_request create = {.webhook_id = {{77}}, .customer_id = ANN, .url = URL, .events = 1};
  begin(delivery_of(&webhook_create_type, &create), WEBHOOK_ENDPOINTS_MAX - 1);
  request();
  assert_answered("\"outcome\":\"done\"");
  assert_answered("\"secret\":\"shown\"");
  request(); /* the same again, in the same batch */
  assert_answered("\"outcome\":\"replayed\"");
  create.events = 2;
  request();
  assert_answered("\"outcome\":\"key_reused\"");
  bus_arena_free(arena);
  begin(delivery_of(&webhook_create_type, &create), WEBHOOK_ENDPOINTS_MAX);
  request();
  assert_answered("\"outcome\":\"too_many\"");
  bus_arena_free(arena);
}

TEST(request_P6_with_a_private_url_says_why)
{
  static const struct webhook_request create = {
      .webhook_id = {{77}}, .customer_id = ANN, .url = BUS_STR("https://10.0.0.1/"), .events = 1};
  begin(delivery_of(&webhook_create_type, &create), 0);
  request();
  assert_answered("\"outcome\":\"bad_url\",\"reason\":\"url must name a host of the public internet");
  bus_arena_free(arena);
}

TEST(request_of_another_customer_finds_nothing)
{
  static const struct bus_message_type *const types[] = {&webhook_delete_type, &webhook_enable_type,
                                                         &webhook_rotate_type, &webhook_replay_type};
  static const struct webhook_request stranger = {
      .webhook_id = {{1}}, .customer_id = BUS_STR("bob"), .since = BUS_NO_TIME};
  for (size_t i = 0; i < BUS_COUNT(types); i++) {
    begin(delivery_of(types[i], &stranger), 1);
    request();
    assert_answered("\"outcome\":\"not_found\"");
    assert_false(bus_set_is_changed(&model->endpoints, endpoint_of(&first_id)));
    bus_arena_free(arena);
  }
}

TEST(request_to_rotate_is_carried_out_once)
{
  static const struct webhook_request rotate = {.webhook_id = {{1}}, .customer_id = ANN, .rotation_id = {{3}}};
  begin(delivery_of(&webhook_rotate_type, &rotate), 1);
  request();
  assert_true(bus_str_is(endpoint_of(&first_id)->secret, "stored"));
  assert_true(bus_str_is(endpoint_of(&first_id)->old_secret, "sealed"));
  request();
  assert_true(bus_str_is(endpoint_of(&first_id)->old_secret, "sealed"));
  assert_answered("\"secret\":\"stored\""); /* revealed */
  bus_arena_free(arena);
}

TEST(request_to_delete_hides_the_webhook)
{
  static const struct webhook_request name = {.webhook_id = {{1}}};
  begin(delivery_of(&webhook_delete_type, &name), 1);
  request();
  assert_answered("\"outcome\":\"done\"");
  request();
  assert_answered("\"outcome\":\"not_found\"");
  bus_arena_free(arena);
}

/* ---- addresses ---- */

#define MAILTO BUS_STR("mailto:ann@example.org")
static const struct notify_due mail_due = {
    {{5}}, {{1}}, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"};

/* A batch of a mail that is due, to an address in that state. */
static struct delivery *begin_mail(enum webhook_status status) {
  begin((struct bus_input){.kind = BUS_INPUT_DEADLINE, .body = &mail_due}, 1);
  endpoint_of(&first_id)->url = MAILTO;
  endpoint_of(&first_id)->status = (int)status;
  return put_delivery();
}

TEST(address_waits_for_its_code)
{
  static struct webhook_request create = {.webhook_id = {{77}}, .customer_id = ANN, .url = MAILTO, .events = 1};
  begin(delivery_of(&webhook_create_type, &create), 0);
  request();
  assert_answered("\"outcome\":\"done\"");
  assert_answered("\"status\":\"unconfirmed\"");
  const struct bus_effect *answered_by = effect(BUS_EFFECT_ANSWER, 0);
  assert_null(strstr(answered_by->body.data, "secret")); /* the code is made of it */
  assert_int_equal(model->fresh_count, 1);
  assert_int_equal(model->fresh[0].event, WEBHOOK_EMAIL_CONFIRM);
  assert_true(bus_uuid_is_nil(&model->fresh[0].order_id));
  assert_non_null(strstr(model->fresh[0].payload.data, "\"type\":\"email.confirm\""));
  request();
  assert_answered("\"outcome\":\"replayed\"");
  assert_int_equal(model->fresh_count, 1);
  bus_arena_free(arena);
}

TEST(address_without_a_relay_is_refused)
{
  static const struct webhook_request create = {.webhook_id = {{77}}, .customer_id = ANN, .url = MAILTO, .events = 1};
  policy.sends_mail = false;
  begin(delivery_of(&webhook_create_type, &create), 0);
  request();
  assert_answered("\"outcome\":\"bad_url\",\"reason\":\"url must begin with https://: this server sends no mail");
  policy.sends_mail = true;
  bus_arena_free(arena);
}

TEST(address_is_enabled_by_its_code_alone)
{
  static struct webhook_request confirm = {.webhook_id = {{1}}, .customer_id = ANN, .code_hash = BUS_STR("wrong")};
  begin(delivery_of(&webhook_confirm_type, &confirm), 1);
  endpoint_of(&first_id)->url = MAILTO;
  endpoint_of(&first_id)->status = WEBHOOK_UNCONFIRMED;
  request();
  assert_answered("\"outcome\":\"wrong_code\"");
  input.type = &webhook_enable_type;
  request();
  assert_answered("\"outcome\":\"unconfirmed\"");
  input.type = &webhook_rotate_type;
  request();
  assert_answered("\"outcome\":\"no_secret\"");
  assert_int_equal(endpoint_of(&first_id)->status, WEBHOOK_UNCONFIRMED);
  input.type = &webhook_confirm_type;
  confirm.code_hash = BUS_STR("sealed");
  request();
  assert_answered("\"status\":\"enabled\"");
  endpoint_of(&first_id)->status = WEBHOOK_DISABLED;
  endpoint_of(&first_id)->cause = WEBHOOK_REFUSED;
  request(); /* again: nothing changes */
  assert_answered("\"status\":\"disabled\"");
  bus_arena_free(arena);
}

TEST(webhook_has_no_code)
{
  static const struct webhook_request confirm = {
      .webhook_id = {{1}}, .customer_id = ANN, .code_hash = BUS_STR("sealed")};
  begin(delivery_of(&webhook_confirm_type, &confirm), 1);
  request();
  assert_answered("\"outcome\":\"no_address\"");
  bus_arena_free(arena);
}

TEST(address_gets_no_event_until_it_is_confirmed)
{
  begin(delivery_of(&order_confirmed_type, &confirmed), 1);
  endpoint_of(&first_id)->url = MAILTO;
  endpoint_of(&first_id)->status = WEBHOOK_UNCONFIRMED;
  decide();
  assert_int_equal(model->fresh_count, 0);
  endpoint_of(&first_id)->status = WEBHOOK_ENABLED;
  decide();
  assert_int_equal(model->fresh_count, 1);
  assert_int_equal(calls(), 0); /* it is counted when it is found due */
  assert_true(model->fresh[0].next_attempt_at == NOW);
  bus_arena_free(arena);
}

TEST(address_gets_so_many_mails_an_hour)
{
  struct delivery *delivery = begin_mail(WEBHOOK_ENABLED);
  for (int64_t sent = 1; sent <= policy.mails_per_hour; sent++) {
    delivery->next_attempt_at = NOW;
    decide();
    assert_int_equal(calls(), sent);
  }
  delivery->next_attempt_at = NOW;
  ((struct endpoint_entry *)endpoint_of(&first_id))->under_way = 0;
  decide();
  assert_int_equal(calls(), policy.mails_per_hour);
  assert_true(delivery->next_attempt_at == NOW + BUS_HOUR);
  bus_arena_free(arena);
}

TEST(address_that_is_not_confirmed_gets_its_code_seldom)
{
  struct delivery *delivery = begin_mail(WEBHOOK_UNCONFIRMED);
  decide();
  delivery->next_attempt_at = NOW;
  decide();
  assert_int_equal(calls(), 1);
  assert_true(delivery->next_attempt_at == NOW + 24 * BUS_HOUR);
  bus_arena_free(arena);
}

TEST(address_waits_while_all_connections_are_taken)
{
  const struct delivery *delivery = begin_mail(WEBHOOK_ENABLED);
  model->mail_room = 0;
  decide();
  assert_int_equal(calls(), 0);
  assert_true(delivery->next_attempt_at == NOW);
  bus_arena_free(arena);
}

TEST(endpoint_that_is_disabled_is_told_to_the_others)
{
  begin((struct bus_input){.kind = BUS_INPUT_COMPLETION, .body = &answered}, 1);
  (void)put_delivery();
  decide();
  assert_int_equal(model->disabled_count, 1);
  assert_true(bus_str_is(model->disabled[0].payload,
                         "{\"type\":\"webhook.disabled\",\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"data\":{"
                         "\"webhook_id\":\"01000000-0000-0000-0000-000000000000\",\"cause\":\"gone\"}}"));
  bus_arena_free(arena);
}
