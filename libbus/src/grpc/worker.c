/* The threads that run handlers: as many as there are calls, up to a bound; one without a call ends after a while. */
#include "internal.h"

#include <bus/clock.h>

enum { IDLE_MS = 10000, WAITING_A_THREAD = 16 };

void grpc_workers_init(struct grpc_workers *workers) {
  *workers = (struct grpc_workers){.end = &workers->first};
  bus_cond_init(&workers->ready);
  bus_cond_init(&workers->fewer);
  bus_cond_init(&workers->drained);
}

void grpc_workers_done(struct grpc_workers *workers) {
  (void)pthread_cond_destroy(&workers->ready);
  (void)pthread_cond_destroy(&workers->fewer);
  (void)pthread_cond_destroy(&workers->drained);
}

/* With the lock held. NULL: the thread is to end. */
static struct bus_grpc_call *next_call(struct bus_grpc_server *server) {
  struct grpc_workers *workers = &server->workers;
  int64_t until = bus_monotonic() + IDLE_MS * BUS_MILLISECOND;
  workers->idle++;
  while (!workers->first && !workers->ends && bus_cond_wait(&workers->ready, &server->lock, until))
    continue;
  workers->idle--;
  struct bus_grpc_call *call = workers->first;
  if (call == NULL)
    return NULL;
  workers->first = call->next_ready;
  if (workers->first == NULL)
    workers->end = &workers->first;
  workers->queued--;
  return call;
}

/* A call whose client has gone or whose deadline has passed while it waited is not begun: nobody would read its answer.
 */
static void run(struct bus_grpc_call *call) {
  static const struct bus_grpc_status unanswered = {.code = BUS_GRPC_INTERNAL, .message = {"no answer was made", 18}};
  if (!atomic_load(&call->is_gone) && bus_monotonic() < call->deadline)
    call->method->handler(call->server->context, call);
  bus_grpc_finish(call, &unanswered);
}

static void *work(void *context) {
  struct bus_grpc_server *server = context;
  struct bus_grpc_call *call;
  (void)pthread_mutex_lock(&server->lock);
  while ((call = next_call(server)) != NULL) {
    (void)pthread_mutex_unlock(&server->lock);
    run(call);
    (void)pthread_mutex_lock(&server->lock);
    grpc_call_unref(call);
  }
  server->workers.running--;
  (void)pthread_cond_broadcast(&server->workers.fewer);
  (void)pthread_mutex_unlock(&server->lock);
  return NULL;
}

/* With the lock held. */
static bool add_thread(struct bus_grpc_server *server) {
  pthread_attr_t attributes;
  pthread_t thread;
  if (pthread_attr_init(&attributes) != 0)
    return false;
  bool made = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0 &&
              pthread_create(&thread, &attributes, work, server) == 0;
  (void)pthread_attr_destroy(&attributes);
  server->workers.running += made;
  return made;
}

bool grpc_workers_take(struct bus_grpc_server *server, struct bus_grpc_call *call) {
  struct grpc_workers *workers = &server->workers;
  size_t most = (size_t)server->settings.threads;
  (void)pthread_mutex_lock(&server->lock);
  bool needs_thread = workers->idle <= workers->queued && workers->running < most;
  bool taken =
      workers->queued < most * WAITING_A_THREAD && (!needs_thread || add_thread(server) || workers->running > 0);
  if (taken) {
    call->references++;
    call->next_ready = NULL;
    *workers->end = call;
    workers->end = &call->next_ready;
    workers->queued++;
    (void)pthread_cond_signal(&workers->ready);
  }
  (void)pthread_mutex_unlock(&server->lock);
  return taken;
}

void grpc_workers_stop(struct bus_grpc_server *server) {
  struct grpc_workers *workers = &server->workers;
  (void)pthread_mutex_lock(&server->lock);
  workers->ends = true;
  (void)pthread_cond_broadcast(&workers->ready);
  while (workers->running > 0)
    (void)bus_cond_wait(&workers->fewer, &server->lock, bus_monotonic() + BUS_SECOND);
  (void)pthread_mutex_unlock(&server->lock);
}
