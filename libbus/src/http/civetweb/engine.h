/* The HTTP server's interface to civetweb. No other folder includes civetweb.h or names a part of civetweb. */
#pragma once

#include <bus/http_server.h>

#include <pthread.h>

struct mg_connection;
struct mg_context;
struct mg_request_info;

/* ---- engine.c ---- */
struct http_engine {
  struct mg_context *civetweb;
};

/* Listens and starts the threads: sets the server's engine and port. */
bool http_engine_start(struct bus_http_server *server, struct bus_error *err) BUS_MUST_CHECK;
void http_engine_stop(const struct http_engine *engine);

/* ---- connection.c ---- */
struct http_connection {
  struct mg_connection *civetweb;
  const struct mg_request_info *info; /* of the current request */
};

bool http_connection_write(const struct http_connection *connection, const char *text, size_t len);
/* The connection is closed after this answer. */
void http_connection_end(const struct http_connection *connection);
struct http_seat;
/* The seat that the connection got at its start; NULL: there was none. */
struct http_seat *http_connection_seat(const struct http_connection *connection);
const char *http_connection_peer(const struct http_connection *connection);
/* Sends FIN, then reads and discards input for at most 300 ms: close() with unread bytes would send a reset, and the
 * peer could lose its answer. */
void http_connection_linger(const struct http_connection *connection);

/* ---- head.c: sets the exchange's headers and head_span; 0, or the status to refuse with ---- */
int http_head_read(struct bus_http_exchange *exchange, const char **ret_reason);

/* ---- body.c: reads content_length bytes, or chunks; 0, or the status to refuse with (-1: the peer is gone) ---- */
int http_body_read(struct bus_http_exchange *exchange);

/* ---- sockets.c: civetweb does not show its sockets; they are found among the process's by their addresses ---- */
/* The listening socket with this port; -1: not found. */
int http_sockets_listener(int port);
/* The socket of a connection, also before its first request; -1: civetweb keeps it elsewhere. */
int http_sockets_of(const struct mg_connection *connection);
/* As above, and then among all descriptors, which takes some 100 µs; -1: not found. */
int http_sockets_find(const struct http_connection *connection);
/* Connections without a request end; one that has arrived already is still read. */
void http_sockets_end_idle(int port);
/* The process's connections at this port. */
size_t http_sockets_count_open(int port);

/* ---- listener.c: options of the listening socket that civetweb cannot set ---- */
/* Connections that have sent nothing are accepted after a second. */
bool http_listener_defer(int fd);
/* How many connections wait to be accepted. */
size_t http_listener_waiting(int fd);
/* New connections are ignored; handshakes that have begun are completed. */
bool http_listener_refuse_new(int fd);
void http_listener_shut(int fd);

/* ---- watch.c: hides the listening socket while no file descriptor is free ---- */
struct http_watch {
  int port;
  int shown;    /* civetweb's number for the listening socket */
  int listener; /* our own duplicate of it; -1: the socket was not found */
  int silent;   /* an eventfd that never becomes readable */
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
