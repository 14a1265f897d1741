/* Shared by the parts of the gRPC server. */
#pragma once

#include <bus/grpc.h>
#include <bus/metrics.h>

#include <nghttp2/nghttp2.h>
#include <pthread.h>
#include <stdatomic.h>

#include "flood.h"
#include "frame.h"

enum {
  GRPC_PIECE = 16 * 1024, /* bytes that are read at once */
  GRPC_HEADERS_MAX = 40,
  GRPC_HEADER_BYTES = 8192, /* as HTTP/2 counts them: 32 for each field besides its text */
  GRPC_STREAMS = 100,
  GRPC_SLOW_BYTES = 256 * 1024, /* of answers that a client has not taken: its handler waits */
  GRPC_HELD_BYTES = 32 * 1024 * 1024,
  GRPC_TICK_MS = 100,
};

#define GRPC_LATE "the deadline has passed"

/* ---- call.c ---- */
struct grpc_connection;

/* Bytes of an answer that are not sent yet. */
struct grpc_out {
  char *bytes;
  size_t at, len, room;
};

struct bus_grpc_call {
  struct bus_grpc_server *server;
  /* The sockets' thread alone uses these: */
  struct grpc_connection *connection; /* NULL: the stream has ended */
  struct bus_grpc_call *next;         /* of the connection */
  int32_t stream;
  struct grpc_reader reader;
  size_t held;         /* bytes of its message that count for GRPC_HELD_BYTES */
  size_t header_bytes; /* as HTTP/2 counts them */
  int http_status;     /* 200, or that of a request that is not gRPC's */
  bool is_whole;       /* its end was read */
  bool answers;        /* the answer's head is submitted */
  bool is_deferred;    /* nghttp2 waits for more bytes of the answer */
  /* Written by the sockets' thread before a handler has it: */
  const struct bus_grpc_method *method;
  struct bus_arena *arena;
  struct bus_grpc_header *headers;
  size_t header_count;
  char peer[48];
  int64_t began, deadline;
  /* Under the server's lock: */
  int references; /* of the stream, of its handler, of the list of changed ones */
  bool is_finished, is_changed;
  struct grpc_out out;
  enum bus_grpc_code code;
  char *message, *details; /* encoded; NULL: none */
  size_t message_len, details_len;
  struct bus_grpc_call *next_ready, *next_changed;
  atomic_bool is_gone;
};

/* NULL when out of memory. */
struct bus_grpc_call *grpc_call_new(struct grpc_connection *connection, int32_t stream);
/* False: too many or too large. */
bool grpc_call_add_header(struct bus_grpc_call *call, struct bus_str name, struct bus_str value) BUS_MUST_CHECK;
/* Absent: it was not given. */
struct bus_str grpc_call_header(const struct bus_grpc_call *call, const char *name);
/* The call has ended for the sockets' thread. */
void grpc_call_detach(struct bus_grpc_call *call);
/* With the lock held. */
void grpc_call_unref(struct bus_grpc_call *call);
/* Ends a call from the sockets' thread; text is static. */
void grpc_call_refuse(struct bus_grpc_call *call, enum bus_grpc_code code, const char *text);
/* Appends a message; with the lock held. False: out of memory. */
bool grpc_out_add(struct grpc_out *out, struct bus_str message) BUS_MUST_CHECK;

/* ---- answer.c: what nghttp2 sends of a call ---- */
/* After the call has changed; the sockets' thread. */
void grpc_answer_go_on(struct bus_grpc_call *call);

/* ---- receive.c: what nghttp2 has received ---- */
/* NULL when out of memory. */
nghttp2_session *grpc_session_new(struct grpc_connection *connection);

