/* A worker's life: starting, crashing, standing still; and what reaches it from the broker and its database. */
#include "worker.h"

#include "check.h"
#include "check_worker.h"
#include "psp.h"

#include <orderbus_topology.h>

#include <stdio.h>

static void start(struct world *world, void *subject, uint64_t life);

/* ---- from the broker ---- */

static void on_link(struct world *world, struct peer *peer, bool up) {
  struct worker *worker = peer->owner;
  if (!peer->up)
    return;
  (void)driver_read(world, worker, up ? FRAME_UP : FRAME_DOWN);
  driver_plan(world, worker);
}

static void on_blocked(struct world *world, struct peer *peer, bool blocked) {
  driver_read(world, peer->owner, FRAME_BLOCKED)->blocked = blocked;
  driver_plan(world, peer->owner);
}

static void on_delivery(struct world *world, struct peer *peer, const struct message *message, int queue, uint64_t tag,
                        bool redelivered) {
  struct frame *frame = driver_read(world, peer->owner, FRAME_DELIVERY);
  frame->message = message;
  frame->queue = queue;
  frame->tag = tag;
  frame->redelivered = redelivered;
  driver_plan(world, peer->owner);
}

static void on_confirm(struct world *world, struct peer *peer, const struct sending *sending) {
  driver_read(world, peer->owner, FRAME_CONFIRM)->sending = sending;
  driver_plan(world, peer->owner);
}

static void no_reply(struct world *world, struct peer *peer, const struct message *message) {
  (void)world, (void)peer, (void)message; /* workers ask nobody */
}

/* ---- from the database ---- */

/* The messages of the attempt under way. */
static size_t worker_letters(struct world *world, const struct worker *worker, struct letter *ret[DECIDED_MAX]) {
  size_t count = 0;
  for (size_t i = 0; i < worker->asked_count; i++)
    if (!bus_uuid_is_nil(&worker->asked[i]))
      ret[count++] = letter_of(world, &worker->asked[i]);
  return count;
}

void worker_answered(struct world *world, struct worker *worker) {
  worker->answered = true;
  driver_plan(world, worker);
}

void worker_database_lost(struct world *world, struct worker *worker) {
  worker->lost = true;
  worker_wake(world, worker);
}

void worker_refused(struct world *world, struct worker *worker) {
  struct letter *letters[DECIDED_MAX];
  size_t count = worker_letters(world, worker, letters);
  worker->refusal.inputs = worker->asked_count;
  /* Failures of a local input are not counted here; a request is not kept for later; a part is searched already. */
  worker->refusal.may_search =
      count < worker->asked_count || worker->service == SERVICE_REQUESTS || worker->asked_count < worker->batch_inputs;
  for (size_t i = 0; i < count; i++) {
    struct fate *fate = &letters[i]->fates[worker->database->service];
    check_refused(world, fate);
    bool forgotten = fate->processed > 0; /* how often this copy was refused: another one was processed */
    worker->refusal.may_search |=
        forgotten || fate->refusals >= REFUSALS_BEFORE_SEARCH || worker->committed_at > fate->failing_since;
  }
}

/* Messages that are refused before they are decided are in the batch, too: their rows in bus.parked may be what the
 * database refuses. Their failures are not counted here. Without them, it is a part that is searched already. */
void worker_tried(struct worker *worker, size_t size) {
  if (size > worker->batch_tried)
    worker->batch_tried = size;
  worker->refusal.may_search |= size > worker->refusal.inputs || size < worker->batch_tried;
}

void worker_committed(struct world *world, struct worker *worker) {
  worker->refusal.inputs = 0;
  if (worker->decided_count > 0)
    worker->committed_at = world->now;
  for (size_t i = 0; i < worker->decided_count; i++)
    if (worker->decided[i].letter && worker->decided[i].done)
      check_processed(world, worker->decided[i].letter, worker->database->service);
  check_committed(world, worker);
}

bool worker_decided_killer(const struct worker *worker) {
  for (size_t i = 0; i < worker->decided_count; i++)
    if (worker->decided[i].letter && worker->decided[i].letter->kills)
      return true;
  return false;
}

bool worker_decided_stumbler(const struct worker *worker) {
  for (size_t i = 0; i < worker->decided_count; i++) {
    const struct letter *letter = worker->decided[i].letter;
    if (letter && letter->stumbles && !letter->mended)
      return true;
  }
  return false;
}

