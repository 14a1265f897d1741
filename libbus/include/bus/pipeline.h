/*
 * The batch pipeline of bus/worker.h as a machine: events in, actions out. It knows neither sockets nor clocks: a
 * driver turns libpq's and RabbitMQ's answers into events and carries the actions out in their order. bus_worker is the
 * driver of production, the simulation another one.
 *
 *   begin    deliveries and pushed inputs are kept; a tick begins a batch of those that are there
 *   trip 1   BEGIN, inbox, the statements of lock()      (bus_sql, answered by trip done or trip failed)
 *   trip 2   after load() and decide(): the statements of store(), outbox, COMMIT
 *   publish  what was decided; then each delivery is settled, and acked with those before it
 *
 * Which phase takes which event, and what it does then, is a table: bus_pipeline_print.
 *
 * One thread uses a pipeline. Memory behind an event is read during the step; memory behind an action is valid until
 * the next step. All times are monotonic microseconds, but for `wall`.
 */
#pragma once

#include <bus/amqp.h>
#include <bus/log.h>
#include <bus/span.h>
#include <bus/worker.h>

BUS_C_BEGIN

struct bus_pipeline;

/* Carries the log's lines out; the fields are valid during the call. */
struct bus_pipeline_log {
  void (*write)(void *context, enum bus_level level, const char *msg, const struct bus_log_field *fields);
  void *context;
  bool debug; /* each message has lines of its own */
};

/* All of it is kept by pointer. */
struct bus_pipeline_setup {
  const struct bus_service *service;
  const struct bus_topology *topology;
  const struct bus_worker_settings *settings;
  struct bus_worker *worker; /* passed on to the service's functions */
  struct bus_pipeline_log log;
  bool spans;             /* each delivery of a sampled trace is a span (bus_trace_process), the parent of what follows
                             from it; without, the sender's span is that */
  size_t broker_hosts;    /* how many nodes the driver can open in turn */
  size_t unconfirmed_max; /* publications at a time; 0: 8191 */
  uint64_t seed[4];       /* of ids and jitter */
  int64_t now;
};

/* NULL: out of memory. */
struct bus_pipeline *bus_pipeline_new(const struct bus_pipeline_setup *setup);
/* Accepts NULL. Deliveries that are not settled stay the broker's. */
void bus_pipeline_free(struct bus_pipeline *pipeline);
/* The context that the service's functions get; before the first step. */
void bus_pipeline_set_context(struct bus_pipeline *pipeline, void *context);

/* ---- events ---- */

enum bus_pipeline_event_kind {
  BUS_ON_TICK,     /* all that was there to read has been passed on; batches begin on it, and timers are looked at */
  BUS_ON_DELIVERY, /* its text lies in bus_pipeline_arena */
  BUS_ON_CONFIRM,
  BUS_ON_RETURNED, /* a mandatory message that no queue takes; its confirm follows */
  BUS_ON_BLOCKED,  /* the broker takes no messages, or takes them again */
  BUS_ON_TRIP_DONE,
  BUS_ON_TRIP_FAILED,
  BUS_ON_DATABASE_UP,
  BUS_ON_DATABASE_DOWN, /* not while a trip is under way: then the trip fails */
  BUS_ON_BROKER_UP,
  BUS_ON_BROKER_DOWN, /* closed, or not opened */
  BUS_ON_NOTICE,      /* something of the driver's to be published once, if it can be now */
  BUS_ON_PROBE,       /* is the database there? */
  BUS_ON_STOP,
  BUS_PIPELINE_EVENTS,
};

/* The answer to a trip. */
struct bus_trip_result {
  const struct bus_rows *const *rows; /* of each statement; NULL where it failed or came after a failure */
  size_t count;
  const char *tag; /* the last statement's command tag */
  /* of one that failed */
  struct bus_error error;
  long failed_at;      /* the statement; -1: none, or not known */
  bool in_transaction; /* it is still open */
  bool dead;           /* the connection is gone */
};

struct bus_pipeline_event {
  enum bus_pipeline_event_kind kind;
  int64_t now;
  bus_time wall;
  union {
    struct {
      const struct bus_delivery *delivery;
      bool fails; /* its contents count as not decodable for want of memory (a failpoint) */
    };
    struct {
      uint64_t seq;
      bool multiple, ack;
    } confirm;
    const struct bus_uuid *returned;
    bool blocked;
    const struct bus_trip_result *trip;
    struct {
      bool pooled; /* a pooler stands between */
    } database;
    const struct bus_error *error; /* DATABASE_DOWN, BROKER_DOWN */
    const struct bus_publication *notice;
  };
};

/* ---- actions ---- */

