/* A worker: drives its pipeline by events of the broker and the database in memory. */
#include "kit.h"

#include <bus/aggregate.h>

#include <assert.h>
#include <string.h>

/* ---- life ---- */

static void log_nothing(void *context, enum bus_level level, const char *msg, const struct bus_log_field *fields) {
  (void)context, (void)level, (void)msg, (void)fields;
}

static bool make(struct bus_worker *worker, const struct bus_pipeline_setup *setup, struct bus_error *err) {
  const struct bus_service *service = worker->service;
  worker->session.arena = bus_arena_new((size_t)1 << 28);
  worker->pipeline = worker->session.arena ? bus_pipeline_new(setup) : NULL;
  if (!worker->pipeline)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for %s", service->name);
  if (service->open && !service->open(worker->test->program->settings, worker, &worker->context, err))
    return false;
  worker->opened = true;
  bus_pipeline_set_context(worker->pipeline, worker->context);
  return true;
}

static void answer_aggregate(struct bus_worker *worker) {
  const struct bus_service *service = worker->service;
  const struct bus_table *table = service->aggregate ? service->aggregate->table : NULL;
  if (!table)
    return;
  bus_test_reads(worker->test, &service->statements[BUS_AGGREGATE_READ], table);
  if (!service->store)
    return;
  bus_test_inserts(worker->test, &service->statements[BUS_AGGREGATE_INSERT], table);
  bus_test_updates(worker->test, &service->statements[BUS_AGGREGATE_UPDATE], table);
}

bool kit_worker_new(struct bus_test *test, const struct bus_service *given, enum bus_queue_kind kind,
                    struct bus_error *err) {
  struct bus_worker *worker = &test->workers[test->worker_count];
  const struct bus_program *program = test->program;
  if (!given)
    return true;
  assert(test->worker_count < KIT_WORKERS);
  *worker = (struct bus_worker){.test = test, .wake_at = test->now};
  test->worker_count++; /* so that it is freed */
  if (!service_complete(given, program->part, kind, program->version, &worker->completed, &worker->service, err))
    return false;
  worker->context = service_context(worker->service);
  answer_aggregate(worker);
  if (worker->service->queue_count == 0)
    return bus_fail(err, BUS_E_CONFIG, "%s has no queue for %s: add one to its part of the topology",
                    worker->service->name,
                    kind == BUS_QUEUE_WORK      ? "its commands"
                    : kind == BUS_QUEUE_REQUEST ? "its requests"
                                                : "its queries");
  const struct bus_pipeline_setup setup = {.service = worker->service,
                                           .topology = program->topology,
                                           .settings = &test->settings,
                                           .worker = worker,
                                           .log = {.write = log_nothing},
                                           .broker_hosts = 1,
                                           .seed = {5, 6, 7, (uint64_t)kind},
                                           .now = test->now};
  return make(worker, &setup, err);
}

void kit_worker_free(struct bus_worker *worker) {
  if (worker->opened && worker->service->close)
    worker->service->close(worker->context);
  bus_pipeline_free(worker->pipeline);
  bus_arena_free(worker->session.arena);
  service_uncomplete(&worker->completed);
}

/* ---- actions ---- */

static void publish(struct bus_worker *worker, const struct bus_pipeline_action *action) {
  const struct bus_publication *publication = &action->publish.publication;
  worker->last_seq++;
  assert(action->publish.seq == worker->last_seq);
  if (kit_broker_publish(worker->test, worker->service->name, publication))
    return;
  struct bus_uuid *id = kit_list_add(worker->test, &worker->returned, sizeof *id);
  if (id)
    *id = publication->envelope->message_id;
}

static void count(struct bus_test_outcomes *outcomes, enum bus_message_outcome outcome) {
  size_t *const counts[BUS_MESSAGE_OUTCOMES] = {
      [BUS_MESSAGE_DONE] = &outcomes->done,     [BUS_MESSAGE_RETRIED] = &outcomes->retried,
      [BUS_MESSAGE_PARKED] = &outcomes->parked, [BUS_MESSAGE_DUPLICATE] = &outcomes->duplicate,
      [BUS_MESSAGE_LATE] = &outcomes->late,
  };
  ++*counts[outcome];
}

static void carry_out(struct bus_worker *worker, const struct bus_pipeline_action *action) {
  switch (action->kind) {
  case BUS_DO_TRIP:
    kit_database_run(worker, action->trip.sql);
    break;
  case BUS_DO_PUBLISH:
    publish(worker, action);
    break;
  case BUS_DO_ACK:
    kit_broker_ack(worker, action->tag);
    break;
  case BUS_DO_CONSUME:
  case BUS_DO_CANCEL:
    worker->reads[action->consume.queue] = action->kind == BUS_DO_CONSUME;
    break;
  case BUS_DO_OPEN_DATABASE:
    worker->opens_database = true;
    break;
  case BUS_DO_OPEN_BROKER:
    worker->opens_broker = true;
    break;
  case BUS_DO_CLOSE_BROKER:
    worker->loses_broker = true;
    break;
  case BUS_DO_SERVICE:
    worker->service->act(worker->context, action->service);
    break;
  case BUS_DO_CLOSE_DATABASE:
    worker->database_up = false;
    break;
  case BUS_DO_COUNT_MESSAGE:
    worker->open_deliveries--;
    count(&worker->test->outcomes, action->message.outcome);
    break;
  default: /* flushes and counts, which change nothing here */
    break;
  }
}

/* ---- events ---- */

