/* A message's body as an operator gives it: JSON that is checked against the type's schema. */
#pragma once

#include <bus/arena.h>
#include <bus/topology.h>

/* The struct of the JSON, in the arena. NULL: each problem was printed on stderr, on a line that begins with `where`.
 */
const void *body_read(const struct bus_schema *schema, struct bus_str json, const char *where, struct bus_arena *arena);

/* The member that the topology names for it; nil: the schema has none. */
struct bus_uuid body_correlation(const struct bus_topology *topology, const struct bus_schema *schema,
                                 const void *body);
