/* The durable, append-only file of facts. Threads hand lines in and sleep until a writer has put them on disk: whatever
 * waits shares one fdatasync. */
#ifndef PSP_LEDGER_H
#define PSP_LEDGER_H

#include <bus/error.h>

#include "entry.h"

struct psp_ledger;

/* Opens or creates the file, locks it against a second process, and calls `replay` for each entry that it holds. A last
 * line that was cut off by a crash is removed; any other malformed line is an error with its number. */
bool psp_ledger_open(const char *path, bool (*replay)(void *context, const struct psp_entry *entry), void *context,
                     struct psp_ledger **ret, struct bus_error *err) BUS_MUST_CHECK;
/* Returns when the line is on disk. A disk that fails ends the process: nothing may be answered that is not written. */
void psp_ledger_append(struct psp_ledger *ledger, struct bus_str line);
/* Bytes that are on disk, whole lines. */
int64_t psp_ledger_size(struct psp_ledger *ledger);
/* Reads up to size bytes from offset; -1 on an error. */
int64_t psp_ledger_read(struct psp_ledger *ledger, int64_t offset, char *data, size_t size);
/* How many lines and how many fdatasync calls, since the start. */
void psp_ledger_counts(struct psp_ledger *ledger, int64_t *ret_lines, int64_t *ret_syncs);
/* Call it only when no thread is appending. Accepts NULL. */
void psp_ledger_close(struct psp_ledger *ledger);

#endif
