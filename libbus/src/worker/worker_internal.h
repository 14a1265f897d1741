/* The worker's parts, shared by its files: connections, intake, batch, publishing. One thread uses all of it, except
 * members marked atomic. */
#pragma once

#include <bus/amqp.h>
#include <bus/backoff.h>
#include <bus/failpoint.h>
#include <bus/history.h>
#include <bus/worker.h>

#include "pg.h"
#include "worker_blame.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
  QUEUES_MAX = 8,
  PERIODICS_MAX = 16, /* of a service */
  PERIODICS_OWN = 4,  /* of libbus: see worker_periodic.c */
  SOURCES_MAX = 4,
  PUSHED_MAX = 10000,
  CONFIRMED_MAX = 65536,       /* remembered ids; beyond, the sweeper sends a message again */
  UNCONFIRMED_MAX = 8192,      /* publications; a power of two */
  UNCONFIRMED_BYTES = 1 << 20, /* so that a publish never waits for a full socket */
  SUSPECT_TRIES = 5,
  TYPE_RECORDS = 64,
};

/* libbus's own statements: indices into worker_statements. */
enum {
  SQL_BEGIN,
  SQL_SETTINGS,
  SQL_NOW,
  SQL_INBOX_INSERT,
  SQL_INBOX_DELETE,
  SQL_OUTBOX_INSERT,
  SQL_OUTBOX_DELETE,
  SQL_OUTBOX_UNROUTABLE,
  SQL_OUTBOX_SWEEP,
  SQL_OUTBOX_RECALL,
  SQL_OUTBOX_DEPTH,
  SQL_PARKED_INSERT,
  SQL_SUSPECT_COUNT,
  SQL_SUSPECT_DELETE,
  SQL_PURGE,
  SQL_SCHEMA_CHANGE,
  SQL_COMMIT,
  SQL_ROLLBACK,
  SQL_OWN_COUNT,
};
extern const struct bus_statement worker_statements[SQL_OWN_COUNT];

/* One input on its way through. */
struct entry {
  struct bus_input input;
  struct bus_envelope envelope; /* DELIVERY */
  struct bus_str raw;           /* DELIVERY: the body as it came */
  uint64_t tag;                 /* DELIVERY */
  uint64_t epoch;               /* DELIVERY: of the connection that the tag belongs to */
  int consumer;
  bool decoded;   /* looked at by intake_decode */
  bool duplicate; /* the inbox has it */
  bool late;      /* a request past its deadline: dropped */
  bool alone;     /* suspected of a crash: a batch of its own */
  bool suspect;   /* counted in bus.suspects */
  bool refused;   /* verdict and cause stand before it is decided */
  enum bus_verdict verdict;
  int tier;                           /* RETRY */
  struct bus_error cause;             /* RETRY, PARK */
  bus_time failed_at;                 /* RETRY, PARK: when that was first said; 0: not yet */
  size_t body_size;                   /* local inputs */
  int tries;                          /* whole batches with it that met a fault */
  int64_t failing_since, alone_since; /* monotonic, as in worker_blame.h; 0: it has not failed */
  bool deferred;                      /* it lies in worker->deferred */
  bool kept;                          /* deferred: it stays there after this try */
  bool uncounted;                     /* RETRY: its attempt is not counted */
};

static inline const char *service_version(const struct bus_service *service) {
  return service->version ? service->version : ORDERBUS_VERSION;
}

static inline bool entry_is_delivery(const struct entry *entry) {
  return entry->input.kind == BUS_INPUT_DELIVERY;
}

/* Deliveries that came while the other generation is processed. Its arena is released when all of them are settled. */
struct generation {
  struct bus_arena *arena;
  struct entry *entries;
  size_t count, room, next; /* room: in bytes; next: first one not yet processed */
};

/* A message of ours that the broker has not confirmed yet. */
enum slip_kind { SLIP_ANSWER /* or a notice */, SLIP_OUTBOX, SLIP_HELD };
struct held; /* a delivery that is retried or parked: acked only after its confirm */
struct slip {
  enum slip_kind kind;
  bool open, returned;
  uint32_t bytes;
  struct bus_uuid message_id;
  struct held *held;
};

struct held {
  uint64_t tag;
  struct bus_envelope envelope;
  struct bus_str body;
  enum bus_exchange exchange;
  char key[BUS_KEY_MAX];
  struct bus_error cause;
  bool sent;
  int64_t again_at; /* monotonic; when not sent */
  struct held *next;
  char text[]; /* what the envelope and body point into */
};

