/*
 * Listens to events: a thread that owns one consuming connection and this process's instance of an event queue of the
 * topology (BUS_QUEUE_EVENT). Events are a hint of what has changed, not a log: those that are published while the
 * listener is not attached, or that a full queue drops, are lost. The listener says so, and its owner reads again what
 * it keeps.
 */
#pragma once

#include <bus/error.h>
#include <bus/message.h>
#include <bus/tls_options.h>
#include <bus/topology.h>

BUS_C_BEGIN

struct bus_listener;

/* Called on the listener's thread, which reads no further event until the call returns. */
struct bus_listener_calls {
  /* One call for each event, alone or in a bundle (bus/bundle.h).
   * sender: the user, checked by the broker; body: a struct of type->schema; both valid during the call. A message of
   * another type than those of the queue, from a user that may not send it, or that cannot be decoded is logged and
   * dropped. */
  void (*event)(void *context, const struct bus_message_type *type, struct bus_str sender, const void *body);
  /* From now on all events come; those before may have been missed. */
  void (*attached)(void *context);
  /* From now on events are missed: the connection is lost, or the queue was full. */
  void (*lost)(void *context);
};

struct bus_listener_settings {
  const char *amqp_url_file; /* of amqp_url, read for each connection; NULL: the URL stays */
  const char *amqp_url;      /* one or several hosts, or a service (bus/amqp.h); kept, as all that follows */
  const char *dns_server;    /* of DNS_SERVER (bus/dns_options.h) */
  struct bus_tls_files tls;  /* for amqps */
  const char *instance;      /* unique for each process: [A-Za-z0-9-]{1,40} */
  int64_t heartbeat_s;
  const struct bus_topology *topology;
  const struct bus_queue *queue; /* an event queue of the topology */
  const struct bus_listener_calls *calls;
  void *context;
};

/* Starts the thread. The broker need not be up. */
bool bus_listener_new(const struct bus_listener_settings *settings, struct bus_listener **ret,
                      struct bus_error *err) BUS_MUST_CHECK;
/* No call is made after it returns. Accepts NULL. */
void bus_listener_free(struct bus_listener *listener);
/* Between attached and lost. */
bool bus_listener_is_attached(const struct bus_listener *listener);

BUS_C_END
