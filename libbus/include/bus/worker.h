/*
 * The batch pipeline. A service is a table: the queues it reads, its prepared statements, and four functions.
 *
 *   take the deliveries that have arrived (1 to BATCH_MAX); under load batches begin gather_ms apart
 *   trip 1   BEGIN; now(); inbox; the statements of lock()                    one Sync
 *            load() reads the answers; decide() each input, pure
 *   trip 2   the statements of store(); outbox; parked; COMMIT               one Sync
 *            publish from memory; settle with one multiple ack, for several small batches together
 *
 * A worker is one thread with one consuming and one publishing AMQP connection and one Postgres connection, and shares
 * nothing. All functions of a service are called on the worker's thread, never two at once. Any of lock, load, decide
 * and store may run again for the same inputs: after a serialisation failure, a lost connection, or for halves of a
 * batch while a guilty message is searched for. So they may change only the model, which is made again each time.
 *
 * Isolation is READ COMMITTED. A statement that waited for a lock sees other rows as they were before it: lock in one
 * statement and read children in a later one of the same trip. Lock order everywhere: inbox ids, then aggregates, then
 * products, each sorted by id.
 */
#pragma once

#include <bus/amqp.h>
#include <bus/effects.h>
#include <bus/error.h>
#include <bus/poll.h>
#include <bus/sql.h>
#include <bus/topology.h>
#include <bus/tracer.h>

BUS_C_BEGIN

/* Requests: a service with store() whose queues are request queues carries out queries that write. Each batch is one
 * transaction as above, without an inbox, retries and dead letters. An answer is sent only after a COMMIT that
 * succeeded. older than its deadline   dropped, neither decided nor written: on arrival, and again after the locks of
 * trip 1 COMMIT of unknown outcome dropped without an answer; the asker times out and asks again crash before the
 * answer   redelivered and decided again So decide() may see a request again that is carried out already. It must
 * recognise it by an id in its body, and answer as before. */

struct bus_worker;
struct bus_aggregate;
struct bus_alive;

enum { BUS_PERIODICS_MAX = 16 /* of a service */ };
/* A statement that runs at intervals: in trip 1 of a batch, or in a transaction of its own if no batch comes. */
struct bus_periodic {
  size_t statement;
  int64_t interval_ms;
  /* Run it only while the worker is settled (bus_worker_is_settled). Deadlines need this: the messages that meet them
   * may still be in the queue. */
  bool when_settled;
  void (*args)(void *context, struct bus_args *args); /* NULL: none */
  /* Reads the rows; NULL: the statement returns none. The transaction may still fail, so a statement whose rows are
   * used must only read. */
  void (*rows)(void *context, struct bus_worker *worker, const struct bus_rows *rows);
};

struct bus_service {
  const char *name;          /* as the topology's user: "inventory-svc"; app_id of what it sends */
  const char *version;       /* in the history of each failed message; NULL: the program's */
  const char *const *queues; /* of the topology, all of one kind; a queue's types must be decodable */
  size_t queue_count;

  /* The usual case: the functions lock, load and store, which then stay NULL as `open` does, and the first
   * BUS_AGGREGATE_STATEMENTS statements are libbus's (bus/aggregate.h). NULL: the service has all of them. */
  const struct bus_aggregate *aggregate;
  const struct bus_statement *statements;
  size_t statement_count;
  const struct bus_periodic *periodics;
  size_t periodic_count;

  /* Called once for each worker thread. settings is the program's own settings struct; *ret_context is passed to the
   * other functions as `context`. */
  bool (*open)(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err);
  void (*close)(void *context);