/* ---- connection.c ---- */
struct grpc_connection {
  struct bus_grpc_server *server;
  struct grpc_connection *next;
  int fd;
  void *tls; /* its session; NULL: plain */
  nghttp2_session *session;
  struct bus_grpc_call *calls;
  size_t call_count;
  char *pending; /* bytes for the socket; NULL: none */
  size_t pending_at, pending_len;
  bool wants_out; /* epoll says when the socket takes more */
  struct bus_address peer;
  char peer_text[48];
  struct grpc_budget resets, idle_frames;
  int64_t began, active, stuck_since; /* stuck_since: 0: its socket takes bytes */
  bool is_open;                       /* its first SETTINGS have come */
  bool has_more;                      /* TLS has bytes that were not read, and the socket may have none */
  bool is_over;                       /* to be closed after what is pending */
  int64_t told_at;                    /* when it was told to go elsewhere; 0: not yet */
  bool goes;                          /* the last GOAWAY is sent */
};

/* Accepts one connection or none. */
void grpc_connection_accept(struct bus_grpc_server *server);
void grpc_connection_read(struct grpc_connection *connection);
void grpc_connection_write(struct grpc_connection *connection);
/* Connections whose last reading ended before their input. */
void grpc_connections_read_more(struct bus_grpc_server *server);
/* Ends calls and connections whose time is over; tells connections that the server drains. */
void grpc_connections_look(struct bus_grpc_server *server, int64_t now);
/* Frees connections that are over. */
void grpc_connections_sweep(struct bus_grpc_server *server);
void grpc_connections_close(struct bus_grpc_server *server);

/* ---- socket.c ---- */
/* Bytes; 0: none now; -1: the connection has ended. */
ssize_t grpc_socket_read(const struct grpc_connection *connection, uint8_t *bytes, size_t size);
ssize_t grpc_socket_write(const struct grpc_connection *connection, const char *bytes, size_t len);
/* -1: the address cannot be had. Clients are refused before grpc_socket_listen. */
int grpc_socket_bind(const char *bind, int port, int *ret_port, struct bus_error *err);
bool grpc_socket_listen(int fd, const char *bind, int port, struct bus_error *err);
/* Not blocking; peer: its address as text. -1: there is none. */
int grpc_socket_accept(int listener, char *peer, size_t size);

/* ---- worker.c: the threads of handlers ---- */
struct grpc_workers {
  pthread_cond_t ready, fewer, drained; /* a call is ready; a thread has ended; a client took bytes, or is gone */
  struct bus_grpc_call *first, **end;
  size_t queued, idle, running;
  bool ends;
};
void grpc_workers_init(struct grpc_workers *workers);
void grpc_workers_done(struct grpc_workers *workers);
/* False: too many calls wait, or no thread could be made. */
bool grpc_workers_take(struct bus_grpc_server *server, struct bus_grpc_call *call) BUS_MUST_CHECK;
/* Waits for all threads to end; with the calls that wait. */
void grpc_workers_stop(struct bus_grpc_server *server);

/* ---- metrics.c ---- */
struct grpc_metrics {
  struct bus_metric *handled, *duration;
  struct bus_series *connections, *calls;
};
void grpc_metrics_open(struct grpc_metrics *metrics);
void grpc_metrics_count(const struct bus_grpc_call *call, enum bus_grpc_code code, int64_t now);

/* ---- server.c ---- */
struct bus_grpc_server {
  struct bus_grpc_settings settings;
  const struct bus_grpc_method *methods;
  size_t method_count;
  void *context;
  int listener, poll_fd, wake_fd, port;
  nghttp2_option *options;
  nghttp2_session_callbacks *callbacks;
  struct grpc_metrics metrics;
  pthread_t thread;
  struct grpc_connection *connections; /* the sockets' thread's own */
  uint8_t received[GRPC_PIECE];        /* likewise */
  atomic_int connection_count;
  bool has_more;               /* a connection has */
  bool is_open;                /* connections are taken */
  int64_t look_at, listens_at; /* the latter: new connections are looked at again; 0: they are */
  atomic_llong drain_at;       /* 0: it does not drain */
  atomic_bool stopping, ends;
  atomic_llong held; /* bytes of messages */
  pthread_mutex_t lock;
  struct grpc_workers workers;   /* under the lock, as the list */
  struct bus_grpc_call *changed; /* calls with something to send */
};
/* With the lock held: the sockets' thread looks at the call. */
void grpc_server_note(struct bus_grpc_call *call);
/* NULL: there is none. */
const struct bus_grpc_method *grpc_server_method(const struct bus_grpc_server *server, struct bus_str path);
