/* Answers the edge's ping, by which /health shows whether this service takes messages. */
#include "receipt_queries.h"

#include "receipt_messages.h"

static void decide(void *pong, const struct bus_input *input, struct bus_effects *effects) {
  (void)input; /* the only query */
  bus_answer(effects, &receipt_pong_type, pong);
}

const struct bus_service receipt_queries = {
    .open = bus_worker_is_context, .lock = bus_worker_pong_lock, .load = bus_worker_pong_load, .decide = decide};
