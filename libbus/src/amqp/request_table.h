/* Open requests by their message id, publications by their sequence number, and the requests of a bundle. Pure. */
#pragma once

#include <bus/base.h>
#include <bus/uuid.h>

/* ---- by id ---- */
struct request_entry {
  struct bus_uuid id;
  void *request; /* NULL: free */
};

struct request_table {
  struct request_entry *entries;
  size_t room, count; /* room: 0 or a power of two, at most half full */
};

/* False when out of memory. The id must not be in the table, nor nil. */
bool request_table_add(struct request_table *table, const struct bus_uuid *id, void *request) BUS_MUST_CHECK;
/* NULL where it is not. */
void *request_table_find(const struct request_table *table, const struct bus_uuid *id);
void request_table_remove(struct request_table *table, const struct bus_uuid *id);
void request_table_done(struct request_table *table);

/* ---- bundles ---- */
struct request_member {
  void *request;
  uint32_t generation; /* of the request: it may be another one by the time of the confirm */
};

/* The requests of one publication. */
struct request_bundle {
  struct bus_uuid id; /* the AMQP message's */
  size_t count;
  struct request_member members[];
};

/* A bundle of `count` members, which the caller fills, in a table of its own kind; freed by one of the next two. NULL
 * when out of memory. */
struct request_bundle *request_bundle_new(struct request_table *bundles, const struct bus_uuid *id,
                                          size_t count) BUS_MUST_CHECK;
void request_bundle_free(struct request_table *bundles, struct request_bundle *bundle);
/* Frees all bundles, and the table. */
void request_bundles_reset(struct request_table *bundles);

/* ---- by sequence number ---- */
struct window_entry {
  struct request_bundle *bundle; /* or NULL, and one request */
  void *request;
  uint32_t generation;
  uint32_t bytes;
  bool open, query;
};

/* Publications that the broker has not confirmed yet. Confirms come for one or for all up to one, in any order. */
struct request_window {
  struct window_entry *ring; /* by sequence number modulo room */
  size_t room, bytes;
  uint64_t low, next; /* below low nothing is open */
};

/* Sequence numbers start at 1 with each connection. */
void request_window_reset(struct request_window *window);
/* seq must be window->next. False when out of memory. */
bool request_window_push(struct request_window *window, uint64_t seq, const struct window_entry *entry) BUS_MUST_CHECK;
/* Calls visit for each publication that this confirm settles. Unknown and settled tags are ignored. */
void request_window_confirm(struct request_window *window, uint64_t seq, bool multiple,
                            void (*visit)(void *context, const struct window_entry *entry), void *context);
void request_window_done(struct request_window *window);
