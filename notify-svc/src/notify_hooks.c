/* State of notify-svc for each worker, actions after COMMIT, and what runs at intervals. */
#include "notify_hooks.h"

#include "notify_mail.h"
#include "notify_metrics.h"
#include "notify_sender.h"
#include "notify_statements.h"

#include <bus/failpoint.h>
#include <bus/log.h>

#include <stdlib.h>

enum { FIND_DUE_MS = 500, LOOK_AFTER_MS = 10000, PURGE_MS = 60000 };

struct context {
  struct notify_policy policy;
  struct notify_keys keys;
  struct notify_sender *sender; /* NULL: a worker of requests */
  struct bus_uuid behind;       /* the endpoint behind which the next look for due deliveries begins */
  int64_t asked;                /* how many deliveries that look may find */
};

bool notify_request_open(const void *given, struct bus_worker *worker, void **ret_context, struct bus_error *err) {
  const struct notify_settings *settings = given;
  struct context *context = calloc(1, sizeof *context);
  (void)worker;
  if (!context)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a worker's context");
  notify_metrics_register();
  if (!notify_policy_of(settings, &context->policy, err) ||
      !notify_keys_open(settings->key_file, &context->keys, err)) {
    notify_close(context);
    return false;
  }
  *ret_context = context;
  return true;
}

bool notify_open(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err) {
  void *opened = NULL;
  if (!notify_request_open(settings, worker, &opened, err) || !opened)
    return false;
  struct context *context = opened;
  bool good = notify_sender_new(settings, &context->keys, worker, &context->sender, err) &&
              (notify_sender_add_sources(context->sender) ||
               bus_fail(err, BUS_E_CONFIG, "no room for the sockets of webhooks in the poll set"));
  if (good)
    *ret_context = context;
  else
    notify_close(context);
  return good;
}

void notify_close(void *opaque) {
  struct context *context = opaque;
  if (!context)
    return;
  notify_sender_free(context->sender);
  notify_keys_close(&context->keys);
  free(context);
}

/* ---- batches ---- */

static int64_t under_way(void *opaque, const struct bus_uuid *endpoint_id) {
  const struct context *context = opaque;
  return notify_sender_under_way(context->sender, endpoint_id);
}

bool notify_lock(void *opaque, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                 struct bus_sql *sql, void **ret_model) {
  struct context *context = opaque;
  struct notify_model *model;
  if (!notify_model_new(inputs, count, arena, &context->policy, &model))
    return false;
  model->room = notify_sender_room(context->sender, false);
  model->failing_room = notify_sender_room(context->sender, true);
  model->mail_room = notify_sender_mail_room(context->sender);
  model->under_way = under_way;
  model->context = context;
  notify_store_lock(model, sql);
  *ret_model = model;
  return true;
}

static bool reveal(void *opaque, struct bus_str stored, struct bus_str reply_key, struct bus_arena *arena,
                   struct bus_str *ret) {
  const struct context *context = opaque;
  return notify_keys_reveal(&context->keys, stored, reply_key, arena, ret);
}

static bool confirms(void *opaque, struct bus_str stored, struct bus_str code_hash) {
  const struct context *context = opaque;
  return notify_keys_confirm(&context->keys, stored, code_hash);
}

bool notify_request_lock(void *opaque, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                         struct bus_sql *sql, void **ret_model) {
  struct context *context = opaque;
  struct notify_model *model;
  if (!notify_model_new(inputs, count, arena, &context->policy, &model))
    return false;
  model->secrets = bus_arena_array(arena, count, sizeof *model->secrets);
  model->reveal = reveal;
  model->confirms = confirms;
  model->context = context;
  for (size_t i = 0; model->secrets && i < count; i++) {
    const struct webhook_request *request = inputs[i].body;
    bool makes = inputs[i].type == &webhook_create_type || inputs[i].type == &webhook_rotate_type;
    if (makes && !notify_keys_make(&context->keys, request->reply_key, arena, &model->secrets[i]))
      return false;
  }
  notify_store_lock(model, sql);
  *ret_model = model;
  return model->secrets != NULL;
}

