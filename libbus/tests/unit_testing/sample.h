/* A program for tests of bus/testing.h: counters that are added to, asked for, and reset a minute after the last
 * change. */
#pragma once

#include <bus/aggregate.h>
#include <bus/effects.h>
#include <bus/service.h>

enum { SAMPLE_PARKED = 13, SAMPLE_RETRIED = 7, SAMPLE_REFUSED = 66, SAMPLE_MOST = 1000, SAMPLE_TAG = 8 };
#define SAMPLE_RESET_AFTER BUS_MINUTE

struct counter_add {
  struct bus_uuid counter;
  int64_t by;
};
struct counter {
  struct bus_uuid id;
  int64_t n;
  char tag[SAMPLE_TAG + 1];
  bus_time reset_at; /* BUS_NO_TIME: it is reset already */
};

BUS_MESSAGE(counter_add, struct counter_add);
BUS_MESSAGE(counter_added, struct counter_add);
BUS_MESSAGE(counter_get, struct counter_add);
BUS_MESSAGE(counter_found, struct counter_add);
BUS_MESSAGE(counter_set, struct counter_add);   /* a query that writes */
BUS_MESSAGE(counter_heard, struct counter_add); /* an event that must be taken, and is by nobody */

enum { COUNTER_LOCK, COUNTER_INSERT, COUNTER_UPDATE, COUNTER_DUE, COUNTER_STATEMENTS };
extern struct bus_statement counter_statements[COUNTER_STATEMENTS];
extern const struct bus_table counter_table;
extern const struct bus_program counter_program, counter_short_program; /* the short one by an aggregate */

/* A test of it whose statements all have answers. */
struct bus_test *sample_test(void);
struct bus_test *sample_short_test(void);
