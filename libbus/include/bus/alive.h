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

/* The service is the message's sender. */
struct bus_alive {
  struct bus_str instance, version;
  bus_time started_at;
  int state;
};
extern const struct bus_schema bus_alive_schema;
/* A process says it if its topology has this type. */
extern const struct bus_message_type bus_alive_type;

BUS_C_END
