/* A call between the thread of the sockets and its handler. */
#include "internal.h"

#include <bus/clock.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "text.h"

enum { ARENA_LIMIT = 1 << 20, FIELD_COST = 32, SLOW_MS = 30000, FIRST_ROOM = 1024, TEXT_MAX = 3072 };

struct bus_grpc_call *grpc_call_new(struct grpc_connection *connection, int32_t stream) {
  struct bus_grpc_call *call = calloc(1, sizeof *call);
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  struct bus_grpc_header *headers = arena ? bus_arena_array(arena, GRPC_HEADERS_MAX, sizeof *headers) : NULL;
  if (call == NULL || headers == NULL) {
    bus_arena_free(arena);
    free(call);
    return NULL;
  }
  *call = (struct bus_grpc_call){.server = connection->server,
                                 .connection = connection,
                                 .next = connection->calls,
                                 .stream = stream,
                                 .reader = {.max = connection->server->settings.message_max},
                                 .http_status = 200,
                                 .arena = arena,
                                 .headers = headers,
                                 .began = bus_monotonic(),
                                 .deadline = INT64_MAX,
                                 .references = 1};
  (void)snprintf(call->peer, sizeof call->peer, "%s", connection->peer_text);
  connection->calls = call;
  connection->call_count++;
  bus_series_add(call->server->metrics.calls, 1);
  return call;
}

bool grpc_call_add_header(struct bus_grpc_call *call, struct bus_str name, struct bus_str value) {
  call->header_bytes += name.len + value.len + FIELD_COST;
  if (call->header_bytes > GRPC_HEADER_BYTES || call->header_count == GRPC_HEADERS_MAX)
    return false;
  struct bus_grpc_header *header = &call->headers[call->header_count];
  *header = (struct bus_grpc_header){bus_arena_copy(call->arena, name), bus_arena_copy(call->arena, value)};
  if (header->name.data == NULL || header->value.data == NULL)
    return false;
  call->header_count++;
  return true;
}

struct bus_str grpc_call_header(const struct bus_grpc_call *call, const char *name) {
  for (size_t i = 0; i < call->header_count; i++)
    if (bus_str_is(call->headers[i].name, name))
      return call->headers[i].value;
  return BUS_NO_STR;
}

/* With the lock held; the first end counts. */
static bool finish(struct bus_grpc_call *call, enum bus_grpc_code code) {
  if (call->is_finished)
    return false;
  call->is_finished = true;
  call->code = code;
  grpc_metrics_count(call, code, bus_monotonic());
  return true;
}

void grpc_call_unref(struct bus_grpc_call *call) {
  if (--call->references > 0)
    return;
  atomic_fetch_sub(&call->server->held, (long long)call->held);
  grpc_reader_done(&call->reader);
  bus_arena_free(call->arena);
  free(call->out.bytes);
  free(call->message);
  free(call->details);
  free(call);
}

void grpc_call_detach(struct bus_grpc_call *call) {
  struct bus_grpc_server *server = call->server;
  struct bus_grpc_call **link = &call->connection->calls;
  while (*link != call)
    link = &(*link)->next;
  *link = call->next;
  call->connection->call_count--;
  call->connection = NULL;
  bus_series_add(server->metrics.calls, -1);
  atomic_store(&call->is_gone, true);
  (void)pthread_mutex_lock(&server->lock); /* a plain mutex does not fail */
  (void)finish(call, BUS_GRPC_CANCELLED);
  (void)pthread_cond_broadcast(&server->workers.drained);
  grpc_call_unref(call);
  (void)pthread_mutex_unlock(&server->lock);
}

/* Percent-encoded, for a trailer. */
static void keep_message(struct bus_grpc_call *call, struct bus_str text) {
  size_t room = 3 * text.len < TEXT_MAX ? 3 * text.len : TEXT_MAX;
  call->message = text.len > 0 ? malloc(room) : NULL;
  if (call->message) /* a status without its text is better than none */
    call->message_len = grpc_percent_encode(text, call->message, room);
}

static void keep_details(struct bus_grpc_call *call, struct bus_str bytes) {
  size_t size = grpc_base64_size(bytes.len);
  call->details = size > 0 && size <= GRPC_HEADER_BYTES / 2 ? malloc(size) : NULL;
  if (call->details == NULL)
    return;
  grpc_base64_encode(bytes, call->details);
  call->details_len = size;
}

