/* The loop of a worker process: what has come is passed on to the pipeline, event by event; its actions are carried
 * out; then it sleeps until something comes or is due. */
#include "worker.h"

#include "check.h"

#define CONFIRMS_LATER (20 * BUS_MILLISECOND)
#define HEARTBEAT_THIRD (1600 * BUS_MILLISECOND)
enum { TICKS_MAX = 100 };

struct frame *driver_read(struct world *world, struct worker *worker, enum frame_kind kind) {
  struct frame *frame = world_alloc(world, sizeof *frame);
  *frame = (struct frame){.kind = kind, .at = world->now};
  *worker->frames_end = frame;
  worker->frames_end = &frame->next;
  return frame;
}

/* ---- one step ---- */

static bool is_between_batches(const struct bus_pipeline *pipeline) {
  const char *phase = bus_pipeline_phase(pipeline);
  return strcmp(phase, "idle") == 0 || strcmp(phase, "gathering") == 0 || strcmp(phase, "counting a suspect") == 0;
}

/* Ticks that bring nothing about, one after the other: in production the loop would not sleep. */
static void look_for_spin(struct world *world, struct worker *worker, enum bus_pipeline_event_kind event,
                          size_t actions) {
  bool idle = event == BUS_ON_TICK && actions == 0 && world->now - worker->ticked_at < BUS_MILLISECOND;
  worker->ticked_at = world->now;
  worker->idle_ticks = idle ? worker->idle_ticks + 1 : 0;
  if (worker->idle_ticks > TICKS_MAX)
    world_violate(world, "%s spins: %s", worker->peer.name, bus_pipeline_phase(worker->pipeline));
}

/* False: the process is gone. */
static bool step(struct world *world, struct worker *worker, struct bus_pipeline_event *event) {
  struct bus_pipeline_actions actions;
  event->now = world->now;
  event->wall = world->now + worker->peer.wall_offset;
  worker->begins = is_between_batches(worker->pipeline);
  services_enter(&worker->context.handle);
  bus_pipeline_step(worker->pipeline, event, &actions);
  if (world->checks_parts && !bus_pipeline_is_valid(worker->pipeline))
    world_violate(world, "the parts of %s's pipeline do not fit together", worker->peer.name);
  if (worker->doomed) {
    broker_place_again(world);
    worker_crash(world, worker, random_between(&world->random, BUS_SECOND / 10, 2 * BUS_SECOND));
    return false;
  }
  look_for_spin(world, worker, event->kind, actions.count);
  if (event->kind == BUS_ON_TICK) {
    worker->wake_at = actions.wake_at;
    worker->attend = actions.attend;
  }
  return actions_carry_out(world, worker, &actions);
}

/* ---- what has come ---- */

static bool read_delivery(struct world *world, struct worker *worker, const struct frame *frame) {
  struct bus_arena *arena = bus_pipeline_arena(worker->pipeline);
  const struct message *message = frame->message;
  struct bus_delivery delivery = {.tag = frame->tag, .envelope = message->envelope};
  while (services[worker->service].queues[delivery.consumer] != frame->queue)
    delivery.consumer++;
  delivery.envelope.redelivered = frame->redelivered;
  worker->fresh_seen[frame->queue] |= !frame->redelivered;
  if (!bus_envelope_move(&delivery.envelope, arena))
    world_violate(world, "out of memory");
  delivery.body = message->body.data ? bus_arena_copy(arena, message->body) : BUS_NO_STR;
  return step(world, worker, &(struct bus_pipeline_event){.kind = BUS_ON_DELIVERY, .delivery = &delivery});
}

static bool read_confirm(struct world *world, struct worker *worker, const struct sending *sending) {
  struct bus_pipeline_event event = {.kind = BUS_ON_RETURNED, .returned = &sending->message->envelope.message_id};
  if (sending->returned && !step(world, worker, &event))
    return false;
  event =
      (struct bus_pipeline_event){.kind = BUS_ON_CONFIRM, .confirm = {sending->seq, sending->multiple, sending->acked}};
  return step(world, worker, &event);
}

static bool read_frame(struct world *world, struct worker *worker, const struct frame *frame) {
  static const struct bus_error gone = {BUS_E_AMQP_CONNECTION, "connection closed"};
  switch (frame->kind) {
  case FRAME_DELIVERY:
    return read_delivery(world, worker, frame);
  case FRAME_CONFIRM:
    return read_confirm(world, worker, frame->sending);
  case FRAME_BLOCKED:
    return step(world, worker, &(struct bus_pipeline_event){.kind = BUS_ON_BLOCKED, .blocked = frame->blocked});
  case FRAME_UP:
    worker->connected_at = world->now;
    return step(world, worker, &(struct bus_pipeline_event){.kind = BUS_ON_BROKER_UP});
  default:
    return step(world, worker, &(struct bus_pipeline_event){.kind = BUS_ON_BROKER_DOWN, .error = &gone});
  }
}

