/* Between batches: links, probes, gathering, housekeeping, the end; and when the next tick is due. */
#include "machine.h"

#include "own.h"

/* After a stop, within the 10 s that a program has: the batch in hand, its confirms, the last transaction. */
#define GRACE_BATCH (3 * BUS_SECOND)
#define GRACE_CONFIRMS (5 * BUS_SECOND)
#define GRACE_LAST (7 * BUS_SECOND)
#define TRIP_PATIENCE (15 * BUS_SECOND) /* the roles' statement_timeout is 10 s */
#define IDLE_AFTER (100 * BUS_MILLISECOND)
/* A batch waits until the last one began so many times as long ago as batches take: they then take a quarter of the
 * time at most, and what came meanwhile shares one. Slow servers make them larger by themselves. */
enum { SHARE = 4 };
#define WORTH_SHARING 2.0 /* arrivals */
#define ENOUGH 64.0       /* inputs: a batch that is larger costs hardly less for each */

int64_t machine_bound(const struct bus_pipeline *pipeline, int64_t until) {
  const struct ending *ending = &pipeline->ending;
  int64_t end = ending->stop_at + (ending->draining ? GRACE_LAST : GRACE_BATCH);
  return machine_is_stopping(pipeline) && end < until ? end : until;
}

/* ---- probes ---- */

static void answer_probe(struct bus_pipeline *pipeline, bool good) {
  assert(pipeline->ending.probing);
  pipeline->ending.probing = false;
  turn_do(&pipeline->turn, BUS_DO_ANSWER_PROBE)->database = good;
}

void rest_answer_no(struct bus_pipeline *pipeline) {
  if (pipeline->ending.probing)
    answer_probe(pipeline, false);
}

enum next rest_probed(struct bus_pipeline *pipeline, bool good) {
  answer_probe(pipeline, good);
  pipeline->waiting.phase = PHASE_IDLE;
  return NEXT_WAIT;
}

/* True: a trip asks. */
static bool probe(struct bus_pipeline *pipeline) {
  if (!pipeline->ending.probing)
    return false;
  bus_arena_reset(pipeline->work);
  struct bus_sql *sql = pipeline->links.database.state == LINK_UP ? machine_begin_trip(pipeline) : NULL;
  if (!sql) {
    answer_probe(pipeline, false);
    return false;
  }
  (void)bus_sql_add_own(sql, OWN_NOW);
  (void)machine_send(pipeline, sql, BUS_TRIP_PROBE, PHASE_PROBING);
  return true;
}

/* ---- gathering ---- */

/* As long as it takes until enough have come, but no longer than that. */
static int64_t enough_in(const struct bus_pipeline *pipeline, int64_t most) {
  double rate = pipeline->pace.rate, window = (double)most;
  return rate * window > ENOUGH * (double)BUS_SECOND ? (int64_t)(ENOUGH * (double)BUS_SECOND / rate) : most;
}

static int64_t gather_until(const struct bus_pipeline *pipeline) {
  if (BUS_BUG("gathers-for-ever", "under load the next batch is always a moment away"))
    return pipeline->pace.rate > 100 ? pipeline->turn.now + 1 : pipeline->pace.began_at;
  int64_t most = pipeline->setup.settings->gather_ms * BUS_MILLISECOND, shared = SHARE * pipeline->pace.took;
  int64_t window = enough_in(pipeline, shared < most ? shared : most);
  return pace_next(&pipeline->pace, pipeline->pace.arrivals, window, WORTH_SHARING);
}

/* Waits a moment where that makes the next batch a good deal larger: a transaction costs about the same for one message
 * as for many, and under load that cost limits the rate. Then a look at what came during the last transaction. */
static bool gathers(struct bus_pipeline *pipeline) {
  struct waiting *waiting = &pipeline->waiting;
  int64_t until = gather_until(pipeline), began_at = pipeline->pace.began_at;
  if (!pipeline->setup.service->store || until == began_at || intake_count(&pipeline->intake) >= pipeline->batch.room)
    return false;
  if (pipeline->turn.now < until)
    return true;
  bool looked = waiting->gathered == began_at;
  waiting->gathered = began_at;
  return !looked;
}

