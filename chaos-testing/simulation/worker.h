/* A worker: libbus's batch pipeline over the simulated broker and databases, around a service's own lock, load, decide
 * and store. A process is one worker. */
#ifndef SIM_WORKER_H
#define SIM_WORKER_H

#include "broker.h"
#include "database.h"

#include "../../libbus/src/pipeline/blame.h"

#include <bus/backoff.h>
#include <bus/effects.h>
#include <bus/error.h>
#include <order_schedule.h>
#include <payment_turns.h>

enum { ITEMS_MAX = 96, BATCH_ROOM = 16, EMITTED_MAX = 128, OPEN_MAX = 256, TYPE_RECORDS = 16 };
/* payment-svc's slots, as they are by default; its queue is longer than any seed needs. */
enum { CALLER_SLOTS = 32, CALLER_QUEUE = 64 };

/* One input on its way through. */
struct item {
  struct bus_input input;
  struct bus_envelope envelope;
  const struct message *message; /* of a delivery */
  int queue;
  uint64_t tag, epoch;
  bool redelivered, decoded, duplicate, alone, suspect, refused;
  enum bus_verdict verdict;
  int tier;
  struct bus_error cause;
  int tries;
  bus_time failing_since, alone_since;
  bool uncounted; /* put off without an attempt */
};

/* The outcomes of messages of one type; NULL: of local inputs. */
struct type_record {
  const struct bus_message_type *type;
  bool used;
  bus_time committed_at;
  int blamed;
};

/* A delivery that is retried or parked: acked once the broker has it elsewhere. */
struct held {
  struct message message;
  uint64_t tag, epoch;
  enum bus_exchange exchange;
  int queue, tier;
  bool sent, done;
  struct held *next;
};

/* The transaction under way. */
struct transaction {
  uint64_t serial;
  bool open, sent;
  bool bare; /* with no input: housekeeping */
  bus_time began, waits_since, now;
  struct bus_sql reads, writes;
  void *model;
  struct bus_input inputs[BATCH_ROOM];
  struct item *asked[BATCH_ROOM];
  size_t asked_count;
  struct bus_effects effects;
  struct message *emitted[EMITTED_MAX]; /* one for each effect that is emitted */
  size_t emitted_count;
  struct outgoing *claimed[OPEN_MAX];
  size_t claimed_count, confirmed_count, unroutable_count;
  bool ticked, swept;
  enum commit outcome;
};

struct segment {
  size_t first, count;
};

struct settling; /* which deliveries are settled: libbus's own acks */

struct worker {
  struct peer peer;
  int service;
  size_t index;
  struct database *database;
  struct bus_arena *work;
  struct bus_uuid_source ids;
  bool session; /* with the database */
  /* intake */
  struct item *items[ITEMS_MAX];
  size_t item_count, pushed;
  bool suspect, first_seen, waking;
  struct bus_uuid suspect_counted;
  bool settled;
  bus_time connected_at;
  /* the batch */
  bool busy;
  struct item *batch[BATCH_ROOM];
  struct segment segments[BATCH_ROOM];
  size_t segment_count;
  int conflicts;
  bool searching, deferring; /* this batch: parts of it are tried; something of it is kept for later */
  bus_time began_commit_at;
  struct transaction transaction;
  /* while no transaction commits */
  struct item *deferred[ITEMS_MAX];
  size_t deferred_count;
  bool fresh; /* the batch holds what had just come */
  bus_time stalled_since, again_at, fresh_at, commit_at;
  struct bus_backoff stall_backoff;
  struct type_record types[TYPE_RECORDS];
  /* publishing */
  const struct message *confirmed[OPEN_MAX], *unroutable[OPEN_MAX];
  size_t confirmed_count, unroutable_count;
  struct held *held;
  struct settling *settling;
  struct bus_uuid high_water;
  /* now and then */
  bus_time sweep_at, due_at, tick_at, last_work_at;
  struct order_budget budget;
  /* payment-svc: calls to the PSP */
  struct bus_breaker breaker;
  bool breaker_was_open;
  struct payment_turns turns;
  struct payment_waiting waiting[CALLER_QUEUE];
  struct psp_call_state *calls; /* of this process, the newest first */
};