/* When the process reads them. */
static bus_time frames_at(const struct worker *worker) {
  const struct frame *first = worker->frames;
  if (!first)
    return INT64_MAX;
  if (worker->attend == BUS_ATTEND_NO_BROKER)
    return first->at + HEARTBEAT_THIRD;
  for (const struct frame *frame = first; frame && worker->attend == BUS_ATTEND_DELIVERIES; frame = frame->next)
    if (frame->kind != FRAME_CONFIRM)
      return frame->at;
  return worker->attend == BUS_ATTEND_DELIVERIES ? first->at + CONFIRMS_LATER : first->at;
}

/* True: the process lives, and has read something. */
static bool read_frames(struct world *world, struct worker *worker) {
  struct frame *frame = worker->frames;
  uint64_t life = worker->peer.life;
  if (frames_at(worker) > world->now)
    return false;
  worker->frames = NULL;
  worker->frames_end = &worker->frames;
  for (; frame; frame = frame->next)
    if (!read_frame(world, worker, frame))
      return false;
  return worker->peer.life == life;
}

static bool read_loss(struct world *world, struct worker *worker) {
  static const struct bus_error gone = {BUS_E_DB_CONNECTION, "server closed the connection unexpectedly"};
  struct session *session = &worker->session;
  worker->lost = worker->answered = false;
  if (!session->sent)
    return step(world, worker, &(struct bus_pipeline_event){.kind = BUS_ON_DATABASE_DOWN, .error = &gone});
  session_lost(session);
  return step(world, worker, &(struct bus_pipeline_event){.kind = BUS_ON_TRIP_FAILED, .trip = &session->result});
}

static bool read_answer(struct world *world, struct worker *worker) {
  struct session *session = &worker->session;
  worker->answered = session->sent = false;
  return step(world, worker,
              &(struct bus_pipeline_event){.kind = session->failed ? BUS_ON_TRIP_FAILED : BUS_ON_TRIP_DONE,
                                           .trip = &session->result});
}

static bool read_opening(struct world *world, struct worker *worker) {
  static const struct bus_error away = {BUS_E_DB_CONNECTION, "connection refused"};
  bool up = worker->opened;
  worker->opened = worker->refused = false;
  if (!up)
    return step(world, worker, &(struct bus_pipeline_event){.kind = BUS_ON_DATABASE_DOWN, .error = &away});
  worker->connected_at = world->now;
  return step(world, worker,
              &(struct bus_pipeline_event){.kind = BUS_ON_DATABASE_UP, .database = {.pooled = world->plan.pooled}});
}

/* True: the process lives, and something had come. */
static bool read_database(struct world *world, struct worker *worker) {
  if (worker->opened || worker->refused)
    return read_opening(world, worker);
  if (worker->answered)
    return read_answer(world, worker);
  return worker->lost && read_loss(world, worker);
}

static bool read_orders(struct world *world, struct worker *worker) {
  bool stops = worker->stops, probes = worker->probes;
  worker->stops = worker->probes = false;
  if (stops && !step(world, worker, &(struct bus_pipeline_event){.kind = BUS_ON_STOP}))
    return false;
  return !probes || step(world, worker, &(struct bus_pipeline_event){.kind = BUS_ON_PROBE});
}

/* ---- when its turn is ---- */

static bus_time next_turn(const struct world *world, const struct worker *worker) {
  if (worker->wanted || worker->answered || worker->lost || worker->opened || worker->refused || worker->stops ||
      worker->probes)
    return world->now;
  bus_time frames = frames_at(worker);
  bus_time wake = worker->wake_at < frames ? sleep_until(world, worker) : worker->wake_at;
  return frames < wake ? frames : wake;
}

/* ---- its turn ---- */

static void turn(struct world *world, void *subject, uint64_t at) {
  struct worker *worker = subject;
  uint64_t life = worker->peer.life;
  if ((uint64_t)worker->turn_at != at || !worker->peer.up || peer_waits(world, &worker->peer, turn, subject, at))
    return;
  worker->turn_at = 0;
  if (next_turn(world, worker) > world->now) {
    driver_plan(world, worker);
    return;
  }
  if (worker_perhaps_crashes(world, worker) || !read_orders(world, worker))
    return;
  for (bool more = true; more && worker->peer.life == life;) {
    bool read = read_database(world, worker);
    read = worker->peer.life == life && (read_frames(world, worker) || read);
    if (worker->peer.life != life)
      return;
    more = read || worker->wanted || worker->wake_at <= world->now;
    worker->wanted = false;
    if (more && !step(world, worker, &(struct bus_pipeline_event){.kind = BUS_ON_TICK}))
      return;
    more = read;
  }
  if (worker->peer.life == life)
    driver_plan(world, worker);
}

void driver_plan(struct world *world, struct worker *worker) {
  if (!worker->peer.up)
    return;
  bus_time at = next_turn(world, worker);
  if (at == INT64_MAX || (worker->turn_at != 0 && worker->turn_at <= at))
    return;
  worker->turn_at = at > world->now ? at : world->now + 1;
  world_at(world, worker->turn_at, turn, worker, (uint64_t)worker->turn_at);
}

void driver_plan_all(struct world *world, const struct database *database) {
  for (size_t i = 0; i < world->worker_count; i++)
    if (world->workers[i].database == database)
      driver_plan(world, &world->workers[i]);
}

void worker_wake(struct world *world, struct worker *worker) {
  worker->wanted = true;
  driver_plan(world, worker);
}
