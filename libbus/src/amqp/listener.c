/* The thread of a listener: connects with backoff, takes events, acks them many at once, and looks at the length of its
 * queue, which drops its oldest messages when it is full. */
#include <bus/amqp.h>
#include <bus/bundle.h>
#include <bus/clock.h>
#include <bus/dns_options.h>
#include <bus/listener.h>
#include <bus/log.h>

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "thread_loop.h"

/* A queue that was full is seen at more than half of its length at the latest LOOK_EVERY events later. */
enum { PREFETCH = 500, LOOK_EVERY = 1000, ARENA_LIMIT = 64 << 20 };
#define ACK_WAIT (20 * BUS_MILLISECOND)

struct bus_listener {
  struct bus_listener_settings settings;
  char service[BUS_NAME_MAX], name[BUS_NAME_MAX + 16];
  int64_t heartbeat_s;
  int wake_fd;
  pthread_t thread;
  atomic_bool stopping, attached;

  /* the thread's alone */
  struct bus_rotation hosts;
  struct bus_amqp *amqp;
  struct bus_arena *incoming, *cut, *decoded; /* of a pump, a bundle, an event */
  unsigned connections; /* a lost connection's queue may live on for a while: each has a name of its own */
  char queue[BUS_KEY_MAX];
  uint64_t last_tag; /* of the newest event; 0: all are acked */
  int unacked, unlooked;
  int64_t ack_at, pumped_at;
  bool cancelled, readable;
};

/* ---- events ---- */

static void drop(const struct bus_envelope *envelope, const char *why) {
  bus_log(BUS_WARN, "event dropped", BUS_F_STR("why", why), BUS_F_VIEW("type", envelope->type),
          BUS_F_VIEW("user", envelope->user_id), BUS_F_UUID("message_id", &envelope->message_id));
}

static void take_event(struct bus_listener *listener, const struct bus_message_type *type,
                       const struct bus_envelope *envelope, struct bus_str json) {
  const struct bus_listener_settings *settings = &listener->settings;
  bus_arena_reset(listener->decoded);
  void *body = bus_arena_alloc(listener->decoded, type->schema->size);
  if (!body || !bus_decode(type->schema, json, BUS_IGNORE_UNKNOWN, listener->decoded, body, NULL))
    drop(envelope, "it cannot be decoded");
  else
    settings->calls->event(settings->context, type, envelope->user_id, body);
}

static void take_bundle(struct bus_listener *listener, const struct bus_message_type *type,
                        const struct bus_delivery *delivery) {
  struct bus_bundle_element *elements;
  struct bus_error err;
  size_t count;
  bus_arena_reset(listener->cut);
  if (!bus_bundle_cut(&delivery->envelope, delivery->body, listener->cut, &elements, &count, &err)) {
    drop(&delivery->envelope, err.text);
    return;
  }
  for (size_t i = 0; i < count; i++)
    take_event(listener, type, &elements[i].envelope, elements[i].body);
}

/* An event is not relayed, so its user is its first sender. */
static void take(struct bus_listener *listener, const struct bus_delivery *delivery) {
  const struct bus_listener_settings *settings = &listener->settings;
  const struct bus_envelope *envelope = &delivery->envelope;
  const struct bus_message_type *type =
      envelope->type.data ? bus_topology_queue_type(settings->queue, envelope->type) : NULL;
  if (!delivery->body.data || !type)
    drop(envelope, "no body, or a type that the queue does not take");
  else if (envelope->copied || !bus_topology_is_sender(settings->topology, type, envelope->user_id))
    drop(envelope, "its sender may not send this type");
  else if (envelope->bundle)
    take_bundle(listener, type, delivery);
  else
    take_event(listener, type, envelope, delivery->body);
}

static void on_delivery(void *context, const struct bus_delivery *delivery) {
  struct bus_listener *listener = context;
  take(listener, delivery);
  if (listener->unacked++ == 0)
    listener->ack_at = bus_monotonic() + ACK_WAIT;
  listener->unlooked++;
  listener->last_tag = delivery->tag;
}

