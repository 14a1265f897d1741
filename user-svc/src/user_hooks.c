/* Wires a worker to the keys and to the threads that hash, which all workers of the process share. */
#include "user_hooks.h"

#include "user_columns.h"
#include "user_keys.h"
#include "user_pool.h"
#include "user_queries.h"
#include "user_statements.h"
#include "user_store.h"

#include <bus/log.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PURGE_INTERVAL_MS = 600000, PATH_TEXT = 1200 };

/* ---- what workers share ---- */

static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
  size_t users; /* workers that are open */
  struct user_key_ring ring;
  struct user_pool *pool;
  struct user_policy policy;
} shared;

static bool open_shared(const struct user_settings *settings, struct bus_error *err) {
  const struct user_pool_settings pool = {.threads = (size_t)settings->hash_threads,
                                          .queue = (size_t)settings->hash_queue,
                                          .cost = {settings->hash_operations, settings->hash_memory_kib},
                                          .seal = &shared.ring.seal};
  shared.policy = user_policy_of(settings);
  if (!user_keys_open(settings, &shared.ring, err))
    return false;
  if (user_pool_new(&pool, &shared.pool, err))
    return true;
  user_keys_close(&shared.ring);
  return false;
}

static bool acquire(const struct user_settings *settings, struct bus_error *err) {
  (void)pthread_mutex_lock(&shared_lock);
  bool good = shared.users > 0 || open_shared(settings, err);
  shared.users += good;
  (void)pthread_mutex_unlock(&shared_lock);
  return good;
}

static void release(void) {
  (void)pthread_mutex_lock(&shared_lock);
  if (--shared.users == 0) {
    user_pool_free(shared.pool);
    user_keys_close(&shared.ring);
  }
  (void)pthread_mutex_unlock(&shared_lock);
}

/* ---- requests ---- */

struct context {
  const struct user_settings *settings;
  struct user_pool_client *client;
};

bool user_open(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err) {
  struct context *context = calloc(1, sizeof *context);
  if (!context)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a worker");
  context->settings = settings;
  if (!acquire(settings, err)) {
    free(context);
    return false;
  }
  if (!user_pool_join(shared.pool, worker, &context->client, err)) {
    user_close(context);
    return false;
  }
  *ret_context = context;
  return true;
}

void user_close(void *pointer) {
  struct context *context = pointer;
  if (!context)
    return;
  user_pool_leave(context->client);
  free(context);
  release();
}

bool user_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
               struct bus_sql *sql, void **ret_model) {
  struct user_ask *asks = bus_arena_array(arena, count, sizeof *asks);
  struct user_model *model;
  (void)context;
  for (size_t i = 0; asks && i < count; i++)
    if (!user_ask_of(&inputs[i], arena, &asks[i]) || !user_keys_prepare(&shared.ring, &asks[i], arena))
      return false;
  if (!asks || !user_model_new(inputs, asks, count, arena, &model))
    return false;
  model->policy = &shared.policy;
  model->room = user_pool_room(shared.pool);
  model->issue = user_keys_issue;
  model->issue_context = &shared.ring;
  user_store_lock(model, sql);
  *ret_model = model;
  return true;
}

static bool write_all(int fd, const char *text) {
  size_t len = strlen(text);
  return write(fd, text, len) == (ssize_t)len && write(fd, "\n", 1) == 1;
}

/* The user's last reset token, until mail is sent. The file is the operator's to pass on. */
static void hand_over(const char *folder, const struct user_handover *handover) {
  char path[PATH_TEXT], id[BUS_UUID_TEXT];
  bus_uuid_format(&handover->user_id, id);
  (void)snprintf(path, sizeof path, "%s/%s", folder, id);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  if (fd < 0 || !write_all(fd, handover->token))
    bus_log(BUS_ERROR, "a reset token could not be written to RESET_FOLDER", BUS_F_STR("cause", strerror(errno)));
  if (fd >= 0)
    (void)close(fd);
  bus_erase(handover->token, strlen(handover->token));
}

void user_act(void *pointer, const void *data) {
  const struct context *context = pointer;
  const struct user_action *action = data;
  if (action->job)
    user_pool_add(context->client, action->job);
  if (action->handover)
    hand_over(context->settings->reset_folder, action->handover);
}

/* The service has no use for the deleted rows. */
static void ignore_rows(void *context, struct bus_worker *worker, const struct bus_rows *rows) {
  (void)context, (void)worker, (void)rows;
}

#define PURGE(which)                                                                                                   \
  { .statement = (which), .interval_ms = PURGE_INTERVAL_MS, .rows = ignore_rows }
const struct bus_periodic user_periodics[USER_PERIODICS] = {
    PURGE(PURGE_PAST_REQUESTS), PURGE(PURGE_REFRESH_TOKENS), PURGE(PURGE_SESSIONS),
    PURGE(PURGE_RESET_TOKENS),  PURGE(PURGE_GUARDS),
};

/* ---- queries ---- */

bool user_query_open(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err) {
  *ret_context = worker;
  return acquire(settings, err);
}

void user_query_close(void *context) {
  if (context)
    release();
}

static void read_users(struct user_query_model *model, const struct bus_worker *worker, struct bus_sql *sql) {
  model->keys = &shared.ring.published;
  model->issue = user_keys_issue_client;
  model->issue_context = &shared.ring;
  model->pong.workers_down = !bus_worker_commands_are_up(worker);
  user_query_store_lock(model, sql);
}

bool user_query_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                     struct bus_sql *sql, void **ret_model) {
  struct user_query_model *model;
  if (!user_query_model_new(inputs, count, arena, &model))
    return false;
  for (size_t i = 0; i < model->asked_count; i++)
    if (!user_keys_prepare_client(&shared.ring, &model->asked[i], arena))
      return false;
  read_users(model, context, sql);
  *ret_model = model;
  return true;
}
