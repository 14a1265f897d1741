/*
 * The batch pipeline. A service is a table: the queues it reads, its prepared statements, and four functions.
 *
 *   take what has arrived (1 to BATCH_MAX); only under load a batch waits a moment, gather_ms after the last one
 *   trip 1   BEGIN; now(); inbox; what lock() queues                          one Sync
 *            load() reads the answers; decide() each input, pure
 *   trip 2   what store() queues; outbox; parked; COMMIT                      one Sync
 *            publish from memory, settle the deliveries with one multiple ack, for several batches where they are small
 *
 * A worker is one thread with one consuming and one publishing AMQP connection and one Postgres connection, and shares
 * nothing. All functions of a service are called on the worker's thread, never two at once. Any of lock, load, decide
 * and store may run again for the same inputs: after a serialisation failure, a lost connection, or for halves of a
 * batch while a guilty message is searched for. So they may change nothing but the model, which is made anew each time.
 *
 * Isolation is READ COMMITTED. A statement that waited for a lock sees other rows as they were before it: lock in one
 * statement and read children in a later one of the same trip. Lock order everywhere: inbox ids, then aggregates, then
 * products, each sorted by id.
 */
#ifndef BUS_WORKER_H
#define BUS_WORKER_H

#include <bus/amqp.h>
#include <bus/effects.h>
#include <bus/error.h>
#include <bus/poll.h>
#include <bus/sql.h>
#include <bus/topology.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bus_worker;

/* A statement that runs now and then: together with a batch's trip 1, or in a trip of its own when no batch comes. */
struct bus_periodic {
  size_t statement;
  int64_t interval_ms;
  /* Only when the worker is settled (bus_worker_is_settled): for deadlines, which must not fire while the messages that
   * would have met them are still in the queue. */
  bool when_settled;
  void (*args)(void *context, struct bus_args *args); /* NULL: none */
  /* NULL: nothing to read. Rows come before COMMIT, and the transaction may still fail: so a statement whose rows are
   * looked at must be a mere read. */
  void (*rows)(void *context, struct bus_worker *worker, const struct bus_rows *rows);
};

struct bus_service {
  const char *name;          /* as the topology's user: "inventory-svc"; app_id of what it sends */
  const char *version;       /* said of every message that it retries or parks; NULL: libbus's own */
  const char *const *queues; /* of the topology, all work or all query queues; a queue's types must be decodable */
  size_t queue_count;

  const struct bus_statement *statements;
  size_t statement_count;
  const struct bus_periodic *periodics;
  size_t periodic_count;

  /* Per worker thread: settings is the program's own settings struct; what is returned comes back as `context`. */
  bool (*open)(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err);
  void (*close)(void *context);

  /* Queues trip 1's statements for these inputs and makes the model that the others work on, in the arena. Inputs may
   * hold the same message or aggregate several times; duplicates are not yet known. False: out of memory. */
  bool (*lock)(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
               struct bus_sql *sql, void **ret_model);
  /* rows[i]: the i-th statement that lock() queued. Copy into the model whatever must outlive the call. */
  bool (*load)(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err);
  /* Pure. Called for each input that is not an inbox duplicate, in order of arrival; it sees what earlier inputs of the
   * batch did to the model. Time is effects->now: Postgres's now() of this transaction. */
  void (*decide)(void *model, const struct bus_input *input, struct bus_effects *effects);
  /* Queues trip 2's statements: each changed aggregate once. NULL for a service that only answers queries: then there
   * is no transaction, no inbox and no trip 2, and deliveries are acked when they are answered. */
  bool (*store)(void *model, struct bus_sql *sql);
  /* After COMMIT, for each BUS_EFFECT_ACTION. */
  void (*act)(void *context, const void *action);
};

