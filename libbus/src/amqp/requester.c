/* The requester's beginning and end. */
#include "requester.h"

#include <bus/bundle.h>
#include <bus/clock.h>
#include <bus/dns_options.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../core/ascii.h"

static bool is_instance(const char *text) {
  size_t len = text ? strlen(text) : 0;
  for (size_t i = 0; i < len; i++)
    if (!ascii_is_alphanumeric(text[i]) && text[i] != '-')
      return false;
  return len >= 1 && len <= 40;
}

static bool copy_settings(struct bus_requester *requester, const struct bus_requester_settings *settings) {
  requester->url = strdup(settings->amqp_url);
  requester->url_file = settings->amqp_url_file;
  requester->dns_server = settings->dns_server;
  requester->tls = settings->tls;
  requester->hosts =
      (struct bus_rotation){.backoff = {.first = 200 * BUS_MILLISECOND, .max = BUS_SECOND}, /* clients wait */
                            .hosts = bus_amqp_url_hosts(settings->amqp_url)};
  requester->heartbeat_s = settings->heartbeat_s > 0 ? settings->heartbeat_s : BUS_AMQP_HEARTBEAT_S;
  requester->max_open = settings->max_open > 0 ? (size_t)settings->max_open : MAX_OPEN;
  requester->max_unconfirmed = settings->max_unconfirmed > 0 ? settings->max_unconfirmed : MAX_UNCONFIRMED;
  requester->bundle_max = settings->bundle_max > 1 ? (size_t)settings->bundle_max : 1;
  requester->shards = settings->shards;
  requester->gather = requester->bundle_max > 1 ? settings->gather_ms * BUS_MILLISECOND : 0;
  (void)snprintf(requester->name, sizeof requester->name, "%s", settings->service);
  int len = snprintf(requester->reply_queue, sizeof requester->reply_queue, "%s.reply.%s", settings->service,
                     settings->instance);
  return requester->url && len > 0 && (size_t)len < sizeof requester->reply_queue;
}

static bool init_sync(struct bus_requester *requester) {
  requester->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  pthread_mutex_init(&requester->lock, NULL); /* cannot fail on Linux */
  bus_cond_init(&requester->drained);
  return requester->wake_fd >= 0;
}

static void destroy(struct bus_requester *requester) {
  requester_pool_done(requester);
  request_table_done(&requester->table);
  request_window_done(&requester->window);
  request_bundles_reset(&requester->bundles);
  bus_arena_free(requester->incoming);
  bus_arena_free(requester->cut);
  bus_arena_free(requester->outgoing);
  pthread_cond_destroy(&requester->drained);
  pthread_mutex_destroy(&requester->lock);
  if (requester->wake_fd >= 0)
    close(requester->wake_fd);
  if (requester->url)
    explicit_bzero(requester->url, strlen(requester->url));
  free(requester->url);
  free(requester);
}

static bool init(struct bus_requester *requester, const struct bus_requester_settings *settings,
                 struct bus_error *err) {
  uint64_t seed[4];
  bool sync = init_sync(requester);
  requester->unavailable = (struct bus_pending){.owner = requester, .state = BUS_REQUEST_UNAVAILABLE};
  requester->incoming = bus_arena_new(ARENA_LIMIT * 4);
  requester->cut = bus_arena_new(ARENA_LIMIT);
  requester->outgoing = bus_arena_new(ARENA_LIMIT);
  bus_random_seed(seed);
  bus_uuid_source_init(&requester->ids, seed);
  bus_random_seed(seed);
  bus_uuid_source_init(&requester->bundle_ids, seed);
  if (!copy_settings(requester, settings) || !requester->incoming || !requester->cut || !requester->outgoing)
    return bus_fail(err, BUS_E_NOMEM, "no memory for a requester");
  if (!sync || pthread_create(&requester->thread, NULL, requester_run, requester) != 0)
    return bus_fail(err, BUS_E_SYSTEM, "no event descriptor or thread for a requester");
  return true;
}

bool bus_requester_new(const struct bus_requester_settings *settings, struct bus_requester **ret,
                       struct bus_error *err) {
  if (!bus_amqp_url_check(settings->amqp_url, err) || !bus_dns_server_check(settings->dns_server, err))
    return false;
  if (!is_instance(settings->instance) || strlen(settings->service) >= BUS_NAME_MAX)
    return bus_fail(err, BUS_E_CONFIG, "a requester's instance is 1 to 40 letters, digits and hyphens");
  if (settings->bundle_max < 0 || settings->bundle_max > BUS_BUNDLE_MAX)
    return bus_fail(err, BUS_E_CONFIG, "a requester's bundle_max is 0 to %d", (int)BUS_BUNDLE_MAX);
  struct bus_requester *requester = calloc(1, sizeof *requester);
  if (requester == NULL)
    return bus_fail(err, BUS_E_NOMEM, "no memory for a requester");
  if (!init(requester, settings, err)) {
    destroy(requester);
    return false;
  }
  *ret = requester;
  return true;
}

/* True once no caller holds a request. Call it with the lock held. */
static bool wait_until_drained(struct bus_requester *requester, int64_t ms) {
  int64_t until = bus_monotonic() + ms * BUS_MILLISECOND;
  while (requester->open_count > 0 && bus_cond_wait(&requester->drained, &requester->lock, until))
    continue;
  return requester->open_count == 0;
}

void bus_requester_free(struct bus_requester *requester) {
  if (requester == NULL)
    return;
  pthread_mutex_lock(&requester->lock);
  requester->closing = true;
  (void)wait_until_drained(requester, DRAIN_MS); /* who is late is told so by the thread's end */
  pthread_mutex_unlock(&requester->lock);
  atomic_store(&requester->stopping, true);
  requester_wake(requester);
  pthread_join(requester->thread, NULL);
  pthread_mutex_lock(&requester->lock);
  bool drained = wait_until_drained(requester, DRAIN_MS);
  pthread_mutex_unlock(&requester->lock);
  if (drained)
    destroy(requester); /* else a caller still holds a request: better lost than used after it was freed */
}

bool bus_requester_is_up(const struct bus_requester *requester) {
  return atomic_load(&requester->up);
}

bool bus_requester_is_blocked(const struct bus_requester *requester) {
  return atomic_load(&requester->blocked);
}

bool bus_requester_blocked_for(struct bus_requester *requester, char reason[BUS_REQUESTER_REASON]) {
  pthread_mutex_lock(&requester->lock);
  bool blocked = atomic_load(&requester->blocked);
  memcpy(reason, requester->blocked_reason, sizeof requester->blocked_reason);
  pthread_mutex_unlock(&requester->lock);
  return blocked;
}