/* On purpose (gremlin). */
static bool is_delayed(struct bus_pipeline *pipeline) {
  struct waiting *waiting = &pipeline->waiting;
  int64_t latency = pipeline->setup.settings->latency_ms * BUS_MILLISECOND;
  if (latency == 0 || batch_next_inputs(pipeline) > pipeline->turn.now)
    return false;
  if (waiting->until == 0)
    waiting->until = pipeline->turn.now + latency;
  if (pipeline->turn.now < waiting->until)
    return true;
  waiting->until = 0;
  return false;
}

/* ---- housekeeping ---- */

static int64_t quiet_ends_at(const struct bus_pipeline *pipeline) {
  if (ledger_is_empty(&pipeline->ledger))
    return INT64_MAX;
  int64_t quiet = pipeline->waiting.quiet.last_work_at + pipeline->setup.settings->quiet_ms * BUS_MILLISECOND;
  return quiet > pipeline->ledger.again_at ? quiet : pipeline->ledger.again_at;
}

/* When a transaction without inputs is due. */
static int64_t housekeeping_at(const struct bus_pipeline *pipeline) {
  const struct quiet *quiet = &pipeline->waiting.quiet;
  int64_t next = upkeep_next(&pipeline->upkeep, &pipeline->setup, machine_upkeep_facts(pipeline));
  int64_t quiet_at = quiet_ends_at(pipeline), from = quiet->last_batch_at + IDLE_AFTER;
  from = from > quiet->idle_again_at ? from : quiet->idle_again_at;
  next = quiet_at < next ? quiet_at : next;
  return next > from ? next : from;
}

static enum next work_idly(struct bus_pipeline *pipeline) {
  holds_send(&pipeline->holds, &pipeline->turn, &pipeline->window);
  machine_ack(pipeline, suspects_any(&pipeline->suspects));
  return pipeline->turn.now >= housekeeping_at(pipeline) ? batch_housekeep(pipeline) : NEXT_WAIT;
}

/* ---- the end ---- */

/* Waits, within the time given, until publications are confirmed and their outbox rows deleted. The broker requeues
 * unprocessed deliveries when the channel closes. */
enum next rest_drain(struct bus_pipeline *pipeline) {
  assert(machine_is_stopping(pipeline) && pipeline->batch.count == 0);
  struct ending *ending = &pipeline->ending;
  const struct window *window = &pipeline->window;
  if (!ending->draining)
    turn_point(&pipeline->turn, BUS_POINT_DRAINING);
  ending->draining = true;
  holds_send(&pipeline->holds, &pipeline->turn, &pipeline->window);
  if (window_is_open(window) && (window_count(window) > 0 || pipeline->holds.first) &&
      pipeline->turn.now < ending->stop_at + GRACE_CONFIRMS && !ending->last) {
    pipeline->waiting.phase = PHASE_DRAINING;
    return NEXT_WAIT;
  }
  machine_ack(pipeline, true);
  if (!ending->last && pipeline->links.database.state == LINK_UP && !ledger_is_empty(&pipeline->ledger)) {
    ending->last = true;
    return batch_housekeep(pipeline);
  }
  turn_point(&pipeline->turn, BUS_POINT_DRAINED);
  (void)turn_do(&pipeline->turn, BUS_DO_STOPPED);
  pipeline->waiting.phase = PHASE_STOPPED;
  return NEXT_WAIT;
}

/* ---- a tick ---- */

static bool is_idle(const struct bus_pipeline *pipeline) {
  bool credit = acks_open(&pipeline->acks) < (size_t)pipeline->setup.settings->batch_max * 2;
  return credit && intake_is_empty(&pipeline->intake);
}

static bool is_stalled(const struct bus_pipeline *pipeline) {
  return pipeline->stall.since != 0 || intake_deferred_count(&pipeline->intake) > 0 ||
         pipeline->turn.now < pipeline->stall.deadlines_at;
}

