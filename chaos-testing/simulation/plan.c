/* Drawing a seed's faults. */
#include "world.h"

enum { ENOUGH_ROOM = 255 }; /* publications: no worker of a seed sends as many at once */

/* Off in that share of the seeds; else up to `most`. */
static int64_t some(struct random *random, int64_t off_ppm, int64_t most) {
  bool off = random_chance(random, off_ppm);
  int64_t amount = random_between(random, 1, most);
  return off ? 0 : amount;
}

static void draw_broker(struct plan *plan, struct random *random) {
  plan->slow_ppm = some(random, PPM / 2, 100000);
  plan->slow_max = random_between(random, 1, 4) > 1 ? 90 * BUS_SECOND : 5 * BUS_MINUTE;
  plan->duplicate_ppm = some(random, PPM / 2, 300000);
  plan->link_break_ppm = some(random, PPM / 2, 30000);
  plan->refuse_ppm = some(random, 3 * PPM / 4, 100000);
  plan->broker_outages = some(random, 3 * PPM / 4, 2);
  plan->broker_outage_max = random_between(random, 1, 60) * BUS_SECOND;
  plan->blocks = some(random, 7 * PPM / 8, 2);
  plan->unbound = some(random, 7 * PPM / 8, 2);
}

static void draw_databases(struct plan *plan, struct random *random) {
  plan->conflict_ppm = some(random, PPM / 2, 200000);
  plan->unknown_ppm = some(random, PPM / 2, 50000);
  plan->hang_ppm = some(random, 7 * PPM / 8, 10000);
  plan->stumble_ppm = some(random, PPM / 2, 200000);
  plan->database_outages = some(random, 3 * PPM / 4, 3);
  plan->database_outage_max = random_between(random, 1, 60) * BUS_SECOND;
  plan->refusals = some(random, 3 * PPM / 4, 4);
  plan->breaks = some(random, 3 * PPM / 4, 2);
  plan->pooled = random_chance(random, PPM / 8);
  plan->clock_jumps = some(random, 3 * PPM / 4, 4);
}

static void draw_processes(struct plan *plan, struct random *random) {
  plan->crash_ppm = some(random, PPM / 2, 4000);
  plan->kills = some(random, PPM / 2, 4);
  plan->downtime_max = random_between(random, 1, 60) * BUS_SECOND;
  plan->pauses = some(random, 3 * PPM / 4, 2);
  plan->stops = some(random, 3 * PPM / 4, 3);
  plan->probes = some(random, 7 * PPM / 8, 3);
  for (int service = 0; service < SERVICES; service++)
    if (service != SERVICE_NOTIFY)
      plan->workers[service] = random_between(random, 1, 2);
}

static void draw_psp(struct plan *plan, struct random *random) {
  plan->psp_lost_ppm = some(random, PPM / 2, 200000);
  plan->psp_silent_ppm = some(random, PPM / 2, 200000);
  plan->psp_error_ppm = some(random, PPM / 2, 200000);
  plan->psp_slow_ppm = some(random, 3 * PPM / 4, 300000);
  plan->psp_outages = some(random, 7 * PPM / 8, 2);
}

/* Behind all else, so that the rest of a seed's plan does not depend on it. */
static void draw_endpoints(struct plan *plan, struct random *random) {
  plan->workers[SERVICE_NOTIFY] = random_between(random, 1, 2);
  plan->endpoints = some(random, PPM / 2, 3);
  plan->hook_fail_ppm = some(random, PPM / 3, PPM);
  plan->hook_silent_ppm = some(random, PPM / 2, PPM / 4);
  plan->hook_gone_ppm = some(random, 3 * PPM / 4, PPM / 8);
  plan->hook_deletes = some(random, PPM / 2, 2);
}

