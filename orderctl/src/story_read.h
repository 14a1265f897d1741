/* Reads stories: from three databases, each in one read-only transaction, and from the broker. */
#ifndef STORY_READ_H
#define STORY_READ_H

#include "story.h"

#include <bus/amqp.h>
#include <bus/reader.h>

struct story_settings {
  const char *urls[STORY_BROKER]; /* "": not configured */
  struct bus_amqp_settings broker;
};

/* The settings of a reader of the database with that URL. */
struct bus_reader_settings story_reader(const struct story_settings *settings, const char *url,
                                        const struct bus_registry *registry, int64_t timeout_ms);
/* Opens a reader that gives up after 5 s. *ret_problem says why there is none, or is BUS_OK. */
void story_reader_open(const struct story_settings *settings, const char *url, const struct bus_registry *registry,
                       struct bus_reader **ret, struct bus_error *ret_problem);

/* Connections that stay open over several stories; a place that cannot be opened keeps its problem. */
struct story_places {
  struct bus_reader *readers[STORY_BROKER];
  struct bus_error problems[STORY_PLACES]; /* BUS_OK: it was read */
  struct bus_arena *arena;                 /* of queues and dead letters */
  struct story_queue *queues;
  size_t queue_count;
  struct story_dead *dead; /* of all orders */
  struct bus_uuid *dead_orders;
  size_t dead_count;
};

/* For `only`: the dead queues are not read. */
extern const struct bus_uuid story_no_order;
#define STORY_NO_DEAD (&story_no_order)

/* Opens the databases, reads the state of all queues and, in the dead queues, the messages of `only` (NULL: of all
 * orders). Places that are away are noted. False: out of memory. */
bool story_places_open(const struct story_settings *settings, const struct bus_uuid *only, struct story_places *ret,
                       struct bus_error *err) BUS_MUST_CHECK;
void story_places_close(struct story_places *places);

/* The whole story with its steps and its verdict, in the arena. False: out of memory. */
bool story_read(struct story_places *places, const struct bus_uuid *order_id, struct bus_arena *arena,
                struct story *ret, struct bus_error *err) BUS_MUST_CHECK;

/* Open orders that nothing has changed for so long, at most `limit`, the longest overdue first; in the places' arena.
 */
bool story_find_stuck(struct story_places *places, int64_t older_s, int64_t limit, struct bus_uuid **ret,
                      size_t *ret_count, struct bus_error *err) BUS_MUST_CHECK;

/* For story_places_open. Reads queues and dead letters; what fails is the broker's problem. */
bool story_broker_read(const struct bus_amqp_settings *settings, const struct bus_uuid *only,
                       struct story_places *places, struct bus_error *err) BUS_MUST_CHECK;

#endif
