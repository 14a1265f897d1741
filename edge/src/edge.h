/* State that all requests of an edge share, and the calls by which handlers reach the services. */
#ifndef EDGE_EDGE_H
#define EDGE_EDGE_H

#include <bus/breaker_metrics.h>
#include <bus/http_server.h>
#include <bus/metrics.h>
#include <bus/request.h>
#include <bus/secret.h>
#include <bus/service.h>
#include <bus/topology.h>

#include <pthread.h>

#include "accept_mode.h"
#include "accepted.h"
#include "auth.h"
#include "feed.h"
#include "gather.h"
#include "instances.h"
#include "own_keys.h"
#include "queues.h"
#include "responses.h"
#include "settings.h"
#include "shed.h"
#include "streams.h"
#include "view_cache.h"

#include <bus/listener.h>

enum { EDGE_COMMANDS_MAX = 32, EDGE_SERVICES_MAX = 16, EDGE_CHECKS_MAX = EDGE_SERVICES_MAX + 3 };

/* A breaker that many threads share. */
struct edge_breaker {
  pthread_mutex_t mutex;
  struct bus_breaker breaker;   /* under the mutex */
  enum bus_breaker_state shown; /* under the mutex */
  const char *name;
  struct bus_breaker_metrics metrics;
};

/* A command that the edge may send. Each has its own queue or pace, and so its own accept mode. */
struct edge_sent_command {
  const struct bus_message_type *type;
  struct accept_mode mode;
  atomic_bool unroutable; /* the newest one was returned */
  struct bus_series *shown_unroutable;
};

/* A service that takes queries of the edge. */
struct edge_service {
  struct edge *edge;
  const struct bus_topology_part *part;
  char name[BUS_NAME_MAX + 16];               /* "order_service" */
  const struct bus_message_type *ping, *pong; /* NULL: it takes no ping */
  size_t workers_down;                        /* offset of that member in the pong */
  const struct bus_message_type *trail;       /* NULL: it answers no trail */
  struct edge_breaker breaker;
};

struct edge_metrics {
  struct bus_series *refused[REFUSAL_COUNT];
  struct bus_series *orders_answered, *orders_confirmed, *orders_replayed;
  struct bus_series *waiting, *long_waiting;
  struct bus_series *order_reads[2], *product_reads[2]; /* that were misses, hits of their cache */
  struct bus_series *resyncs;
};

/* The thread that asks order-svc how far it is behind. */
struct edge_watch {
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t end;
  bool runs, ends;              /* ends: under the mutex */
  int64_t streams_at, alive_at; /* the thread's own: when it looked at the orders of streams; when it says next that
                                   this edge is alive */
};

/* Reads of orders that share queries. */
struct edge_reads {
  pthread_mutex_t mutex;
  pthread_cond_t left;  /* a batch has */
  struct gather gather; /* under the mutex */
};

struct edge {
  const struct edge_settings *settings;
  char instance[BUS_UUID_TEXT]; /* of this process */
  bus_time started_at;
  uint8_t customer_key[32];     /* of the hashes in the access log */
  bool has_users;               /* USER_SEAL_KEY was given */
  struct bus_seal_key user_key; /* passwords and tokens are sealed to it */
  struct own_keys own_keys;
  struct bus_requester *requester;
  struct bus_listener *listener;
  struct bus_admin *admin;
  struct edge_auth *auth;          /* NULL: AUTH=off */
  struct accepted *accepted;       /* orders */
  struct accepted *accepted_stock; /* stock updates, by their request id */
  struct view_cache *orders, *products;
  struct edge_sent_command commands[EDGE_COMMANDS_MAX]; /* in the topology's order, as the services */
  size_t command_count;
  struct edge_service services[EDGE_SERVICES_MAX];
  size_t service_count;
  struct bus_health_check checks[EDGE_CHECKS_MAX];
  size_t check_count;
  struct backlog backlog;
  struct intake intake;
  struct edge_reads reads;
  struct streams streams, feeds; /* of one order, of all */
  struct feed feed;
  struct instances instances;
  struct edge_queues queues;
  atomic_bool listening, has_listened; /* events come; they have come since the start */
  struct edge_watch watch;
  atomic_bool draining;           /* the process is to end: it is not ready any more */
  atomic_ullong nameless_queries; /* numbers those that ask for nothing in particular */
  struct edge_metrics metrics;
};

/* Registers the metrics, for --print-metrics. */
void edge_metrics_register(void);
/* Starts the requester; a broker that is away is no failure. */
bool edge_open(struct edge *edge, const struct edge_settings *settings, const struct bus_topology *topology,
               struct bus_error *err) BUS_MUST_CHECK;
/* From now on it is not ready, and clients that prefer to wait do not. */
void edge_begin_drain(struct edge *edge);
/* After the servers have stopped. Accepts the half-opened. */
void edge_close(struct edge *edge);

