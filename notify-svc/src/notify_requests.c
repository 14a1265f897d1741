/* Requests of owners: endpoints are added, deleted, enabled and given new secrets, deliveries are sent again. */
#include "notify_mail.h"
#include "notify_model.h"

#include <assert.h>

static void answer(struct bus_effects *effects, enum webhook_outcome outcome, const struct endpoint *endpoint) {
  struct webhook_view view;
  struct webhook_answer body = {.outcome = (int)outcome};
  if (endpoint) {
    webhook_view_of(endpoint, effects->now, &view);
    body.webhook = &view;
  }
  bus_answer(effects, &webhook_answer_type, &body);
}

static void answer_secret(struct bus_effects *effects, enum webhook_outcome outcome, const struct endpoint *endpoint,
                          struct bus_str shown) {
  struct webhook_view view;
  webhook_view_of(endpoint, effects->now, &view);
  const struct webhook_answer body = {.outcome = (int)outcome, .webhook = &view, .secret = shown};
  bus_answer(effects, &webhook_answer_type, &body);
}

/* The secret that was made for this input. */
static const struct notify_secret *secret_of(const struct notify_model *model, const struct bus_input *input) {
  assert(input >= model->inputs && input < model->inputs + model->input_count);
  return &model->secrets[input - model->inputs];
}

/* The same request again: the answer is as before. */
static void answer_again(struct notify_model *model, const struct webhook_request *request,
                         const struct endpoint *endpoint, enum webhook_outcome outcome, struct bus_effects *effects) {
  struct bus_str shown;
  if (model->reveal(model->context, endpoint->secret, request->reply_key, effects->arena, &shown))
    answer_secret(effects, outcome, endpoint, shown);
  else
    effects->failed = true;
}

/* ---- POST /api/webhooks ---- */

static size_t count_of(const struct notify_model *model, struct bus_str customer_id) {
  size_t count = 0;
  for (size_t i = 0; i < model->endpoints.count; i++) {
    struct endpoint_entry *entry = bus_set_at(&model->endpoints, i);
    count += notify_model_endpoint(model, &entry->endpoint.endpoint_id) != NULL &&
             bus_str_equal(entry->endpoint.customer_id, customer_id);
  }
  return count;
}

static bool is_same(const struct endpoint *endpoint, const struct webhook_request *request) {
  return bus_str_equal(endpoint->url, request->url) && endpoint->events == request->events &&
         bus_str_equal(endpoint->description, request->description) &&
         bus_str_equal(endpoint->customer_id, request->customer_id);
}

static bool check_url(struct bus_str url, const struct notify_policy *policy, char why[WEBHOOK_REASON_MAX + 1]) {
  return notify_is_mail(url) ? notify_mail_check(url, policy, why) : notify_url_check(url, policy, why);
}

static void add_confirmation(struct notify_model *model, const struct endpoint *endpoint, struct bus_effects *effects) {
  struct delivery *delivery = notify_model_add(model, effects);
  if (!delivery)
    return;
  *delivery = (struct delivery){.endpoint_id = endpoint->endpoint_id,
                                .event = WEBHOOK_EMAIL_CONFIRM,
                                .status = DELIVERY_WAITING,
                                .next_attempt_at = effects->now,
                                .created_at = effects->now};
  bus_uuid_v5(&endpoint->endpoint_id, bus_str(delivery_event_names[WEBHOOK_EMAIL_CONFIRM]), &delivery->delivery_id);
  if (!notify_payload_of_endpoint(WEBHOOK_EMAIL_CONFIRM, &endpoint->endpoint_id, -1, effects->now, effects->arena,
                                  &delivery->payload))
    effects->failed = true;
}

/* The secret of an address makes the code of its mail, which its owner must not learn otherwise. */
static void answer_created(struct notify_model *model, struct endpoint_entry *entry, const struct notify_secret *secret,
                           struct bus_effects *effects) {
  bus_set_change(&model->endpoints, entry);
  if (!notify_is_mail(entry->endpoint.url)) {
    answer_secret(effects, WEBHOOK_DONE, &entry->endpoint, secret->shown);
    return;
  }
  entry->endpoint.status = WEBHOOK_UNCONFIRMED;
  add_confirmation(model, &entry->endpoint, effects);
  answer(effects, WEBHOOK_DONE, &entry->endpoint);
}

static void decide_create(struct notify_model *model, const struct bus_input *input, struct bus_effects *effects) {
  const struct webhook_request *request = input->body;
  const struct notify_secret *secret = secret_of(model, input);
  struct endpoint_entry *entry = bus_set_find(&model->endpoints, &request->webhook_id);
  char why[WEBHOOK_REASON_MAX + 1];
  assert(entry);
  struct endpoint *endpoint = &entry->endpoint;
  if (bus_set_is_stored(&model->endpoints, entry) || bus_set_is_changed(&model->endpoints, entry)) {
    /* A rotated secret is not that of the request any more; a deleted endpoint stays deleted under its key. */
    if (!is_same(endpoint, request) || endpoint->status == WEBHOOK_DELETED || !bus_uuid_is_nil(&endpoint->rotation_id))
      answer(effects, WEBHOOK_KEY_REUSED, NULL);
    else if (notify_is_mail(endpoint->url))
      answer(effects, WEBHOOK_REPLAYED, endpoint);
    else
      answer_again(model, request, endpoint, WEBHOOK_REPLAYED, effects);
  } else if (!check_url(request->url, model->policy, why)) {
    const struct webhook_answer body = {.outcome = WEBHOOK_BAD_URL, .reason = bus_str(why)};
    bus_answer(effects, &webhook_answer_type, &body);
  } else if (count_of(model, request->customer_id) >= WEBHOOK_ENDPOINTS_MAX) {
    answer(effects, WEBHOOK_TOO_MANY, NULL);
  } else {
    *endpoint = (struct endpoint){.endpoint_id = request->webhook_id,
                                  .customer_id = request->customer_id,
                                  .url = request->url,
                                  .description = request->description,
                                  .events = request->events,
                                  .secret = secret->stored,
                                  .old_secret_until = BUS_NO_TIME,
                                  .status = WEBHOOK_ENABLED,
                                  .cause = -1,
                                  .disabled_at = BUS_NO_TIME,
                                  .failing_since = BUS_NO_TIME,
                                  .created_at = effects->now};
    answer_created(model, entry, secret, effects);
  }
}

