/* How long a worker may sleep. While it is idle, the pipeline wakes several times a second for statements that run now
 * and then. The world knows when one of them finds a row; until then none need run, and idle time costs no events. */
#include "worker.h"

#include "../../libbus/src/pipeline/machine.h"

#define SETTLED_QUIET BUS_SECOND /* as links.c has it */

static int64_t earlier(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static bool is_paused(const struct bus_pipeline *pipeline) {
  bool paused = false;
  for (size_t i = 0; i < QUEUES_MAX; i++)
    paused |= pipeline->links.paused[i];
  return paused;
}

/* When deadlines may be looked at. */
static int64_t settled_at(const struct bus_pipeline *pipeline) {
  const struct links *links = &pipeline->links;
  if (links->settling.settled)
    return 0;
  if (pipeline->stall.since != 0 || intake_deferred_count(&pipeline->intake) > 0)
    return INT64_MAX; /* a batch ends that */
  int64_t most = links->settling.since + pipeline->setup.settings->settle_max_ms * BUS_MILLISECOND;
  return later(pipeline->stall.deadlines_at, earlier(links->settling.last_delivery_at + SETTLED_QUIET, most));
}

/* Rows of the service, or of libbus. */
static int64_t rows_at(const struct world *world, const struct worker *worker) {
  const struct database *database = worker->database;
  const struct bus_pipeline *pipeline = worker->pipeline;
  bus_time now = database_now(world, database);
  bool looks = services[worker->service].bus->periodic_count > 0;
  bus_time service = looks ? database->store->due_at(database, now) : INT64_MAX, own = bus_tables_due(database, now);
  service = service == INT64_MAX ? service : later(service - database->clock_offset, settled_at(pipeline));
  own = own == INT64_MAX || !window_is_open(&pipeline->window) ? INT64_MAX : own - database->clock_offset;
  return earlier(service, own);
}

/* Confirmed rows are deleted. */
static int64_t deletion_at(const struct bus_pipeline *pipeline) {
  int64_t quiet = pipeline->setup.settings->quiet_ms * BUS_MILLISECOND;
  return ledger_is_empty(&pipeline->ledger)
             ? INT64_MAX
             : later(pipeline->waiting.quiet.last_work_at + quiet, pipeline->ledger.again_at);
}

int64_t sleep_until(const struct world *world, const struct worker *worker) {
  const struct bus_pipeline *pipeline = worker->pipeline;
  if (pipeline->waiting.phase != PHASE_IDLE || !links_are_up(&pipeline->links) || is_paused(pipeline) ||
      machine_is_stopping(pipeline))
    return worker->wake_at;
  int64_t next = earlier(rows_at(world, worker), earlier(deletion_at(pipeline), batch_next_inputs(pipeline)));
  if (acks_pending(&pipeline->acks) > 0)
    next = earlier(next, pipeline->acks.ack_at);
  next = earlier(next, holds_next(&pipeline->holds, &pipeline->window));
  return later(worker->wake_at, next);
}