/* Settled tags of this connection, so that one multiple ack covers all up to the first gap. */
struct acks {
  uint64_t acked;   /* all up to here are acked */
  uint64_t settled; /* all up to here are settled */
  uint64_t highest; /* received */
  uint8_t *ring;    /* settled beyond `settled`; by tag modulo room */
  size_t room;
};

/* When the last batch with inputs began, and how many inputs a second came lately. */
struct pace {
  int64_t began_at; /* monotonic */
  double rate;
};

/* The outcomes of messages of one type; NULL: of local inputs. */
struct type_record {
  const struct bus_message_type *type;
  bool used;
  int64_t committed_at; /* monotonic; 0: never */
  int blamed;           /* since then */
};

/* Times are monotonic. */
struct stall {
  int64_t since;    /* 0: transactions commit */
  int64_t again_at; /* when what was deferred is tried again */
  int64_t fresh_at; /* when what has come since is tried */
  struct bus_backoff backoff;
};

struct uuid_list {
  struct bus_uuid *ids;
  size_t count, room; /* room: in bytes */
};

struct periodic_state {
  int64_t next_at;
  long trip_index; /* of its statement in the current trip; -1 */
  bool more;       /* its last turn left rows that are due */
};

struct worker_metrics;
struct swept;

struct bus_worker {
  const struct bus_service *service;
  const struct bus_topology *topology;
  struct bus_worker_settings settings;
  const void *program_settings;
  void *context;
  bool requests; /* its queues hold queries that write: no inbox, no retries, no dead letters */

  /* links */
  struct bus_amqp *publishing, *consuming;
  bool amqp_lost;
  uint64_t epoch; /* counts connections: a tag of an older one is void */
  struct bus_error amqp_error;
  struct bus_rotation amqp_hosts;
  struct bus_nacks nacks;
  struct bus_backoff pg_backoff;
  int64_t amqp_again_at, pg_again_at, pg_deadline, amqp_pumped_at;
  int64_t confirms_at; /* when confirms are read though nothing else has come */
  int64_t pg_up_at;    /* since when this connection stands */
  struct pg *pg;
  size_t pg_first_host; /* of several in the URL */
  bool schema_checked, topology_checked, was_connected;
  bool blocked;
  bool attached; /* consumers are running */
  bool paused[QUEUES_MAX], consumer_running[QUEUES_MAX];
  struct bus_error fatal;
  int wake_fd;
  struct bus_poll_source sources[SOURCES_MAX];
  size_t source_count;

  /* intake */
  struct generation generations[2];
  struct generation *filling, *draining;
  size_t pushed;
  /* By consumer, for the life of the process: a message that crashed its consumer may lie behind a fresh one of another
   * queue. */
  bool suspect[QUEUES_MAX], first_delivery_seen[QUEUES_MAX];
  int64_t attached_at, last_delivery_at;
  int64_t unsettled_at; /* when a connection came back, of whichever server */
  bool settled;
  struct bus_uuid suspect_counted; /* a lost connection is no crash: counted once in a process */

  /* while no transaction commits */
  struct generation deferred;
  struct stall stall;
  struct type_record types[TYPE_RECORDS];
  int64_t commit_at;    /* monotonic: inputs were committed last; 0: never */
  int64_t deadlines_at; /* monotonic: no deadline fires before */

  /* batch */
  struct bus_arena *work;
  struct bus_uuid_source ids;
  struct periodic_state periodics[PERIODICS_OWN + PERIODICS_MAX];
  struct swept *swept;  /* claimed rows; in `work`, published after COMMIT */
  struct entry **batch; /* scratch: pointers to the entries of the transaction under way */
  size_t batch_room;

  /* publishing */
  struct slip *slips; /* ring by sequence number modulo UNCONFIRMED_MAX */
  uint64_t lowest_open, next_seq;
  size_t unconfirmed_bytes;
  struct held *held;
  int64_t alive_at;       /* when the process says next that it is alive */
  int64_t held_logged_at; /* when it was last said that the broker does not take one */
  struct uuid_list confirmed, unroutable;
  size_t confirmed_in_trip, unroutable_in_trip;
  long confirmed_index, unroutable_index; /* of their statements in the current trip; -1 */
  int64_t confirmed_again_at;             /* after they failed */
  int64_t deleted_at;                     /* the last ones of them */
  int64_t idle_again_at;                  /* after a transaction without inputs failed */
  bool commit_unknown;                    /* the last attempt was lost after its COMMIT was sent */
  bool rider_failed;                      /* the last attempt failed in a statement that no input asked for */
  bool bare;                              /* no such statements in this attempt */
  int64_t last_work_at;                   /* for quiet_ms */
  int64_t last_batch_at;                  /* with inputs: what is due rides on the next one, if there is one soon */
  struct pace pace;
  int64_t ack_at;     /* when what is settled is acked at the latest; 0: not known yet */
  int64_t stop_grace; /* once it is to stop: until when after that a trip may take */
  struct acks acks;

