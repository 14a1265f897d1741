/* The broker's side of AMQP 0-9-1, as far as a test needs it. */
#include "fake_broker.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FRAME_ROOM = 64 * 1024, DEFAULT_FRAME_MAX = 131072 };

struct fake_broker {
  int listening;
  atomic_int fd;
  char url[96];
  pthread_t thread;
  pthread_mutex_t sending;
  atomic_bool deaf, serving;
  atomic_int refuse_code;
  const char *_Atomic refuse_text;
  atomic_size_t published;
};

/* ---- sending ---- */

void fake_send_raw(struct fake_broker *broker, const void *bytes, size_t len) {
  const char *at = bytes;
  pthread_mutex_lock(&broker->sending);
  while (len > 0) {
    ssize_t sent = send(broker->fd, at, len, MSG_NOSIGNAL);
    if (sent <= 0)
      break; /* the client is gone, as some tests want it */
    at += sent;
    len -= (size_t)sent;
  }
  pthread_mutex_unlock(&broker->sending);
}

static void put32(unsigned char *at, uint32_t value) {
  value = htonl(value);
  memcpy(at, &value, 4);
}

static void send_frame(struct fake_broker *broker, int type, int channel, const void *payload, size_t len) {
  unsigned char *frame = malloc(len + 8);
  frame[0] = (unsigned char)type;
  frame[1] = (unsigned char)(channel >> 8);
  frame[2] = (unsigned char)channel;
  put32(frame + 3, (uint32_t)len);
  memcpy(frame + 7, payload, len);
  frame[7 + len] = AMQP_FRAME_END;
  fake_send_raw(broker, frame, len + 8);
  free(frame);
}

void fake_send_method(struct fake_broker *broker, int channel, amqp_method_number_t id, void *fields) {
  unsigned char payload[4096];
  put32(payload, id);
  int len = amqp_encode_method(id, fields, (amqp_bytes_t){.len = sizeof payload - 4, .bytes = payload + 4});
  send_frame(broker, AMQP_FRAME_METHOD, channel, payload, (size_t)len + 4);
}

void fake_send_header(struct fake_broker *broker, const amqp_basic_properties_t *properties, uint64_t body_size) {
  unsigned char *payload = calloc(1, FRAME_ROOM);
  payload[1] = AMQP_BASIC_CLASS;
  put32(payload + 4, (uint32_t)(body_size >> 32));
  put32(payload + 8, (uint32_t)body_size);
  int len = amqp_encode_properties(AMQP_BASIC_CLASS, (void *)(uintptr_t)properties,
                                   (amqp_bytes_t){.len = FRAME_ROOM - 12, .bytes = payload + 12});
  send_frame(broker, AMQP_FRAME_HEADER, 1, payload, (size_t)len + 12);
  free(payload);
}

void fake_send_body(struct fake_broker *broker, struct bus_str body) {
  send_frame(broker, AMQP_FRAME_BODY, 1, body.data, body.len);
}

void fake_deliver(struct fake_broker *broker, int consumer, uint64_t tag, const amqp_basic_properties_t *properties,
                  struct bus_str body) {
  char consumer_tag[16];
  (void)snprintf(consumer_tag, sizeof consumer_tag, "bus-%d", consumer);
  amqp_basic_deliver_t deliver = {.consumer_tag = amqp_cstring_bytes(consumer_tag),
                                  .delivery_tag = tag,
                                  .exchange = amqp_cstring_bytes("bus.cmd"),
                                  .routing_key = amqp_cstring_bytes("a.b")};
  fake_send_method(broker, 1, AMQP_BASIC_DELIVER_METHOD, &deliver);
  fake_send_header(broker, properties, body.len);
  for (size_t at = 0; at < body.len; at += DEFAULT_FRAME_MAX - 8) {
    size_t left = body.len - at;
    fake_send_body(broker,
                   (struct bus_str){body.data + at, left < DEFAULT_FRAME_MAX - 8 ? left : DEFAULT_FRAME_MAX - 8});
  }
}

/* ---- answering ---- */

static void send_empty(struct fake_broker *broker, int channel, amqp_method_number_t id) {
  union {
    amqp_channel_open_ok_t open;
    amqp_queue_declare_ok_t declare;
    amqp_basic_consume_ok_t consume;
  } fields = {.declare = {.message_count = 0}};
  fake_send_method(broker, channel, id, &fields);
}

static void close_channel(struct fake_broker *broker, int code) {
  amqp_channel_close_t close = {.reply_code = (uint16_t)code,
                                .reply_text = amqp_cstring_bytes(atomic_load(&broker->refuse_text))};
  fake_send_method(broker, 1, AMQP_CHANNEL_CLOSE_METHOD, &close);
}

static void on_declare(struct fake_broker *broker, amqp_method_number_t ok) {
  int code = atomic_exchange(&broker->refuse_code, 0);
  if (code)
    close_channel(broker, code);
  else
    send_empty(broker, 1, ok);
}

static void send_start(struct fake_broker *broker) {
  amqp_table_entry_t properties[] = {
      {amqp_cstring_bytes("threads"), {.kind = AMQP_FIELD_KIND_I32, .value.i32 = 1}},
      {amqp_cstring_bytes("version"), {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes("9.8.7")}}};
  amqp_connection_start_t start = {.version_major = 0,
                                   .version_minor = 9,
                                   .server_properties = {BUS_COUNT(properties), properties},
                                   .mechanisms = amqp_cstring_bytes("PLAIN"),
                                   .locales = amqp_cstring_bytes("en_US")};
  fake_send_method(broker, 0, AMQP_CONNECTION_START_METHOD, &start);
}

