/* The test's client: nghttp2's session on a socket. */
#include "client.h"

#include <bus/clock.h>

#include <arpa/inet.h>
#include <assert.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
  int fd;
  nghttp2_session *session;
  struct client_answer answers[CLIENT_STREAMS];
  struct {
    char *bytes;
    size_t len, at;
    bool stays_open;
  } bodies[CLIENT_STREAMS];
  bool is_gone;
  int goaway;
  uint32_t goaway_error;
};

static void keep(char *to, size_t size, const uint8_t *value, size_t len) {
  (void)snprintf(to, size, "%.*s", (int)len, (const char *)value);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t len, uint8_t flags, void *context) {
  struct client *client = context;
  struct client_answer *answer = &client->answers[frame->hd.stream_id / 2];
  struct bus_str field = {(const char *)name, name_len};
  (void)session;
  (void)flags;
  if (bus_str_is(field, ":status"))
    keep(answer->http_status, sizeof answer->http_status, value, len);
  else if (bus_str_is(field, "grpc-status"))
    keep(answer->code, sizeof answer->code, value, len);
  else if (bus_str_is(field, "grpc-message"))
    keep(answer->message, sizeof answer->message, value, len);
  else if (bus_str_is(field, "grpc-status-details-bin"))
    keep(answer->details, sizeof answer->details, value, len);
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes, size_t len,
                   void *context) {
  struct client_answer *answer = &((struct client *)context)->answers[stream / 2];
  (void)session;
  (void)flags;
  size_t room = sizeof answer->bytes - answer->len;
  memcpy(answer->bytes + answer->len, bytes, len < room ? len : room);
  answer->len += len < room ? len : room;
  return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t error, void *context) {
  struct client_answer *answer = &((struct client *)context)->answers[stream / 2];
  (void)session;
  answer->is_closed = true;
  answer->error = error;
  return 0;
}

/* nghttp2 reads no second GOAWAY where no call is open. The last one ends the connection. */
static void note_goaway(struct client *client, const uint8_t *bytes, size_t len) {
  enum { GOAWAY_BYTES = 17, GOAWAY = 7 };
  const uint8_t *at = len >= GOAWAY_BYTES ? bytes + len - GOAWAY_BYTES : NULL;
  uint32_t numbers[2];
  if (at == NULL || at[2] != 8 || at[3] != GOAWAY)
    return;
  memcpy(numbers, at + 9, sizeof numbers);
  client->goaway = (int)ntohl(numbers[0]);
  client->goaway_error = ntohl(numbers[1]);
}

static ssize_t give(nghttp2_session *session, int32_t stream, uint8_t *to, size_t room, uint32_t *flags,
                    nghttp2_data_source *source, void *context) {
  struct client *client = context;
  size_t index = (size_t)stream / 2, left = client->bodies[index].len - client->bodies[index].at;
  (void)session;
  (void)source;
  size_t len = left < room ? left : room;
  if (len == 0 && client->bodies[index].stays_open)
    return NGHTTP2_ERR_DEFERRED;
  if (len > 0)
    memcpy(to, client->bodies[index].bytes + client->bodies[index].at, len);
  client->bodies[index].at += len;
  if (len == left && !client->bodies[index].stays_open)
    *flags |= NGHTTP2_DATA_FLAG_EOF;
  return (ssize_t)len;
}

static int connect_to(int port) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
    return fd;
  (void)close(fd);
  return -1;
}

bool client_can_connect(int port) {
  int fd = connect_to(port);
  if (fd >= 0)
    (void)close(fd);
  return fd >= 0;
}

struct client *client_open(int port) {
  struct client *client = calloc(1, sizeof *client);
  nghttp2_session_callbacks *callbacks;
  assert(client && nghttp2_session_callbacks_new(&callbacks) == 0);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  int failed = nghttp2_session_client_new(&client->session, callbacks, client);
  nghttp2_session_callbacks_del(callbacks);
  client->goaway = -1;
  client->fd = connect_to(port);
  assert(failed == 0 && client->fd >= 0);
  (void)nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, NULL, 0);
  return client;
}

void client_close(struct client *client) {
  (void)close(client->fd);
  nghttp2_session_del(client->session);
  for (size_t i = 0; i < CLIENT_STREAMS; i++)
    free(client->bodies[i].bytes);
  free(client);
}

static nghttp2_nv field(const char *name, const char *value) {
  return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value), 0};
}

static void flush(struct client *client) {
  const uint8_t *bytes;
  ssize_t len;
  while (!client->is_gone && (len = nghttp2_session_mem_send(client->session, &bytes)) > 0)
    client->is_gone = send(client->fd, bytes, (size_t)len, MSG_NOSIGNAL) != len;
}

int client_send(struct client *client, const struct client_call *call) {
  nghttp2_nv fields[64] = {field(":method", call->method ? call->method : "POST"),
                           field(":scheme", "http"),
                           field(":path", call->path),
                           field(":authority", "localhost"),
                           field("content-type", call->content_type ? call->content_type : "application/grpc"),
                           field("te", "trailers")};
  size_t count = 6;
  for (size_t i = 0; call->more[i].name; i++)
    fields[count++] = field(call->more[i].name, call->more[i].value);
  nghttp2_data_provider provider = {.read_callback = give};
  int stream = nghttp2_submit_request(client->session, NULL, fields, count, &provider, NULL);
  assert(stream > 0 && stream / 2 < CLIENT_STREAMS);
  size_t index = (size_t)stream / 2;
  client->bodies[index].bytes = malloc(call->body.len + 1);
  client->bodies[index].len = call->body.len;
  client->bodies[index].stays_open = call->stays_open;
  assert(client->bodies[index].bytes);
  if (call->body.len > 0)
    memcpy(client->bodies[index].bytes, call->body.data, call->body.len);
  flush(client);
  return stream;
}

void client_reset(struct client *client, int stream) {
  (void)nghttp2_submit_rst_stream(client->session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
  flush(client);
}

void client_ping(struct client *client) {
  (void)nghttp2_submit_ping(client->session, NGHTTP2_FLAG_NONE, NULL);
  flush(client);
}

static void step(struct client *client, int timeout_ms) {
  uint8_t bytes[16384];
  struct pollfd entry = {.fd = client->fd, .events = POLLIN};
  flush(client);
  if (client->is_gone || poll(&entry, 1, timeout_ms) <= 0)
    return;
  ssize_t len = recv(client->fd, bytes, sizeof bytes, 0);
  note_goaway(client, bytes, len > 0 ? (size_t)len : 0);
  client->is_gone = len <= 0 || nghttp2_session_mem_recv(client->session, bytes, (size_t)len) < 0;
  flush(client);
}

const struct client_answer *client_look(struct client *client, int stream) {
  return &client->answers[stream / 2];
}

const struct client_answer *client_wait(struct client *client, int stream, int timeout_ms) {
  int64_t until = bus_monotonic() + timeout_ms * BUS_MILLISECOND;
  while (!client->answers[stream / 2].is_closed && !client->is_gone && bus_monotonic() < until)
    step(client, 20);
  return client_look(client, stream);
}

void client_run(struct client *client, int timeout_ms) {
  int64_t until = bus_monotonic() + timeout_ms * BUS_MILLISECOND;
  while (!client->is_gone && bus_monotonic() < until)
    step(client, 10);
}

bool client_is_gone(const struct client *client) {
  return client->is_gone;
}

int client_goaway(const struct client *client) {
  return client->goaway;
}

uint32_t client_goaway_error(const struct client *client) {
  return client->goaway_error;
}
