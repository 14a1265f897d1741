/* At debug, a line for each message on its way through: received, decided, published. Ids alone, no bodies. */
#pragma once

#include "entry.h"
#include "turn.h"

void trace_received(const struct turn *turn, const struct entry *entry);
void trace_decided(const struct turn *turn, const struct entry *entry, size_t effects);
void trace_published(const struct turn *turn, const struct bus_publication *publication);
