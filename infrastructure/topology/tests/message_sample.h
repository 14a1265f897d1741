/* A body of each message, made of its field table: a new type needs none that is written by hand. */
#ifndef MESSAGE_SAMPLE_H
#define MESSAGE_SAMPLE_H

#include <bus/field.h>

/* A value with every member, each at the least that its table allows, and its JSON; in the arena. NULL: out of memory.
 */
void *message_sample_value(const struct bus_schema *schema, struct bus_arena *arena) BUS_MUST_CHECK;
bool message_sample(const struct bus_schema *schema, struct bus_arena *arena, struct bus_str *ret) BUS_MUST_CHECK;

#endif
