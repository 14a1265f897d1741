/* Frames from a broker that may be anything: through rabbitmq-c into the reader, over a socket pair. The first byte
 * says whether what follows is a stream of bytes or pieces that are put into whole frames, and where a pump ends. */
#include "fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

#include "amqp_pair.h"

enum { STREAM_MAX = AMQP_PAIR_ROOM, FRAME_OVERHEAD = 8 };

struct seen {
  size_t deliveries;
};

static void on_delivery(void *context, const struct bus_delivery *delivery) {
  struct seen *seen = context;
  struct bus_str body = delivery->body;
  FUZZ_CHECK(body.data ? body.len <= BODY_MAX && body.data[body.len] == '\0' : body.len == 0);
  FUZZ_CHECK(delivery->consumer >= 0 && delivery->consumer < CONSUMERS_MAX);
  FUZZ_CHECK(delivery->envelope.type.data == NULL || delivery->envelope.type.len <= BUS_TYPE_MAX);
  FUZZ_CHECK(!body.data || strnlen(body.data, body.len) <= body.len); /* reads it */
  seen->deliveries++;
}

static void on_confirm(void *context, uint64_t seq, bool multiple, bool ack) {
  (void)context;
  (void)seq;
  (void)multiple;
  (void)ack;
}

static void on_returned(void *context, const struct bus_uuid *message_id, struct bus_str exchange, struct bus_str key) {
  (void)context;
  (void)message_id;
  FUZZ_CHECK(exchange.len <= 255 && key.len <= 255);
}

static void on_blocked(void *context, bool blocked, struct bus_str reason) {
  (void)context;
  FUZZ_CHECK(blocked || reason.data == NULL);
}

static void on_cancelled(void *context, int consumer) {
  (void)context;
  FUZZ_CHECK(consumer >= 0 && consumer < CONSUMERS_MAX);
}

static const struct bus_amqp_events events = {on_delivery, on_confirm, on_returned, on_blocked, on_cancelled};

/* type, channel, length (2), payload: as a frame. */
static size_t put_frame(char *to, struct bus_str *rest) {
  uint8_t type = fuzz_byte(rest), channel = fuzz_byte(rest);
  size_t len = fuzz_number(rest, 2);
  if (len > rest->len)
    len = rest->len;
  const char head[] = {(char)type, 0, (char)channel, 0, 0, (char)(len >> 8), (char)len};
  memcpy(to, head, sizeof head);
  memcpy(to + sizeof head, rest->data, len);
  to[sizeof head + len] = (char)AMQP_FRAME_END;
  *rest = (struct bus_str){rest->data + len, rest->len - len};
  return len + FRAME_OVERHEAD;
}

static size_t make_stream(char *stream, struct bus_str rest, bool framed) {
  size_t len = 0;
  while (framed && rest.len > 0 && len + rest.len + FRAME_OVERHEAD <= STREAM_MAX)
    len += put_frame(stream + len, &rest);
  if (!framed) {
    len = rest.len < STREAM_MAX ? rest.len : STREAM_MAX;
    memcpy(stream, rest.data, len);
  }
  return len;
}

/* In two parts; between them the owner gives its arena back, as a worker does that has taken nothing from it. */
static void feed(struct bus_amqp *amqp, int peer, const char *stream, size_t len, size_t cut) {
  struct seen seen = {0};
  struct bus_error err = {.code = BUS_OK};
  FUZZ_CHECK(cut == 0 || write(peer, stream, cut) == (ssize_t)cut);
  bool stands = bus_amqp_pump(amqp, &events, &seen, &err);
  bus_arena_reset(amqp->arena);
  FUZZ_CHECK(!stands || len == cut || write(peer, stream + cut, len - cut) == (ssize_t)(len - cut));
  FUZZ_CHECK(shutdown(peer, SHUT_WR) == 0);
  if (stands)
    stands = bus_amqp_pump(amqp, &events, &seen, &err);
  FUZZ_CHECK(!stands && err.code != BUS_OK && err.text[0] != '\0');
  FUZZ_CHECK(!bus_amqp_pump(amqp, &events, &seen, &err)); /* gone stays gone */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char stream[STREAM_MAX + FRAME_OVERHEAD];
  struct bus_str rest = fuzz_input(data, size);
  uint8_t mode = fuzz_byte(&rest);
  int peer;
  struct bus_arena *arena = bus_arena_new((size_t)4 << 20);
  struct bus_amqp *amqp = amqp_pair_new(arena, &peer);
  size_t len = make_stream(stream, rest, mode & 1);
  feed(amqp, peer, stream, len, len * (mode >> 1) / 127);
  bus_amqp_free(amqp);
  close(peer);
  bus_arena_free(arena);
  return 0;
}