struct bus_worker_settings {
  const char *database_url;   /* postgres://…; */
  const char *amqp_url;       /* amqp:// or amqps://, one or several hosts (bus/amqp.h) */
  const char *ca_file;        /* for amqps; NULL: the system's */
  int64_t batch_max;          /* 200 */
  int64_t gather_ms;          /* 10: under load batches begin at least that far from each other; 0: never wait */
  int64_t heartbeat_s;        /* 5 */
  int64_t outbox_grace_ms;    /* 5000: until an outbox row is due for the sweeper */
  int64_t outbox_lease_ms;    /* 30000: what a sweeper's claim adds */
  int64_t give_up_ms;         /* 86400000: a message that still fails after that is parked */
  int64_t inbox_keep_h;       /* 168: how long the inbox remembers what was processed */
  int64_t parking_h;          /* 72: how long a parked message may lie until it is moved back under its own id */
  int64_t quiet_ms;           /* 200: after that much quiet confirmed outbox rows are deleted by themselves */
  int64_t settle_max_ms;      /* 60000: settled at the latest that long after a connect */
  int64_t blame_after_ms;     /* 300000: a message fails alone so long before it is put off without proof */
  int64_t latency_ms;         /* 0; added to every batch on purpose (gremlin) */
  bool allow_unsafe_database; /* false; also a database with fsync or full_page_writes off */
  const char *schema_project; /* sqitch project and the change that this version needs; NULL: not checked */
  const char *schema_change;
  /* For a worker that answers queries: whether those that take commands have their links. NULL: there are none. Called
   * on the worker's thread. */
  bool (*commands_are_up)(void *context);
  void *commands_context;
};
#define BUS_WORKER_DEFAULTS                                                                                            \
  .batch_max = 200, .gather_ms = 10, .heartbeat_s = BUS_AMQP_HEARTBEAT_S, .outbox_grace_ms = 5000,                     \
  .outbox_lease_ms = 30000, .give_up_ms = 86400000, .inbox_keep_h = 168, .parking_h = 72, .quiet_ms = 200,             \
  .settle_max_ms = 60000, .blame_after_ms = 300000

/* Connects lazily, inside run: a worker can be made before broker and database exist. settings and topology are kept;
 * program_settings goes to service->open. */
bool bus_worker_new(const struct bus_service *service, const struct bus_topology *topology,
                    const struct bus_worker_settings *settings, const void *program_settings, struct bus_worker **ret,
                    struct bus_error *err) BUS_MUST_CHECK;
/* Runs on the calling thread until bus_worker_stop. Returns false only for what no retry heals (BUS_CLASS_FATAL: schema
 * too old, topology missing a queue, credentials refused at the first connect). */
bool bus_worker_run(struct bus_worker *worker, struct bus_error *err) BUS_MUST_CHECK;
void bus_worker_free(struct bus_worker *worker);

/* ---- from any thread ---- */
/* Drain: finish the batch, wait for its confirms (bounded), ack, hand the rest back, close. Async-signal-safe. */
void bus_worker_stop(struct bus_worker *worker);

enum bus_link_state { BUS_LINK_DOWN, BUS_LINK_UP };
struct bus_worker_status {
  enum bus_link_state database, broker;
  bool consuming; /* attached to its queues: what "ready" means */
  bool blocked;   /* the broker asked publishers to pause */
};
struct bus_worker_status bus_worker_status(const struct bus_worker *worker);
/* Really asks database and broker, on the worker's own connections, and waits at most timeout_ms for the answers. */
struct bus_worker_status bus_worker_probe(struct bus_worker *worker, int64_t timeout_ms);

/* ---- from the service's functions (the worker's thread) ---- */
/* Puts a local input beside the deliveries of the next batch. size bytes of body are copied: plain data, no pointers
 * into anything that may be gone. False when out of memory or over 10,000 waiting: what was pushed must be found again
 * by a periodic statement. */
bool bus_worker_push(struct bus_worker *worker, enum bus_input_kind kind, const void *body, size_t size);
size_t bus_worker_pushed(const struct bus_worker *worker);
/* Stops or resumes reading one of the service's queues. */
void bus_worker_pause(struct bus_worker *worker, size_t queue, bool paused);
/* INBOX_KEEP_H, for what a service keeps as long as the inbox. Also inside open. */
int64_t bus_worker_inbox_keep_h(const struct bus_worker *worker);
/* True once, since the last connect, its queues were seen empty or settle_max_ms passed. */
bool bus_worker_is_settled(const struct bus_worker *worker);
/* Whether each worker of this process that takes commands and events has its database and the broker, as those workers
 * know it. */
bool bus_worker_commands_are_up(const struct bus_worker *worker);
/* As struct bus_service's open(): the worker itself is the context. */
bool bus_worker_is_context(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err);
/* Before run or inside open: sockets that the worker's poll set takes in. At most 4. */
bool bus_worker_add_source(struct bus_worker *worker, struct bus_poll_source source) BUS_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
