/* One connection of a worker to its database: trips that are carried out statement by statement, locks that others wait
 * for, and a COMMIT whose outcome may stay unknown. */
#ifndef SIM_SESSION_H
#define SIM_SESSION_H

#include "database.h"
#include "table_bus.h"

#include <bus/pipeline.h>

struct session {
  struct worker *worker;
  struct database *database;
  struct bus_arena *arena; /* of the transaction */
  bool up;                 /* at the server */
  bool open;               /* in a transaction */
  bool aborted;            /* of which a statement has failed */
  bool sent;               /* a trip is under way */
  bool waiting;            /* behind another transaction */
  uint64_t serial;         /* of the trip or connection; what is on its way for an older one is void */
  const struct bus_sql *sql;
  enum bus_trip_kind purpose;
  size_t at;               /* the statement that comes next */
  bus_time now;            /* of the transaction, by the database's clock */
  bool reached;            /* the trip has come there */
  bool voided;             /* its COMMIT will be a ROLLBACK */
  struct bus_rows *memory; /* of the trip's rows */
  const struct bus_rows **rows;
  struct bus_trip_result result; /* that the worker reads */
  bool failed;
  struct unseen unseen;
  size_t emitted;
};

void session_init(struct session *session, struct worker *worker, struct bus_arena *arena);
void session_open(struct world *world, struct session *session);
/* Until the answer the parameters stay where they are. */
void session_send(struct world *world, struct session *session, const struct bus_pipeline_action *action);
/* Ends it. Whether a COMMIT under way was carried out, nobody knows. */
void session_end(struct world *world, struct session *session);
/* The same from the server's side: the worker is told. */
void session_die(struct world *world, struct session *session);
/* The worker is told: the trip under way has failed. */
void session_lost(struct session *session);
/* The process stands still from now on: in a transaction, the server closes the session after a while. */
void session_watch(struct world *world, struct session *session);

#endif
