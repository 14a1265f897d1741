/* The driver of a pipeline: connections, the one poll loop, and what its actions do. One thread uses all of it, except
 * members marked atomic. */
#pragma once

#include <bus/amqp.h>
#include <bus/failpoint.h>
#include <bus/pipeline.h>
#include <bus/worker.h>

#include "complete.h"
#include "pg.h"

#include <pthread.h>
#include <stdatomic.h>

enum { SOURCES_MAX = 4, QUEUES_MAX = 8 };
#define CONFIRMS_WAIT (20 * BUS_MILLISECOND)

/* The link to Postgres. */
enum database_stage {
  DATABASE_CLOSED,
  DATABASE_CHECKING, /* a connection of its own: is the schema there? Before anything is prepared that it needs */
  DATABASE_OPENING,
  DATABASE_UP,
};
struct database {
  struct pg *pg;
  enum database_stage stage;
  char name[64];     /* once it was up: for spans */
  size_t first_host; /* of several in the URL */
  int64_t deadline;  /* monotonic: to be connected by then */
  bool checked;      /* the schema */
  bool was_up;
  bool refused; /* a connection could not even be begun */
  struct bus_error error;
  struct bus_statement own[BUS_OWN_STATEMENTS]; /* bus_own_statements with the session's settings */
};

/* The links to RabbitMQ. */
struct broker {
  struct bus_amqp *publishing, *consuming;
  bool up;     /* the pipeline knows */
  bool opened; /* it is to be told */
  bool lost;   /* and why: */
  struct bus_error error;
  bool checked; /* the topology */
  bool was_up;
  int64_t pumped_at;
  int64_t confirms_at; /* when confirms are read though nothing else has come */
};

/* The shards of queues that are split. */
struct shards {
  int prefetch;                   /* of each */
  int64_t standby_at[QUEUES_MAX]; /* when those of others are read, too; INT64_MAX: they are, or none is */
};

/* The trip under way. */
struct trip {
  bool under_way, inputs;
  enum bus_trip_kind kind;
  bool refused; /* it was not sent; why: */
  struct bus_error error;
};

/* A probe by another thread. */
struct probing {
  pthread_mutex_t lock;
  pthread_cond_t done;
  uint64_t asked, answered; /* under lock */
  struct bus_worker_status result;
  atomic_bool wanted;
};

/* Seen by other threads. */
struct seen {
  atomic_llong stop_at; /* when it was told to stop; 0: not yet */
  atomic_int database, broker;
  atomic_bool consuming, blocked;
};

struct worker_metrics;

struct bus_worker {
  const struct bus_service *service;
  const struct bus_topology *topology;
  struct bus_worker_settings settings;
  const void *program_settings;
  void *context;
  struct bus_pipeline *pipeline;
  bool told_to_stop, stopped;
  int64_t wake_at; /* as the pipeline has said at the last tick */
  enum bus_attention attend;
  struct database database;
  struct broker broker;
  struct shards shards;
  struct trip trip;
  struct bus_error fatal;
  int wake_fd;
  struct bus_poll_source sources[SOURCES_MAX];
  size_t source_count;
  int64_t alive_at;           /* when the process says next that it is alive */
  struct bus_uuid_source ids; /* of its own notices, and of spans */
  struct worker_metrics *metrics;
  struct probing probing;
  struct seen seen;
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
/* -1: there is none to cut. */
static inline int worker_fd(const struct bus_amqp *amqp) {
  return amqp ? bus_amqp_fd(amqp) : -1;
}

/* ---- worker_loop.c: the one poll loop ---- */
/* Waits for something to happen, and takes it in. */
void loop_turn(struct bus_worker *worker);
/* Takes an event in, and carries out what follows. */
void loop_step(struct bus_worker *worker, struct bus_pipeline_event *event);

/* ---- worker_actions.c ---- */
void actions_carry_out(struct bus_worker *worker, const struct bus_pipeline_actions *actions);

/* ---- worker_database.c ---- */
/* Begins to connect. */
void database_open(struct bus_worker *worker);
void database_close(struct bus_worker *worker);
void database_send(struct bus_worker *worker, const struct bus_pipeline_action *action);
/* Tells the pipeline what has become of the connection or the trip. False: nothing new. */
bool database_tell(struct bus_worker *worker);

/* ---- worker_broker.c ---- */
/* Opens both connections; this blocks. */
void broker_open(struct bus_worker *worker, size_t host);
void broker_lose(struct bus_worker *worker, const struct bus_error *why);
void broker_lose_because(struct bus_worker *worker, const char *why);
void broker_close(struct bus_worker *worker);
/* Reads what has come, as events. */
void broker_pump(struct bus_worker *worker);
/* Tells the pipeline that the connections are up, or lost. False: nothing new. */
bool broker_tell(struct bus_worker *worker);
static inline bool broker_stands(const struct broker *broker) {
  return broker->publishing && broker->consuming && !broker->lost;
}

/* ---- worker_shards.c ---- */
void shards_init(struct bus_worker *worker);
/* Has the broker as many shards of this queue as the topology says? */
bool shards_check(struct bus_worker *worker, size_t queue, struct bus_error *err) BUS_MUST_CHECK;
/* Reads the queue; of one that is split, the worker's own shards, and those of others after a while. */
bool shards_consume(struct bus_worker *worker, size_t queue, int prefetch, struct bus_error *err) BUS_MUST_CHECK;
void shards_cancelled(struct bus_worker *worker, size_t queue);
/* Reads the shards of others, once it is time. */
void shards_stand_by(struct bus_worker *worker);
/* When it is; INT64_MAX: never. */
int64_t shards_next(const struct bus_worker *worker);

/* ---- worker_probe.c ---- */
/* Passes a probe on to the pipeline. */
void probe_ask(struct bus_worker *worker);
void probe_answer(struct bus_worker *worker, bool database);

/* ---- worker_alive.c ---- */
void alive_announce(struct bus_worker *worker);
/* When it is due; INT64_MAX: never, or once the connection is open. */
int64_t alive_next(const struct bus_worker *worker);

/* ---- worker_retention.c: pure ---- */
/* Does the inbox remember a message as long as it may come back? Says names and values where it does not. */
bool retention_is_enough(const struct bus_worker_settings *settings, const struct bus_topology *topology,
                         struct bus_error *err) BUS_MUST_CHECK;

/* ---- worker_metrics.c ---- */
bool metrics_init(struct bus_worker *worker);
void metrics_free(struct bus_worker *worker);
void metrics_step(struct bus_worker *worker, const struct bus_pipeline_actions *actions);
void metrics_batch(struct bus_worker *worker, enum bus_batch_outcome outcome, size_t size, int64_t duration);
void metrics_message(struct bus_worker *worker, const struct bus_message_type *type, enum bus_message_outcome outcome);
const char *metrics_outcome_name(enum bus_message_outcome outcome);
void metrics_published(struct bus_worker *worker, enum bus_exchange exchange, const struct bus_envelope *envelope);
void metrics_received(struct bus_worker *worker, const struct bus_envelope *envelope);

/* ---- worker_spans.c; nothing without a tracer ---- */
void spans_batch(struct bus_worker *worker, const struct bus_pipeline_action *action);
void spans_message(struct bus_worker *worker, const struct bus_pipeline_action *action);