  struct worker_metrics *metrics;

  /* seen by other threads */
  atomic_llong stop_at; /* when it was told to stop; 0: not yet */
  atomic_int status_database, status_broker;
  atomic_bool status_consuming, status_blocked;
  pthread_mutex_t probe_lock;
  pthread_cond_t probe_done;
  uint64_t probe_asked, probe_answered; /* under probe_lock */
  struct bus_worker_status probe_result;
  atomic_bool probe_wanted;
};

/* ---- failpoints: the steps of those that answer queries alone are points of their own ---- */
#define WORKER_CRASH_POINT(worker, step)                                                                               \
  ((worker)->service->store ? BUS_CRASH_POINT("worker." step) : BUS_CRASH_POINT("query." step))
#define WORKER_ERROR_POINT(worker, step)                                                                               \
  ((worker)->service->store ? BUS_ERROR_POINT("worker." step) : BUS_ERROR_POINT("query." step))
#define WORKER_CUT_POINT(worker, step, fd)                                                                             \
  ((worker)->service->store ? BUS_CUT_POINT("worker." step, fd) : BUS_CUT_POINT("query." step, fd))
#define WORKER_FAIL_POINT(worker, step, fd)                                                                            \
  ((worker)->service->store ? BUS_FAIL_POINT("worker." step, fd) : BUS_FAIL_POINT("query." step, fd))
/* Its messages are retried through tiers and dead-lettered; others are only dropped. */
static inline bool worker_retries(const struct bus_worker *worker) {
  return worker->service->store && !worker->requests;
}
/* -1: there is none to cut. */
static inline int worker_fd(const struct bus_amqp *amqp) {
  return amqp ? bus_amqp_fd(amqp) : -1;
}

/* ---- worker_link.c: connections and the one poll set ---- */
/* Waits for anything to happen, at most until `until` (monotonic), and takes it in. */
void worker_pump(struct bus_worker *worker, int64_t until);
/* From now on they may wait a moment. */
void worker_expect_confirms(struct bus_worker *worker);
/* The same while no transaction runs: confirms may be read a little later. */
void worker_pump_idle(struct bus_worker *worker, int64_t until);
/* The same while a transaction runs or a batch gathers: frames of the broker wait, but heartbeats are kept up. */
void worker_pump_busy(struct bus_worker *worker, int64_t until);
/* Tries to have both links up; false: not (yet), wait by worker_pump. */
bool worker_connect(struct bus_worker *worker);
void worker_drop_amqp(struct bus_worker *worker);
void worker_drop_pg(struct bus_worker *worker, const struct bus_error *why);
void worker_disconnect(struct bus_worker *worker);
void worker_note_amqp_error(struct bus_worker *worker, const struct bus_error *err);
/* Closes the broker's connections: unsettled deliveries are redelivered. */
void worker_lose_amqp(struct bus_worker *worker, const char *why);
/* Deadlines wait again until the queues were seen empty. */
void worker_unsettle(struct bus_worker *worker);
bool worker_stopping(const struct bus_worker *worker);
/* `until`, or earlier where the worker was told to stop: so long after that as grace says. */
int64_t worker_bound(const struct bus_worker *worker, int64_t until, int64_t grace);
void worker_apply_pauses(struct bus_worker *worker);
int64_t worker_next_deadline(const struct bus_worker *worker);

/* ---- worker_probe.c ---- */
bool worker_pg_is_idle(const struct bus_worker *worker);
/* Does the database take an inbox row now? In a transaction that is rolled back. */
bool worker_probe_transaction(struct bus_worker *worker);
/* Also looks whether the queues were seen empty. */
void worker_answer_probe(struct bus_worker *worker);