/* ---- breakers (breakers.c); each logs and counts a change of state ---- */
void edge_breaker_open(struct edge_breaker *breaker, const char *name, const struct bus_breaker_settings *settings);
/* False: *ret_retry_at is when it is worth another try. True: edge_breaker_end must follow. */
bool edge_breaker_begin(struct edge_breaker *breaker, struct bus_breaker_call *call, uint64_t item, int64_t now,
                        int64_t *ret_retry_at) BUS_MUST_CHECK;
enum edge_verdict { EDGE_WORKS, EDGE_FAILS, EDGE_SAYS_NOTHING };
void edge_breaker_end(struct edge_breaker *breaker, struct bus_breaker_call *call, enum edge_verdict verdict,
                      int64_t now);
/* The service has answered a ping. */
void edge_breaker_alive(struct edge_breaker *breaker, int64_t now);
/* Does it hold queries back? */
bool edge_breaker_is_open(struct edge_breaker *breaker, int64_t now);

/* The key of an order in the cache of orders. */
static inline struct bus_str edge_order_key(const struct bus_uuid *order_id) {
  return (struct bus_str){(const char *)order_id->bytes, sizeof order_id->bytes};
}

/* ---- asking (calls.c); all block the calling thread for a bounded time ---- */
struct edge_query_kind {
  const struct bus_message_type *type, *answer;
  response_view *view; /* NULL: 200, and the answer as it is */
};
struct edge_query {
  const struct edge_query_kind *kind;
  const struct bus_uuid *correlation_id; /* NULL: none */
  struct bus_str id; /* of what is asked for; absent: the correlation id, or nothing in particular */
  const void *body;
  struct bus_arena *arena; /* for the answer; NULL: the exchange's */
};
/* *ret_body is a struct of the answer's schema. False: *ret_refusal is what to tell the client. */
bool edge_ask(struct edge *edge, struct bus_http_exchange *exchange, const struct edge_query *query,
              const void **ret_body, struct response *ret_refusal) BUS_MUST_CHECK;

struct edge_command {
  const struct bus_message_type *type, *answer;
  const struct bus_uuid *correlation_id; /* NULL: none */
  const struct bus_uuid *message_id;     /* NULL: a new one */
  const void *body;
  bool needs_answer;                 /* its service may refuse it: the confirm alone is no success */
  int64_t wait_ms;                   /* for an answer that is the last; 0: for the first one only */
  bool (*is_last)(const void *body); /* NULL: the first is the last */
};
enum edge_outcome {
  EDGE_ANSWERED,  /* *ret_body */
  EDGE_CONFIRMED, /* the broker has it on disk, and nobody has answered yet */
  EDGE_REFUSED,   /* *ret_refusal */
};
enum edge_outcome edge_tell(struct edge *edge, struct bus_http_exchange *exchange, const struct edge_command *command,
                            const void **ret_body, struct response *ret_refusal);

/* A command that is never answered: waits for the broker's confirm alone. False: *ret_refusal. */
bool edge_send(struct edge *edge, struct bus_http_exchange *exchange, const struct edge_command *command,
               struct response *ret_refusal) BUS_MUST_CHECK;

/* ---- GET /api/orders/{id} (reads.c) ---- */
void edge_reads_init(struct edge_reads *reads);
/* get lives until the response is there. Asks order-svc, together with what others read now; blocks for a bounded time.
 */
struct response edge_read(struct edge *edge, struct bus_http_exchange *exchange, const struct order_get *get);

/* ---- whether a queue takes each command (routing.c); thread-safe ---- */
/* The state of a command; NULL: the topology does not let the edge send it. */
struct edge_sent_command *edge_sent_command(struct edge *edge, const struct bus_message_type *type);
void edge_routing_note(struct edge_sent_command *command, enum bus_request_state state);
bool edge_routing_is_whole(const struct edge *edge);
/* "no queue is bound for order.place, order.cancel"; in the arena. data is NULL when out of memory. */
struct bus_str edge_routing_missing(const struct edge *edge, struct bus_arena *arena);

/* ---- the services behind the edge, and their pings (services.c) ---- */
/* Fills services and commands. */
bool edge_services_open(struct edge *edge, const struct bus_topology *topology,
                        const struct bus_breaker_settings *settings, struct bus_error *err) BUS_MUST_CHECK;
/* The service that takes the query; NULL: none. */
struct edge_service *edge_service_of(struct edge *edge, const struct bus_message_type *query);
/* For a service that takes a ping. NULL: it cannot be sent. Else edge_ping_end must follow. */
struct bus_pending *edge_ping_begin(struct edge_service *service);
/* Any answer closes the service's breaker. → the answer, in the arena; NULL: none, or without memory. pending and arena
 * may be NULL. */
const void *edge_ping_end(struct edge_service *service, struct bus_pending *pending, int64_t until,
                          struct bus_arena *arena);
/* Are the workers that take commands up? pong: NULL is no. */
bool edge_ping_has_workers(const struct edge_service *service, const void *pong);