/* ---- from within ---- */

void worker_push(struct world *world, struct worker *worker, enum bus_input_kind kind, const void *body, size_t size) {
  if (!bus_pipeline_push(worker->pipeline, kind, body, size))
    world_violate(world, "%s has no room for an input of its own", worker->peer.name);
  worker_wake(world, worker);
}

/* ---- bus/worker.h, as the services see it ---- */

bool bus_worker_push(struct bus_worker *handle, enum bus_input_kind kind, const void *body, size_t size) {
  return bus_pipeline_push(handle->worker->pipeline, kind, body, size);
}

size_t bus_worker_pushed(const struct bus_worker *handle) {
  return bus_pipeline_pushed(handle->worker->pipeline);
}

void bus_worker_push_due(void *context, struct bus_worker *handle, const struct bus_rows *rows) {
  (void)context;
  bus_pipeline_push_due(handle->worker->pipeline, rows);
}

void bus_worker_pause(struct bus_worker *handle, size_t queue, bool paused) {
  bus_pipeline_pause(handle->worker->pipeline, queue, paused);
}

bool bus_worker_add_source(struct bus_worker *handle, struct bus_poll_source source) {
  (void)handle, (void)source; /* calls are events of the world */
  return true;
}

int64_t bus_worker_inbox_keep_h(const struct bus_worker *handle) {
  return handle->world->settings.inbox_keep_h;
}

bool bus_worker_is_settled(const struct bus_worker *handle) {
  return bus_pipeline_is_settled(handle->worker->pipeline);
}

/* ---- its life ---- */

static void write_log(void *context, enum bus_level level, const char *msg, const struct bus_log_field *fields) {
  const struct bus_worker *handle = context;
  char text[1024];
  if (!handle->world->traced)
    return;
  size_t len = bus_log_format(text, sizeof text, handle->world->now, handle->worker->peer.name, level, msg, fields);
  const char *at = strstr(text, "\"msg\"");
  if (len > 0 && text[len - 1] == '\n')
    text[len - 1] = '\0';
  TRACE(handle->world, "%s [%s] %s", handle->worker->peer.name,
        handle->worker->pipeline ? bus_pipeline_phase(handle->worker->pipeline) : "starting", at ? at : text);
}

/* While a system is upgraded, some processes send bundles and some do not. */
static const struct bus_worker_settings *draw_settings(struct world *world) {
  return random_chance(&world->random, PPM / 4) ? &world->alone : &world->settings;
}

static struct bus_pipeline *make_pipeline(struct world *world, struct worker *worker) {
  struct bus_pipeline_setup setup = {.service = services[worker->service].bus,
                                     .topology = &orderbus_topology,
                                     .settings = draw_settings(world),
                                     .worker = &worker->context.handle,
                                     .spans = true,
                                     .log = {write_log, &worker->context.handle, world->traced},
                                     .broker_hosts = world->plan.broker_hosts,
                                     .unconfirmed_max = world->plan.window,
                                     .now = world->now};
  for (size_t i = 0; i < 4; i++)
    setup.seed[i] = random_next(&world->random);
  struct bus_pipeline *pipeline = bus_pipeline_new(&setup);
  if (!pipeline)
    world_violate(world, "out of memory for a pipeline");
  bus_pipeline_set_context(pipeline, services_context(worker));
  return pipeline;
}

static void start(struct world *world, void *subject, uint64_t life) {
  struct worker *worker = subject;
  if (worker->peer.up || worker->peer.life != life)
    return;
  services_open(world, worker);
  if (worker->service == SERVICE_PAYMENT)
    caller_init(world, worker);
  worker->pipeline = make_pipeline(world, worker);
  worker->peer.up = true;
  worker->attend = BUS_ATTEND_ALL;
  worker->wake_at = world->now;
  TRACE(world, "%s starts", worker->peer.name);
  driver_plan(world, worker);
}

