/* Reading a ledger's file from its start. */
#ifndef PSP_LEDGER_READ_H
#define PSP_LEDGER_READ_H

#include <bus/error.h>

#include "entry.h"

/* Calls `replay` for each whole line. *ret_good: where the last whole, well-formed line ends; what lies behind it is
 * one torn line. Any other malformed line, and a `replay` that returns false (out of memory), is an error. */
bool psp_ledger_replay(int fd, const char *path, bool (*replay)(void *context, const struct psp_entry *entry),
                       void *context, int64_t *ret_good, struct bus_error *err) BUS_MUST_CHECK;

#endif
