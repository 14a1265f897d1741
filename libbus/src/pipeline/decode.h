/* A delivery's envelope and body become an input, or a refusal. */
#pragma once

#include "entry.h"
#include "turn.h"

#include <bus/arena.h>

/* Fills entry->input, or its ruling. arena: where the entry's text lies. */
void decode_entry(const struct turn *turn, struct entry *entry, struct bus_arena *arena);
/* A request past its deadline. */
bool decode_is_late(const struct turn *turn, const struct entry *entry);
/* The verdict on an entry that cannot be processed now: the tier that it waits in, or parked when its time is over. */
void decode_put_off(const struct turn *turn, struct entry *entry);
/* Are its messages retried through tiers and dead-lettered? */
bool decode_retries(const struct turn *turn);
