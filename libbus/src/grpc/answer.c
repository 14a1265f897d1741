/* The answer of a call for nghttp2: head, messages, trailers. */
#include "internal.h"

#include <stdio.h>

static nghttp2_nv field(const char *name, struct bus_str value) {
  return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                      .value = (uint8_t *)(uintptr_t)value.data,
                      .namelen = strlen(name),
                      .valuelen = value.len,
                      .flags = NGHTTP2_NV_FLAG_NONE};
}

enum { STATUS_FIELDS = 3, HEAD_FIELDS = 3 };

/* The call is finished, so that its status does not change any more. number: room for its text. */
static size_t add_status(const struct bus_grpc_call *call, char number[12], nghttp2_nv *fields) {
  size_t count = 0;
  (void)snprintf(number, 12, "%d", (int)call->code);
  fields[count++] = field("grpc-status", bus_str(number));
  if (call->message)
    fields[count++] = field("grpc-message", (struct bus_str){call->message, call->message_len});
  if (call->details)
    fields[count++] = field("grpc-status-details-bin", (struct bus_str){call->details, call->details_len});
  return count;
}

static size_t add_head(const struct bus_grpc_call *call, char number[12], nghttp2_nv *fields) {
  (void)snprintf(number, 12, "%d", call->http_status);
  fields[0] = field(":status", bus_str(number));
  fields[1] = field("content-type", BUS_STR("application/grpc"));
  fields[2] = field("grpc-accept-encoding", BUS_STR("identity"));
  return HEAD_FIELDS;
}

static void submit_trailers(nghttp2_session *session, const struct bus_grpc_call *call) {
  nghttp2_nv fields[STATUS_FIELDS];
  char number[12];
  size_t count = add_status(call, number, fields);
  (void)nghttp2_submit_trailer(session, call->stream, fields, count); /* out of memory: the stream is reset */
}

static ssize_t give_bytes(nghttp2_session *session, int32_t stream, uint8_t *to, size_t room, uint32_t *flags,
                          nghttp2_data_source *source, void *context) {
  struct bus_grpc_call *call = source->ptr;
  struct bus_grpc_server *server = call->server;
  struct grpc_out *out = &call->out;
  (void)stream;
  (void)context;
  (void)pthread_mutex_lock(&server->lock);
  size_t len = out->len - out->at < room ? out->len - out->at : room;
  if (len > 0)
    memcpy(to, out->bytes + out->at, len);
  out->at += len;
  bool is_end = call->is_finished && out->at == out->len;
  if (len > 0)
    (void)pthread_cond_broadcast(&server->workers.drained);
  (void)pthread_mutex_unlock(&server->lock);
  call->is_deferred = !is_end && len == 0;
  if (call->is_deferred)
    return NGHTTP2_ERR_DEFERRED;
  if (is_end) {
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    submit_trailers(session, call);
  }
  return (ssize_t)len;
}

/* Head and trailers in one. */
static int submit_status(nghttp2_session *session, const struct bus_grpc_call *call) {
  nghttp2_nv fields[HEAD_FIELDS + STATUS_FIELDS];
  char number[12], status[12];
  size_t count = add_head(call, status, fields);
  count += add_status(call, number, fields + count);
  return nghttp2_submit_response(session, call->stream, fields, count, NULL);
}

static int submit_messages(nghttp2_session *session, struct bus_grpc_call *call) {
  nghttp2_nv fields[HEAD_FIELDS];
  char status[12];
  const nghttp2_data_provider provider = {.source.ptr = call, .read_callback = give_bytes};
  return nghttp2_submit_response(session, call->stream, fields, add_head(call, status, fields), &provider);
}

static void submit(struct bus_grpc_call *call, bool has_bytes) {
  nghttp2_session *session = call->connection->session;
  int failed = has_bytes ? submit_messages(session, call) : submit_status(session, call);
  call->answers = true;
  if (failed != 0) /* out of memory */
    (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, call->stream, NGHTTP2_INTERNAL_ERROR);
}

void grpc_answer_go_on(struct bus_grpc_call *call) {
  if (call->connection == NULL)
    return;
  (void)pthread_mutex_lock(&call->server->lock);
  bool has_bytes = call->out.at < call->out.len, is_finished = call->is_finished;
  (void)pthread_mutex_unlock(&call->server->lock);
  if (!call->answers && (has_bytes || is_finished))
    submit(call, has_bytes);
  else if (call->is_deferred)
    (void)nghttp2_session_resume_data(call->connection->session, call->stream); /* fails where it has ended */
  call->is_deferred = call->is_deferred && !has_bytes && !is_finished;
}