/* ---- worker_intake.c: deliveries and local inputs until they are batched ---- */
bool intake_init(struct bus_worker *worker);
void intake_free(struct bus_worker *worker);
void intake_on_delivery(struct bus_worker *worker, const struct bus_delivery *delivery);
/* After a lost connection: deliveries will come again, local inputs stay. */
void intake_forget_deliveries(struct bus_worker *worker);
/* Takes up to max entries; 0: none has arrived. Pointers stay valid until the next call. */
size_t intake_take(struct bus_worker *worker, struct entry **entries, size_t max);
size_t intake_count(const struct bus_worker *worker);
bool intake_is_empty(const struct bus_worker *worker);
/* Fills entry->input.body, or verdict and cause. */
void intake_decode(struct bus_worker *worker, struct entry *entry);
/* A request past its deadline. */
bool intake_is_late(const struct bus_worker *worker, const struct entry *entry);
/* Deadlines that were pushed and not yet taken: they are found again. */
void intake_drop_deadlines(struct bus_worker *worker);
/* A zeroed entry; NULL: out of memory. */
struct entry *generation_append(struct generation *generation);
/* The verdict on an entry that cannot be processed now: the tier that it waits in, or parked when its time is over. */
void intake_put_off(const struct bus_worker *worker, struct entry *entry);

/* ---- worker_deferred.c: inputs that nobody is blamed for while no transaction commits ---- */
/* Keeps a copy, or keeps one that lies there already. False: out of memory. */
bool deferred_add(struct bus_worker *worker, struct entry *entry);
/* Up to max entries; pointers stay valid until deferred_done. */
size_t deferred_take(struct bus_worker *worker, struct entry **entries, size_t max);
/* Those that were taken and not kept again are settled. */
void deferred_done(struct bus_worker *worker);

/* ---- worker_stall.c: while no transaction commits ---- */
struct type_record *stall_type(struct bus_worker *worker, const struct bus_message_type *type);
/* Records a failed try without blame; fresh: its inputs had just arrived. */
void stall_note(struct bus_worker *worker, bool fresh, const struct bus_error *why);
/* A transaction with these inputs has committed. */
void stall_committed(struct bus_worker *worker, struct entry *const *entries, size_t count);
/* Deadlines wait for messages that come back from a tier after so long. */
void stall_hold_deadlines(struct bus_worker *worker, int64_t ms);
/* The next batch; 0: there is none yet. */
size_t stall_take(struct bus_worker *worker, struct entry **entries, size_t max);
/* When there is one; INT64_MAX: when something comes. */
int64_t stall_next(const struct bus_worker *worker);

/* ---- worker_batch.c: a batch until it is settled ---- */
/* Carries the entries through; they are settled afterwards, or the links are down and they will come again. */
void batch_process(struct bus_worker *worker, struct entry **entries, size_t count);
/* Periodics, sweeper and housekeeping that are due, in a transaction of their own. */
void batch_idle(struct bus_worker *worker);
/* Waits a moment where that makes the next batch a good deal larger. */
void batch_gather(struct bus_worker *worker);
/* Runs the last transaction: deletes confirmed rows. */
void batch_drain(struct bus_worker *worker);
int64_t batch_next_deadline(const struct bus_worker *worker);

/* ---- worker_pace.c ---- */
void pace_begin(struct pace *pace, int64_t now, size_t count);
/* The earliest time for the next batch. */
int64_t pace_next(const struct pace *pace, int64_t window);

/* ---- worker_transaction.c: the two trips ---- */
/* Makes one attempt. BATCH_COMMITTED: the effects are published and the entries settled. BATCH_LOST: the outcome is
 * unknown. Else: rolled back. */
enum batch_outcome transaction_attempt(struct bus_worker *worker, struct entry **entries, size_t count,
                                       struct bus_error *err);
/* Ends the trip and its transaction. */
void transaction_roll_back(struct bus_worker *worker);
/* Sends the trip and waits for its end, pumping. False: it failed (err), or the link is gone. */
bool batch_trip(struct bus_worker *worker, struct bus_error *err);

/* ---- worker_confirmed.c: what the broker has said of outbox rows ---- */
/* Adds due deletions to trip 2; inputs: the batch has some, so that a later batch may carry the deletions instead. */
void confirmed_add(struct bus_worker *worker, struct bus_sql *sql, bool inputs);
/* The COMMIT that carried it has succeeded. */
void confirmed_committed(struct bus_worker *worker);
/* Did one of its statements fail? Then it waits. */
bool confirmed_is_guilty(struct bus_worker *worker, long failed);

/* ---- worker_periodic.c: statements that ride on a batch's first trip ---- */
void periodic_init(struct bus_worker *worker);
/* Adds the periodics that are due. */
void periodic_add(struct bus_worker *worker, struct bus_sql *sql);
/* Reads the trip's rows: passes them to the service, and copies the rows that the sweeper claimed. */
void periodic_read(struct bus_worker *worker);
/* After COMMIT: publishes the rows that the sweeper claimed, and sets the next turn of each periodic. */
void periodic_committed(struct bus_worker *worker);
/* Was it one of these that failed, as the trip's index-th statement? Then it has to wait. */
bool periodic_is_guilty(struct bus_worker *worker, long index);
int64_t periodic_next(const struct bus_worker *worker);