static void on_cancelled(void *context, int consumer) {
  (void)consumer;
  ((struct bus_listener *)context)->cancelled = true;
}

/* Only acks let the queue shrink: a look before them sees a queue that was full. */
static bool look(struct bus_listener *listener, struct bus_error *err) {
  int64_t depth;
  if (listener->unlooked < LOOK_EVERY)
    return true;
  listener->unlooked = 0;
  if (!bus_amqp_queue_depth(listener->amqp, listener->queue, &depth, err))
    return false;
  return depth <= listener->settings.queue->max_length / 2 ||
         bus_fail(err, BUS_E_AMQP_CONNECTION, "%s: more than half full, so events may have been dropped",
                  listener->queue);
}

static bool settle(struct bus_listener *listener, struct bus_error *err) {
  if (listener->unacked == 0 || (listener->unacked < PREFETCH / 2 && bus_monotonic() < listener->ack_at))
    return true;
  if (!look(listener, err) || !bus_amqp_ack(listener->amqp, listener->last_tag, true, err))
    return false;
  listener->unacked = 0;
  return true;
}

/* ---- the connection ---- */

static bool open_link(struct bus_listener *listener, struct bus_error *err) {
  const struct bus_listener_settings *settings = &listener->settings;
  const struct bus_amqp_settings link = {.url = settings->amqp_url,
                                         .url_file = settings->amqp_url_file,
                                         .dns_server = settings->dns_server,
                                         .host = listener->hosts.host,
                                         .name = listener->name,
                                         .tls = settings->tls,
                                         .heartbeat_s = listener->heartbeat_s};
  char instance[64];
  (void)snprintf(instance, sizeof instance, "%s-%u", settings->instance, listener->connections++);
  (void)snprintf(listener->queue, sizeof listener->queue, "%s.%s", settings->queue->name, instance);
  if (!bus_amqp_open(&link, &listener->amqp, err) ||
      !bus_amqp_event_queue(listener->amqp, settings->queue, instance, err))
    return false;
  bus_amqp_set_arena(listener->amqp, listener->incoming);
  return bus_amqp_consume(listener->amqp, listener->queue, 0, PREFETCH, false, err);
}

static void close_link(struct bus_listener *listener) {
  bus_amqp_free(listener->amqp);
  listener->amqp = NULL;
}

static bool attach(void *context) {
  struct bus_listener *listener = context;
  struct bus_error err;
  listener->unacked = listener->unlooked = 0;
  listener->cancelled = false;
  listener->readable = true; /* calls may have left frames behind */
  if (!open_link(listener, &err)) {
    close_link(listener);
    bus_log(BUS_WARN, "no events: broker away", BUS_F_STR("error", bus_error_name(err.code)),
            BUS_F_STR("text", err.text));
    return false;
  }
  atomic_store(&listener->attached, true);
  listener->settings.calls->attached(listener->settings.context);
  bus_log(BUS_INFO, "listening to events", BUS_F_STR("queue", listener->queue),
          BUS_F_STR("node", bus_amqp_peer(listener->amqp)));
  return true;
}

static void detach(struct bus_listener *listener) {
  atomic_store(&listener->attached, false);
  listener->settings.calls->lost(listener->settings.context);
  close_link(listener);
}

static int64_t heartbeat_left(const struct bus_listener *listener) {
  return listener->pumped_at + listener->heartbeat_s * BUS_SECOND / 3 - bus_monotonic();
}

static bool pump(struct bus_listener *listener, struct bus_error *err) {
  static const struct bus_amqp_events events = {.delivery = on_delivery, .cancelled = on_cancelled};
  if (!listener->readable && !bus_amqp_has_buffered(listener->amqp) && heartbeat_left(listener) > 0)
    return true;
  listener->pumped_at = bus_monotonic();
  bool pumped = bus_amqp_pump(listener->amqp, &events, listener, err);
  bus_arena_reset(listener->incoming);
  return pumped && (!listener->cancelled || bus_fail(err, BUS_E_AMQP_CONNECTION, "the event queue was deleted"));
}

