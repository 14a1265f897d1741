/* A trip at the database. */
#include "session.h"

#include "check.h"
#include "check_worker.h"
#include "worker.h"

#include "../../libbus/src/pipeline/own.h"

#include <assert.h>

#define LOCK_PATIENCE (3 * BUS_SECOND) /* the roles' lock_timeout */
#define IDLE_PATIENCE (5 * BUS_SECOND) /* and idle_in_transaction_session_timeout */

void session_init(struct session *session, struct worker *worker, struct bus_arena *arena) {
  *session = (struct session){.worker = worker, .database = worker->database, .arena = arena};
}

/* ---- the end of a transaction ---- */

static void go_on(struct world *world, void *subject, uint64_t serial);

/* Rows and ids are free: who waits for them tries again. */
static void end_transaction(struct world *world, struct session *session) {
  bus_tables_unlock(session);
  database_unlock(session->database, session);
  session->open = session->aborted = false;
  session->emitted = 0;
  for (size_t i = 0; i < world->worker_count; i++) {
    struct session *other = &world->workers[i].session;
    if (other->waiting && other->database == session->database && other != session)
      world_after(world, 0, go_on, other, other->serial);
  }
}

/* ---- answers ---- */

static void answer_comes(struct world *world, void *subject, uint64_t serial) {
  struct session *session = subject;
  if (session->serial != serial || !session->sent)
    return;
  worker_answered(world, session->worker);
}

static void answer(struct world *world, struct session *session) {
  session->waiting = false;
  session->serial++;
  session->result.in_transaction = session->open;
  world_after(world, random_wait(&world->random, world->plan.latency / 8 + 1), answer_comes, session, session->serial);
  if (session->worker->peer.paused_until > world->now) /* its client will be silent */
    session_watch(world, session);
}

static void fail(struct world *world, struct session *session, enum bus_errc code, long at, const char *text) {
  session->failed = true;
  session->result.failed_at = at;
  for (size_t i = at < 0 ? 0 : (size_t)at; i < session->sql->count; i++)
    session->rows[i] = NULL;
  (void)bus_fail(&session->result.error, code, "%s", text);
  session->aborted = session->open;
  TRACE(world, "%s's database: %s at %ld", session->worker->peer.name, text, at);
  answer(world, session);
}

/* ---- one statement ---- */

enum ran { RAN, BLOCKED, FAILED };

static enum ran refuse(struct world *world, struct session *session, enum bus_errc code, const char *text) {
  fail(world, session, code, (long)session->at, text);
  return FAILED;
}

/* A statement that every input needs is refused: of the inbox, or all that write. */
static bool is_refused(const struct session *session, const struct bus_args *args) {
  const struct database *database = session->database;
  if (database->refuses_since == 0)
    return false;
  if (args->own)
    return database->refuses_all ? bus_tables_ids(args) > 0 : bus_tables_adds(args);
  return session->purpose == BUS_TRIP_2 && bus_memory_writes(session->sql, args);
}

static bool is_broken(const struct session *session, const struct bus_args *args) {
  const struct database *database = session->database;
  if (database->broken == 0)
    return false;
  uint64_t which = database->broken - 1;
  return which < BUS_TABLES_RIDERS ? bus_tables_is_rider(args, which)
                                   : !args->own && args->statement == database->store->rider;
}

static enum ran run_own(struct world *world, struct session *session, const struct bus_args *args,
                        struct bus_rows *rows) {
  if (!bus_tables_run(world, session, args, rows))
    return BLOCKED;
  if (!session->open)
    bus_tables_apply(world, session, args, rows);
  return RAN;
}

static enum ran run_read(struct world *world, struct session *session, const struct bus_args *args,
                         struct bus_rows *rows) {
  struct reading reading = {world, session->database, session, session->arena, session->now, false};
  session->database->store->read(&reading, args, rows);
  return reading.blocked ? BLOCKED : RAN;
}

/* Looks whether it can be done; it is done at COMMIT. */
static enum ran run_write(struct world *world, struct session *session, const struct bus_args *args) {
  enum bus_memory_outcome outcome = session->database->store->write(NULL, session->database, args);
  if (outcome == BUS_MEMORY_DATA)
    return refuse(world, session, BUS_E_DB_DATA, "a value");
  return outcome == BUS_MEMORY_CONFLICT ? refuse(world, session, BUS_E_DB_CONFLICT, "a key that is taken") : RAN;
}