/* ---- the others: of an endpoint that is there ---- */

static void decide_rotate(struct notify_model *model, struct endpoint_entry *entry, const struct bus_input *input,
                          struct bus_effects *effects) {
  const struct webhook_request *request = input->body;
  const struct notify_secret *secret = secret_of(model, input);
  if (notify_is_mail(entry->endpoint.url)) {
    answer(effects, WEBHOOK_NO_SECRET, NULL);
    return;
  }
  if (bus_uuid_equal(&entry->endpoint.rotation_id, &request->rotation_id)) {
    answer_again(model, request, &entry->endpoint, WEBHOOK_DONE, effects);
    return;
  }
  endpoint_evolve_rotated(&entry->endpoint, secret->stored, &request->rotation_id, model->policy, effects->now);
  bus_set_change(&model->endpoints, entry);
  answer_secret(effects, WEBHOOK_DONE, &entry->endpoint, secret->shown);
}

static void decide_replay(struct notify_model *model, const struct endpoint *endpoint,
                          const struct webhook_request *request, struct bus_effects *effects) {
  bool one = !bus_uuid_is_nil(&request->delivery_id);
  struct delivery *delivery = one ? notify_model_delivery(model, &request->delivery_id) : NULL;
  if (one && (!delivery || !bus_uuid_equal(&delivery->endpoint_id, &endpoint->endpoint_id))) {
    answer(effects, WEBHOOK_NOT_FOUND, NULL);
    return;
  }
  if (endpoint->status == WEBHOOK_DISABLED) {
    answer(effects, WEBHOOK_IS_DISABLED, NULL);
    return;
  }
  if (delivery) {
    delivery_evolve_replayed(delivery, effects->now);
    bus_set_change(&model->deliveries, delivery);
  } else if (request->since != BUS_NO_TIME) {
    model->replays[model->replay_count++] = request;
  }
  answer(effects, WEBHOOK_DONE, endpoint);
}

static void decide_enable(struct notify_model *model, struct endpoint_entry *entry, struct bus_effects *effects) {
  if (entry->endpoint.status == WEBHOOK_UNCONFIRMED) {
    answer(effects, WEBHOOK_NOT_CONFIRMED, NULL);
    return;
  }
  endpoint_evolve_enabled(&entry->endpoint);
  bus_set_change(&model->endpoints, entry);
  answer(effects, WEBHOOK_DONE, &entry->endpoint);
}

/* The same code again is answered as before. */
static void decide_confirm(struct notify_model *model, struct endpoint_entry *entry,
                           const struct webhook_request *request, struct bus_effects *effects) {
  struct endpoint *endpoint = &entry->endpoint;
  if (!notify_is_mail(endpoint->url)) {
    answer(effects, WEBHOOK_NO_ADDRESS, NULL);
    return;
  }
  if (!model->confirms(model->context, endpoint->secret, request->code_hash)) {
    answer(effects, WEBHOOK_WRONG_CODE, NULL);
    return;
  }
  if (endpoint->status == WEBHOOK_UNCONFIRMED) {
    endpoint_evolve_enabled(endpoint);
    bus_set_change(&model->endpoints, entry);
  }
  answer(effects, WEBHOOK_DONE, endpoint);
}

static void decide_delete(struct notify_model *model, struct endpoint_entry *entry, struct bus_effects *effects) {
  endpoint_evolve_deleted(&entry->endpoint, effects->now);
  bus_set_change(&model->endpoints, entry);
  answer(effects, WEBHOOK_DONE, NULL);
}

static void decide_named(struct notify_model *model, struct endpoint_entry *entry, const struct bus_input *input,
                         struct bus_effects *effects) {
  if (input->type == &webhook_rotate_type)
    decide_rotate(model, entry, input, effects);
  else if (input->type == &webhook_replay_type)
    decide_replay(model, &entry->endpoint, input->body, effects);
  else if (input->type == &webhook_confirm_type)
    decide_confirm(model, entry, input->body, effects);
  else if (input->type == &webhook_enable_type)
    decide_enable(model, entry, effects);
  else
    decide_delete(model, entry, effects);
}

void notify_request_decide(void *opaque, const struct bus_input *input, struct bus_effects *effects) {
  struct notify_model *model = opaque;
  const struct webhook_request *request = input->body;
  struct endpoint_entry *entry;
  if (input->type == &webhook_create_type) {
    decide_create(model, input, effects);
    return;
  }
  entry = notify_model_endpoint(model, &request->webhook_id);
  if (!entry || (request->customer_id.data && !bus_str_equal(request->customer_id, entry->endpoint.customer_id)))
    answer(effects, WEBHOOK_NOT_FOUND, NULL);
  else
    decide_named(model, entry, input, effects);
}
