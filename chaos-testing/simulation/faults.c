/* Outages, kills, pauses, clocks that jump; and the end of all of it. */
#include "faults.h"

#include "check.h"
#include "edge.h"
#include "psp.h"
#include "worker.h"

static struct worker *some_worker(struct world *world) {
  return &world->workers[random_below(&world->random, world->worker_count)];
}

static void lose_broker(struct world *world, void *subject, uint64_t detail) {
  (void)subject, (void)detail;
  broker_outage(world, random_between(&world->random, BUS_SECOND / 10, world->plan.broker_outage_max));
}

static void block(struct world *world, void *subject, uint64_t detail) {
  (void)subject, (void)detail;
  broker_block(world, random_between(&world->random, BUS_SECOND, 60 * BUS_SECOND));
}

static void unbind(struct world *world, void *subject, uint64_t detail) {
  (void)subject, (void)detail;
  int queue = (int)random_below(&world->random, QUEUES);
  broker_unbind(world, queue, random_between(&world->random, BUS_SECOND, 60 * BUS_SECOND));
}

/* Sometimes the network: then the broker is out of reach for its workers, too. */
static void lose_database(struct world *world, void *subject, uint64_t detail) {
  (void)subject, (void)detail;
  struct database *database = &world->databases[random_below(&world->random, DATABASES)];
  bool network = random_chance(&world->random, PPM / 2);
  database_outage(world, database, random_between(&world->random, BUS_SECOND / 10, world->plan.database_outage_max));
  for (size_t i = 0; i < world->worker_count && network; i++)
    if (world->workers[i].database == database)
      peer_break(world, &world->workers[i].peer);
}

static void refuse(struct world *world, void *subject, uint64_t detail) {
  (void)subject, (void)detail;
  struct database *database = &world->databases[random_below(&world->random, DATABASES)];
  int64_t left = world->begin + world->plan.faults_for - world->now;
  int64_t duration = random_between(&world->random, BUS_SECOND / 10, 90 * BUS_SECOND);
  database_refuses(world, database, duration < left ? duration : left);
}

static void break_rider(struct world *world, void *subject, uint64_t detail) {
  (void)subject, (void)detail;
  struct database *database = &world->databases[random_below(&world->random, DATABASES)];
  int64_t left = world->begin + world->plan.faults_for - world->now;
  int64_t duration = random_between(&world->random, BUS_SECOND / 10, 60 * BUS_SECOND);
  database_breaks(world, database, duration < left ? duration : left);
}

/* A database's clock, or the wall clock of a process. */
static void move_clock(struct world *world, void *subject, uint64_t detail) {
  (void)subject, (void)detail;
  bool of_database = random_chance(&world->random, PPM / 2);
  int64_t jump = random_between(&world->random, -5 * BUS_MINUTE, 5 * BUS_MINUTE);
  if (!of_database) {
    some_worker(world)->peer.wall_offset += jump;
    return;
  }
  struct database *database = &world->databases[random_below(&world->random, DATABASES)];
  TRACE(world, "clock of %s's database jumps", service_names[database->service]);
  database->clock_offset += jump;
  driver_plan_all(world, database);
}

static void kill_one(struct world *world, void *subject, uint64_t detail) {
  (void)subject, (void)detail;
  int64_t downtime = random_between(&world->random, BUS_SECOND / 10, world->plan.downtime_max);
  if (random_chance(&world->random, PPM / 5))
    edge_crash(world, &world->edges[random_below(&world->random, EDGES)], downtime);
  else
    worker_crash(world, some_worker(world), downtime);
}

static void pause_one(struct world *world, void *subject, uint64_t detail) {
  (void)subject, (void)detail;
  struct worker *worker = some_worker(world);
  worker_pause(world, worker, random_between(&world->random, BUS_SECOND / 10, 60 * BUS_SECOND));
}

static void stop_one(struct world *world, void *subject, uint64_t detail) {
  (void)subject, (void)detail;
  worker_stop(world, some_worker(world));
}

static void probe_one(struct world *world, void *subject, uint64_t detail) {
  (void)subject, (void)detail;
  worker_probe(world, some_worker(world));
}

static void lose_psp(struct world *world, void *subject, uint64_t detail) {
  (void)subject, (void)detail;
  psp_outage(world, random_between(&world->random, BUS_SECOND, 90 * BUS_SECOND));
}

static void redrive(struct world *world, void *subject, uint64_t detail) {
  (void)subject, (void)detail;
  broker_redrive(world);
}

static void calm(struct world *world, void *subject, uint64_t detail) {
  (void)subject, (void)detail;
  world->quiet = true;
  TRACE(world, "the faults are over");
  /* Refused messages are tried again within 30 s; deadlines wait for them. */
  world_after(world, (world->plan.refusals ? 60 : 20) * BUS_SECOND, check_deadlines, NULL, 0);
}

static void plan_some(struct world *world, int64_t count, event_run *run) {
  for (int64_t i = 0; i < count; i++)
    world_after(world, random_between(&world->random, 0, world->plan.faults_for - 1), run, NULL, 0);
}

void faults_init(struct world *world) {
  const struct plan *plan = &world->plan;
  plan_some(world, plan->broker_outages, lose_broker);
  plan_some(world, plan->blocks, block);
  plan_some(world, plan->unbound, unbind);
  plan_some(world, plan->database_outages, lose_database);
  plan_some(world, plan->refusals, refuse);
  plan_some(world, plan->breaks, break_rider);
  plan_some(world, plan->clock_jumps, move_clock);
  plan_some(world, plan->kills, kill_one);
  plan_some(world, plan->pauses, pause_one);
  plan_some(world, plan->stops, stop_one);
  plan_some(world, plan->probes, probe_one);
  plan_some(world, plan->psp_outages, lose_psp);
  plan_some(world, plan->redrives, redrive);
  world_after(world, plan->faults_for, calm, NULL, 0);
}
