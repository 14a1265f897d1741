/* nghttp2's callbacks: heads become calls, DATA becomes messages, and frames that move nothing are counted. */
#include "internal.h"

#include <bus/clock.h>

#include "text.h"

static struct bus_str view(const uint8_t *bytes, size_t len) {
  return (struct bus_str){(const char *)bytes, len};
}

static struct bus_grpc_call *call_of(nghttp2_session *session, int32_t stream) {
  return nghttp2_session_get_stream_user_data(session, stream);
}

/* ---- floods ---- */

/* Ends the connection of a peer that wastes the server's time. */
static void end_flood(struct grpc_connection *connection) {
  (void)nghttp2_session_terminate_session(connection->session, NGHTTP2_ENHANCE_YOUR_CALM);
}

static void count_frame(struct grpc_connection *connection, const nghttp2_frame *frame) {
  struct grpc_budget *budget = &connection->idle_frames;
  switch (frame->hd.type) {
  case NGHTTP2_RST_STREAM:
    budget = &connection->resets;
    break;
  case NGHTTP2_DATA:
    if (frame->hd.length > 0 || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
      return;
    break;
  case NGHTTP2_HEADERS:
    return;
  default:
    break;
  }
  if (!grpc_budget_take(budget, bus_monotonic()))
    end_flood(connection);
}

/* ---- heads ---- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
  struct grpc_connection *connection = context;
  if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
    return 0;
  struct bus_grpc_call *call = grpc_call_new(connection, frame->hd.stream_id);
  if (call == NULL)
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, call);
}

static void read_header(struct bus_grpc_call *call, struct bus_str name, struct bus_str value) {
  int64_t timeout;
  if (bus_str_is(name, ":path"))
    call->method = grpc_server_method(call->server, value);
  else if (bus_str_is(name, ":method"))
    call->http_status = bus_str_is(value, "POST") ? call->http_status : 405;
  else if (bus_str_is(name, "grpc-timeout") && !call->is_finished && !grpc_timeout_parse(value, &timeout))
    grpc_call_refuse(call, BUS_GRPC_INVALID_ARGUMENT, "grpc-timeout must be 1 to 8 digits and one of H, M, S, m, u, n");
  else if (bus_str_is(name, "grpc-timeout"))
    call->deadline = call->is_finished ? call->deadline : call->began + timeout;
  if (name.len > 0 && name.data[0] != ':' && !call->is_finished && !grpc_call_add_header(call, name, value))
    grpc_call_refuse(call, BUS_GRPC_RESOURCE_EXHAUSTED, "the metadata is larger than 8 KiB or 40 fields");
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *context) {
  struct bus_grpc_call *call = call_of(session, frame->hd.stream_id);
  (void)flags;
  (void)context;
  if (call && frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
    read_header(call, view(name, name_len), view(value, value_len));
  return 0;
}

/* Refuses a call by its head alone. */
static void check_head(struct bus_grpc_call *call) {
  struct bus_str type = grpc_call_header(call, "content-type"), encoding = grpc_call_header(call, "grpc-encoding");
  if (call->is_finished)
    return;
  if (call->http_status == 200 && (type.data == NULL || !grpc_media_type_is_right(type)))
    call->http_status = 415;
  if (call->http_status != 200)
    grpc_call_refuse(call, BUS_GRPC_UNKNOWN, "gRPC is POST with the content-type application/grpc");
  else if (call->method == NULL)
    grpc_call_refuse(call, BUS_GRPC_UNIMPLEMENTED, "no such method");
  else if (encoding.data && !bus_str_is(encoding, "identity"))
    grpc_call_refuse(call, BUS_GRPC_UNIMPLEMENTED, "messages must not be compressed: grpc-encoding identity");
}

/* ---- messages ---- */

static void refuse_fault(struct bus_grpc_call *call, enum grpc_frame_fault fault) {
  switch (fault) {
  case GRPC_FRAME_COMPRESSED:
    grpc_call_refuse(call, BUS_GRPC_UNIMPLEMENTED, "messages must not be compressed: grpc-encoding identity");
    break;
  case GRPC_FRAME_MALFORMED:
    grpc_call_refuse(call, BUS_GRPC_INTERNAL, "a message does not begin with 0 or 1 and its length");
    break;
  case GRPC_FRAME_TOO_LARGE:
    grpc_call_refuse(call, BUS_GRPC_RESOURCE_EXHAUSTED, "the message is larger than this server takes");
    break;
  default:
    grpc_call_refuse(call, BUS_GRPC_UNAVAILABLE, "out of memory for the message");
    break;
  }
}

/* The method answers each message. */
static void answer_each(struct bus_grpc_call *call) {
  struct bus_grpc_server *server = call->server;
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct bus_str answer = BUS_NO_STR;
  enum bus_grpc_code code =
      arena ? call->method->each(server->context, bus_grpc_message(call), arena, &answer) : BUS_GRPC_UNAVAILABLE;
  (void)pthread_mutex_lock(&server->lock);
  bool fits = call->out.len - call->out.at <= GRPC_SLOW_BYTES;
  bool added = code == BUS_GRPC_OK && fits && grpc_out_add(&call->out, answer);
  (void)pthread_mutex_unlock(&server->lock);
  bus_arena_free(arena);
  grpc_reader_next(&call->reader);
  if (added)
    grpc_answer_go_on(call);
  else if (code == BUS_GRPC_OK)
    grpc_call_refuse(call, BUS_GRPC_RESOURCE_EXHAUSTED, "answers are not read");
  else
    grpc_call_refuse(call, code, bus_grpc_code_name((int)code));
}

static void take_bytes(struct bus_grpc_call *call, struct bus_str input) {
  bool is_whole;
  while (input.len > 0 && !call->is_finished) {
    enum grpc_frame_fault fault = grpc_reader_take(&call->reader, &input, &is_whole);
    if (fault != GRPC_FRAME_RIGHT)
      refuse_fault(call, fault);
    else if (is_whole && call->method->each)
      answer_each(call);
    else if (is_whole && input.len > 0)
      grpc_call_refuse(call, BUS_GRPC_UNIMPLEMENTED, "this method takes one message");
  }
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes, size_t len,
                   void *context) {
  struct bus_grpc_call *call = call_of(session, stream);
  (void)flags;
  (void)context;
  if (call == NULL || call->is_finished)
    return 0;
  call->held += len;
  if (atomic_fetch_add(&call->server->held, (long long)len) + (long long)len > GRPC_HELD_BYTES)
    grpc_call_refuse(call, BUS_GRPC_UNAVAILABLE, "too many messages wait; repeating is safe");
  take_bytes(call, view(bytes, len));
  return 0;
}

/* The call's end was read. */
static void run(struct bus_grpc_call *call) {
  call->is_whole = true;
  if (call->is_finished)
    return;
  const struct grpc_reader *reader = &call->reader;
  bool is_message = reader->prefix_len == GRPC_PREFIX && reader->len == reader->size;
  if (call->method->each && grpc_reader_is_between(reader)) {
    (void)pthread_mutex_lock(&call->server->lock);
    bool has_bytes = call->answers || call->out.at < call->out.len;
    (void)pthread_mutex_unlock(&call->server->lock);
    grpc_call_refuse(call, has_bytes ? BUS_GRPC_OK : BUS_GRPC_INTERNAL, has_bytes ? "" : "there is no message");
  } else if (!is_message) {
    grpc_call_refuse(call, BUS_GRPC_INTERNAL, "the call ends within its message");
  } else if (!grpc_workers_take(call->server, call)) {
    grpc_call_refuse(call, BUS_GRPC_UNAVAILABLE, "too many calls wait; repeating is safe");
  }
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
  struct grpc_connection *connection = context;
  struct bus_grpc_call *call = frame->hd.stream_id > 0 ? call_of(session, frame->hd.stream_id) : NULL;
  connection->active = bus_monotonic();
  connection->is_open = connection->is_open || frame->hd.type == NGHTTP2_SETTINGS;
  count_frame(connection, frame);
  if (call == NULL)
    return 0;
  if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
    check_head(call);
  if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
      (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
    run(call);
  return 0;
}

/* ---- ends ---- */

/* The answer has ended before its call: no more of the call is wanted. */
static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
  struct grpc_connection *connection = context;
  if (frame->hd.type != NGHTTP2_HEADERS || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
    return 0;
  const struct bus_grpc_call *call = call_of(session, frame->hd.stream_id);
  enum { FRAMES_A_CALL = 8 }; /* windows and pings that a client sends with a call */
  if (call && !call->is_whole)
    return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
  grpc_budget_give(&connection->idle_frames, FRAMES_A_CALL);
  grpc_budget_give(&connection->resets, 1);
  return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t error, void *context) {
  struct bus_grpc_call *call = call_of(session, stream);
  (void)error;
  (void)context;
  if (call)
    grpc_call_detach(call);
  return 0;
}

nghttp2_session *grpc_session_new(struct grpc_connection *connection) {
  struct bus_grpc_server *server = connection->server;
  nghttp2_session *session;
  static const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, GRPC_STREAMS},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, GRPC_HEADER_BYTES},
  };
  enum { WINDOW = 1 << 20 };
  if (server->callbacks == NULL) {
    if (nghttp2_session_callbacks_new(&server->callbacks) != 0)
      return NULL;
    nghttp2_session_callbacks_set_on_begin_headers_callback(server->callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(server->callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(server->callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(server->callbacks, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(server->callbacks, on_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(server->callbacks, on_stream_close);
  }
  if (nghttp2_session_server_new2(&session, server->callbacks, connection, server->options) != 0)
    return NULL;
  if (nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, BUS_COUNT(settings)) == 0 &&
      nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, WINDOW) == 0)
    return session;
  nghttp2_session_del(session);
  return NULL;
}
