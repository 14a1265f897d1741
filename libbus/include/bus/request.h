/*
 * Requests from many threads over one I/O thread: commands published with confirms, queries, and answers matched by
 * causation-id, which come alone or in bundles (bus/bundle.h). An HTTP edge is built on it. The I/O thread owns a
 * publishing and a consuming connection and the exclusive queue "<service>.reply.<instance>"; it connects on the first
 * request, reconnects with backoff, and sleeps when idle.
 */
#pragma once

#include <bus/arena.h>
#include <bus/error.h>
#include <bus/message.h>
#include <bus/tls_options.h>

BUS_C_BEGIN

struct bus_requester;

struct bus_requester_settings {
  const char *amqp_url_file; /* of amqp_url, read for each connection, and kept; NULL: the URL stays */
  const char *amqp_url;      /* one or several hosts, or a service (bus/amqp.h) */
  const char *dns_server;    /* of DNS_SERVER (bus/dns_options.h); kept */
  struct bus_tls_files tls;  /* for amqps; its texts are kept */
  const char *service;       /* "edge": the user, and the reply queue's first part */
  const char *instance;      /* unique for each process: [A-Za-z0-9-]{1,40} */
  int64_t heartbeat_s;
  int max_open;           /* requests at once; 0: 4096 */
  size_t max_unconfirmed; /* bytes; 0: 1 MiB */
  /* Commands of one type that wait for the I/O thread at the same time travel in one bundle (bus/bundle.h) of at most
   * so many; up to BUS_BUNDLE_MAX; 0 or 1: each alone. One confirm answers all of a bundle, and one return or nack
   * fails all. Their readers must read bundles. */
  int bundle_max;
  /* Bundles leave at least so many milliseconds from each other, if more commands than one came lately in that time. A
   * query lets all leave that wait. 0: nothing waits. */
  int64_t gather_ms;
  size_t shards; /* bus_topology_shards: commands name their shard; 0 or 1: none does */
};

/* Starts the I/O thread. The broker need not be up. */
bool bus_requester_new(const struct bus_requester_settings *settings, struct bus_requester **ret,
                       struct bus_error *err) BUS_MUST_CHECK;
/* Lets open requests finish (at most 5 s), then closes. Accepts NULL. */
void bus_requester_free(struct bus_requester *requester);

/* Are both connections to the broker open? From any thread. */
bool bus_requester_is_up(const struct bus_requester *requester);
/* True while the broker blocks publishers; further messages would only fill our own memory. */
bool bus_requester_is_blocked(const struct bus_requester *requester);
/* The same, and the broker's words for it, such as "low on memory"; as they came from outside. */
enum { BUS_REQUESTER_REASON = 64 };
/* The same as bus_requester_is_blocked, with the broker's reason; "" where it is not blocked. */
bool bus_requester_blocked_for(struct bus_requester *requester, char reason[BUS_REQUESTER_REASON]);

/* The state of a request. */
enum bus_request_state {
  BUS_REQUEST_SENT,      /* no outcome yet: it may or may not arrive */
  BUS_REQUEST_CONFIRMED, /* the broker has it on disk; it will be processed */
  BUS_REQUEST_ANSWERED,
  BUS_REQUEST_UNROUTABLE,  /* no queue; not kept */
  BUS_REQUEST_REFUSED,     /* nacked: the queue is full; not kept */
  BUS_REQUEST_UNAVAILABLE, /* no connection, blocked, or too many open: certainly not sent */
  BUS_REQUEST_LOST,        /* the connection went after it was sent and before its confirm: unknown */
};

struct bus_request {
  const struct bus_message_type *type;
  struct bus_uuid correlation_id;
  const struct bus_trace *trace; /* travels as it is; NULL or not set: a new one that is not sampled */
  const void *body;              /* a struct of type->schema */
  /* The id of what the message came from, so that its receiver knows a repetition; NULL: a new id. While a request with
   * the same id is open, another is UNAVAILABLE. */
  const struct bus_uuid *message_id;
  /* A query that writes: not carried out later than so many milliseconds from now, by the receiver's clock; 0: 5000.
   * Clocks of asker and receiver should differ by less than a second. */
  int64_t valid_ms;
};

struct bus_pending; /* one request under way; used by the thread that began it */

/* Publishes a request. Thread-safe; does not block. body is encoded before it returns. NULL only when out of memory. A
 * query is published without a confirm. */
struct bus_pending *bus_request_begin(struct bus_requester *requester, const struct bus_request *request);

/* Waits until an answer has come, the request can no longer succeed, `until` (bus_monotonic) has passed, or, with
 * confirm_is_enough, the broker has confirmed. Returns the state; may be called again with a later `until`. */
enum bus_request_state bus_request_wait(struct bus_pending *pending, int64_t until, bool confirm_is_enough);

/* The same, for an answer that may take long. After bus_requester_hurry it returns the present state at once. */
enum bus_request_state bus_request_wait_long(struct bus_pending *pending, int64_t until);
/* Ends all long waits, and those that begin later: the process is about to stop. Thread-safe. */
void bus_requester_hurry(struct bus_requester *requester);

/* Decodes the answer of a request in state ANSWERED: *ret_body is a struct in the arena, of the schema of *ret_type,
 * which is one of `types`. False: another type, or malformed (logged). Removes the answer: wait again for a second
 * one. */
bool bus_request_answer(struct bus_pending *pending, const struct bus_message_type *const *types, size_t type_count,
                        struct bus_arena *arena, const struct bus_message_type **ret_type,
                        const void **ret_body) BUS_MUST_CHECK;

/* Ends the request; later answers are dropped. Accepts NULL. */
void bus_request_end(struct bus_pending *pending);

BUS_C_END
