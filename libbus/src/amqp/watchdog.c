/* The watchdog thread: counts ticks instead of reading a clock, so that a process that was stopped and continued does
 * not find all its connections overdue. */
#include "watchdog.h"

#include <bus/clock.h>

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake;
static struct watchdog_entry *entries;
static bool started;
atomic_bool watchdog_asleep;

/* True while a call is under way or was since the last tick. */
static bool look_at_entry(struct watchdog_entry *entry) {
  unsigned turn = atomic_load(&entry->turn);
  bool moved = turn != entry->seen;
  entry->ticks = moved || turn % 2 == 0 ? 0 : entry->ticks + 1;
  entry->seen = turn;
  if (entry->ticks >= WATCHDOG_LIMIT_MS / WATCHDOG_TICK_MS && !atomic_exchange(&entry->fired, true))
    (void)shutdown(entry->fd, SHUT_RDWR); /* fails only where it is no longer connected, which is as good */
  return moved || (turn % 2 == 1 && !atomic_load(&entry->fired));
}

static bool look_at_entries(void) {
  bool busy = false;
  for (struct watchdog_entry *entry = entries; entry; entry = entry->next)
    busy |= look_at_entry(entry);
  return busy;
}

/* Sets the flag first and then checks again: a thread that enters afterwards sees the flag and wakes the watchdog. */
static void sleep_until_woken(void) {
  atomic_store(&watchdog_asleep, true);
  if (!look_at_entries())
    while (atomic_load(&watchdog_asleep))
      (void)pthread_cond_wait(&wake, &lock);
  atomic_store(&watchdog_asleep, false);
}

static void *watch_connections(void *unused) {
  (void)unused;
  pthread_mutex_lock(&lock);
  for (;;) {
    if (look_at_entries())
      (void)bus_cond_wait(&wake, &lock, bus_monotonic() + WATCHDOG_TICK_MS * BUS_MILLISECOND); /* one tick */
    else
      sleep_until_woken();
  }
  return NULL;
}

void watchdog_wake(void) {
  pthread_mutex_lock(&lock);
  atomic_store(&watchdog_asleep, false);
  pthread_cond_signal(&wake);
  pthread_mutex_unlock(&lock);
}

/* Blocks all signals: they belong to the program's own threads. */
static bool start_watchdog(void) {
  sigset_t all, before;
  pthread_t thread;
  bus_cond_init(&wake);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool made = pthread_create(&thread, NULL, watch_connections, NULL) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return made && pthread_detach(thread) == 0;
}

bool watchdog_add(struct watchdog_entry *entry, int fd) {
  pthread_mutex_lock(&lock);
  if (!started)
    started = start_watchdog();
  if (started) {
    entry->fd = fd;
    entry->seen = atomic_load(&entry->turn);
    entry->next = entries;
    entry->link = &entries;
    if (entries)
      entries->link = &entry->next;
    entries = entry;
  }
  bool added = started;
  pthread_mutex_unlock(&lock);
  return added;
}

void watchdog_remove(struct watchdog_entry *entry) {
  pthread_mutex_lock(&lock);
  if (entry->link) {
    *entry->link = entry->next;
    if (entry->next)
      entry->next->link = entry->link;
    entry->link = NULL;
  }
  pthread_mutex_unlock(&lock);
}