/* ---- GET /api/orders/{id}/stream (stream.c) ---- */
/* One look of the watch at the orders of all streams; blocks for a second at most where order-svc is silent. */
void edge_streams_look(struct edge *edge);

/* ---- events (events.c) ---- */
extern const struct bus_listener_calls edge_listener_calls; /* context: struct edge */
/* This edge says that it is alive; blocks for a second at most. */
void edge_say_alive(struct edge *edge);

/* ---- server-sent events (stream.c) ---- */
struct edge_pause {
  struct bus_http_exchange *exchange;
  int fd; /* readable: there may be news; -1: none */
  int64_t until, quiet_until;
};
/* Calls serve(context) while the stream is in the list, with its wake_fd. 429: its customer has enough. */
struct response edge_stream_join(struct streams *streams, struct stream *stream, void (*serve)(void *context),
                                 void *context);
bool edge_stream_open(struct bus_http_exchange *exchange) BUS_MUST_CHECK;
bool edge_stream_resync(struct bus_http_exchange *exchange) BUS_MUST_CHECK;
struct edge_pause edge_pause_of(struct bus_http_exchange *exchange, int fd);
/* Waits until fd is readable, for half a second at most. False: the stream ends. */
bool edge_stream_pause(const struct edge *edge, struct edge_pause *pause) BUS_MUST_CHECK;

/* ---- the backlog and the intake of order-svc, and services whose breaker is open (watch.c) ---- */
bool edge_watch_start(struct edge *edge, struct bus_error *err) BUS_MUST_CHECK;
/* Accepts one that was never started. */
void edge_watch_stop(struct edge *edge);
/* One look, and what follows from the answers; blocks for a second at most. */
void edge_watch_once(struct edge *edge, struct bus_arena *arena);

/* ---- responding (respond.c) ---- */
void edge_respond(struct edge *edge, struct bus_http_exchange *exchange, const struct response *response);
/* Notes the hash of a customer's id for the request's line in the access log. */
void edge_note_customer(const struct edge *edge, struct bus_http_exchange *exchange, struct bus_str customer_id);

/* ---- health (health.c) ---- */
/* Fills checks, of the broker and of the services that edge_services_open found. */
void edge_health_open(struct edge *edge);
bool edge_is_ready(void *edge);

/* ---- the API (api.c); context: struct edge ---- */
/* The customer whose orders the caller may touch; absent: everyone's, as for operators and without authentication. */
struct bus_str edge_owner(const struct bus_http_exchange *exchange);
/* The handler of every query that is its row alone: data is a struct edge_query_kind, the input is the query's body,
 * and what the path names is the item of the breaker. */
void edge_query(void *edge, struct bus_http_exchange *exchange);
/* From the cache, where it has the product. */
void edge_products_get(void *edge, struct bus_http_exchange *exchange);
void edge_orders_post(void *edge, struct bus_http_exchange *exchange);
void edge_orders_get(void *edge, struct bus_http_exchange *exchange);
void edge_orders_list(void *edge, struct bus_http_exchange *exchange);
void edge_orders_events(void *edge, struct bus_http_exchange *exchange);
void edge_orders_stream(void *edge, struct bus_http_exchange *exchange);
void edge_events_stream(void *edge, struct bus_http_exchange *exchange);
void edge_services_list(void *edge, struct bus_http_exchange *exchange);
/* Ask all services for the messages of an order that did not get on, and for dead letters by cause (trails.c). */
void edge_orders_trail(void *edge, struct bus_http_exchange *exchange);
void edge_dead_letters(void *edge, struct bus_http_exchange *exchange);
void edge_orders_cancel(void *edge, struct bus_http_exchange *exchange);
/* PUT /api/orders/{id}/status: cancels it, or refuses any other change. */
void edge_orders_status(void *edge, struct bus_http_exchange *exchange);
/* GET /api/users/{user}/orders and its other name: another customer than the caller is 404. */
void edge_orders_of_user(void *edge, struct bus_http_exchange *exchange);
void edge_payments_post(void *edge, struct bus_http_exchange *exchange);
/* Queries that write, under the conditions of the headers. */
void edge_products_put(void *edge, struct bus_http_exchange *exchange);
void edge_products_withdraw(void *edge, struct bus_http_exchange *exchange);
void edge_inventory_update(void *edge, struct bus_http_exchange *exchange);
void edge_payments_refund(void *edge, struct bus_http_exchange *exchange);

/* ---- POST /webhooks/psp (webhook.c) ---- */
void edge_webhook_psp(void *edge, struct bus_http_exchange *exchange);

/* ---- routes.c ---- */
extern const struct bus_http_route edge_routes[];
/* How many of them are served: /metrics is the last. */
size_t edge_route_count(bool has_metrics);
/* The rows as an OpenAPI document on stdout; the status to exit with. */
int edge_print_openapi(void);

#endif
