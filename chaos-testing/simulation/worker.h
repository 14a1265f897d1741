/* A worker process: libbus's pipeline, driven over the simulated broker and databases, around a service's own
 * functions. */
#ifndef SIM_WORKER_H
#define SIM_WORKER_H

#include "broker.h"
#include "database.h"
#include "leaving.h"
#include "session.h"

#include <bus/pipeline.h>
#include <order_schedule.h>
#include <order_upkeep.h>
#include <payment_periodics.h>
#include <payment_turns.h>

enum { DECIDED_MAX = 64, WORKER_QUEUES = 2, REFUSALS_BEFORE_SEARCH = 3 };
/* payment-svc's slots, as they are by default; its queue is longer than any seed needs. */
enum { CALLER_SLOTS = 32, CALLER_QUEUE = 64 };

/* The worker, as the services' functions get it. */
struct bus_worker {
  struct world *world;
  struct worker *worker;
};

/* As payment-svc's periodics see it. */
struct payment_caller {
  struct world *world;
  struct worker *worker;
};

/* Their context: in front lies what the service itself has there. */
struct service_context {
  union {
    struct order_context order;
    struct payment_context payment;
  };
  struct payment_caller caller;
  struct bus_worker handle;
};

/* An input that was decided in the attempt under way. */
struct decided {
  struct letter *letter; /* NULL: a local input */
  const struct bus_message_type *type;
  struct bus_uuid subject; /* its body's first member */
  bool done;
};

/* A frame from the broker that the process has not read. */
enum frame_kind { FRAME_DELIVERY, FRAME_CONFIRM, FRAME_BLOCKED, FRAME_UP, FRAME_DOWN };
struct frame {
  enum frame_kind kind;
  bus_time at;
  const struct message *message; /* DELIVERY */
  const struct sending *sending; /* CONFIRM */
  int queue;
  uint64_t tag;
  bool redelivered, blocked;
  struct frame *next;
};

struct psp_call_state;

struct worker {
  struct peer peer;
  int service;
  size_t index;
  struct database *database;
  struct session session;
  struct bus_pipeline *pipeline;
  struct service_context context;
  void *own; /* notify-svc: the context that its own open() made, instead; else NULL */
  /* the driver */
  struct frame *frames, **frames_end;
  bool answered;      /* the trip's answer has come */
  bool lost;          /* the database's connection is gone, and the pipeline does not know */
  bool refused;       /* it cannot be opened */
  bool opened;        /* it is open */
  bool wanted;        /* a tick is due at once */
  bool begins;        /* a batch may begin in this step */
  bool stops, probes; /* to be said to the pipeline */
  int64_t wake_at;    /* by the pipeline */
  enum bus_attention attend;
  bus_time turn_at; /* an event is planned then; 0: none */
  bus_time connected_at;
  bus_time ticked_at;
  int idle_ticks;
  /* the attempt under way */
  struct decided decided[DECIDED_MAX];
  struct bus_uuid asked[DECIDED_MAX]; /* message ids; nil: local inputs */
  size_t decided_count, asked_count;
  size_t batch_inputs; /* when its batch began */
  size_t batch_tried;  /* the largest attempt of its batch, messages refused before they are decided among it */
  bool doomed;         /* it decides what crashes it */
  bool fresh_seen[QUEUES];
  bus_time committed_at; /* with inputs */
  struct leaving leaving;
  struct {
    size_t inputs;   /* 0: it was not */
    bool may_search; /* parts of it may be tried */
  } refusal;         /* of the last attempt */
  struct order_budget budget;
  /* payment-svc: calls to the PSP */
  struct bus_breaker breaker;
  bool breaker_was_open;
  struct payment_turns turns;
  struct payment_waiting *waiting; /* CALLER_QUEUE */
  struct psp_call_state *calls;    /* of this process, the newest first */
};

void workers_init(struct world *world, struct bus_arena *const *scratch);
void workers_done(struct world *world);
/* The process dies and starts again later. */
void worker_crash(struct world *world, struct worker *worker, int64_t downtime);
bool worker_perhaps_crashes(struct world *world, struct worker *worker);
void worker_pause(struct world *world, struct worker *worker, int64_t duration);
/* It is told to drain and end, and starts again later. */
void worker_stop(struct world *world, struct worker *worker);
void worker_stopped(struct world *world, struct worker *worker);
void worker_probe(struct world *world, struct worker *worker);
/* An input that is no delivery; the body is copied. */
void worker_push(struct world *world, struct worker *worker, enum bus_input_kind kind, const void *body, size_t size);

/* ---- what its session says ---- */
void worker_answered(struct world *world, struct worker *worker);
void worker_database_lost(struct world *world, struct worker *worker);
/* The database refuses the transaction, whatever its inputs. */
void worker_refused(struct world *world, struct worker *worker);
/* An attempt with so many messages, with those that are not decided, has ended. */
void worker_tried(struct worker *worker, size_t size);
void worker_committed(struct world *world, struct worker *worker);
/* Is an input of the transaction one that kills its session? */
bool worker_decided_killer(const struct worker *worker);
/* Or one whose row is refused? */
bool worker_decided_stumbler(const struct worker *worker);

/* ---- driver.c ---- */
/* Its turn comes soon. */
void worker_wake(struct world *world, struct worker *worker);
/* Looks again at when its turn is. */
void driver_plan(struct world *world, struct worker *worker);
void driver_plan_all(struct world *world, const struct database *database);
struct frame *driver_read(struct world *world, struct worker *worker, enum frame_kind kind);

/* ---- sleep.c: when the pipeline's time comes, if nothing reaches it ---- */
int64_t sleep_until(const struct world *world, const struct worker *worker);

/* ---- actions.c: what the pipeline wants done. False: the process is gone. ---- */
bool actions_carry_out(struct world *world, struct worker *worker, const struct bus_pipeline_actions *actions);

/* ---- services.c: the services as they are ---- */
struct service {
  const struct bus_service *bus;
  int queues[WORKER_QUEUES];
};
extern const struct service services[SERVICES];
/* Once, before any worker. */
void services_make(void);
/* The state of a process that starts, until it ends; its place for the functions of its service. */
void services_open(struct world *world, struct worker *worker);
void services_close(struct worker *worker);
void *services_context(struct worker *worker);
/* Whose step it is, for functions that get no context. */
void services_enter(struct bus_worker *worker);
const struct order_policy *services_order_policy(void);
const struct payment_policy *services_payment_policy(void);

#endif