/* The end of the process. */
static void end(struct world *world, struct worker *worker, int64_t downtime) {
  struct peer *peer = &worker->peer;
  peer->up = false;
  peer->life++;
  peer->paused_until = 0;
  session_end(world, &worker->session);
  worker->session.sent = false;
  bus_pipeline_free(worker->pipeline);
  services_close(worker);
  worker->pipeline = NULL;
  peer_break(world, peer);
  worker->frames = NULL;
  worker->frames_end = &worker->frames;
  worker->answered = worker->lost = worker->refused = worker->opened = worker->wanted = false;
  worker->stops = worker->probes = worker->doomed = false;
  worker->decided_count = worker->asked_count = worker->refusal.inputs = 0;
  worker->turn_at = worker->committed_at = 0;
  memset(worker->fresh_seen, 0, sizeof worker->fresh_seen);
  worker->budget = (struct order_budget){.spent = 0};
  world_after(world, downtime, start, worker, peer->life);
}

void worker_crash(struct world *world, struct worker *worker, int64_t downtime) {
  if (!worker->peer.up)
    return;
  TRACE(world, "%s crashes", worker->peer.name);
  world->tally->crashes++;
  end(world, worker, downtime);
}

bool worker_perhaps_crashes(struct world *world, struct worker *worker) {
  if (world->quiet || !random_chance(&world->random, world->plan.crash_ppm))
    return false;
  worker_crash(world, worker, random_between(&world->random, BUS_SECOND / 10, world->plan.downtime_max));
  return true;
}

/* The server closes a connection without heartbeats. */
static void no_heartbeat(struct world *world, void *subject, uint64_t epoch) {
  struct worker *worker = subject;
  if (worker->peer.epoch == epoch && worker->peer.paused_until > world->now)
    peer_break(world, &worker->peer);
}

void worker_pause(struct world *world, struct worker *worker, int64_t duration) {
  if (!worker->peer.up)
    return;
  TRACE(world, "%s stands still", worker->peer.name);
  worker->peer.paused_until = world->now + duration;
  world_after(world, 10 * BUS_SECOND, no_heartbeat, worker, worker->peer.epoch);
  session_watch(world, &worker->session);
}

void worker_stop(struct world *world, struct worker *worker) {
  if (!worker->peer.up)
    return;
  TRACE(world, "%s is told to stop", worker->peer.name);
  worker->stops = true;
  worker_wake(world, worker);
}

void worker_stopped(struct world *world, struct worker *worker) {
  TRACE(world, "%s has stopped", worker->peer.name);
  end(world, worker, random_between(&world->random, BUS_SECOND / 10, 5 * BUS_SECOND));
}

void worker_probe(struct world *world, struct worker *worker) {
  worker->probes = worker->peer.up;
  worker_wake(world, worker);
}

static void init(struct world *world, struct worker *worker, int service, int64_t number, struct bus_arena *arena) {
  char name[32];
  bool requests = service == SERVICE_REQUESTS;
  int of = requests ? SERVICE_INVENTORY : service;
  (void)snprintf(name, sizeof name, "%s%s/%" PRId64, service_names[of], requests ? ".request" : "", number); /* fits */
  worker->service = service;
  worker->database = &world->databases[of];
  worker->frames_end = &worker->frames;
  worker->context.handle = (struct bus_worker){world, worker};
  session_init(&worker->session, worker, arena);
  if (service == SERVICE_PAYMENT)
    worker->waiting = world_alloc(world, CALLER_QUEUE * sizeof *worker->waiting);
  worker->peer = (struct peer){.name = world_text(world, bus_str(name)).data,
                               .user = service_names[of],
                               .prefetch = (size_t)world->plan.batch_max * 2,
                               .owner = worker,
                               .open_end = &worker->peer.open,
                               .on_delivery = on_delivery,
                               .on_reply = no_reply,
                               .on_confirm = on_confirm,
                               .on_link = on_link,
                               .on_blocked = on_blocked};
}

void workers_init(struct world *world, struct bus_arena *const *scratch) {
  world->workers = world_alloc(world, WORKERS_MAX * sizeof *world->workers);
  services_make();
  for (int service = 0; service < SERVICES; service++)
    for (int64_t number = 0; number < world->plan.workers[service]; number++) {
      size_t index = world->worker_count++;
      world->workers[index].index = index;
      init(world, &world->workers[index], service, number, scratch[index]);
    }
  for (size_t i = 0; i < world->worker_count; i++)
    start(world, &world->workers[i], 0);
}

void workers_done(struct world *world) {
  for (size_t i = 0; i < world->worker_count; i++) {
    bus_pipeline_free(world->workers[i].pipeline);
    services_close(&world->workers[i]);
  }
}

struct peer *peer_of_worker(struct world *world, size_t index) {
  return &world->workers[index].peer;
}