static enum ran run_statement(struct world *world, struct session *session, const struct bus_args *args,
                              struct bus_rows *rows) {
  rows->count = 0;
  if (is_refused(session, args))
    worker_refused(world, session->worker);
  if (is_refused(session, args))
    return refuse(world, session, BUS_E_DB_FAULT, "permission denied");
  if (is_broken(session, args))
    return refuse(world, session, session->database->broken_as, "a statement that rides along fails");
  if (args->own)
    return run_own(world, session, args, rows);
  return bus_memory_writes(session->sql, args) ? run_write(world, session, args) : run_read(world, session, args, rows);
}

/* ---- BEGIN, COMMIT, ROLLBACK ---- */

static void commit(struct world *world, struct session *session) {
  struct worker *worker = session->worker;
  TRACE(world, "%s commits %zu inputs", worker->peer.name, worker->decided_count);
  for (size_t i = 0; i < session->at; i++) {
    const struct bus_args *args = &session->sql->items[i];
    if (args->own)
      bus_tables_apply(world, session, args, NULL);
    else if (bus_memory_writes(session->sql, args))
      (void)session->database->store->write(world, session->database, args); /* it was tried */
  }
  bus_tables_commit(world, session);
  worker_committed(world, worker);
  driver_plan_all(world, session->database); /* rows may have come that are due */
}

static void begin(struct world *world, struct session *session) {
  session->open = true;
  session->aborted = false;
  session->now = database_now(world, session->database);
}

/* True: it was one of these. */
static bool run_control(struct world *world, struct session *session, const struct bus_args *args) {
  if (!args->own)
    return false;
  switch ((enum own_statement)args->statement) {
  case OWN_BEGIN:
    begin(world, session);
    return true;
  case OWN_COMMIT:
    session->result.tag = session->voided ? "ROLLBACK" : "COMMIT";
    if (!session->voided)
      commit(world, session);
    end_transaction(world, session);
    return true;
  case OWN_ROLLBACK:
    session->result.tag = "ROLLBACK";
    end_transaction(world, session);
    return true;
  default:
    return false;
  }
}

/* ---- the trip ---- */

static void lock_times_out(struct world *world, void *subject, uint64_t serial) {
  struct session *session = subject;
  if (session->serial != serial || !session->waiting)
    return;
  (void)refuse(world, session, BUS_E_DB_CONFLICT, "canceling statement due to lock timeout");
}

static void wait_for_lock(struct world *world, struct session *session) {
  bool first = !session->waiting;
  session->waiting = true;
  if (first)
    world_after(world, LOCK_PATIENCE, lock_times_out, session, session->serial);
}

static void run(struct world *world, struct session *session) {
  for (; session->at < session->sql->count; session->at++) {
    const struct bus_args *args = &session->sql->items[session->at];
    struct bus_rows *rows = &session->memory[session->at];
    if (run_control(world, session, args))
      continue;
    enum ran ran = run_statement(world, session, args, rows);
    if (ran == BLOCKED)
      wait_for_lock(world, session);
    if (ran != RAN)
      return;
  }
  answer(world, session);
}

static void go_on(struct world *world, void *subject, uint64_t serial) {
  struct session *session = subject;
  if (session->serial == serial && session->waiting)
    run(world, session);
}

/* Refuses the row of one message, draws a conflict, or a COMMIT that the server turns into a ROLLBACK. True: the trip
 * has failed. */
static bool conflicts(struct world *world, struct session *session) {
  session->voided = false;
  if (session->purpose != BUS_TRIP_2)
    return false;
  if (worker_decided_stumbler(session->worker)) {
    (void)refuse(world, session, BUS_E_DB_OTHER, STUMBLE);
    return true;
  }
  if (world->quiet || !random_chance(&world->random, world->plan.conflict_ppm))
    return false;
  session->voided = random_chance(&world->random, PPM / 16);
  if (session->voided)
    return false;
  (void)refuse(world, session, BUS_E_DB_CONFLICT, "could not serialize access");
  return true;
}

