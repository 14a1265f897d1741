/* notify-svc as it is, its hooks included, but for keys and metrics; hooks.c has the attempts. */
#include "hooks.h"
#include "service_bugs.h"
#include "services.h"
#include "table_webhooks.h"

#include "../../notify-svc/src/notify_hooks.h"
#include "../../notify-svc/src/notify_keys.h"
#include "../../notify-svc/src/notify_metrics.h"

#include <bus/failpoint.h>
#include <notify_statements.h>

void notify_open_in(struct world *world, struct worker *worker) {
  struct bus_error err;
  if (!notify_open(&hook_settings, &worker->context.handle, &worker->own, &err))
    world_violate(world, "notify-svc does not open: %s", err.text);
}

static bool lock_webhooks(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                          struct bus_sql *sql, void **ret_model) {
  services_lock(inputs, count);
  return notify_lock(context, inputs, count, arena, sql, ret_model);
}

static void decide_webhooks(void *model, const struct bus_input *input, struct bus_effects *effects) {
  struct world *world = services_present->world;
  if (!services_begin(input))
    return;
  if (world->bug != BUG_NONE)
    bugs_decide_notify(world, model, input, effects);
  else
    notify_decide(model, input, effects);
  services_end(effects);
}

static const char *const queues[] = {"notify-svc"};

const struct bus_service notify_bus = {
    .name = "notify-svc",
    .queues = queues,
    .queue_count = BUS_COUNT(queues),
    .statements = notify_statements,
    .statement_count = NOTIFY_STATEMENTS,
    .periodics = notify_periodics,
    .periodic_count = NOTIFY_PERIODICS,
    .close = notify_close,
    .lock = lock_webhooks,
    .load = notify_load,
    .decide = decide_webhooks,
    .store = notify_store,
    .act = notify_act,
};

/* ---- keys: no server of a seed checks a signature; requests, which make secrets, are not simulated ---- */

bool notify_keys_open(const char *file, struct notify_keys *ret, struct bus_error *err) {
  (void)file, (void)ret, (void)err;
  return true;
}

void notify_keys_close(struct notify_keys *keys) {
  (void)keys;
}

bool notify_keys_make(const struct notify_keys *keys, struct bus_str reply_key, struct bus_arena *arena,
                      struct notify_secret *ret) {
  (void)keys, (void)reply_key, (void)arena, (void)ret;
  return false;
}

bool notify_keys_reveal(const struct notify_keys *keys, struct bus_str stored, struct bus_str reply_key,
                        struct bus_arena *arena, struct bus_str *ret) {
  (void)keys, (void)stored, (void)reply_key, (void)arena, (void)ret;
  return false;
}

bool notify_keys_confirm(const struct notify_keys *keys, struct bus_str stored, struct bus_str code_hash) {
  (void)keys, (void)stored, (void)code_hash;
  return false;
}

/* ---- metrics ---- */

void notify_metrics_register(void) {
}

void notify_metrics_delivery(const char *outcome, bool is_mail) {
  (void)outcome, (void)is_mail;
}

void notify_metrics_disabled(enum webhook_cause cause) {
  (void)cause;
}

void notify_metrics_gauges(const struct notify_gauges *gauges) {
  (void)gauges;
}