static void draw_clients(struct plan *plan, struct random *random) {
  plan->orders = random_between(random, 3, 8);
  plan->repeat_ppm = some(random, PPM / 2, PPM / 2);
  plan->other_body_ppm = some(random, PPM / 2, PPM / 3);
  plan->cancel_ppm = some(random, PPM / 3, PPM / 2);
  plan->wait_ppm = some(random, PPM / 2, PPM / 2);
  plan->odd_card_ppm = some(random, PPM / 8, 3 * PPM / 4);
  plan->stock_ppm = some(random, PPM / 2, PPM / 2);
  plan->dear_ppm = some(random, PPM / 2, PPM / 8);
  plan->set_stocks = some(random, PPM / 2, 4);
  plan->new_prices = some(random, PPM / 2, 4);
  plan->poison = some(random, 3 * PPM / 4, 3);
  plan->poison_kind = random_chance(random, PPM / 2) ? -1 : random_between(random, 0, POISONS - 1);
  plan->redrives = some(random, PPM / 2, 12);
  plan->own_reservations = some(random, PPM / 2, OWN_MAX);
  plan->refunds = some(random, PPM / 3, 12);
  plan->later_ppm = some(random, PPM / 2, PPM / 3);
}

/* All is well but for a few cards: then no other order may suffer. Batches are large enough that orders do not wait for
 * each other. */
static void draw_bad_cards(struct plan *plan, struct random *random) {
  const struct plan calm = {.faults_for = random_between(random, 20, 120) * BUS_SECOND,
                            .latency = plan->latency,
                            .batch_max = plan->batch_max > 4 ? plan->batch_max : 4,
                            .workers = {plan->workers[0], plan->workers[1], plan->workers[2], 1, 1},
                            .max_open_sagas = 10000,
                            .max_late_sagas = 500,
                            .give_up = plan->give_up,
                            .blame_after = plan->blame_after,
                            .gather_ms = 20,
                            .bundle_max = 128,
                            .window = ENOUGH_ROOM,
                            .broker_hosts = 1,
                            .orders = random_between(random, 20, ORDERS_MAX),
                            .bad_cards = random_between(random, 2, 7)};
  *plan = calm;
}

/* Two faults that the pipeline must tell from each other: messages that kill sessions, and a database that refuses
 * whatever comes. */
static void draw_killers(struct plan *plan, struct random *random) {
  plan->poison = random_between(random, 2, 4);
  plan->poison_kind = POISON_KILL;
  plan->refusals = random_between(random, 4, 8);
}

void plan_draw(struct plan *plan, struct random *random) {
  *plan = (struct plan){.faults_for = 0};
  plan->faults_for = random_between(random, 5, 120) * BUS_SECOND;
  plan->latency = random_between(random, 1, 60) * BUS_MILLISECOND;
  plan->batch_max = random_between(random, 1, 8);
  plan->max_open_sagas = random_chance(random, PPM / 8) ? 2 : 10000;
  plan->max_late_sagas = random_chance(random, PPM / 8) ? 1 : 500;
  plan->give_up = 20 * BUS_MINUTE;
  plan->blame_after = random_between(random, 1, 300) * BUS_SECOND;
  plan->gather_ms = random_chance(random, PPM / 2) ? 20 : random_between(random, 0, 300);
  plan->broker_hosts = (size_t)random_between(random, 1, 3);
  plan->bundle_max = random_chance(random, PPM / 4) ? 1 : random_between(random, 2, 16);
  plan->window = random_chance(random, PPM / 2)
                     ? ENOUGH_ROOM
                     : (size_t)random_between(random, 1, random_chance(random, PPM / 2) ? 2 : 16);
  draw_broker(plan, random);
  draw_databases(plan, random);
  draw_processes(plan, random);
  draw_psp(plan, random);
  draw_clients(plan, random);
  if (random_chance(random, PPM / 24))
    draw_killers(plan, random);
  if (random_chance(random, PPM / 20))
    draw_bad_cards(plan, random);
  else
    draw_endpoints(plan, random);
}
