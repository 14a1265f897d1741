/*
 * Documents of a topology's messages, printed from its types and their field tables, as JSON. Pure.
 *
 *   AsyncAPI 3.0     a channel for each routing key, on the exchange of its types, and "answers" for bus.reply; an
 *                    operation for each sender and type, and for each queue and type; the schema of each body; of a
 *                    type that travels in bundles (bus/bundle.h) also the form "<type>.bundle"
 *   JSON Schema      2020-12; one document whose $defs has the schema of each type's body, by the type
 */
#pragma once

#include <bus/topology.h>

BUS_C_BEGIN

/* Both: false when out of memory. */
bool bus_asyncapi_encode(const struct bus_topology *topology, struct bus_arena *arena,
                         struct bus_str *ret) BUS_MUST_CHECK;
/* Writes the JSON Schema document into the arena. False when out of memory. */
bool bus_message_schemas_encode(const struct bus_topology *topology, struct bus_arena *arena,
                                struct bus_str *ret) BUS_MUST_CHECK;

BUS_C_END