enum next rest_tick(struct bus_pipeline *pipeline) {
  assert(pipeline->batch.count == 0);
  pipeline->waiting.phase = PHASE_IDLE;
  if (machine_is_stopping(pipeline))
    return rest_drain(pipeline);
  links_open(&pipeline->links, &pipeline->turn);
  if (!is_stalled(pipeline))
    links_look_whether_settled(&pipeline->links, &pipeline->turn, is_idle(pipeline));
  if (probe(pipeline) || !links_are_up(&pipeline->links))
    return NEXT_WAIT;
  links_apply_pauses(&pipeline->links, &pipeline->turn);
  links_adapt(&pipeline->links, &pipeline->turn);
  if (gathers(pipeline) || is_delayed(pipeline)) {
    pipeline->waiting.phase = PHASE_GATHERING;
    return NEXT_WAIT;
  }
  enum next next = batch_begin(pipeline);
  return next == NEXT_REST ? work_idly(pipeline) : next;
}

/* ---- when the next one is due ---- */

static int64_t earlier(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t idle_until(const struct bus_pipeline *pipeline) {
  int64_t next = links_next(&pipeline->links);
  if (machine_is_stopping(pipeline))
    return pipeline->turn.now;
  if (!links_are_up(&pipeline->links))
    return next;
  next = earlier(next, earlier(batch_next_inputs(pipeline), housekeeping_at(pipeline)));
  if (acks_pending(&pipeline->acks) > 0)
    next = earlier(next, pipeline->acks.ack_at);
  return earlier(next, holds_next(&pipeline->holds, &pipeline->window));
}

static void plan_gathering(const struct bus_pipeline *pipeline, struct bus_pipeline_actions *actions) {
  int64_t until = gather_until(pipeline);
  bool waits = pipeline->waiting.until == 0 && pipeline->turn.now < until;
  actions->attend = waits ? BUS_ATTEND_NO_BROKER : BUS_ATTEND_ALL;
  actions->wake_at = waits ? until : pipeline->waiting.until != 0 ? pipeline->waiting.until : pipeline->turn.now;
}

static int64_t publishing_until(const struct bus_pipeline *pipeline) {
  bool full = pipeline->actions.count > pipeline->actions.room / 2; /* the next step goes on */
  return full ? pipeline->turn.now : machine_bound(pipeline, pipeline->waiting.since + GRACE_CONFIRMS);
}

void rest_plan(struct bus_pipeline *pipeline) {
  struct bus_pipeline_actions *actions = &pipeline->actions;
  const struct ending *ending = &pipeline->ending;
  bool quiet = links_are_up(&pipeline->links) && !pipeline->holds.first;
  actions->attend = BUS_ATTEND_ALL;
  switch (pipeline->waiting.phase) {
  case PHASE_IDLE:
    actions->attend = quiet ? BUS_ATTEND_DELIVERIES : BUS_ATTEND_ALL;
    actions->wake_at = idle_until(pipeline);
    break;
  case PHASE_GATHERING:
    plan_gathering(pipeline, actions);
    break;
  case PHASE_PUBLISHING:
    actions->wake_at = publishing_until(pipeline);
    break;
  case PHASE_PAUSING:
    actions->wake_at = pipeline->waiting.until;
    break;
  case PHASE_RECOVERING:
    actions->wake_at = links_next(&pipeline->links);
    break;
  case PHASE_DRAINING:
    actions->wake_at = earlier(ending->stop_at + GRACE_CONFIRMS, holds_next(&pipeline->holds, &pipeline->window));
    break;
  case PHASE_STOPPED:
    actions->wake_at = INT64_MAX;
    break;
  default: /* a trip is under way */
    actions->attend = BUS_ATTEND_NO_BROKER;
    actions->wake_at = machine_bound(pipeline, pipeline->waiting.since + TRIP_PATIENCE);
    break;
  }
}
