/*
 * The memory of what was accepted on the broker's confirm alone, by id and hash: orders, and stock updates in a memory
 * of their own. Until the service knows it, the edge answers for it. Each is remembered for ten minutes, to the next
 * full second; beyond the limit the oldest is forgotten first. An entry takes 44 bytes, and all are given back when
 * none is left. Thread-safe; times are bus_monotonic's.
 */
#ifndef EDGE_ACCEPTED_H
#define EDGE_ACCEPTED_H

#include <bus/uuid.h>

#define ACCEPTED_LIFETIME (10 * BUS_MINUTE)
enum { ACCEPTED_MAX = 100000 };

struct accepted;

/* limit: entries at most. NULL when out of memory. */
struct accepted *accepted_new(size_t limit);
/* Accepts NULL. */
void accepted_free(struct accepted *accepted);

enum accepted_verdict {
  ACCEPTED_UNKNOWN,
  ACCEPTED_SAME,  /* remembered with this hash */
  ACCEPTED_OTHER, /* remembered with another: the key is used for another request */
};
/* order_id: or a stock update's request id. hash: a SHA-256 in hexadecimal. */
enum accepted_verdict accepted_check(struct accepted *accepted, const struct bus_uuid *order_id, struct bus_str hash,
                                     int64_t now);

/* Stores the order unless it is there already, and returns which. If memory is short the order stays UNKNOWN: later
 * questions get the response that another edge would give. */
enum accepted_verdict accepted_remember(struct accepted *accepted, const struct bus_uuid *order_id, struct bus_str hash,
                                        int64_t now);

bool accepted_knows(struct accepted *accepted, const struct bus_uuid *order_id, int64_t now);

/* The service knows it now. */
void accepted_forget(struct accepted *accepted, const struct bus_uuid *order_id);

size_t accepted_count(struct accepted *accepted);

#endif
