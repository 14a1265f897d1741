/* The I/O thread: connects with backoff, has the callers' requests published, pumps both connections, sleeps. */
#include "requester.h"

#include <bus/clock.h>
#include <bus/failpoint.h>
#include <bus/log.h>

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "thread_loop.h"

enum { REPLY_PREFETCH = 1000 };
#define CONFIRMS_WAIT (10 * BUS_MILLISECOND)

/* ---- connections ---- */

static bool open_both(struct bus_requester *requester, struct bus_error *err) {
  const struct bus_amqp_settings settings = {.url = requester->url,
                                             .url_file = requester->url_file,
                                             .dns_server = requester->dns_server,
                                             .host = requester->hosts.host,
                                             .name = requester->name,
                                             .tls = requester->tls,
                                             .heartbeat_s = requester->heartbeat_s,
                                             .shards = requester->shards};
  if (!bus_amqp_open_pair(&settings, "answers", &requester->publishing, &requester->consuming, err) ||
      !bus_amqp_reply_queue(requester->consuming, requester->reply_queue, err))
    return false;
  bus_amqp_set_arena(requester->consuming, requester->incoming);
  return bus_amqp_consume(requester->consuming, requester->reply_queue, 0, REPLY_PREFETCH, true, err);
}

static void close_both(struct bus_requester *requester) {
  bus_amqp_free(requester->publishing);
  bus_amqp_free(requester->consuming);
  requester->publishing = requester->consuming = NULL;
}

static bool connect_both(void *context) {
  struct bus_requester *requester = context;
  struct bus_error err;
  requester->reply_queue_gone = requester->deaf = false;
  requester->publishing_readable = requester->consuming_readable = true; /* calls may have left frames behind */
  request_window_reset(&requester->window);
  request_bundles_reset(&requester->bundles);
  if (!open_both(requester, &err)) {
    close_both(requester);
    bus_log(BUS_WARN, "broker away", BUS_F_STR("error", bus_error_name(err.code)), BUS_F_STR("text", err.text));
    return false;
  }
  atomic_store(&requester->up, true);
  bus_log(BUS_INFO, "broker connected", BUS_F_STR("reply_queue", requester->reply_queue),
          BUS_F_STR("node", bus_amqp_peer(requester->consuming)));
  return true;
}

static void lose_both(struct bus_requester *requester, const struct bus_error *err) {
  requester_on_lost(requester);
  close_both(requester);
  BUS_CRASH_POINT("requester.lost");
  bus_log(BUS_WARN, "broker connection lost", BUS_F_STR("error", bus_error_name(err->code)),
          BUS_F_STR("text", err->text));
}

/* ---- the loop ---- */

/* Until both connections must be pumped for their heartbeats. */
static int64_t heartbeat_left(const struct bus_requester *requester) {
  return requester->pumped_at + requester->heartbeat_s * BUS_SECOND / 3 - bus_monotonic();
}

static bool is_pump_due(const struct bus_requester *requester, const struct bus_amqp *amqp, bool readable) {
  return readable || bus_amqp_has_buffered(amqp) || heartbeat_left(requester) <= 0;
}

/* An empty pump costs as much as several messages. */
static bool pump_links(struct bus_requester *requester, struct bus_error *err) {
  bool publishing = is_pump_due(requester, requester->publishing, requester->publishing_readable);
  bool consuming = is_pump_due(requester, requester->consuming, requester->consuming_readable);
  if (publishing && consuming)
    requester->pumped_at = bus_monotonic();
  if (publishing)
    requester->confirms_at = bus_monotonic() + CONFIRMS_WAIT;
  if (publishing && !bus_amqp_pump(requester->publishing, &requester_publishing_events, requester, err))
    return false;
  if (consuming && !bus_amqp_pump(requester->consuming, &requester_consuming_events, requester, err))
    return false;
  bus_arena_reset(requester->incoming);
  requester_wake_callers(requester);
  if (requester->deaf)
    return bus_fail(err, BUS_E_AMQP_CONNECTION,
                    "every command is nacked; a new connection may find the queue's leader");
  return !requester->reply_queue_gone || bus_fail(err, BUS_E_AMQP_CONNECTION, "the reply queue was deleted");
}

/* Callers wake the thread while commands wait for others only where something must leave at once. */
static int64_t gather(struct bus_requester *requester) {
  int64_t left = requester_gather_left(requester);
  pthread_mutex_lock(&requester->lock);
  requester->gathering = left > 0 && !requester->urgent;
  left = requester->gathering ? left : 0;
  pthread_mutex_unlock(&requester->lock);
  return left;
}

/* Marks the thread as asleep only if it has no message to publish; from then on callers wake it. */
static bool may_sleep(struct bus_requester *requester) {
  bool buffered = bus_amqp_has_buffered(requester->publishing) || bus_amqp_has_buffered(requester->consuming);
  pthread_mutex_lock(&requester->lock);
  bool full = requester->window.bytes >= requester->max_unconfirmed;
  requester->asleep = !buffered && (requester->queue_first == NULL || full);
  bool sleeps = requester->asleep;
  pthread_mutex_unlock(&requester->lock);
  return sleeps;
}

/* Callers wait for most confirms in vain, because an answer comes first: confirms are read a moment later, many at
 * once. */
static int64_t confirms_left(const struct bus_requester *requester) {
  bool full = requester->window.bytes >= requester->max_unconfirmed;
  return requester->window.bytes > 0 && !full ? requester->confirms_at - bus_monotonic() : 0;
}

static void sleep_until_event(struct bus_requester *requester) {
  int64_t left = heartbeat_left(requester), confirms = confirms_left(requester);
  struct pollfd fds[] = {
      {.fd = requester->wake_fd, .events = POLLIN},
      {.fd = confirms > 0 ? -1 : bus_amqp_fd(requester->publishing), .events = POLLIN},
      {.fd = bus_amqp_fd(requester->consuming), .events = POLLIN},
  };
  if (confirms > 0 && confirms < left)
    left = confirms;
  int64_t gathering = gather(requester);
  if (gathering > 0)
    left = gathering < left ? gathering : left;
  else if (left <= 0 || !may_sleep(requester))
    left = 0;
  const struct timespec timeout = {.tv_sec = left / BUS_SECOND, .tv_nsec = left % BUS_SECOND * 1000};
  (void)ppoll(fds, BUS_COUNT(fds), &timeout, NULL); /* interrupted is as good */
  pthread_mutex_lock(&requester->lock);
  requester->asleep = requester->gathering = false;
  pthread_mutex_unlock(&requester->lock);
  requester->publishing_readable = fds[1].revents != 0;
  requester->consuming_readable = fds[2].revents != 0;
  if (fds[0].revents & POLLIN)
    thread_loop_take_wake(requester->wake_fd);
}

static void serve(void *context) {
  struct bus_requester *requester = context;
  struct bus_error err;
  while (!atomic_load(&requester->stopping)) {
    if (!requester_publish_queue(requester, &err) || !pump_links(requester, &err)) {
      lose_both(requester, &err);
      return;
    }
    sleep_until_event(requester);
  }
  requester_on_lost(requester);
  close_both(requester);
}

void *requester_run(void *argument) {
  struct bus_requester *requester = argument;
  thread_loop_run(&(struct thread_loop){.hosts = &requester->hosts,
                                        .stopping = &requester->stopping,
                                        .wake_fd = requester->wake_fd,
                                        .connect = connect_both,
                                        .serve = serve,
                                        .context = requester});
  return NULL;
}