static void answer(struct fake_broker *broker, amqp_method_number_t id) {
  amqp_connection_tune_t tune = {.channel_max = 2047, .frame_max = DEFAULT_FRAME_MAX, .heartbeat = 60};
  switch (id) {
  case AMQP_CONNECTION_START_OK_METHOD:
    fake_send_method(broker, 0, AMQP_CONNECTION_TUNE_METHOD, &tune);
    break;
  case AMQP_CONNECTION_OPEN_METHOD:
    send_empty(broker, 0, AMQP_CONNECTION_OPEN_OK_METHOD);
    break;
  case AMQP_CONNECTION_CLOSE_METHOD:
    send_empty(broker, 0, AMQP_CONNECTION_CLOSE_OK_METHOD);
    break;
  case AMQP_CHANNEL_OPEN_METHOD:
    send_empty(broker, 1, AMQP_CHANNEL_OPEN_OK_METHOD);
    break;
  case AMQP_CONFIRM_SELECT_METHOD:
    send_empty(broker, 1, AMQP_CONFIRM_SELECT_OK_METHOD);
    break;
  case AMQP_BASIC_QOS_METHOD:
    send_empty(broker, 1, AMQP_BASIC_QOS_OK_METHOD);
    break;
  case AMQP_BASIC_CONSUME_METHOD:
    send_empty(broker, 1, AMQP_BASIC_CONSUME_OK_METHOD);
    break;
  case AMQP_QUEUE_DECLARE_METHOD:
    on_declare(broker, AMQP_QUEUE_DECLARE_OK_METHOD);
    break;
  case AMQP_EXCHANGE_DECLARE_METHOD:
    on_declare(broker, AMQP_EXCHANGE_DECLARE_OK_METHOD);
    break;
  case AMQP_QUEUE_BIND_METHOD:
    send_empty(broker, 1, AMQP_QUEUE_BIND_OK_METHOD);
    break;
  case AMQP_BASIC_PUBLISH_METHOD:
    atomic_fetch_add(&broker->published, 1);
    break;
  default:
    break;
  }
}

/* ---- the thread ---- */

static bool receive(struct fake_broker *broker, unsigned char *bytes, size_t len) {
  while (len > 0) {
    while (atomic_load(&broker->deaf) && atomic_load(&broker->serving))
      usleep(10000);
    ssize_t got = recv(broker->fd, bytes, len, 0);
    if (got <= 0)
      return false;
    bytes += got;
    len -= (size_t)got;
  }
  return true;
}

static bool serve_frame(struct fake_broker *broker) {
  static unsigned char payload[2 << 20];
  unsigned char head[7], end;
  if (!receive(broker, head, sizeof head))
    return false;
  uint32_t len, id;
  memcpy(&len, head + 3, 4);
  len = ntohl(len);
  if (len > sizeof payload || !receive(broker, payload, len) || !receive(broker, &end, 1))
    return false;
  if (head[0] == AMQP_FRAME_METHOD) {
    memcpy(&id, payload, 4);
    answer(broker, ntohl(id));
  }
  return true;
}

static void *serve(void *argument) {
  struct fake_broker *broker = argument;
  unsigned char protocol[8];
  broker->fd = accept(broker->listening, NULL, NULL);
  if (broker->fd >= 0 && receive(broker, protocol, sizeof protocol)) {
    send_start(broker);
    while (serve_frame(broker))
      ;
  }
  return NULL;
}

struct fake_broker *fake_broker_start(void) {
  struct fake_broker *broker = calloc(1, sizeof *broker);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  int small = 4096;
  broker->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  (void)setsockopt(broker->listening, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  if (bind(broker->listening, (struct sockaddr *)&address, size) != 0 || listen(broker->listening, 1) != 0 ||
      getsockname(broker->listening, (struct sockaddr *)&address, &size) != 0)
    abort();
  (void)snprintf(broker->url, sizeof broker->url, "amqp://tester:secret@127.0.0.1:%d/test", ntohs(address.sin_port));
  atomic_store(&broker->serving, true);
  pthread_mutex_init(&broker->sending, NULL);
  if (pthread_create(&broker->thread, NULL, serve, broker) != 0)
    abort();
  return broker;
}

const char *fake_broker_url(const struct fake_broker *broker) {
  return broker->url;
}

void fake_broker_deafen(struct fake_broker *broker) {
  atomic_store(&broker->deaf, true);
}

void fake_broker_refuse_next(struct fake_broker *broker, int code) {
  fake_broker_refuse_next_because(broker, code, "as the test wants it");
}

void fake_broker_refuse_next_because(struct fake_broker *broker, int code, const char *text) {
  atomic_store(&broker->refuse_text, text);
  atomic_store(&broker->refuse_code, code);
}

size_t fake_broker_published(struct fake_broker *broker) {
  return atomic_load(&broker->published);
}

void fake_broker_hang_up(struct fake_broker *broker) {
  (void)shutdown(broker->fd, SHUT_RDWR);
}

void fake_broker_stop(struct fake_broker *broker) {
  atomic_store(&broker->serving, false);
  atomic_store(&broker->deaf, false);
  (void)shutdown(broker->listening, SHUT_RDWR);
  if (broker->fd > 0)
    (void)shutdown(broker->fd, SHUT_RDWR);
  pthread_join(broker->thread, NULL);
  if (broker->fd > 0)
    close(broker->fd);
  close(broker->listening);
  pthread_mutex_destroy(&broker->sending);
  free(broker);
}