void notify_act(void *opaque, const void *given) {
  struct context *context = opaque;
  const struct notify_action *action = given;
  if (action->counts)
    notify_metrics_delivery(action->counts, action->is_mail);
  if (action->disabled >= 0) {
    notify_metrics_disabled((enum webhook_cause)action->disabled);
    bus_log(BUS_INFO, "a webhook is disabled", BUS_F_UUID("endpoint_id", &action->endpoint_id),
            BUS_F_STR("cause", webhook_cause_names[action->disabled]));
  }
  if (action->call && !BUS_ERROR_POINT("notify.claimed")) /* else it is as good as lost with the process */
    notify_sender_take(context->sender, action->call);
}

/* ---- at intervals ---- */

static void find_due_args(void *opaque, struct bus_args *args) {
  struct context *context = opaque;
  context->asked = notify_sender_room(context->sender, false);
  bus_args_uuid(args, &context->behind);
  bus_args_int64(args, context->asked);
  bus_args_int64(args, context->policy.endpoint_concurrency);
}

/* The next look begins behind the last endpoint that was found, so that each endpoint has its turn. */
static void find_due_rows(void *opaque, struct bus_worker *worker, const struct bus_rows *rows) {
  struct context *context = opaque;
  size_t count = bus_rows_count(rows);
  static const struct bus_uuid none;
  for (size_t i = 0; i < count; i++) {
    struct notify_due due = {bus_rows_uuid(rows, i, 0), bus_rows_uuid(rows, i, 1), ""};
    if (!bus_rows_is_null(rows, i, 2))
      notify_mail_key(bus_rows_text(rows, i, 2), bus_rows_bool(rows, i, 3), due.mail_key);
    if (notify_sender_under_way(context->sender, &due.endpoint_id) < context->policy.endpoint_concurrency)
      (void)bus_worker_push(worker, BUS_INPUT_DEADLINE, &due, sizeof due); /* else the next look finds it */
  }
  context->behind = count > 0 && (int64_t)count >= context->asked ? bus_rows_uuid(rows, count - 1, 1) : none;
}

static void look_after_rows(void *opaque, struct bus_worker *worker, const struct bus_rows *rows) {
  (void)opaque, (void)worker;
  notify_metrics_gauges(&(const struct notify_gauges){bus_rows_int64(rows, 0, 0), bus_rows_int64(rows, 0, 1),
                                                      bus_rows_int64(rows, 0, 2), bus_rows_int64(rows, 0, 3)});
}

static void purge_args(void *opaque, struct bus_args *args) {
  const struct context *context = opaque;
  bus_args_int64(args, context->policy.keep);
}

/* The service has no use for the deleted rows. */
static void ignore_rows(void *context, struct bus_worker *worker, const struct bus_rows *rows) {
  (void)context, (void)worker, (void)rows;
}

const struct bus_periodic notify_periodics[NOTIFY_PERIODICS] = {
    {.statement = FIND_DUE, .interval_ms = FIND_DUE_MS, .args = find_due_args, .rows = find_due_rows},
    {.statement = LOOK_AFTER, .interval_ms = LOOK_AFTER_MS, .rows = look_after_rows},
    {.statement = PURGE_DELIVERIES, .interval_ms = PURGE_MS, .args = purge_args, .rows = ignore_rows},
    {.statement = PURGE_OF_DELETED, .interval_ms = PURGE_MS, .rows = ignore_rows},
    {.statement = PURGE_ENDPOINTS, .interval_ms = PURGE_MS, .rows = ignore_rows},
    {.statement = PURGE_UNCONFIRMED, .interval_ms = PURGE_MS, .rows = ignore_rows},
    {.statement = PURGE_MAIL_WINDOWS, .interval_ms = PURGE_MS, .rows = ignore_rows},
};
