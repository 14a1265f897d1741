/* service.alive.v1, a notice: each process of a service says every few seconds that it is there, and what it is. Who
 * listens forgets a process that is silent. Pure. */
#pragma once

#include <bus/field.h>
#include <bus/message.h>

BUS_C_BEGIN

#define BUS_ALIVE_EVERY (5 * BUS_SECOND)
#define BUS_ALIVE_SILENT (20 * BUS_SECOND) /* longer than a database that does not answer keeps a worker */
enum { BUS_INSTANCE_MAX = 40, BUS_VERSION_MAX = 64 };

enum bus_alive_state { BUS_ALIVE_READY, BUS_ALIVE_NOT_READY, BUS_ALIVE_DRAINING };
extern const char *const bus_alive_state_names[];

/* Work of the process since it began, and what waits in it; BUS_NO_INT64: it has no such thing, or an older version
 * does not say. */
struct bus_alive_figures {
  int64_t messages;                                          /* taken from queues */
  int64_t retried;                                           /* of them, to be tried again */
  int64_t dead_lettered;                                     /* of them */
  int64_t batches;                                           /* that committed; queries aside */
  int64_t batch_us;                                          /* how long all of these took together */
  int64_t outbox_messages, outbox_age_ms, outbox_unroutable; /* of the database, so of all processes of the service */
  int64_t held_messages, stalled_workers;
};
extern const struct bus_schema bus_alive_figures_schema;

enum { BUS_ALIVE_BREAKERS_MAX = 8, BUS_DEPENDENCY_MAX = 32 };
enum bus_alive_breaker_state { BUS_ALIVE_CLOSED, BUS_ALIVE_HALF_OPEN, BUS_ALIVE_OPEN };
struct bus_alive_breaker {
  struct bus_str dependency;
  int state; /* enum bus_alive_breaker_state */
};
extern const struct bus_schema bus_alive_breaker_schema;

/* The service is the message's sender. */
struct bus_alive {
  struct bus_str instance, version;
  bus_time started_at;
  int state;
  struct bus_alive_figures figures;
  struct bus_alive_breaker *breakers; /* the first BUS_ALIVE_BREAKERS_MAX; NULL: none */
  size_t breaker_count;
};
extern const struct bus_schema bus_alive_schema;
/* A process says it if its topology has this type. */
extern const struct bus_message_type bus_alive_type;

BUS_C_END
