/* The thread that makes pending intents and refunds final when their time has come. */
#include "sandbox.h"

#include <bus/clock.h>

#include <time.h>

enum { ARENA_LIMIT = 1024 * 1024 };

/* With the lock held. BUS_NO_TIME: until another object is pending, or the end. */
static void wait_until(struct psp_sandbox *sandbox, bus_time at) {
  if (at == BUS_NO_TIME) {
    (void)pthread_cond_wait(&sandbox->more_pending, &sandbox->lock);
    return;
  }
  const struct timespec deadline = {.tv_sec = at / BUS_SECOND, .tv_nsec = at % BUS_SECOND * 1000};
  (void)pthread_cond_timedwait(&sandbox->more_pending, &sandbox->lock, &deadline); /* late or early: it looks again */
}

static void *settle_loop(void *context) {
  struct psp_sandbox *sandbox = context;
  pthread_mutex_lock(&sandbox->lock);
  while (!sandbox->stopping) {
    struct psp_entry entry;
    bus_time next;
    if (!psp_book_due(&sandbox->book, bus_wall_clock(), &entry, &next)) {
      wait_until(sandbox, next);
      continue;
    }
    pthread_mutex_unlock(&sandbox->lock);
    struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
    if (!arena || !psp_sandbox_record(sandbox, &entry, arena))
      psp_out_of_memory();
    psp_webhooks_tell(sandbox->webhooks, &entry);
    bus_arena_free(arena);
    pthread_mutex_lock(&sandbox->lock);
  }
  pthread_mutex_unlock(&sandbox->lock);
  return NULL;
}

bool psp_settler_start(struct psp_sandbox *sandbox, struct bus_error *err) {
  if (pthread_create(&sandbox->settler, NULL, settle_loop, sandbox) != 0)
    return bus_fail(err, BUS_E_SYSTEM, "cannot start the thread that makes pending objects final");
  sandbox->settling = true;
  return true;
}

void psp_settler_stop(struct psp_sandbox *sandbox) {
  if (!sandbox->settling)
    return;
  pthread_mutex_lock(&sandbox->lock);
  sandbox->stopping = true;
  pthread_cond_signal(&sandbox->more_pending);
  pthread_mutex_unlock(&sandbox->lock);
  pthread_join(sandbox->settler, NULL);
  sandbox->settling = false;
}
