/* Fixture of order-svc's tests: one order that gets messages, and bodies of every kind. */
#pragma once

#include "order_schedule.h"
#include "order_table.h"

#include <inventory_messages.h>
#include <payment_messages.h>

#include <test.h>

extern const struct bus_uuid saga_order_id;
#define SAGA_HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SAGA_START (INT64_C(1767225600) * BUS_SECOND) /* 2026-01-01T00:00:00Z */
extern const struct order_policy saga_policy;         /* 60 s, 30 s, 15 min */
enum { SAGA_TOTAL = 2 * 999 + 1 };                    /* 2 × SKU-1 at 999 and 1 × SKU-2 at 1 */

/* Everything that a message may carry, for the standard order of two items. */
struct saga_bodies {
  struct order_item items[2];
  struct stock_item priced[2];
  struct order_place place;
  struct order_cancel cancel;
  struct order_pay pay;
  struct stock_reserved reserved;
  struct stock_rejected rejected;
  struct stock_event stock;
  struct payment_event captured, refunded;
  struct payment_refusal refusal;
};
void saga_bodies_init(struct saga_bodies *bodies);
const void *saga_body(const struct saga_bodies *bodies, enum order_message message);

struct saga {
  struct bus_arena *arena;
  struct saga_bodies bodies;
  struct order order;
  struct order_decision last;
  bus_time now;
};
void saga_init(struct saga *saga);
void saga_done(struct saga *saga);
/* Decides, lets it happen and schedules; asserts that the order is valid afterwards. DEADLINE: at the deadline. */
void saga_tell(struct saga *saga, enum order_message message);
void saga_tell_body(struct saga *saga, enum order_message message, const void *body);
/* AWAITING_PAYMENT with an open attempt. */
enum { SAGA_PAYING = ORDER_STATES };
/* By the shortest way from the beginning into a state. */
void saga_bring_to(struct saga *saga, int state);

#define assert_text(view, text) assert_true(bus_str_is((view), (text)))
