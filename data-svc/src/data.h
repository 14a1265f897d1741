/* Orders as their events tell them, and the sums that they are part of. Pure. */
#pragma once

#include "data_messages.h"

#include <bus/aggregate.h>
#include <bus/column.h>
#include <bus/effects.h>

/* One order. */
struct report {
  struct bus_uuid order_id;
  bus_time placed_at;
  struct bus_str customer_id;
  int status;            /* enum report_status */
  struct bus_str reason; /* its code alone */
  int64_t total;
  struct bus_str currency;
  int64_t refunded;
  bus_time finished_at; /* BUS_NO_TIME: OPEN */
  struct order_item *lines;
  size_t line_count;
};

/* The part of an order in the sum of a slot of time; or such a sum. */
struct share {
  int grain; /* enum report_grain */
  bus_time slot;
  struct bus_str currency, reason; /* "": none */
  int status;
  int64_t bucket; /* of the time from placement to the end; -1: OPEN */
  int64_t orders, amount, refunded, duration_ms;
};
extern const struct bus_table report_columns, share_columns;

/* An event, whatever its type. */
struct report_event {
  struct bus_uuid order_id;
  struct bus_str customer_id;
  bus_time placed_at; /* BUS_NO_TIME: of the release before, which does not say */
  bus_time at;
  int status;                      /* that it tells; -1: none */
  int64_t refunded;                /* 0: it does not say */
  const struct order_event *order; /* NULL: a refund */
};
/* False: the input is no event of an order. */
bool report_event_of(const struct bus_input *input, struct report_event *ret);

/* ---- what an event changes (data_decide.c, data_evolve.c) ---- */

struct report_decision {
  bool tells;   /* status, reason, total, currency and lines are the event's */
  bool refunds; /* more went back than was known */
};
/* Events of an order may come in any order and more than once: the same events make the same row. report: as stored, or
 * as bus_row_init leaves it. */
void report_decide(const struct report *report, const struct report_event *event, struct report_decision *ret);
void report_evolve(struct report *report, const struct report_event *event, const struct report_decision *decision);

/* ---- sums (data_share.c) ---- */

enum { REPORT_BUCKETS = 160 };
/* The bucket of a time; bounds: the least time in it, and the least one behind it. */
int64_t report_bucket(int64_t duration_ms);
int64_t report_bucket_begin(int64_t bucket);
/* The begin of the slot that the time lies in; the least begin that is no earlier than it. */
bus_time report_slot_of(bus_time at, enum report_grain grain);
bus_time report_slot_end(bus_time at, enum report_grain grain);
/* sign: 1 adds the order, -1 takes it out. */
void report_share(const struct report *report, enum report_grain grain, int sign, struct share *ret);
/* Adds up shares of equal keys, and drops sums that are all zero. The rest is sorted by key; returns its count. */
size_t report_shares_merge(struct share *shares, size_t count);
