/* A connection to the fake broker, and what it told us. */
#pragma once

#include "connection.h"

#include "fake_broker.h"
#include "test.h"

enum { KEPT = 16 };

struct seen {
  struct bus_delivery deliveries[KEPT];
  size_t delivery_count, confirm_count, blocked_count, cancelled_count, returned_count;
  uint64_t seq;
  bool multiple, ack, blocked;
  char reason[64], key[64];
  struct bus_uuid returned;
  int cancelled;
};

extern const struct bus_amqp_events events;
extern const size_t never; /* stays 0 */

struct fixture {
  struct fake_broker *broker;
  struct bus_amqp *amqp;
  struct bus_arena *arena;
  struct seen seen;
  struct bus_error err;
};

struct fixture set_up(void);
void tear_down(struct fixture *f);
/* Pumps until the counter is at `wanted`; fails the test after 5 s. False when the pump failed. */
bool pump_until(struct fixture *f, const size_t *counter, size_t wanted);
/* type and message_id alone */
amqp_basic_properties_t typed(void);
