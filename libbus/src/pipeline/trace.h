/* At debug, a line for each message on its way through: received, decided, published. Ids alone, no bodies. */
#pragma once

#include "entry.h"
#include "turn.h"

/* A warning about a message that is not done: its ids, what becomes of it, and why. */
void trace_undone(const struct turn *turn, const struct entry *entry, const char *msg, struct bus_log_field more,
                  enum bus_errc code, const char *cause);
void trace_received(const struct turn *turn, const struct entry *entry);
void trace_decided(const struct turn *turn, const struct entry *entry, size_t effects);
void trace_published(const struct turn *turn, const struct bus_publication *publication);