void workers_init(struct world *world, struct bus_arena *const *scratch);
void worker_wake(struct world *world, struct worker *worker);
/* The process dies and starts again later. */
void worker_crash(struct world *world, struct worker *worker, int64_t downtime);
bool worker_perhaps_crashes(struct world *world, struct worker *worker);
void worker_pause(struct world *world, struct worker *worker, int64_t duration);
/* The connection to the database is gone; whether a COMMIT under way was carried out, nobody knows. */
void worker_session_dies(struct world *world, struct worker *worker);
/* An input that is no delivery; the body is copied. */
void worker_push(struct world *world, struct worker *worker, enum bus_input_kind kind, const void *body, size_t size);
bool worker_is_settled(struct world *world, struct worker *worker);

/* ---- attempt.c: the two trips ---- */
void attempt_begin(struct world *world, struct worker *worker);
/* Applies the transaction at the database. */
enum commit attempt_apply(struct world *world, struct worker *worker);

/* ---- batch.c: a batch until it is settled ---- */
void batch_begin(struct world *world, struct worker *worker);
void batch_outcome(struct world *world, struct worker *worker, enum commit outcome);

/* ---- stall.c: while no transaction commits ---- */
struct type_record *stall_type(struct worker *worker, const struct bus_message_type *type);
/* No message is to blame: the input is kept unacked. */
void stall_defer(struct world *world, struct worker *worker, struct item *item);
/* The end of a batch. */
void stall_note(struct world *world, struct worker *worker);
void stall_committed(struct world *world, struct worker *worker, struct item *const *items, size_t count);
/* Up to max inputs that come next; alone: the first one is suspected of a crash. */
size_t stall_take(struct world *world, struct worker *worker, size_t max, bool *ret_alone);
bool stall_has_work(const struct world *world, const struct worker *worker);
/* The connection is gone: its deliveries come again. */
void stall_forget(struct worker *worker);
void stall_reset(struct worker *worker);
bool stall_holds_deadlines(const struct worker *worker);

/* ---- publish.c ---- */
bool publish_is_open(const struct world *world, const struct worker *worker);
void publish_outbox(struct world *world, struct worker *worker, const struct message *message);
/* False: the process crashed on the way. */
bool publish_committed(struct world *world, struct worker *worker);
void publish_settle(struct world *world, struct worker *worker, struct item **items, size_t count);
void publish_held(struct world *world, struct worker *worker);
void publish_confirm(struct world *world, struct peer *peer, const struct sending *sending);
void publish_reset(struct world *world, struct worker *worker);
struct message *publish_message(struct world *world, struct worker *worker, const struct bus_effect *effect);

/* ---- tick.c: deadlines, sweeper, confirmed rows ---- */
void tick_plan(struct world *world, struct worker *worker);
void tick_plan_all(struct world *world, const struct database *database);
bool tick_is_due(struct world *world, struct worker *worker);
void tick_add(struct world *world, struct worker *worker);

/* ---- settling.c ---- */
struct settling *settling_new(struct world *world);
void settling_reset(struct settling *settling);
void settling_received(struct settling *settling, uint64_t tag);
void settling_settle(struct settling *settling, uint64_t tag);
/* The tag to ack with all before it, or 0. */
uint64_t settling_ackable(struct settling *settling);

/* ---- services.c: the services as they are ---- */
struct service {
  unsigned queues;
  int64_t due_interval;
  bool (*lock)(struct world *world, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
               struct bus_sql *sql, void **ret_model);
  bool (*load)(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err);
  void (*decide)(struct world *world, void *model, const struct bus_input *input, struct bus_effects *effects);
  bool (*store)(struct world *world, void *model, struct bus_sql *sql);
  void (*act)(struct world *world, struct worker *worker, const void *action);
  struct due_room (*due_room)(struct world *world, struct worker *worker);
};
extern const struct service services[SERVICES];
/* The state of the order-svc that runs here. */
const struct order_policy *services_order_policy(void);

#endif
