/* A batch: events become deliveries, deliveries that are due become calls, and results of calls end them. */
#include "notify_mail.h"
#include "notify_model.h"

#include <bus/hash.h>

#include <assert.h>

/* ---- the model ---- */

static void name(struct notify_model *model, const struct bus_input *input) {
  const struct notify_due *due = input->body;
  const struct notify_result *result = input->body;
  const struct webhook_request *request = input->body;
  if (input->kind == BUS_INPUT_DEADLINE) {
    bus_set_add(&model->endpoints, &due->endpoint_id);
    bus_set_add(&model->deliveries, &due->delivery_id);
    if (due->mail_key[0])
      bus_set_add(&model->windows, &(struct bus_str){due->mail_key, NOTIFY_MAIL_KEY});
  } else if (input->kind == BUS_INPUT_COMPLETION) {
    bus_set_add(&model->endpoints, &result->endpoint_id);
    bus_set_add(&model->deliveries, &result->delivery_id);
  } else if (input->type->writes) {
    bus_set_add(&model->endpoints, &request->webhook_id);
    if (input->type == &webhook_replay_type && !bus_uuid_is_nil(&request->delivery_id))
      bus_set_add(&model->deliveries, &request->delivery_id);
    model->has_creates = model->has_creates || input->type == &webhook_create_type;
  }
}

bool notify_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                      const struct notify_policy *policy, struct notify_model **ret) {
  struct notify_model *model = bus_arena_alloc(arena, sizeof *model);
  if (!model)
    return false;
  *model = (struct notify_model){.policy = policy, .arena = arena, .inputs = inputs, .input_count = count};
  model->attempts = bus_arena_array(arena, count, sizeof *model->attempts);
  model->replays = bus_arena_array(arena, count, sizeof *model->replays);
  model->disabled = bus_arena_array(arena, count, sizeof *model->disabled);
  bus_set_init(&model->endpoints, &endpoint_columns, sizeof(struct endpoint_entry), arena);
  bus_set_init(&model->deliveries, &delivery_columns, 0, arena);
  bus_set_init(&model->windows, &mail_window_columns, 0, arena);
  for (size_t i = 0; i < count; i++)
    name(model, &inputs[i]);
  *ret = model;
  return model->attempts && model->replays && model->disabled && bus_set_open(&model->endpoints) &&
         bus_set_open(&model->deliveries) && bus_set_open(&model->windows);
}

struct endpoint_entry *notify_model_endpoint(const struct notify_model *model, const struct bus_uuid *endpoint_id) {
  struct endpoint_entry *entry = bus_set_find(&model->endpoints, endpoint_id);
  bool is_there =
      entry && (bus_set_is_stored(&model->endpoints, entry) || bus_set_is_changed(&model->endpoints, entry));
  return is_there && entry->endpoint.status != WEBHOOK_DELETED ? entry : NULL;
}

struct delivery *notify_model_delivery(const struct notify_model *model, const struct bus_uuid *delivery_id) {
  struct delivery *delivery = bus_set_find(&model->deliveries, delivery_id);
  return delivery && bus_set_is_stored(&model->deliveries, delivery) ? delivery : NULL;
}

static void act(struct bus_effects *effects, const struct notify_action *action) {
  struct notify_action *kept = bus_effects_array(effects, 1, sizeof *kept);
  if (!kept)
    return;
  *kept = *action;
  bus_act(effects, kept);
}

/* ---- calls ---- */

static bool has_room(const struct notify_model *model, struct endpoint_entry *entry) {
  bool failing = entry->endpoint.failing_since != BUS_NO_TIME;
  if (!entry->counted)
    entry->under_way = model->under_way(model->context, &entry->endpoint.endpoint_id);
  entry->counted = true;
  return model->room > 0 && (!failing || model->failing_room > 0) &&
         (!notify_is_mail(entry->endpoint.url) || model->mail_room > 0) &&
         entry->under_way < notify_decide_limit(&entry->endpoint, model->policy);
}

