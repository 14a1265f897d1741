/* Shared by the parts of the HTTP server. */
#pragma once

#include <bus/http_carried.h>
#include <bus/metrics.h>

#include <stdatomic.h>

#include "civetweb/engine.h"
#include "gate.h"
#include "routes.h"

/* ---- scratch.c: an arena and a stream of ids for each request that is under way ---- */
struct http_scratch {
  struct http_scratch *next;
  struct bus_arena *arena;
  struct bus_uuid_source ids;
};

/* Threads that wait for a request hold none, so memory follows the requests, not the threads. */
struct http_pool {
  pthread_mutex_t lock;
  struct http_scratch *kept; /* the last one given back is warm, and taken first */
  size_t kept_count;
  size_t taken;  /* scratches in use */
  bool trim_due; /* some were freed since malloc last gave memory back */
};

void http_pool_init(struct http_pool *pool);
void http_pool_done(struct http_pool *pool);
struct http_scratch *http_scratch_take(struct http_pool *pool); /* NULL when out of memory */
void http_scratch_give(struct http_pool *pool, struct http_scratch *scratch);

/* ---- places.c: who may hold a thread ---- */

/* A connection that has a thread; under the lock of the places, but for what its own thread alone uses. */
struct http_seat {
  int fd;                  /* -1: unknown, or the connection has ended */
  void *session;           /* of TLS; NULL: plain; its thread's own */
  uintptr_t served;        /* requests; its thread's own */
  bool kept;               /* the last answer did not say that the connection ends; its thread's own */
  int64_t reading_since;   /* the first byte of a request that is not complete; 0: there is none */
  bool ends;               /* its input was shut, and its thread is about to be free */
  struct bus_address peer; /* if connections of an address are counted and this is no trusted proxy */
  size_t counted;          /* bytes of it that count; 0: not counted */
  bool over;               /* one too many of its address */
  struct http_seat *next_free;
};

enum { HTTP_SHOWN_OPEN, HTTP_SHOWN_KEPT, HTTP_SHOWN_HELD, HTTP_SHOWN_COUNT };

struct http_places {
  pthread_mutex_t lock;
  pthread_cond_t fewer;   /* while draining: a count below fell */
  pthread_cond_t shorter; /* less than a quarter of the threads is free */
  size_t threads;
  size_t open; /* connections that have a thread */
  size_t kept; /* of them: those whose last answer did not say that they end */
  size_t held; /* requests that take their time because of their client */
  bool draining;
  struct http_seat *seats; /* one for each thread */
  struct http_seat *free_seats;
  pthread_t slow;
  bool slow_runs, slow_ends;                  /* slow_ends: under the lock */
  struct bus_series *shown[HTTP_SHOWN_COUNT]; /* gauges of the counts above; NULL: without metrics */
};

bool http_places_init(struct http_places *places, int threads) BUS_MUST_CHECK;
void http_places_done(struct http_places *places);
/* Shows the counts as metrics of this listener, and how many threads there are. */
void http_places_show(struct http_places *places, const char *listener);
/* Registers these metrics. */
void http_places_register(void);
void http_places_open(struct http_places *places);
void http_places_closed(struct http_places *places);
/* Waits for the first byte of a new connection, and ends its input where none comes. Returns the connection's seat;
 * NULL: there is none. fd: -1 where it is unknown; then nothing is waited for. */
struct http_seat *http_places_await(struct bus_http_server *server, int fd);
/* The same again behind a handshake, for the first byte of the request. Accepts NULL. */
void http_places_await_request(struct bus_http_server *server, struct http_seat *seat);
/* Frees the places of a connection that is about to be closed, and its seat; accepts NULL. */
void http_places_forget(struct http_places *places, struct http_seat *seat);
/* Counts an answer. True: the connection may be kept after it; never where that is not wanted. */
bool http_places_keep(struct bus_http_exchange *exchange, bool wanted) BUS_MUST_CHECK;
/* Frees the place that bus_http_hold took. */
void http_places_release(struct bus_http_exchange *exchange);
/* For a request with a slow client: true if it has a place among waiting requests, or if no connection waits for a
 * thread. */
bool http_places_may_dawdle(struct bus_http_exchange *exchange) BUS_MUST_CHECK;
/* From now on no answer keeps its connection. */
void http_places_drain(struct http_places *places);
/* Until bus_monotonic is `until`; after http_places_drain. False: there still are some. */
bool http_places_wait_none_kept(struct http_places *places, int64_t until);
bool http_places_wait_none_open(struct http_places *places, int64_t until);

/* ---- address.c ---- */
/* False: the address has as many connections as it may have, beside this one. */
bool http_address_admit(struct bus_http_server *server, struct http_seat *seat) BUS_MUST_CHECK;

/* ---- slow.c: a thread shuts slow clients while few threads are free ---- */
bool http_slow_start(struct http_places *places) BUS_MUST_CHECK;
/* Accepts places for which it was not started. */
void http_slow_stop(struct http_places *places);
/* With the lock held. */
bool http_slow_is_short(const struct http_places *places);
/* A request has begun, at its first byte or at its head; it is complete. */
void http_slow_begin(struct bus_http_exchange *exchange);
void http_slow_end(struct bus_http_exchange *exchange);