/* ---- worker_publish.c: what goes to the broker, and what comes back about it ---- */
bool publish_init(struct bus_worker *worker);
void publish_free(struct bus_worker *worker);
void publish_reset(struct bus_worker *worker);
bool publish_is_open(const struct bus_worker *worker);
/* Room for another one of that size? Waits for confirms, pumping; false: not connected, blocked, or out of patience. */
bool publish_wait_room(struct bus_worker *worker, size_t bytes);
void publish_effect(struct bus_worker *worker, const struct bus_effect *effect);
void publish_notice(struct bus_worker *worker, const struct bus_message_type *type, const struct bus_envelope *envelope,
                    struct bus_str body);
void publish_outbox_row(struct bus_worker *worker, const struct bus_message_type *type,
                        const struct bus_envelope *envelope, struct bus_str body);
/* Retried or parked: held until the broker has it, then its delivery is settled. */
void publish_hold(struct bus_worker *worker, struct entry *entry);
void publish_held(struct bus_worker *worker, int64_t now);
/* Writes the failed tries that travel with the entry's message or stay in the database. The current try is the last
 * line. */
size_t publish_history(const struct bus_worker *worker, struct entry *entry, char text[BUS_HISTORY_MAX]);
int64_t publish_held_next(const struct bus_worker *worker);
void publish_on_confirm(struct bus_worker *worker, uint64_t seq, bool multiple, bool ack);
void publish_on_return(struct bus_worker *worker, const struct bus_uuid *message_id);
size_t publish_open_count(const struct bus_worker *worker);

/* ---- worker_alive.c ---- */
void alive_announce(struct bus_worker *worker);
/* When it is due; INT64_MAX: never, or once the connection is open. */
int64_t alive_next(const struct bus_worker *worker);

/* ---- worker_trace.c: a line for each message at debug ---- */
void trace_received(const struct bus_worker *worker, const struct entry *entry);
void trace_decided(const struct bus_worker *worker, const struct entry *entry, size_t effects);
void trace_published(const struct bus_publication *publication);

/* ---- worker_acks.c: which deliveries are settled. Pure. ---- */
bool acks_init(struct acks *acks, size_t room);
void acks_free(struct acks *acks);
void acks_reset(struct acks *acks);
/* False: more deliveries are unsettled than there is room for. */
bool acks_received(struct acks *acks, uint64_t tag);
size_t acks_open(const struct acks *acks);
void acks_settle(struct acks *acks, uint64_t tag);
/* Settled, and not yet acked. */
size_t acks_pending(const struct acks *acks);
/* The tag to ack with `multiple`, or 0: nothing new. */
uint64_t acks_ackable(struct acks *acks);

/* False: no memory, or the list is full. */
bool uuid_list_add(struct uuid_list *list, const struct bus_uuid *uuid);
void uuid_list_drop_first(struct uuid_list *list, size_t count);

/* ---- worker_retention.c: pure ---- */
/* Does the inbox remember a message as long as it may come back? Says names and values where it does not. */
bool retention_is_enough(const struct bus_worker_settings *settings, const struct bus_topology *topology,
                         struct bus_error *err) BUS_MUST_CHECK;

/* ---- worker_metrics.c ---- */
enum worker_metric {
  METRIC_CONFIRMED,
  METRIC_NACKED,
  METRIC_RETURNED,
  METRIC_SWEPT,
  METRIC_ANSWERS_DROPPED,
  METRIC_OUTBOX_DEPTH,
  METRIC_OUTBOX_AGE,
  METRIC_OUTBOX_UNROUTABLE,
  METRIC_HELD,
  METRIC_STALLED,
  METRIC_BROKER_RECONNECTS,
  METRIC_DATABASE_RECONNECTS,
  METRICS,
};
bool metrics_init(struct bus_worker *worker);
void metrics_free(struct bus_worker *worker);
void metrics_add(struct bus_worker *worker, enum worker_metric metric, int64_t more);
void metrics_set(struct bus_worker *worker, enum worker_metric metric, int64_t value);
void metrics_batch(struct bus_worker *worker, enum batch_outcome outcome, size_t size, int64_t duration);
void metrics_message(struct bus_worker *worker, const struct entry *entry);
void metrics_published(struct bus_worker *worker, enum bus_exchange exchange);