/* Claims the delivery, and begins the call after COMMIT. */
static void call(struct notify_model *model, struct endpoint_entry *entry, struct delivery *delivery,
                 struct bus_effects *effects) {
  const struct endpoint *endpoint = &entry->endpoint;
  struct notify_call *made = bus_effects_array(effects, 1, sizeof *made);
  bool old = endpoint->old_secret.data && endpoint->old_secret_until > effects->now;
  if (!made)
    return;
  *made = (struct notify_call){.delivery_id = delivery->delivery_id,
                               .endpoint_id = endpoint->endpoint_id,
                               .number = delivery->attempts + 1,
                               .failing = endpoint->failing_since != BUS_NO_TIME,
                               .url = endpoint->url,
                               .payload = delivery->payload,
                               .secrets = {endpoint->secret, old ? endpoint->old_secret : BUS_NO_STR}};
  model->room--;
  model->failing_room -= made->failing;
  model->mail_room -= notify_is_mail(endpoint->url);
  entry->under_way++;
  delivery_evolve_claimed(delivery, model->policy, effects->now);
  act(effects, &(struct notify_action){.call = made, .disabled = -1});
}

/* Counts the mail, or puts it off: nobody's address gets more than it may. */
static bool may_mail(struct notify_model *model, const struct endpoint *endpoint, const struct notify_due *due,
                     struct delivery *delivery, bus_time now) {
  struct mail_window *window = bus_set_find(&model->windows, &(struct bus_str){due->mail_key, NOTIFY_MAIL_KEY});
  bool confirmed = endpoint->status == WEBHOOK_ENABLED;
  if (!notify_is_mail(endpoint->url))
    return true;
  assert(window); /* the search for due deliveries names it */
  if (!bus_set_is_stored(&model->windows, window) && !bus_set_is_changed(&model->windows, window))
    window->began_at = now;
  bus_time at = notify_decide_mail(window, confirmed, model->policy, now);
  if (at > now) {
    delivery_evolve_put_off(delivery, at);
    bus_set_change(&model->deliveries, delivery);
    return false;
  }
  mail_window_evolve(window, confirmed, now);
  bus_set_change(&model->windows, window);
  return true;
}

static void decide_due(struct notify_model *model, const struct notify_due *due, struct bus_effects *effects) {
  struct endpoint_entry *entry = notify_model_endpoint(model, &due->endpoint_id);
  struct delivery *delivery = notify_model_delivery(model, &due->delivery_id);
  if (!entry || !delivery || !notify_decide_due(&entry->endpoint, delivery, effects->now) || !has_room(model, entry) ||
      !may_mail(model, &entry->endpoint, due, delivery, effects->now))
    return;
  call(model, entry, delivery, effects);
  bus_set_change(&model->deliveries, delivery);
}

/* ---- results ---- */

static const char *outcome_of(const struct attempt_decision *decision) {
  static const char *const names[] = {
      [DELIVERY_WAITING] = "retried", [DELIVERY_DELIVERED] = "delivered", [DELIVERY_FAILED] = "failed"};
  return names[decision->status];
}

static void tell_disabled(struct notify_model *model, const struct endpoint *endpoint, struct bus_effects *effects) {
  struct notify_disabled *told = &model->disabled[model->disabled_count];
  told->endpoint_id = endpoint->endpoint_id;
  if (notify_payload_of_endpoint(WEBHOOK_WEBHOOK_DISABLED, &endpoint->endpoint_id, endpoint->cause, effects->now,
                                 effects->arena, &told->payload))
    model->disabled_count++;
  else
    effects->failed = true;
}

