/*
 * A gRPC server over HTTP/2 (nghttp2): messages are bytes here, whatever encodes them. One thread serves the sockets;
 * handlers run on threads of their own, which are made when they are needed, and each of them serves one call at a
 * time.
 *
 * Bounds: one message a call, or one after another for a method that answers each; `message_max` bytes a message;
 * headers of 8 KiB and 40 fields; 100 calls of a connection at once; `connections` in all and `address_connections` of
 * one address; 32 MiB of messages that have not been handled. A message is complete within `message_ms` of its call, a
 * handshake within 10 s. A connection without calls ends after `idle_ms`, and one that takes no byte of its answers
 * after 30 s. A connection that resets many calls, or sends many frames that move nothing (PING, SETTINGS, PRIORITY,
 * empty DATA), is ended with GOAWAY and ENHANCE_YOUR_CALM.
 *
 * Compressed messages are refused (UNIMPLEMENTED). A call's `grpc-timeout` ends it with DEADLINE_EXCEEDED; a handler
 * that is still at work finds that its call is gone.
 */
#pragma once

#include <bus/arena.h>
#include <bus/base.h>
#include <bus/error.h>
#include <bus/network.h>
#include <bus/tls.h>

BUS_C_BEGIN

/* The codes of gRPC by their numbers. */
enum bus_grpc_code {
  BUS_GRPC_OK,
  BUS_GRPC_CANCELLED,
  BUS_GRPC_UNKNOWN,
  BUS_GRPC_INVALID_ARGUMENT,
  BUS_GRPC_DEADLINE_EXCEEDED,
  BUS_GRPC_NOT_FOUND,
  BUS_GRPC_ALREADY_EXISTS,
  BUS_GRPC_PERMISSION_DENIED,
  BUS_GRPC_RESOURCE_EXHAUSTED,
  BUS_GRPC_FAILED_PRECONDITION,
  BUS_GRPC_ABORTED,
  BUS_GRPC_OUT_OF_RANGE,
  BUS_GRPC_UNIMPLEMENTED,
  BUS_GRPC_INTERNAL,
  BUS_GRPC_UNAVAILABLE,
  BUS_GRPC_DATA_LOSS,
  BUS_GRPC_UNAUTHENTICATED,
  BUS_GRPC_CODE_COUNT,
};
/* "INVALID_ARGUMENT"; "UNKNOWN" for a number that is none. */
const char *bus_grpc_code_name(int code);

struct bus_grpc_server;
struct bus_grpc_call; /* valid inside its handler only */

struct bus_grpc_method {
  const char *path; /* "/orderbus.v1.OrderService/PlaceOrder" */
  /* Runs on a thread of its own with the one message of the call, and must end it by bus_grpc_finish. */
  void (*handler)(void *context, struct bus_grpc_call *call);
  /* Instead of a handler: answers every message of the call at once, on the thread of the sockets. It must not block.
   * Any other code than OK ends the call. */
  enum bus_grpc_code (*each)(void *context, struct bus_str message, struct bus_arena *arena,
                             struct bus_str *ret_answer);
  const void *data; /* the handler's own */
};

struct bus_grpc_settings {
  const char *bind;    /* address: "127.0.0.1"; IPv6 in brackets; kept, not copied */
  int port;            /* 0: the kernel chooses one */
  struct bus_tls *tls; /* TLS alone, with ALPN "h2"; NULL: plain HTTP/2 with prior knowledge */
  int threads;         /* handlers at once */
  size_t message_max;
  int connections, address_connections; /* 0: any number of one address */
  int64_t message_ms, idle_ms;
  const struct bus_networks *trusted_proxies; /* whose connections are not counted by address; NULL: nobody's */
  /* With the context of the methods, on the thread of the sockets: connections are refused until it is true the first
   * time, so that proxies, which cannot repeat a call for its status, turn to another server. NULL: none is. */
  bool (*is_ready)(void *context);
};

/* Methods are kept, not copied; context goes to every handler. */
bool bus_grpc_server_start(const struct bus_grpc_settings *settings, const struct bus_grpc_method *methods,
                           size_t method_count, void *context, struct bus_grpc_server **ret,
                           struct bus_error *err) BUS_MUST_CHECK;
/* Registers the metrics, for bus_metrics_print_list. */
void bus_grpc_metrics_register(void);
/* The port that it listens on. */
int bus_grpc_server_port(const struct bus_grpc_server *server);
/* Returns at once. All calls are served for serve_ms more; then no connection is accepted, clients are told by GOAWAY
 * to go elsewhere, and each connection ends after its last call. Accepts NULL. */
void bus_grpc_server_drain(struct bus_grpc_server *server, int64_t serve_ms);
/* Ends idle connections, and lets calls that have begun end, for at most 10 s. Accepts NULL. */
void bus_grpc_server_stop(struct bus_grpc_server *server);

/* ---- the call ---- */
struct bus_grpc_header {
  struct bus_str name, value;
};
/* The row that the call came by. */
const struct bus_grpc_method *bus_grpc_method_of(const struct bus_grpc_call *call);
/* The one message; NUL-terminated. */
struct bus_str bus_grpc_message(const struct bus_grpc_call *call);
/* Metadata, in the order in which it came; no pseudo-header. */
const struct bus_grpc_header *bus_grpc_headers(const struct bus_grpc_call *call, size_t *ret_count);
/* The address of the connection's peer as text. */
const char *bus_grpc_peer(const struct bus_grpc_call *call);
/* The deadline by bus_monotonic; INT64_MAX: the call has none. */
int64_t bus_grpc_deadline(const struct bus_grpc_call *call);
/* GONE: the client is, or the deadline has passed, or the server stops. */
enum bus_grpc_wait { BUS_GRPC_WAITED, BUS_GRPC_READY, BUS_GRPC_GONE };
/* Waits at most that long, and at most until fd (-1: none) is readable. */
enum bus_grpc_wait bus_grpc_wait(struct bus_grpc_call *call, int fd, int64_t timeout_ms);
/* Sends a message of the answer, which is copied. It waits while the client is slow. False: the call is gone. */
bool bus_grpc_send(struct bus_grpc_call *call, struct bus_str message);
struct bus_grpc_status {
  enum bus_grpc_code code;
  struct bus_str message; /* any text; absent: none */
  struct bus_str details; /* an encoded google.rpc.Status; absent: none */
};
/* Ends the call; the first one counts. */
void bus_grpc_finish(struct bus_grpc_call *call, const struct bus_grpc_status *status);

BUS_C_END
