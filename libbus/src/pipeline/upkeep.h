/* Statements that run now and then: the service's periodics, the outbox sweeper, its gauges, purges. They ride on a
 * batch's first trip, so that a busy worker makes no round trip for them. */
#pragma once

#include "turn.h"

#include <bus/arena.h>
#include <bus/sql.h>

enum { PERIODICS_OWN = 4 };

struct periodic_state {
  int64_t next_at;
  long trip_index; /* of its statement in the trip under way; -1 */
  bool more;       /* its last turn left rows that are due */
};

/* A row that the sweeper claimed; published after COMMIT. */
struct swept {
  const struct bus_message_type *type;
  struct bus_envelope envelope;
  struct bus_str body;
  struct swept *next;
};

struct upkeep {
  struct periodic_state states[PERIODICS_OWN + BUS_PERIODICS_MAX];
  struct swept *swept;        /* in the batch's arena */
  struct bus_uuid high_water; /* a planted bug's */
};

/* Conditions that some wait for. */
struct upkeep_facts {
  bool settled;   /* deadlines may be looked at */
  bool publishes; /* the broker takes messages */
};

void upkeep_init(struct upkeep *upkeep, const struct bus_pipeline_setup *setup, uint64_t random);
/* Adds those that are due. none: not in this trip. */
void upkeep_add(struct upkeep *upkeep, const struct turn *turn, struct upkeep_facts facts, bool none, void *context,
                struct bus_sql *sql);
/* Reads the trip's rows: passes them to the service, and copies the rows that the sweeper claimed. */
void upkeep_read(struct upkeep *upkeep, const struct turn *turn, void *context, const struct bus_trip_result *trip,
                 struct bus_arena *arena);
/* After COMMIT: sets the next turn of each. */
void upkeep_committed(struct upkeep *upkeep, const struct turn *turn);
/* Was it one of these that failed, as the trip's index-th statement? Then it has to wait. */
bool upkeep_is_guilty(struct upkeep *upkeep, const struct turn *turn, long index);
/* When the next one is due. */
int64_t upkeep_next(const struct upkeep *upkeep, const struct bus_pipeline_setup *setup, struct upkeep_facts facts);
