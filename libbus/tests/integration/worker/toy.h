/* The smallest service on libbus: counters that are added to. The worker's tests run it against real servers, and it is
 * what bus/worker.h was reviewed with. */
#pragma once

#include <bus/amqp.h>
#include <bus/worker.h>

#include <libpq-fe.h>
#include <pthread.h>

/* toy.add.v1. Some values of `by` are special: */
enum {
  TOY_RETRY = 666,      /* decide() asks for a retry until the second attempt */
  TOY_NOTHING = 662,    /* decide() neither writes nor sends anything */
  TOY_PARK = 667,       /* decide() parks it */
  TOY_CRASH = 668,      /* decide() kills the process, where toy_crashes is set */
  TOY_UNHEARD = 669,    /* emits a command that no queue takes */
  TOY_FULL = 670,       /* emits a command to a queue that takes one message only */
  TOY_REFUSED = 999999, /* the database's CHECK refuses it */
};
struct toy_add {
  struct bus_uuid counter;
  int64_t by;
};

struct toy {
  char database[64], database_url[512], amqp_url[512];
  char queue[64], events[64], full[64], queries[64], requests[64];
  char names[7][64]; /* of the message types */
  struct bus_topology_part part;
  const struct bus_topology_part *parts[1];
  struct bus_topology topology;
  struct bus_queue queues[3];
  struct bus_service service, query_service, request_service;
  struct bus_worker_settings settings;
  const char *service_queues[1], *query_queues[1], *request_queues[1];
  PGconn *admin;         /* on the toy's database */
  struct bus_amqp *amqp; /* the test's own connection */
  uint64_t published, confirmed;
  struct bus_arena *arena;
  struct bus_uuid_source ids;
};

/* Their names hold the process's id: tests that run at the same time share the exchanges. */
extern struct bus_message_type toy_add_type, toy_added_type, toy_unheard_type, toy_full_type, toy_get_type,
    toy_set_type, toy_count_type;
extern bool toy_crashes;

/* A database, queues and bindings of this test's own; skips the test where no servers are given. */
void toy_setup(struct toy *toy);
void toy_teardown(struct toy *toy);

/* One worker on a thread. */
struct toy_run {
  struct toy *toy;
  struct bus_worker *worker;
  pthread_t thread;
  bool good;
  struct bus_error err;
};
void toy_start(struct toy *toy, struct toy_run *run);
void toy_start_queries(struct toy *toy, struct toy_run *run);
void toy_start_requests(struct toy *toy, struct toy_run *run);
/* Stops, joins and frees; the run must have been good. */
void toy_stop(struct toy_run *run);

struct bus_uuid toy_counter(unsigned number);
/* A new message id. */
struct bus_uuid toy_publish(struct toy *toy, unsigned counter, int64_t by);
void toy_publish_as(struct toy *toy, const struct bus_uuid *message_id, unsigned counter, int64_t by);
void toy_publish_raw(struct toy *toy, const struct bus_envelope *envelope, const char *body);
/* Until the broker has all. */
void toy_flush(struct toy *toy);

/* For toy_number and toy_await; a WHERE may follow. */
#define SUM "SELECT coalesce(sum(n), 0)::bigint FROM toy.counters"
#define OUTBOX "SELECT count(*) FROM bus.outbox"
#define INBOX "SELECT count(*) FROM bus.inbox"
#define PARKED "SELECT count(*) FROM bus.parked"
#define TRIES "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM toy.tries"

void toy_execute(struct toy *toy, const char *sql);
/* Does `what` before a row of that table is written, where `condition` holds of it, and counts that in toy.tries. */
void toy_on_write(struct toy *toy, const char *table, const char *condition, const char *what);
/* Milliseconds of CPU that the process uses while so many milliseconds pass. */
int64_t toy_cpu_in(int milliseconds);
/* The value of a series by the beginning of its line, name, labels and blank; 0 where there is none. */
int64_t toy_metric(const char *series);
int64_t toy_number(struct toy *toy, const char *sql);
/* Waits until the SQL gives that number; fails the test after so many seconds, printing what it gives. The bound
 * catches what never comes and claims no speed: a busy machine gets several times as long. */
void toy_await(struct toy *toy, const char *sql, int64_t number, int seconds);
/* Deletes the toy's own queue with that suffix, for example ".dead". */
void toy_delete_queue(struct toy *toy, const char *suffix);
/* Declares the parts of the toy's topology that are missing. */
void toy_declare_queues(struct toy *toy);
/* Messages that lie in a queue; fails where it has none by that name. */
int64_t toy_queue_depth(struct toy *toy, const char *queue);
void toy_await_depth(struct toy *toy, const char *queue, int64_t depth, int seconds);
void toy_sleep_ms(int milliseconds);