static void decide_result(struct notify_model *model, const struct notify_result *result, struct bus_effects *effects) {
  struct endpoint_entry *entry = notify_model_endpoint(model, &result->endpoint_id);
  struct delivery *delivery = notify_model_delivery(model, &result->delivery_id);
  struct attempt_decision decision;
  if (!entry || !delivery)
    return;
  struct {
    struct bus_uuid id;
    int64_t number;
  } seed = {result->delivery_id, result->number};
  notify_decide_attempt(&entry->endpoint, delivery, result, model->policy, effects->now, bus_hash64(&seed, sizeof seed),
                        &decision);
  if (!decision.counts)
    return;
  delivery_evolve_attempted(delivery, &decision);
  bus_set_change(&model->deliveries, delivery);
  if (result->kind == NOTIFY_NOT_STARTED)
    return;
  if (endpoint_evolve_attempted(&entry->endpoint, &decision, effects->now))
    bus_set_change(&model->endpoints, entry);
  if (decision.disables >= 0)
    tell_disabled(model, &entry->endpoint, effects);
  model->attempts[model->attempt_count++] = (struct attempt){.delivery_id = result->delivery_id,
                                                             .number = result->number,
                                                             .at = effects->now,
                                                             .status = result->status,
                                                             .duration_ms = result->duration_ms,
                                                             .note = bus_str(result->note)};
  act(effects, &(struct notify_action){.counts = outcome_of(&decision),
                                       .is_mail = notify_is_mail(entry->endpoint.url),
                                       .disabled = decision.disables,
                                       .endpoint_id = result->endpoint_id});
}

/* ---- events ---- */

struct delivery *notify_model_add(struct notify_model *model, struct bus_effects *effects) {
  struct delivery *fresh =
      bus_arena_grow(model->arena, model->fresh, model->fresh_count * sizeof *fresh,
                     (model->fresh_count + 1) * sizeof *fresh, 16 * sizeof *fresh, &model->fresh_room);
  if (!fresh) {
    effects->failed = true;
    return NULL;
  }
  model->fresh = fresh;
  return &fresh[model->fresh_count++];
}

static void deliver(struct notify_model *model, struct endpoint_entry *entry, const struct notify_event *event,
                    struct bus_str payload, struct bus_effects *effects) {
  struct delivery *delivery = notify_model_add(model, effects);
  if (!delivery)
    return;
  *delivery = (struct delivery){.endpoint_id = entry->endpoint.endpoint_id,
                                .order_id = event->order_id,
                                .event = (int)event->type,
                                .payload = payload,
                                .status = DELIVERY_WAITING,
                                .next_attempt_at = effects->now,
                                .created_at = effects->now};
  notify_delivery_id_of(&entry->endpoint.endpoint_id, event, &delivery->delivery_id);
  if (!notify_is_mail(entry->endpoint.url) && has_room(model, entry)) /* mails are counted when they are found due */
    call(model, entry, delivery, effects);
}

static void decide_event(struct notify_model *model, const struct notify_event *event, struct bus_effects *effects) {
  struct bus_str payload = BUS_NO_STR;
  for (size_t i = 0; i < model->endpoints.count; i++) {
    struct endpoint_entry *entry = bus_set_at(&model->endpoints, i);
    const struct endpoint *endpoint = &entry->endpoint;
    if (!bus_set_is_stored(&model->endpoints, entry) || endpoint->status != WEBHOOK_ENABLED ||
        (endpoint->events >> event->type & 1) == 0 || !bus_str_equal(endpoint->customer_id, event->customer_id))
      continue;
    if (!payload.data && !notify_payload_encode(event, effects->now, effects->arena, &payload)) {
      effects->failed = true;
      return;
    }
    deliver(model, entry, event, payload, effects);
  }
}

void notify_decide(void *opaque, const struct bus_input *input, struct bus_effects *effects) {
  struct notify_model *model = opaque;
  struct notify_event event;
  if (input->kind == BUS_INPUT_DEADLINE)
    decide_due(model, input->body, effects);
  else if (input->kind == BUS_INPUT_COMPLETION)
    decide_result(model, input->body, effects);
  else if (notify_event_of(input, &event))
    decide_event(model, &event, effects);
  else
    bus_park(effects, "notify-svc takes no such message");
}
