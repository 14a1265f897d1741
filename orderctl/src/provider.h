/* The payment provider's records, by the program's settings. */
#ifndef PROVIDER_H
#define PROVIDER_H

#include "program.h"

#include <psp_records.h>

/* Calls visit for each movement of objects that were created since (Unix seconds; 0: all); false ends the reading. */
bool provider_read(const struct program *program, int64_t since,
                   bool (*visit)(void *context, const struct reconcile_line *line), void *context,
                   struct bus_error *err) BUS_MUST_CHECK;

#endif
