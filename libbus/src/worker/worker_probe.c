/* Probes by other threads: do both servers respond on the worker's own connections? */
#include "worker_internal.h"

#include <bus/clock.h>

void probe_ask(struct bus_worker *worker) {
  if (atomic_exchange(&worker->probing.wanted, false))
    loop_step(worker, &(struct bus_pipeline_event){.kind = BUS_ON_PROBE});
}

/* Pings over the consuming connection: while the broker blocks publishers it does not read from the other. */
static bool ask_broker(struct bus_worker *worker) {
  struct bus_error err;
  if (!broker_stands(&worker->broker))
    return false;
  if (bus_amqp_ping(worker->broker.consuming, &err))
    return true;
  broker_lose(worker, &err);
  return false;
}

void probe_answer(struct bus_worker *worker, bool database) {
  struct probing *probing = &worker->probing;
  (void)pthread_mutex_lock(&probing->lock);
  uint64_t asked = probing->asked;
  (void)pthread_mutex_unlock(&probing->lock);
  struct bus_worker_status status = bus_worker_status(worker);
  status.database = database ? BUS_LINK_UP : BUS_LINK_DOWN;
  status.broker = ask_broker(worker) ? BUS_LINK_UP : BUS_LINK_DOWN;
  (void)pthread_mutex_lock(&probing->lock);
  probing->result = status;
  probing->answered = asked;
  (void)pthread_cond_broadcast(&probing->done);
  (void)pthread_mutex_unlock(&probing->lock);
}