static bool is_lost(struct world *world, struct session *session) {
  int64_t ppm = session->purpose == BUS_TRIP_2 ? world->plan.unknown_ppm : world->plan.unknown_ppm / 4;
  bool killed = session->purpose == BUS_TRIP_2 && worker_decided_killer(session->worker);
  if (killed)
    session->database->killed_at = world->now;
  return killed || (!world->quiet && random_chance(&world->random, ppm));
}

static void reach(struct world *world, void *subject, uint64_t serial) {
  struct session *session = subject;
  if (session->serial != serial || !session->up)
    return;
  session->reached = true;
  if (is_lost(world, session)) {
    session_die(world, session);
    return;
  }
  if (conflicts(world, session))
    return;
  session->now = session->open ? session->now : database_now(world, session->database);
  run(world, session);
}

void session_send(struct world *world, struct session *session, const struct bus_pipeline_action *action) {
  size_t count = action->trip.sql->count;
  assert(!session->sent && !bus_memory_failed(action->trip.sql));
  if (!session->open)
    bus_arena_reset(session->arena);
  session->sent = true;
  session->failed = session->reached = false;
  session->sql = action->trip.sql;
  session->purpose = action->trip.purpose;
  session->at = 0;
  session->memory = bus_arena_array(session->arena, count + 1, sizeof *session->memory);
  session->rows = bus_arena_array(session->arena, count + 1, sizeof *session->rows);
  assert(session->memory && session->rows);
  for (size_t i = 0; i < count; i++)
    session->rows[i] = &session->memory[i];
  session->result = (struct bus_trip_result){.rows = session->rows, .count = count, .tag = "", .failed_at = -1};
  session->serial++;
  int64_t way = random_wait(&world->random, world->plan.latency / 8 + 1);
  if (!world->quiet && random_chance(&world->random, world->plan.hang_ppm))
    way += random_between(&world->random, BUS_SECOND, 30 * BUS_SECOND);
  if (session->up)
    world_after(world, way, reach, session, session->serial);
  else
    worker_wake(world, session->worker); /* it hears now that the connection is gone */
}

/* ---- its life ---- */

void session_open(struct world *world, struct session *session) {
  assert(!session->up && !session->sent);
  session->up = true;
  session->open = session->aborted = session->waiting = false;
  session->serial++;
  TRACE(world, "%s connects to its database", session->worker->peer.name);
}

/* True: whether it is carried out is not known. */
static bool carry_out_perhaps(struct world *world, struct session *session) {
  bool under_way = session->sent && session->purpose == BUS_TRIP_2 && session->open && !session->aborted;
  if (!under_way || session->waiting || worker_decided_killer(session->worker) ||
      worker_decided_stumbler(session->worker) || !random_chance(&world->random, PPM / 2))
    return under_way;
  session->voided = false;
  run(world, session);
  return true;
}

void session_end(struct world *world, struct session *session) {
  if (!session->up)
    return;
  bool open = session->open;
  world->tally->unknown_commits += carry_out_perhaps(world, session);
  session->up = session->waiting = false;
  session->serial++;
  if (session->open)
    end_transaction(world, session);
  TRACE(world, "%s loses its database%s", session->worker->peer.name, open ? " in a transaction" : "");
}

void session_die(struct world *world, struct session *session) {
  if (!session->up)
    return;
  session_end(world, session);
  worker_database_lost(world, session->worker);
}

void session_lost(struct session *session) {
  session->sent = false;
  session->failed = true;
  for (size_t i = 0; i < session->result.count; i++)
    session->rows[i] = NULL;
  session->result.dead = true;
  session->result.in_transaction = false;
  session->result.failed_at = -1;
  (void)bus_fail(&session->result.error, BUS_E_DB_CONNECTION, "server closed the connection unexpectedly");
}

static void idle_too_long(struct world *world, void *subject, uint64_t serial) {
  struct session *session = subject;
  if (session->serial == serial && session->open && session->up)
    session_die(world, session);
}

void session_watch(struct world *world, struct session *session) {
  if (session->up && session->open)
    world_after(world, IDLE_PATIENCE, idle_too_long, session, session->serial);
}