  /* Queues trip 1's statements for these inputs, and makes the model for the other functions in the arena. Several
   * inputs may hold the same message or aggregate; inbox duplicates are not known yet. False: out of memory. */
  bool (*lock)(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
               struct bus_sql *sql, void **ret_model);
  /* rows[i]: the i-th statement that lock() queued. Copy into the model whatever must outlive the call. */
  bool (*load)(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err);
  /* Pure. Called for each input that is not an inbox duplicate, in order of arrival. It sees the changes that earlier
   * inputs of the batch made to the model. The time is effects->now, Postgres's now() of this transaction. */
  void (*decide)(void *model, const struct bus_input *input, struct bus_effects *effects);
  /* Pure: what the batch as a whole tells, after its last decide, by bus_notify alone. NULL: nothing. */
  void (*conclude)(void *model, struct bus_effects *effects);
  /* Queues trip 2's statements, each changed aggregate once. NULL for a service that only answers queries: it has no
   * transaction, inbox and trip 2, and a delivery is acked once it is answered. */
  bool (*store)(void *model, struct bus_sql *sql);
  /* After COMMIT, for each BUS_EFFECT_ACTION. */
  void (*act)(void *context, const void *action);
};

struct bus_worker_settings {
  /* Files of the two URLs, read for each connection; NULL: the URL stays. */
  const char *database_url_file, *amqp_url_file;
  const char *database_url; /* postgres://…, or postgres+srv://…: its hosts are asked of DNS for each connection */
  const char *amqp_url;     /* amqp:// or amqps://, one or several hosts, or a service (bus/amqp.h) */
  const char *dns_server;   /* of DNS_SERVER (bus/dns_options.h) */
  struct bus_tls_files tls; /* for amqps */
  int64_t batch_max;        /* 200 */
  int64_t bundle_max;       /* 128: most messages that travel in one AMQP message (bus/bundle.h); 1: none are joined */
  int64_t gather_ms;        /* 20: under load batches begin at least that far from each other; 0: never wait */
  int64_t heartbeat_s;      /* 5 */
  int64_t outbox_grace_ms;  /* 5000: until an outbox row is due for the sweeper */
  int64_t outbox_lease_ms;  /* 30000: what a sweeper's claim adds */
  int64_t give_up_ms;       /* 86400000: a message that still fails after that is dead-lettered */
  int64_t inbox_keep_h;     /* 168: age at which inbox rows are purged */
  int64_t parking_h;        /* 72: age up to which a dead letter may be moved back under its own id */
  int64_t quiet_ms;         /* 200: pause after which confirmed outbox rows are deleted without a batch */
  int64_t settle_max_ms;    /* 60000: settled at the latest that long after connecting */
  int64_t blame_after_ms;   /* 300000: time for which a message fails alone before it is put off without proof */
  /* Shards of queues that are split: those that the worker reads at once, bit i for shard i, and after how many
   * milliseconds it reads the others, too, as a stand-by for whoever owns them. */
  bool reads_all_shards; /* true: all are its own */
  uint32_t own_shards;
  int64_t standby_ms;         /* 10000 */
  int64_t latency_ms;         /* 0; added to every batch on purpose (gremlin) */
  bool allow_unsafe_database; /* false; also a database with fsync or full_page_writes off */
  const char *schema_project; /* sqitch project and the change that this version needs; NULL: not checked */
  const char *schema_change;
  /* For a worker that answers queries: whether the command workers are connected; NULL: the process has none. Called on
   * the worker's thread. */
  bool (*commands_are_up)(void *context);
  void *commands_context;
  struct bus_tracer *tracer; /* NULL: no spans. With one, of each sampled trace: the processing of a message, and the
                                transaction that it was part of (docs/tracing.md) */
  /* Fills in what the process says of itself every BUS_ALIVE_EVERY; NULL: this worker says nothing. Called on the
   * worker's thread. */
  void (*alive)(void *context, struct bus_alive *ret);
  void *alive_context;
};
#define BUS_WORKER_DEFAULTS                                                                                            \
  .batch_max = 200, .bundle_max = 128, .gather_ms = 20, .heartbeat_s = BUS_AMQP_HEARTBEAT_S, .outbox_grace_ms = 5000,  \
  .outbox_lease_ms = 30000, .give_up_ms = 86400000, .inbox_keep_h = 168, .parking_h = 72, .quiet_ms = 200,             \
  .settle_max_ms = 60000, .blame_after_ms = 300000, .reads_all_shards = true, .standby_ms = 10000