/* A trip's purpose. */
enum bus_trip_kind {
  BUS_TRIP_1,
  BUS_TRIP_2,
  BUS_TRIP_QUERY,
  BUS_TRIP_ROLLBACK,
  BUS_TRIP_SUSPECT,   /* counts a message that may have crashed the process */
  BUS_TRIP_UNSUSPECT, /* and takes that back */
  BUS_TRIP_ASK,       /* does the database take an inbox row now? */
  BUS_TRIP_PROBE,
};

/* The cargo of a publication. */
enum bus_sent_kind { BUS_SENT_ANSWER /* or a notice */, BUS_SENT_OUTBOX, BUS_SENT_HELD };

/* Steps between actions at which a test build may crash or cut a connection. */
enum bus_pipeline_point {
  BUS_POINT_DELIVERED,
  BUS_POINT_PUBLISHED, /* all of a commit */
  BUS_POINT_CONFIRMED, /* an outbox row */
  BUS_POINT_SWEPT,
  BUS_POINT_SWEPT_PUBLISHED,
  BUS_POINT_HOLD_PUBLISHED,
  BUS_POINT_HOLD_CONFIRMED,
  BUS_POINT_BEFORE_SWEEP,
  BUS_POINT_DRAINING,
  BUS_POINT_DRAINED,
  BUS_POINT_BUNDLE_CUT,          /* into its messages */
  BUS_POINT_BUNDLE_HALVED,       /* a batch, between two messages of one bundle */
  BUS_POINT_BUNDLE_PUBLISHED,    /* of an outbox row */
  BUS_POINT_BUNDLE_CONFIRMED,    /* its outbox row is still there */
  BUS_POINT_BUNDLE_PARTLY_KNOWN, /* the inbox has some messages of a delivery */
  BUS_POINT_BUNDLE_SWEPT,        /* published again */
  BUS_POINT_ELEMENT_HELD,        /* published to be tried later, while others of its bundle are done */
};

enum bus_batch_outcome {
  BUS_BATCH_COMMITTED,
  BUS_BATCH_CONFLICT,
  BUS_BATCH_DATA,
  BUS_BATCH_LOST,
  BUS_BATCH_OTHER,
  BUS_BATCH_FAULT,
  BUS_BATCH_OUTCOMES,
};

enum bus_message_outcome {
  BUS_MESSAGE_DONE,
  BUS_MESSAGE_RETRIED,
  BUS_MESSAGE_PARKED,
  BUS_MESSAGE_DUPLICATE,
  BUS_MESSAGE_LATE,
  BUS_MESSAGE_OUTCOMES,
};

enum bus_pipeline_action_kind {
  BUS_DO_TRIP,
  BUS_DO_GIVE_UP_TRIP, /* no answer came: the trip fails, and the connection is dead */
  BUS_DO_PUBLISH,
  BUS_DO_FLUSH, /* publications so far go out now */
  BUS_DO_ACK,   /* and all deliveries before it */
  BUS_DO_CONSUME,
  BUS_DO_CANCEL,
  BUS_DO_OPEN_DATABASE,
  BUS_DO_CLOSE_DATABASE,
  BUS_DO_OPEN_BROKER,
  BUS_DO_CLOSE_BROKER, /* BROKER_DOWN follows */
  BUS_DO_SERVICE,      /* the service's act() */
  BUS_DO_ANSWER_PROBE,
  BUS_DO_COUNT_MESSAGE,
  BUS_DO_COUNT_BATCH,
  BUS_DO_POINT,
  BUS_DO_STOPPED, /* the last action of all */
};

struct bus_pipeline_action {
  enum bus_pipeline_action_kind kind;
  union {
    struct {
      struct bus_sql *sql;
      enum bus_trip_kind purpose;
      bool inputs, deadlines, completions; /* it carries some */
    } trip;
    struct {
      struct bus_publication publication;
      enum bus_sent_kind kind;
      bool first;   /* of a commit */
      uint64_t seq; /* that its confirm will have */
    } publish;
    uint64_t tag; /* ACK */
    struct {
      size_t queue; /* index in the service's queues */
      int prefetch;
    } consume;           /* CONSUME, CANCEL */
    size_t host;         /* OPEN_BROKER: which node, counted on without end */
    const char *why;     /* GIVE_UP_TRIP, CLOSE_DATABASE, CLOSE_BROKER; text lives as long as the pipeline */
    const void *service; /* SERVICE */
    bool database;       /* ANSWER_PROBE */
    struct {
      const struct bus_message_type *type; /* NULL: unknown */
      enum bus_message_outcome outcome;
      int64_t duration;          /* since it arrived */
      const struct entry *entry; /* see bus_pipeline_processed */
    } message;
    struct {
      enum bus_batch_outcome outcome;
      size_t size;
      int64_t duration;
      struct entry *const *entries;     /* see bus_pipeline_served */
      const struct bus_effect *effects; /* of one that committed */
      const struct bus_error *error;    /* of one that did not */
    } batch;
    enum bus_pipeline_point point;
  };
};