/* ---- work.c: requests in progress ---- */
struct http_work {
  pthread_mutex_t lock;
  int64_t count, began_sum; /* of their times, so that their mean age is known */
};
void http_work_init(struct http_work *work);
void http_work_done(struct http_work *work);
/* False: it was answered with 503. */
bool http_work_begin(struct bus_http_exchange *exchange) BUS_MUST_CHECK;
/* Also for a request that did not begin, or ended before. */
void http_work_end(struct bus_http_exchange *exchange);

/* ---- server.c ---- */
struct http_metrics {
  struct bus_metric *requests, *duration;
};

struct bus_http_server {
  struct bus_http_settings settings;
  const struct bus_http_route *routes;
  size_t route_count;
  void *context;
  struct http_engine engine;
  int port;
  atomic_int listener; /* the listening socket; -1: unknown, or not yet */
  struct http_watch watch;
  struct http_metrics metrics;
  struct http_pool pool;
  struct http_places places;
  struct http_work work;
  atomic_bool stopping; /* handlers that wait for long are to end */
};

/* ---- access.c: of a request that is over, its metrics and its line in the access log; duration in microseconds ----
 */
void http_access_done(const struct bus_http_exchange *exchange, int status, int64_t duration);
/* Records a request whose exchange could not be allocated. */
void http_access_bare(const struct bus_http_server *server, int status);

/* ---- span.c: records the span of a request that is over, if its trace is sampled ---- */
void http_span_record(const struct bus_http_exchange *exchange, int status, int64_t duration);

/* ---- the exchange ---- */
struct http_added_header {
  struct http_added_header *next;
  const char *name;
  struct bus_str value;
};

struct http_note {
  const char *name;
  struct bus_str value;
};

enum { HTTP_NOTES_MAX = 4 };

struct bus_http_exchange {
  struct bus_http_server *server;
  struct http_connection connection;
  const struct bus_http_carrier *carrier; /* of a request by another protocol, which has no connection; NULL: none */
  void *carrier_context;
  const char *listener; /* for metrics and the access log; NULL: not counted */
  struct http_scratch *scratch;
  const char *method, *version;
  struct bus_str path, query;
  const struct bus_http_header_view *headers;
  size_t header_count;
  struct http_match match;
  struct bus_str body;
  const void *request; /* decoded, see bus_http_input */
  const void *caller;  /* see bus_http_set_caller */
  struct bus_address client;
  struct bus_trace trace;
  uint8_t parent_span[8];    /* of the client; all zero: the trace is new */
  struct bus_str request_id; /* absent where there was no memory */
  struct http_note notes[HTTP_NOTES_MAX];
  size_t note_count;
  int64_t body_bytes; /* of the answer's body, as sent */
  struct http_added_header *added, **added_end;
  int64_t content_length; /* -1: the head was not understood that far, or a chunked body is not read yet */
  size_t head_span;       /* bytes of the head; 0: not known yet */
  bool is_chunked;
  bool is_head;
  bool closes;         /* the connection ends with this answer */
  bool holds;          /* it has a place among those that take their time */
  bool is_cacheable;   /* a document */
  bool streaming;      /* chunks are written; a last one is due */
  int64_t write_began; /* 0: not yet */
  int64_t work_began;  /* 0: it is not counted among those in progress */
  int status;          /* what was answered; 0: nothing yet */
};

/* ---- exchange.c: one request from its gate to its answer; returns the status ---- */
int http_exchange_run(struct bus_http_exchange *exchange);
/* The same for a request of another protocol. */
void http_exchange_serve_carried(struct bus_http_exchange *exchange);
/* Counts and logs it, and gives its memory back. */
void http_exchange_end(struct bus_http_exchange *exchange, int status, int64_t duration);
/* A request that is refused before it is looked at. */
int http_exchange_refuse(struct bus_http_exchange *exchange, int status, const char *reason);

/* ---- cors.c ---- */
/* Lets the page of a listed origin read the response. */
void http_cors_allow(struct bus_http_exchange *exchange);
/* After http_match found the path, but not the method. True: it is a preflight of a listed origin, and answered. */
bool http_cors_preflight(struct bus_http_exchange *exchange) BUS_MUST_CHECK;

/* ---- identity.c ---- */
/* Sets trace and request id; the client's where the head is right and they are well-formed. */
void http_identify(struct bus_http_exchange *exchange, bool is_head_right);

/* ---- peer.c ---- */
enum { HTTP_PEER_NAME = 16 };
/* The client is the connection's peer. */
void http_peer_begin(struct bus_http_exchange *exchange);
/* Behind trusted proxies it is whom X-Forwarded-For names; for a head that the gate has let through. */
void http_peer_follow(struct bus_http_exchange *exchange);
/* A keyed hash of the client's address. */
void http_peer_name(const struct bus_http_exchange *exchange, const uint8_t key[32], char ret[HTTP_PEER_NAME + 1]);

/* ---- reply.c ---- */
/* Ends a stream, and answers 500 where a handler did not answer at all. */
void http_reply_finish(struct bus_http_exchange *exchange);
/* 503, safe to repeat. */
void http_reply_no_memory(struct bus_http_exchange *exchange);
/* For an exchange that has no memory to answer from. */
void http_reply_bare(const struct bus_http_exchange *exchange, int status);

/* ---- status.c ---- */
const char *http_status_title(int status);