/* Makes a worker. It connects in bus_worker_run, so broker and database need not be up. settings and topology are kept,
 * not copied; program_settings is passed to service->open. */
bool bus_worker_new(const struct bus_service *service, const struct bus_topology *topology,
                    const struct bus_worker_settings *settings, const void *program_settings, struct bus_worker **ret,
                    struct bus_error *err) BUS_MUST_CHECK;
/* Runs on the calling thread until bus_worker_stop. False only for errors that no retry can heal (BUS_CLASS_FATAL:
 * schema too old, queue missing, credentials refused at the first connect). */
bool bus_worker_run(struct bus_worker *worker, struct bus_error *err) BUS_MUST_CHECK;
/* Frees a worker that does not run. Accepts NULL. */
void bus_worker_free(struct bus_worker *worker);

/* ---- from any thread ---- */
/* Starts the drain: finish the batch, wait for its confirms (bounded), ack, requeue the other deliveries, close.
 * Async-signal-safe. */
void bus_worker_stop(struct bus_worker *worker);

enum bus_link_state { BUS_LINK_DOWN, BUS_LINK_UP };
struct bus_worker_status {
  enum bus_link_state database, broker;
  bool consuming; /* attached to its queues, that is, ready */
  bool blocked;   /* the broker asked publishers to pause */
};
/* The state as the worker last knew it; asks nobody. */
struct bus_worker_status bus_worker_status(const struct bus_worker *worker);
/* Sends a round trip to database and broker on the worker's own connections, and waits at most timeout_ms for both. */
struct bus_worker_status bus_worker_probe(struct bus_worker *worker, int64_t timeout_ms);

/* ---- from the service's functions (the worker's thread) ---- */
/* Adds a local input to the next batch. size bytes of body are copied: plain data without pointers to memory that may
 * be freed. False if out of memory or if 10,000 inputs wait already: a periodic statement must then find the work
 * again. */
bool bus_worker_push(struct bus_worker *worker, enum bus_input_kind kind, const void *body, size_t size);
/* Inputs that were pushed and that no batch has taken yet. */
size_t bus_worker_pushed(const struct bus_worker *worker);
/* A bus_periodic.rows: column 0 is the UUID of an aggregate that is due, and each row becomes a BUS_INPUT_DEADLINE
 * whose body is that UUID, unless such an input waits already. Rows that do not fit are found again. */
void bus_worker_push_due(void *context, struct bus_worker *worker, const struct bus_rows *rows);
/* Stops or resumes reading one of the service's queues. */
void bus_worker_pause(struct bus_worker *worker, size_t queue, bool paused);
/* Registers the metrics of workers, for bus_metrics_print_list. */
void bus_worker_metrics_register(void);
/* For a service's calls (bus/http_client.h); NULL: no spans are recorded. Also valid inside open. */
struct bus_tracer *bus_worker_tracer(const struct bus_worker *worker);
/* INBOX_KEEP_H, for data that a service keeps as long as inbox rows. Also valid inside open. */
int64_t bus_worker_inbox_keep_h(const struct bus_worker *worker);
/* True once the worker has seen its queues empty since the last connect, or settle_max_ms has passed. */
bool bus_worker_is_settled(const struct bus_worker *worker);
/* Whether each command worker of this process is connected to its database and to the broker, by its own account. */
bool bus_worker_commands_are_up(const struct bus_worker *worker);
/* An open() for struct bus_service that makes the worker itself the context. */
bool bus_worker_is_context(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err);
/* The lock() of a service whose only query is a ping, with the worker as its context: the model is a struct bus_pong
 * (bus/pong.h), and no table is read. */
bool bus_worker_pong_lock(void *worker, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                          struct bus_sql *sql, void **ret_model);
/* Its load(), which has nothing to load. */
bool bus_worker_pong_load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err);
/* Adds sockets to the worker's poll set. Call it before run or inside open, at most 4 times. */
bool bus_worker_add_source(struct bus_worker *worker, struct bus_poll_source source) BUS_MUST_CHECK;

BUS_C_END