static void sleep_until_event(struct bus_listener *listener) {
  int64_t left = heartbeat_left(listener), ack = listener->ack_at - bus_monotonic();
  struct pollfd fds[] = {{.fd = listener->wake_fd, .events = POLLIN},
                         {.fd = bus_amqp_fd(listener->amqp), .events = POLLIN}};
  if (listener->unacked > 0 && ack < left)
    left = ack;
  bool waits = left > 0 && !bus_amqp_has_buffered(listener->amqp);
  (void)poll(fds, BUS_COUNT(fds), waits ? (int)(left / BUS_MILLISECOND) + 1 : 0); /* interrupted is as good */
  listener->readable = fds[1].revents != 0;
  if (fds[0].revents & POLLIN)
    thread_loop_take_wake(listener->wake_fd);
}

static void serve(void *context) {
  struct bus_listener *listener = context;
  struct bus_error err;
  bool good = true;
  while (good && !atomic_load(&listener->stopping)) {
    good = pump(listener, &err) && settle(listener, &err);
    if (good)
      sleep_until_event(listener);
  }
  if (!good)
    bus_log(BUS_WARN, "events missed", BUS_F_STR("error", bus_error_name(err.code)), BUS_F_STR("text", err.text));
  detach(listener);
}

static void *run(void *argument) {
  struct bus_listener *listener = argument;
  const struct thread_loop loop = {
      &listener->hosts, &listener->stopping, listener->wake_fd, attach, serve, listener,
  };
  thread_loop_run(&loop);
  return NULL;
}

/* ---- beginning and end ---- */

static void destroy(struct bus_listener *listener) {
  bus_arena_free(listener->incoming);
  bus_arena_free(listener->cut);
  bus_arena_free(listener->decoded);
  if (listener->wake_fd >= 0)
    (void)close(listener->wake_fd);
  free(listener);
}

static bool init(struct bus_listener *listener, const struct bus_listener_settings *settings) {
  listener->settings = *settings;
  listener->heartbeat_s = settings->heartbeat_s > 0 ? settings->heartbeat_s : BUS_AMQP_HEARTBEAT_S;
  listener->hosts = (struct bus_rotation){.backoff = {.first = 200 * BUS_MILLISECOND, .max = 5 * BUS_SECOND},
                                          .hosts = bus_amqp_url_hosts(settings->amqp_url)};
  (void)snprintf(listener->service, sizeof listener->service, "%s",
                 bus_topology_owner(settings->topology, settings->queue)->user.name);
  (void)snprintf(listener->name, sizeof listener->name, "%s events", listener->service);
  listener->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  listener->incoming = bus_arena_new(ARENA_LIMIT);
  listener->cut = bus_arena_new(ARENA_LIMIT);
  listener->decoded = bus_arena_new(ARENA_LIMIT);
  return listener->wake_fd >= 0 && listener->incoming && listener->cut && listener->decoded;
}

bool bus_listener_new(const struct bus_listener_settings *settings, struct bus_listener **ret, struct bus_error *err) {
  if (!bus_amqp_url_check(settings->amqp_url, err) || !bus_dns_server_check(settings->dns_server, err))
    return false;
  struct bus_listener *listener = calloc(1, sizeof *listener);
  if (!listener)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a listener");
  bool good = init(listener, settings) || bus_fail(err, BUS_E_NOMEM, "out of memory for a listener");
  if (good && pthread_create(&listener->thread, NULL, run, listener) != 0)
    good = bus_fail(err, BUS_E_SYSTEM, "no thread for a listener");
  if (good)
    *ret = listener;
  else
    destroy(listener);
  return good;
}

void bus_listener_free(struct bus_listener *listener) {
  uint64_t one = 1;
  if (!listener)
    return;
  atomic_store(&listener->stopping, true);
  (void)!write(listener->wake_fd, &one, sizeof one); /* full means that it is awake already */
  (void)pthread_join(listener->thread, NULL);
  destroy(listener);
}

bool bus_listener_is_attached(const struct bus_listener *listener) {
  return atomic_load(&listener->attached);
}
