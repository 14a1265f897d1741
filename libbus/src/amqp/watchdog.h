/* A deadline for blocking calls of rabbitmq-c, which have none: one thread for the whole process shuts down a socket in
 * which such a call has been stuck for too long. The thread sleeps while no such call is made. */
#pragma once

#include <bus/base.h>

#include <stdatomic.h>

enum { WATCHDOG_LIMIT_MS = 4500, WATCHDOG_TICK_MS = 250 };

/* One for each connection; its owner's thread enters and leaves. */
struct watchdog_entry {
  int fd;
  atomic_uint turn;     /* odd: inside a call that may block */
  unsigned seen, ticks; /* the watchdog's: the turn it saw last, and for how many ticks */
  atomic_bool fired;    /* the socket was shut down */
  struct watchdog_entry *next, **link;
};

/* Starts the thread with the first entry. False: no thread could be made. */
bool watchdog_add(struct watchdog_entry *entry, int fd) BUS_MUST_CHECK;
/* Before the descriptor is closed: it may be someone else's at once. Does nothing for an entry that was never added. */
void watchdog_remove(struct watchdog_entry *entry);

void watchdog_wake(void);
extern atomic_bool watchdog_asleep;

static inline void watchdog_enter(struct watchdog_entry *entry) {
  atomic_fetch_add(&entry->turn, 1);
  if (atomic_load(&watchdog_asleep))
    watchdog_wake();
}

static inline void watchdog_leave(struct watchdog_entry *entry) {
  atomic_fetch_add_explicit(&entry->turn, 1, memory_order_release);
}