/* Returns the number of actions that followed. */
static size_t step(struct bus_worker *worker, struct bus_pipeline_event event) {
  struct bus_pipeline_actions actions;
  event.now = event.wall = worker->test->now;
  bus_pipeline_step(worker->pipeline, &event, &actions);
  if (event.kind == BUS_ON_TICK)
    worker->wake_at = actions.wake_at;
  for (size_t i = 0; i < actions.count; i++)
    carry_out(worker, &actions.items[i]);
  return actions.count;
}

static bool read_links(struct bus_worker *worker) {
  static const struct bus_error gone = {BUS_E_AMQP_CONNECTION, "connection closed"};
  bool database = worker->opens_database, opens = worker->opens_broker, loses = worker->loses_broker;
  worker->opens_database = worker->opens_broker = worker->loses_broker = false;
  worker->database_up |= database;
  worker->broker_up = (worker->broker_up || opens) && !loses;
  if (database)
    (void)step(worker, (struct bus_pipeline_event){.kind = BUS_ON_DATABASE_UP});
  if (opens)
    (void)step(worker, (struct bus_pipeline_event){.kind = BUS_ON_BROKER_UP});
  if (loses) {
    kit_broker_requeue(worker);
    memset(worker->reads, 0, sizeof worker->reads);
    worker->last_seq = worker->confirmed_seq = 0;
    worker->open_deliveries = 0;
    (void)step(worker, (struct bus_pipeline_event){.kind = BUS_ON_BROKER_DOWN, .error = &gone});
  }
  return database || opens || loses;
}

static bool read_answer(struct bus_worker *worker) {
  struct kit_session *session = &worker->session;
  if (!session->answered)
    return false;
  session->answered = false;
  bool good = session->result.error.code == BUS_OK;
  (void)step(worker, (struct bus_pipeline_event){.kind = good ? BUS_ON_TRIP_DONE : BUS_ON_TRIP_FAILED,
                                                 .trip = &session->result});
  return true;
}

static bool read_confirms(struct bus_worker *worker) {
  struct bus_pipeline_event event = {.kind = BUS_ON_CONFIRM};
  const struct bus_uuid *returned = worker->returned.items;
  size_t count = worker->returned.count;
  if (worker->confirmed_seq == worker->last_seq)
    return false;
  worker->returned.count = 0;
  for (size_t i = 0; i < count; i++)
    (void)step(worker, (struct bus_pipeline_event){.kind = BUS_ON_RETURNED, .returned = &returned[i]});
  event.confirm.seq = worker->confirmed_seq = worker->last_seq;
  event.confirm.multiple = event.confirm.ack = true;
  (void)step(worker, event);
  return true;
}

static bool read_delivery(struct bus_worker *worker) {
  struct bus_arena *arena = bus_pipeline_arena(worker->pipeline);
  struct bus_delivery delivery = {.consumer = 0};
  const struct kit_letter *letter = kit_broker_take(worker, &delivery.consumer);
  if (!letter)
    return false;
  worker->open_deliveries++;
  delivery.tag = letter->tag;
  delivery.envelope = letter->envelope;
  delivery.body = bus_arena_copy(arena, letter->body);
  if (!delivery.body.data || !bus_envelope_move(&delivery.envelope, arena)) {
    kit_no_memory(worker->test);
    return false;
  }
  struct bus_pipeline_event event = {.kind = BUS_ON_DELIVERY};
  event.delivery = &delivery;
  (void)step(worker, event);
  return true;
}

static bool tick(struct bus_worker *worker, bool wanted) {
  if (!wanted && worker->wake_at > worker->test->now)
    return false;
  return step(worker, (struct bus_pipeline_event){.kind = BUS_ON_TICK}) > 0;
}

bool kit_worker_turn(struct bus_worker *worker) {
  bool read = read_links(worker);
  read |= read_answer(worker);
  read |= read_confirms(worker);
  while (read_delivery(worker))
    read = true;
  return tick(worker, read) || read;
}

bool kit_worker_rests(const struct bus_worker *worker) {
  return worker->database_up && worker->broker_up && worker->open_deliveries == 0 &&
         strcmp(bus_pipeline_phase(worker->pipeline), "idle") == 0 && bus_pipeline_unconfirmed(worker->pipeline) == 0 &&
         bus_pipeline_pushed(worker->pipeline) == 0;
}

/* ---- as the service's functions see it ---- */

bool bus_worker_push(struct bus_worker *worker, enum bus_input_kind kind, const void *body, size_t size) {
  worker->wake_at = worker->test->now;
  return bus_pipeline_push(worker->pipeline, kind, body, size);
}

size_t bus_worker_pushed(const struct bus_worker *worker) {
  return bus_pipeline_pushed(worker->pipeline);
}

void bus_worker_push_due(void *context, struct bus_worker *worker, const struct bus_rows *rows) {
  (void)context;
  bus_pipeline_push_due(worker->pipeline, rows);
  worker->wake_at = worker->test->now;
}

void bus_worker_pause(struct bus_worker *worker, size_t queue, bool paused) {
  bus_pipeline_pause(worker->pipeline, queue, paused);
}

struct bus_tracer *bus_worker_tracer(const struct bus_worker *worker) {
  (void)worker;
  return NULL;
}

int64_t bus_worker_inbox_keep_h(const struct bus_worker *worker) {
  return worker->test->settings.inbox_keep_h;
}

bool bus_worker_is_settled(const struct bus_worker *worker) {
  return bus_pipeline_is_settled(worker->pipeline);
}

bool bus_worker_commands_are_up(const struct bus_worker *worker) {
  (void)worker;
  return true;
}

bool bus_worker_is_context(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err) {
  (void)settings, (void)err;
  *ret_context = worker;
  return true;
}

/* No socket is polled. */
bool bus_worker_add_source(struct bus_worker *worker, struct bus_poll_source source) {
  (void)worker, (void)source;
  return true;
}
