/* Keeps what a connection's events say. */
#include "connection_fixture.h"

#include <bus/clock.h>

#include <poll.h>
#include <stdio.h>

static void on_delivery(void *context, const struct bus_delivery *delivery) {
  struct seen *seen = context;
  if (seen->delivery_count < KEPT)
    seen->deliveries[seen->delivery_count] = *delivery;
  seen->delivery_count++;
}

static void on_confirm(void *context, uint64_t seq, bool multiple, bool ack) {
  struct seen *seen = context;
  seen->seq = seq;
  seen->multiple = multiple;
  seen->ack = ack;
  seen->confirm_count++;
}

static void on_returned(void *context, const struct bus_uuid *message_id, struct bus_str exchange, struct bus_str key) {
  struct seen *seen = context;
  seen->returned = *message_id;
  (void)snprintf(seen->key, sizeof seen->key, "%.*s %.*s", (int)exchange.len, exchange.data, (int)key.len, key.data);
  seen->returned_count++;
}

static void on_blocked(void *context, bool blocked, struct bus_str reason) {
  struct seen *seen = context;
  seen->blocked = blocked;
  seen->blocked_count++;
  (void)snprintf(seen->reason, sizeof seen->reason, "%.*s", (int)reason.len, reason.data ? reason.data : "");
}

static void on_cancelled(void *context, int consumer) {
  struct seen *seen = context;
  seen->cancelled = consumer;
  seen->cancelled_count++;
}

const struct bus_amqp_events events = {on_delivery, on_confirm, on_returned, on_blocked, on_cancelled};

struct fixture set_up(void) {
  struct fixture f = {.broker = fake_broker_start(), .arena = bus_arena_new(8 << 20)};
  struct bus_amqp_settings settings = {.url = fake_broker_url(f.broker), .name = "test", .heartbeat_s = 60};
  if (!bus_amqp_open(&settings, &f.amqp, &f.err))
    fail_msg("%s", f.err.text);
  bus_amqp_set_arena(f.amqp, f.arena);
  return f;
}

void tear_down(struct fixture *f) {
  bus_amqp_free(f->amqp);
  fake_broker_stop(f->broker);
  bus_arena_free(f->arena);
}

bool pump_until(struct fixture *f, const size_t *counter, size_t wanted) {
  int64_t until = bus_monotonic() + 5 * BUS_SECOND;
  while (bus_monotonic() < until) {
    if (!bus_amqp_pump(f->amqp, &events, &f->seen, &f->err))
      return false;
    if (*counter >= wanted)
      return true;
    struct pollfd fd = {.fd = bus_amqp_fd(f->amqp), .events = POLLIN};
    (void)poll(&fd, 1, 100);
  }
  fail_msg("nothing came");
  return false;
}

const size_t never = 0;

amqp_basic_properties_t typed(void) {
  return (amqp_basic_properties_t){._flags = AMQP_BASIC_TYPE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG,
                                   .type = amqp_cstring_bytes("a.b.v1"),
                                   .message_id = amqp_cstring_bytes("11111111-1111-1111-1111-111111111111")};
}
