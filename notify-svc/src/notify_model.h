/* The model of a batch: endpoints and deliveries that its inputs name, and what they add. Pure. */
#pragma once

#include "notify_payload.h"
#include "notify_url.h"

#include <bus/aggregate.h>
#include <bus/effects.h>

/* An endpoint of the batch, and the attempts of it that are under way. */
struct endpoint_entry {
  struct endpoint endpoint;
  bool counted;
  int64_t under_way;
};

/* The body of a deadline: a delivery that is due. */
struct notify_due {
  struct bus_uuid delivery_id, endpoint_id;
  char mail_key[NOTIFY_MAIL_KEY + 1]; /* of the window of its address; "": of a webhook */
};

/* An attempt to begin after COMMIT. The texts lie in the batch's arena. */
struct notify_call {
  struct bus_uuid delivery_id, endpoint_id;
  int64_t number;
  bool failing; /* the endpoint fails */
  struct bus_str url, payload;
  struct bus_str secrets[2]; /* sealed; the second may be absent */
};

/* After COMMIT: a call, or something to count and to log. */
struct notify_action {
  const struct notify_call *call; /* NULL: none */
  const char *counts;             /* outcome of a delivery, for the metric; NULL: none */
  bool is_mail;
  int disabled; /* enum webhook_cause, or -1 */
  struct bus_uuid endpoint_id;
};

/* An endpoint that is disabled in this batch: other endpoints of its customer may want to know. */
struct notify_disabled {
  struct bus_uuid endpoint_id;
  struct bus_str payload;
};

/* A request that makes a secret: fresh, and as it is stored and answered. */
struct notify_secret {
  struct bus_str stored; /* sealed to the service's own key */
  struct bus_str shown;  /* sealed to the request's reply_key */
};

struct notify_model {
  const struct notify_policy *policy;
  struct bus_arena *arena;
  struct bus_set endpoints; /* struct endpoint_entry */
  struct bus_set deliveries;
  struct bus_set windows; /* struct mail_window */
  struct delivery *fresh; /* to be inserted */
  size_t fresh_count, fresh_room;
  struct attempt *attempts; /* to be inserted */
  size_t attempt_count, attempt_room;
  struct notify_disabled *disabled;
  size_t disabled_count;
  const struct webhook_request **replays; /* since a time */
  size_t replay_count;
  bool has_creates;
  /* Calls that may begin beside those that are under way: any, those of endpoints that fail, and mails. */
  int64_t room, failing_room, mail_room;
  int64_t (*under_way)(void *context, const struct bus_uuid *endpoint_id);
  void *context;
  /* Requests: the secrets of the inputs, in their order; and seals a stored secret to a reply key. */
  const struct bus_input *inputs;
  size_t input_count;
  struct notify_secret *secrets;
  bool (*reveal)(void *context, struct bus_str stored, struct bus_str reply_key, struct bus_arena *arena,
                 struct bus_str *ret);
  /* Is it the SHA-256 of the code that the mail of this stored secret had? */
  bool (*confirms)(void *context, struct bus_str stored, struct bus_str code_hash);
};

/* Makes the model of these inputs; sets are open and empty. False: out of memory. */
bool notify_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                      const struct notify_policy *policy, struct notify_model **ret) BUS_MUST_CHECK;

/* NULL: there is none. */
struct endpoint_entry *notify_model_endpoint(const struct notify_model *model, const struct bus_uuid *endpoint_id);
struct delivery *notify_model_delivery(const struct notify_model *model, const struct bus_uuid *delivery_id);

/* One more delivery of the batch. NULL: out of memory, and the effects have failed. */
struct delivery *notify_model_add(struct notify_model *model, struct bus_effects *effects);

/* decide() of the worker that takes events, and of the one that takes requests. */
void notify_decide(void *model, const struct bus_input *input, struct bus_effects *effects);
void notify_request_decide(void *model, const struct bus_input *input, struct bus_effects *effects);
/* The two trips (notify_store.c). */
void notify_store_lock(const struct notify_model *model, struct bus_sql *sql);
bool notify_load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err);
bool notify_store(void *model, struct bus_sql *sql);
