/* What the server's parts share. civetweb.h is included by the parts that call it. */
#ifndef BUS_HTTP_INTERNAL_H
#define BUS_HTTP_INTERNAL_H

#include <bus/http_server.h>
#include <bus/metrics.h>

#include <pthread.h>
#include <stdatomic.h>

#include "gate.h"
#include "routes.h"

struct mg_callbacks;
struct mg_connection;
struct mg_context;
struct mg_request_info;

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
struct http_places {
  pthread_mutex_t lock;
  pthread_cond_t fewer; /* while draining: a count below fell */
  size_t threads;
  size_t open; /* connections that have a thread */
  size_t kept; /* of them: those whose last answer did not say that they end */
  size_t held; /* requests that take their time because of their client */
  bool draining;
};

void http_places_init(struct http_places *places, int threads);
void http_places_done(struct http_places *places);
void http_places_open(struct http_places *places);
void http_places_closed(struct http_places *places);
/* For a connection that is about to be closed. */
void http_places_forget(struct http_places *places, const struct mg_connection *connection);
/* Counts an answer. True: the connection may be kept after it; never where that is not wanted. */
bool http_places_keep(struct bus_http_exchange *exchange, bool wanted) BUS_MUST_CHECK;
/* Gives back what bus_http_hold took. */
void http_places_release(struct bus_http_exchange *exchange);
/* For a request whose client is slow: it has a place among those that hold a thread, or nobody needs the thread. */
bool http_places_may_dawdle(struct bus_http_exchange *exchange) BUS_MUST_CHECK;
/* From now on no answer keeps its connection. */
void http_places_drain(struct http_places *places);
/* Until bus_monotonic is `until`; after http_places_drain. False: there still are some. */
bool http_places_wait_none_kept(struct http_places *places, int64_t until);
bool http_places_wait_none_open(struct http_places *places, int64_t until);

/* ---- listener.c ---- */
/* The process's listening socket with this port; -1: not found. */
int http_listener_find(int port);
/* Connections that have sent nothing are not accepted. */
bool http_listener_defer(int fd);
/* How many connections wait to be accepted. */
size_t http_listener_waiting(int fd);
/* New connections are ignored; those that are half open already come through. */
bool http_listener_refuse_new(int fd);
void http_listener_shut(int fd);
/* Connections that wait for a request end; one that has arrived already is still read. */
void http_listener_end_idle(int port);
/* The process's connections at this port. */
size_t http_listener_count_open(int port);

/* ---- watch.c: what happens while no descriptor is to be had ---- */
struct http_watch {
  int port;
  int shown;    /* civetweb's number for the listening socket */
  int listener; /* our own for it; -1: the socket was not found */
  int silent;   /* nothing ever happens there */
  bool hides;   /* `silent` stands in the place of the listening socket */
  bool said;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t end;
  bool runs, ends; /* ends: under the lock */
};

/* False: the socket was not found, or is not watched. */
bool http_watch_start(struct http_watch *watch, int port);
/* civetweb has its socket again. Accepts one that was not started. */
void http_watch_stop(struct http_watch *watch);
/* After civetweb has ended. */
void http_watch_done(struct http_watch *watch);

/* ---- server.c ---- */
struct http_metrics {
  struct bus_metric *requests, *duration;
};

struct bus_http_server {
  struct bus_http_settings settings;
  const struct bus_http_route *routes;
  size_t route_count;
  void *context;
  struct mg_context *civetweb;
  int port;
  atomic_int listener; /* the listening socket; -1: unknown, or not yet */
  struct http_watch watch;
  struct http_metrics metrics;
  struct http_pool pool;
  struct http_places places;
  atomic_bool stopping; /* handlers that wait for long are to end */
};

/* ---- callbacks.c ---- */
extern const struct mg_callbacks http_callbacks;

/* ---- access.c: of a request that is over, its metrics and its line in the access log; duration in microseconds ----
 */
void http_access_done(const struct bus_http_exchange *exchange, int status, int64_t duration);
/* Of one that there was no memory for. */
void http_access_bare(const struct bus_http_server *server, int status);

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
  struct mg_connection *connection;
  const struct mg_request_info *info;
  struct http_scratch *scratch;
  const char *method, *version;
  struct bus_str path, query;
  struct bus_http_header_view *headers;
  size_t header_count;
  struct http_match match;
  struct bus_str body;
  struct bus_trace trace;
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
  bool streaming;      /* chunks are written; a last one is due */
  int64_t write_began; /* 0: not yet */
  int status;          /* what was answered; 0: nothing yet */
};

/* ---- exchange.c: one request from its gate to its answer; returns the status ---- */
int http_exchange_run(struct bus_http_exchange *exchange);
/* Answers what civetweb itself refused. */
void http_exchange_refuse(struct bus_http_exchange *exchange, int status, const char *reason);

/* ---- identity.c ---- */
/* Sets trace and request id; the client's where the head is right and they are well-formed. */
void http_identify(struct bus_http_exchange *exchange, bool is_head_right);

/* ---- reply.c ---- */
/* Ends a stream, and answers 500 where a handler did not answer at all. */
void http_reply_finish(struct bus_http_exchange *exchange);
/* For an exchange that has no memory to answer from. */
void http_reply_bare(struct mg_connection *connection, int status);

/* ---- body.c ---- */
/* Reads content_length bytes, or chunks; 0, or the status to refuse with (-1: the connection is gone). */
int http_body_read(struct bus_http_exchange *exchange);

/* ---- body_chunked.c ---- */
/* The same for chunks; deadline: of bus_monotonic. content_length is the body's length then. */
int http_body_read_chunked(struct bus_http_exchange *exchange, int64_t deadline);

/* ---- buffered.c ---- */
enum { HTTP_READ_BUFFER = 16384 }; /* civetweb's buffer: twice the gate's limit of a head, so that it can say 431 */
/* A view of the bytes behind the head that civetweb has read with it; span: the head's bytes. False: unknown. */
bool http_buffered_body(const struct mg_request_info *info, size_t span, struct bus_str *ret) BUS_MUST_CHECK;

/* ---- stack.c ---- */
/* The lowest address of the calling thread's stack; NULL: unknown. */
void *http_stack_lowest(void);
/* Gives the pages between there and the caller's frame back to the kernel. */
void http_stack_trim(void *lowest);

/* ---- status.c ---- */
const char *http_status_title(int status);

/* ---- socket.c: civetweb keeps its sockets to itself; they are found among the process's by their addresses ---- */
/* -1: not found. */
int http_socket_find(const struct mg_request_info *info);
/* Tells the peer that nothing more will come, then throws away for a moment what it still sends: a close with unread
 * bytes would reset the connection and may cost the peer its answer. */
void http_socket_linger(const struct mg_request_info *info);

#endif