/* Numbers that a step adds to: counters, and gauges that go up and down. */
enum bus_pipeline_count {
  BUS_COUNT_CONFIRMED,
  BUS_COUNT_NACKED,
  BUS_COUNT_RETURNED,
  BUS_COUNT_SWEPT,
  BUS_COUNT_ANSWERS_DROPPED,
  BUS_COUNT_HELD,    /* a gauge */
  BUS_COUNT_STALLED, /* a gauge */
  BUS_COUNT_BROKER_RECONNECTS,
  BUS_COUNT_DATABASE_RECONNECTS,
  BUS_PIPELINE_COUNTS,
};

/* The broker's frames that are worth waking up for: each wake costs about as much as several messages. */
enum bus_attention {
  BUS_ATTEND_ALL,
  BUS_ATTEND_DELIVERIES, /* confirms may be read a little later */
  BUS_ATTEND_NO_BROKER,  /* only heartbeats are kept up */
};

struct bus_pipeline_actions {
  struct bus_pipeline_action *items; /* the pipeline's memory */
  size_t count, room;
  int64_t counts[BUS_PIPELINE_COUNTS];
  struct {
    bool known;
    int64_t rows, oldest_age, unroutable; /* rows, microseconds, rows */
  } outbox;
  /* As of the last tick. */
  int64_t wake_at; /* a tick is due then at the latest */
  enum bus_attention attend;
};

/* Takes the event in. The actions are those of this step alone; they lie in the pipeline's memory. */
void bus_pipeline_step(struct bus_pipeline *pipeline, const struct bus_pipeline_event *event,
                       struct bus_pipeline_actions *ret);

/* ---- spans of what was done: asked while a step's actions are carried out ---- */

/* A delivery whose processing is a span. */
struct bus_processed {
  const struct bus_envelope *envelope; /* its trace has the id of this span */
  const uint8_t *parent_id;            /* the span that sent it */
  size_t queue;                        /* index in the service's queues */
  size_t bundled;                      /* messages of the bundle that it came in; 0: it came alone */
  const struct bus_error *cause;       /* of one that is not done */
};
/* The delivery of a COUNT_MESSAGE. False: it is no span. */
bool bus_pipeline_processed(const struct bus_pipeline_action *action, struct bus_processed *ret) BUS_MUST_CHECK;
/* The spans whose inputs the transaction of a COUNT_BATCH served; of a deadline or a completed call, the one that its
 * messages name. The first `room` of them are written; returns how many there are. */
size_t bus_pipeline_served(const struct bus_pipeline_action *action, struct bus_span_link *ret, size_t room);

/* ---- beside the steps ---- */

/* The arena for the text of the next deliveries. It changes with each batch. */
struct bus_arena *bus_pipeline_arena(const struct bus_pipeline *pipeline);
/* As bus_worker_push, bus_worker_pushed, bus_worker_pause and bus_worker_is_settled; also from the service's functions
 * during a step. */
bool bus_pipeline_push(struct bus_pipeline *pipeline, enum bus_input_kind kind, const void *body, size_t size);
/* Pushes a deadline for each row, whose column 0 is the UUID of an aggregate, unless it waits already. Rows that do not
 * fit are found again. */
void bus_pipeline_push_due(struct bus_pipeline *pipeline, const struct bus_rows *rows);
/* Inputs that were pushed and that no batch has taken yet. */
size_t bus_pipeline_pushed(const struct bus_pipeline *pipeline);
/* Does a deadline of this aggregate wait to be taken, or do all of them wait because one was refused just now? */
bool bus_pipeline_waits(const struct bus_pipeline *pipeline, const struct bus_uuid *due);
/* Stops or resumes reading the index-th queue of the service, from the next tick on. */
void bus_pipeline_pause(struct bus_pipeline *pipeline, size_t queue, bool paused);
/* As bus_worker_is_settled. */
bool bus_pipeline_is_settled(const struct bus_pipeline *pipeline);
/* Publications that the broker has not confirmed. */
size_t bus_pipeline_unconfirmed(const struct bus_pipeline *pipeline);

/* The name of the phase that it is in, for traces. */
const char *bus_pipeline_phase(const struct bus_pipeline *pipeline);
/* Do its parts fit together? For tests and the simulation, after each step. */
bool bus_pipeline_is_valid(const struct bus_pipeline *pipeline) BUS_MUST_CHECK;
/* Writes the table of phases and events as Markdown. */
void bus_pipeline_print(void (*write)(void *context, const char *text), void *context);

/* The statements of libbus's own tables; a trip's bus_sql refers to them and to the service's. The text of
 * BUS_OWN_SETTINGS is the driver's: it sets what a session behind a pooler needs in each transaction. */
enum { BUS_OWN_SETTINGS = 1, BUS_OWN_STATEMENTS = 17 };
extern const struct bus_statement bus_own_statements[BUS_OWN_STATEMENTS];

BUS_C_END
