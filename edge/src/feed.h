/* The newest changes of all orders in the order in which this edge heard of them: services commit first and tell then,
 * so a position in the feed passes no change that comes later. It is bounded: who falls behind, comes from another
 * edge, or was there while events were missed, is told to read again what it shows. Thread-safe; pure but for its
 * mutex. */
#ifndef EDGE_FEED_H
#define EDGE_FEED_H

#include <bus/arena.h>
#include <order_messages.h>

#include <pthread.h>

enum { FEED_MAX = 4096 };

struct feed {
  pthread_mutex_t mutex;
  uint64_t next, whole_from; /* under the mutex, as what follows: the next change's number; events were missed before */
  struct order_change changes[FEED_MAX];
};

/* A change and its number; the first is 1. */
struct feed_entry {
  uint64_t number;
  struct order_change change;
};

void feed_init(struct feed *feed);
void feed_add(struct feed *feed, const struct order_change *change);
/* Events were missed. */
void feed_gap(struct feed *feed);
/* The number of the newest change. */
uint64_t feed_end(struct feed *feed);
/* Reads the changes behind *position, at most room entries; → how many; *position is the last one's. *ret_missed: there
 * were changes in between that the feed does not have. */
size_t feed_read(struct feed *feed, uint64_t *position, struct feed_entry *ret, size_t room, bool *ret_missed);

/* "id: <instance>-<number>", event and data; data is NULL when out of memory. */
struct bus_str feed_event(const struct feed_entry *entry, const char *instance, struct bus_arena *arena);
/* The position that a Last-Event-ID names. False: it is not one of this instance. */
bool feed_position(struct bus_str text, const char *instance, uint64_t *ret) BUS_MUST_CHECK;

#endif
