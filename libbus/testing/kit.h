/* The parts of bus/testing.h: a broker, a database, and workers that drive pipelines over both. */
#pragma once

#include <bus/pipeline.h>
#include <bus/testing.h>

#include "../src/pg/complete.h"

enum { KIT_WORKERS = 3, KIT_QUEUES = COMPLETED_QUEUES_MAX };

/* An array that grows in the arena of the test. */
struct kit_list {
  void *items;
  size_t count, room; /* room: in bytes */
};

/* ---- the database ---- */

struct kit_table {
  struct bus_memory_table rows;
  struct kit_table *next;
};

enum kit_act { KIT_READ, KIT_INSERT, KIT_UPDATE, KIT_ANSWER };

struct kit_rule {
  const struct bus_statement *statement;
  enum kit_act act;
  struct kit_table *table;
  bus_test_answer *answer;
  void *context;
  struct kit_rule *next;
};

struct kit_database {
  struct kit_table *tables;
  struct kit_rule *rules;
  struct kit_list inbox;     /* struct bus_uuid: committed */
  enum bus_errc next_commit; /* fails with it; BUS_OK: it succeeds */
};

/* One trip and its answer. */
struct kit_session {
  struct bus_arena *arena; /* of the answer */
  bool open;               /* a transaction */
  struct kit_list fresh;   /* struct bus_uuid: inserted into the inbox by this transaction */
  struct bus_rows *rows;
  const struct bus_rows **pointers;
  struct bus_trip_result result;
  bool answered; /* the pipeline has not seen it yet */
};

/* ---- the broker ---- */

struct kit_letter {
  const struct bus_queue *queue;
  bus_time due;
  struct bus_envelope envelope;
  struct bus_str body;
  uint64_t tag; /* of its delivery, while a worker has it */
  struct kit_letter *next;
};

struct kit_broker {
  struct kit_letter *letters, **end;
  const struct kit_letter *last_sent;
  struct kit_list published; /* struct bus_test_message */
  struct kit_list dead;      /* struct bus_test_dead */
};

/* ---- the program ---- */

struct bus_worker {
  struct bus_test *test;
  struct completed completed;
  const struct bus_service *service;
  struct bus_pipeline *pipeline;
  void *context;
  bool opened;
  struct kit_session session;
  bool opens_database, opens_broker, loses_broker; /* the pipeline has not seen it yet */
  bool database_up, broker_up;
  size_t open_deliveries; /* whose outcome is not known */
  bool reads[KIT_QUEUES];
  uint64_t last_tag, last_seq, confirmed_seq;
  struct kit_list returned; /* struct bus_uuid: of messages that no queue takes */
  int64_t wake_at;
};

struct bus_test {
  const struct bus_program *program;
  struct bus_worker_settings settings;
  struct bus_arena *arena; /* lives as long as the test */
  struct bus_uuid_source ids;
  bus_time now;
  struct kit_database database;
  struct kit_broker broker;
  struct bus_worker workers[KIT_WORKERS];
  size_t worker_count;
  struct bus_test_outcomes outcomes;
  struct bus_error error; /* what the next run fails with; BUS_OK: nothing */
};

/* Room for one more element; NULL: out of memory, which is remembered. */
void *kit_list_add(struct bus_test *test, struct kit_list *list, size_t size);
/* Remembers the first failure. */
void kit_fail(struct bus_test *test, enum bus_errc code, const char *format, ...) BUS_PRINTF(3, 4);
void kit_no_memory(struct bus_test *test);

void kit_database_run(struct bus_worker *worker, const struct bus_sql *sql);
/* The table of that column table; NULL: none. */
struct kit_table *kit_table_of(const struct bus_test *test, const struct bus_table *of);

/* Takes a message of a worker; the return value is false for a mandatory one that no queue takes. */
bool kit_broker_publish(struct bus_test *test, const char *user, const struct bus_publication *publication);
/* Puts a copy of the letter into its queue. */
const struct kit_letter *kit_broker_put(struct bus_test *test, const struct kit_letter *letter);
/* Puts a copy of the message into each queue that takes its type; returns how many do. */
size_t kit_broker_route(struct bus_test *test, const struct bus_message_type *type, const struct bus_envelope *envelope,
                        struct bus_str body);
/* The first letter in one of the worker's queues that is due, which is then the worker's; NULL: none. consumer: the
 * queue. */
const struct kit_letter *kit_broker_take(struct bus_worker *worker, int *ret_consumer);
/* The worker's letters up to the tag leave their queues. */
void kit_broker_ack(struct bus_worker *worker, uint64_t tag);
/* The worker's letters are in their queues again. */
void kit_broker_requeue(struct bus_worker *worker);
/* When the next letter comes due; INT64_MAX: never. */
bus_time kit_broker_next(const struct bus_test *test);

bool kit_worker_new(struct bus_test *test, const struct bus_service *service, enum bus_queue_kind kind,
                    struct bus_error *err);
void kit_worker_free(struct bus_worker *worker);
/* Passes on what has come, and a tick. True: something went on. */
bool kit_worker_turn(struct bus_worker *worker);
/* Between batches, with nothing on its way. */
bool kit_worker_rests(const struct bus_worker *worker);