void grpc_call_refuse(struct bus_grpc_call *call, enum bus_grpc_code code, const char *text) {
  (void)pthread_mutex_lock(&call->server->lock);
  if (finish(call, code)) {
    if (code != BUS_GRPC_OK)
      call->out.at = call->out.len; /* the client has no use for the rest */
    keep_message(call, bus_str(text));
  }
  (void)pthread_mutex_unlock(&call->server->lock);
  grpc_answer_go_on(call);
}

/* ---- the handler's side ---- */

const struct bus_grpc_method *bus_grpc_method_of(const struct bus_grpc_call *call) {
  return call->method;
}

struct bus_str bus_grpc_message(const struct bus_grpc_call *call) {
  return (struct bus_str){call->reader.text, call->reader.len};
}

const struct bus_grpc_header *bus_grpc_headers(const struct bus_grpc_call *call, size_t *ret_count) {
  *ret_count = call->header_count;
  return call->headers;
}

const char *bus_grpc_peer(const struct bus_grpc_call *call) {
  return call->peer;
}

int64_t bus_grpc_deadline(const struct bus_grpc_call *call) {
  return call->deadline;
}

static bool is_gone(const struct bus_grpc_call *call, int64_t now) {
  return atomic_load(&call->is_gone) || now >= call->deadline || atomic_load(&call->server->stopping);
}

enum bus_grpc_wait bus_grpc_wait(struct bus_grpc_call *call, int fd, int64_t timeout_ms) {
  int64_t now = bus_monotonic(), until = now + timeout_ms * BUS_MILLISECOND;
  struct pollfd entry = {.fd = fd, .events = POLLIN};
  for (; now < until; now = bus_monotonic()) {
    int64_t left_ms = (until - now + BUS_MILLISECOND - 1) / BUS_MILLISECOND;
    if (is_gone(call, now))
      return BUS_GRPC_GONE;
    if (poll(&entry, 1, left_ms < GRPC_TICK_MS ? (int)left_ms : GRPC_TICK_MS) > 0)
      return BUS_GRPC_READY;
  }
  return is_gone(call, now) ? BUS_GRPC_GONE : BUS_GRPC_WAITED;
}

bool grpc_out_add(struct grpc_out *out, struct bus_str message) {
  size_t needed = out->len - out->at + GRPC_PREFIX + message.len;
  if (out->at > 0) {
    memmove(out->bytes, out->bytes + out->at, out->len - out->at);
    out->len -= out->at;
    out->at = 0;
  }
  if (needed > out->room) {
    size_t room = out->room > 0 ? out->room : FIRST_ROOM;
    while (room < needed)
      room *= 2;
    char *bytes = realloc(out->bytes, room);
    if (bytes == NULL)
      return false;
    out->bytes = bytes;
    out->room = room;
  }
  grpc_prefix_write((uint8_t *)out->bytes + out->len, (uint32_t)message.len);
  if (message.len > 0)
    memcpy(out->bytes + out->len + GRPC_PREFIX, message.data, message.len);
  out->len = needed;
  return true;
}

bool bus_grpc_send(struct bus_grpc_call *call, struct bus_str message) {
  struct bus_grpc_server *server = call->server;
  int64_t until = bus_monotonic() + SLOW_MS * BUS_MILLISECOND;
  if (message.len > UINT32_MAX)
    return false;
  (void)pthread_mutex_lock(&server->lock);
  while (!call->is_finished && call->out.len - call->out.at > GRPC_SLOW_BYTES &&
         bus_cond_wait(&server->workers.drained, &server->lock, until))
    continue;
  bool sent =
      !call->is_finished && call->out.len - call->out.at <= GRPC_SLOW_BYTES && grpc_out_add(&call->out, message);
  if (sent)
    grpc_server_note(call);
  (void)pthread_mutex_unlock(&server->lock);
  return sent;
}

void bus_grpc_finish(struct bus_grpc_call *call, const struct bus_grpc_status *status) {
  static const struct bus_grpc_status late = {.code = BUS_GRPC_DEADLINE_EXCEEDED,
                                              .message = {GRPC_LATE, sizeof GRPC_LATE - 1}};
  struct bus_grpc_server *server = call->server;
  if (bus_monotonic() >= call->deadline)
    status = &late;
  (void)pthread_mutex_lock(&server->lock);
  if (finish(call, status->code)) {
    keep_message(call, status->message);
    keep_details(call, status->details);
    grpc_server_note(call);
  }
  (void)pthread_mutex_unlock(&server->lock);
}
