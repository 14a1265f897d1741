/* orderctl replay: events made again from the log of order-svc, for a queue that was not there when they were sent. The
 * log is read as a role that may read its data, and the messages go the way of dead letters that are sent again. */
#include "audit.h"
#include "dead_fates.h"
#include "pace.h"
#include "program.h"
#include "story_rows.h"
#include "story_statements.h"

#include <bus/clock.h>
#include <bus/timefmt.h>
#include <dead_redrive.h>
#include <dead_send.h>
#include <order_replay.h>
#include <orderbus_topology.h>

#include <inttypes.h>
#include <stdio.h>

enum { READ_MS = 60000, ORDERS_MAX = 10000 };

struct replaying {
  const struct program *program;
  const struct bus_queue *queue;
  bus_time since, until;
  struct bus_reader *log;
  struct bus_arena *kept, *arena; /* of all; of one order */
  struct bus_uuid *orders;
  size_t order_count;
  struct order_event_view *rows; /* of one order */
  size_t row_count;
  struct send_session session;
  struct audit audit;
  int64_t found, sent, next_at;
  struct bus_error err;
};

/* ---- the log ---- */

static bool open_log(struct replaying *replaying) {
  const struct bus_reader_settings settings = {.url = replaying->program->log_url,
                                               .dns_server = replaying->program->settings.broker.dns_server,
                                               .name = "orderctl",
                                               .statements = story_log_statements.statements,
                                               .count = story_log_statements.count,
                                               .timeout_ms = READ_MS};
  if (!settings.url[0])
    return bus_fail(&replaying->err, BUS_E_CONFIG,
                    "ORDERS_LOG_DATABASE_URL must name the orders database, as a role that reads the log");
  return bus_reader_open(&settings, &replaying->log, &replaying->err) ||
         bus_error_wrap(&replaying->err, "orders database");
}

static void ask_orders(void *context, struct bus_sql *sql) {
  const struct replaying *replaying = context;
  struct bus_args *args = bus_sql_add(sql, STORY_LOG_ORDERS);
  bus_args_time(args, replaying->since);
  bus_args_time(args, replaying->until);
  bus_args_int64(args, ORDERS_MAX + 1);
}

static void take_orders(void *context, size_t index, const struct bus_rows *rows) {
  struct replaying *replaying = context;
  (void)index;
  replaying->orders = story_rows_ids(rows, replaying->kept, &replaying->order_count);
}

static bool find_orders(struct replaying *replaying) {
  const struct bus_reader_calls calls = {ask_orders, take_orders, replaying};
  if (!bus_reader_run(replaying->log, replaying->kept, &calls, &replaying->err))
    return bus_error_wrap(&replaying->err, "orders database");
  if (!replaying->orders)
    return bus_fail(&replaying->err, BUS_E_NOMEM, "out of memory for orders");
  return replaying->order_count <= ORDERS_MAX ||
         bus_fail(&replaying->err, BUS_E_INVALID, "more than %d orders: take a shorter time", ORDERS_MAX);
}

struct reading {
  struct replaying *replaying;
  const struct bus_uuid *order_id;
};

static void ask_rows(void *context, struct bus_sql *sql) {
  bus_args_uuid(bus_sql_add(sql, STORY_LOG_OF_ORDER), ((struct reading *)context)->order_id);
}

static void take_rows(void *context, size_t index, const struct bus_rows *rows) {
  struct replaying *replaying = ((struct reading *)context)->replaying;
  (void)index;
  replaying->row_count = 0;
  replaying->rows = bus_arena_array(replaying->arena, bus_rows_count(rows) + 1, sizeof *replaying->rows);
  for (size_t i = 0; replaying->rows && i < bus_rows_count(rows); i++)
    replaying->rows[replaying->row_count++] =
        (struct order_event_view){.seq = bus_rows_int64(rows, i, 0),
                                  .type = bus_arena_copy(replaying->arena, bus_rows_text(rows, i, 1)),
                                  .at = bus_rows_time(rows, i, 2),
                                  .data = bus_arena_copy(replaying->arena, bus_rows_text(rows, i, 3))};
}

static bool read_order(struct replaying *replaying, const struct bus_uuid *order_id) {
  struct reading reading = {replaying, order_id};
  const struct bus_reader_calls calls = {ask_rows, take_rows, &reading};
  bus_arena_reset(replaying->arena);
  if (!bus_reader_run(replaying->log, replaying->arena, &calls, &replaying->err))
    return bus_error_wrap(&replaying->err, "orders database");
  return replaying->rows || bus_fail(&replaying->err, BUS_E_NOMEM, "out of memory for the log of an order");
}

/* ---- sending ---- */

static bool is_meant(const struct replaying *replaying, const struct order_event_view *row,
                     const struct bus_message_type *type) {
  const struct program *program = replaying->program;
  return type && bus_topology_queue_type(replaying->queue, bus_str(type->type)) && row->at >= replaying->since &&
         row->at < replaying->until && (!program->type || strcmp(program->type, type->type) == 0);
}

/* So that an event that is sent twice is taken once. */
static struct bus_uuid id_of(const struct bus_uuid *order_id, const struct order_event_view *row) {
  char name[40];
  int len = snprintf(name, sizeof name, "replay %" PRId64, row->seq);
  return dead_id_of(order_id, (struct bus_str){name, (size_t)len}, row->at);
}

static bool send_event(struct replaying *replaying, const struct bus_uuid *order_id, const struct order_event_view *row,
                       const struct bus_message_type *type, const struct order_event *event) {
  struct audit_line line = audit_line_none();
  struct bus_str body;
  const struct bus_envelope envelope = {.message_id = id_of(order_id, row),
                                        .type = bus_str(type->type),
                                        .correlation_id = *order_id,
                                        .sender = bus_str(type->senders[0]),
                                        .timestamp = row->at,
                                        .first_failed_at = BUS_NO_TIME};
  line.message_id = envelope.message_id;
  line.order_id = *order_id;
  if (!bus_encode(type->schema, event, replaying->arena, &body))
    return bus_fail(&replaying->err, BUS_E_NOMEM, "out of memory for an event");
  pace_keep(replaying->program->rate, &replaying->next_at);
  if (audit_message(&replaying->audit, &line, &replaying->err) &&
      dead_send(&replaying->session, &orderbus_topology, replaying->queue, &envelope, body, (long)replaying->sent + 1,
                &replaying->err)) {
    replaying->sent++;
    return true;
  }
  return replaying->err.code != BUS_OK
             ? false
             : bus_fail(&replaying->err, BUS_E_TOPOLOGY, "the broker returned or refused a message");
}

/* Counts, or sends, the events of an order. */
static bool replay_order(struct replaying *replaying, const struct bus_uuid *order_id, bool sends) {
  struct order_replay fold;
  if (!read_order(replaying, order_id))
    return false;
  order_replay_begin(&fold, order_id, replaying->arena);
  for (size_t i = 0; i < replaying->row_count; i++) {
    const struct order_event_view *row = &replaying->rows[i];
    const struct bus_message_type *type = NULL;
    struct order_event event;
    if (!order_replay_next(&fold, row, &type, &event, &replaying->err))
      return bus_error_wrap(&replaying->err, "the log of an order");
    if (!is_meant(replaying, row, type))
      continue;
    replaying->found++;
    if (sends && !send_event(replaying, order_id, row, type, &event))
      return false;
  }
  return true;
}

static bool replay_all(struct replaying *replaying, bool sends) {
  replaying->found = 0;
  for (size_t i = 0; i < replaying->order_count; i++)
    if (!replay_order(replaying, &replaying->orders[i], sends))
      return false;
  return true;
}

/* ---- may it be sent? ---- */

/* A service that has taken messages before the events' end has had these events, unless its queue is new. */
static bool is_new(struct replaying *replaying) {
  struct bus_reader *reader = NULL;
  bus_time first = BUS_NO_TIME;
  if (replaying->program->force || dead_service(replaying->queue) == OUTBOXES)
    return true;
  bool read = dead_fates_open(replaying->program, replaying->queue, &reader, &replaying->err) &&
              dead_first_taken(reader, &first, &replaying->err);
  bus_reader_free(reader);
  if (!read)
    return false;
  return first == BUS_NO_TIME || first >= replaying->until ||
         bus_fail(&replaying->err, BUS_E_INVALID,
                  "the service of %s took messages before the end of that time, so it has had these events; --force "
                  "sends them all the same: their ids are new to its inbox, once",
                  replaying->queue->name);
}

/* ---- the verb ---- */

static int act(struct replaying *replaying) {
  struct bus_error ignored;
  char text[256];
  if (!audit_open(replaying->program->audit_file, "replay", replaying->queue->name, NULL, &replaying->audit,
                  &replaying->err))
    return trouble(replaying->err.text);
  bool begun = audit_mark(&replaying->audit, AUDIT_BEGIN, replaying->found, "", &replaying->err);
  int64_t planned = replaying->found;
  bool good = begun && replay_all(replaying, true);
  (void)snprintf(text, sizeof text, "%s: %" PRId64 " of %" PRId64 " events sent", good ? "done" : "stopped",
                 replaying->sent, planned);
  bool ended = begun && audit_mark(&replaying->audit, AUDIT_END, replaying->sent, text, &ignored);
  audit_close(&replaying->audit);
  if (begun)
    (void)printf("%s\n", text);
  if (!good || !ended)
    return trouble(good ? ignored.text : replaying->err.text);
  return fflush(stdout) == 0 ? EXIT_FINE : EXIT_TROUBLE;
}

static int replay(struct replaying *replaying) {
  const struct program *program = replaying->program;
  if (!open_log(replaying) || (!replaying->orders && !find_orders(replaying)) || !replay_all(replaying, false))
    return trouble(replaying->err.text);
  if (program->dry_run) {
    (void)printf("%" PRId64 " events of %zu orders would be sent to %s\n", replaying->found, replaying->order_count,
                 replaying->queue->name);
    return fflush(stdout) == 0 ? EXIT_FINE : EXIT_TROUBLE;
  }
  if (!is_new(replaying) || !send_open(&replaying->session, &program->settings.broker, &replaying->err))
    return trouble(replaying->err.text);
  replaying->session.unit = "event";
  int status = act(replaying);
  send_close(&replaying->session);
  return status;
}

static bool takes_events(const struct bus_queue *queue) {
  static const struct bus_message_type *const events[] = {&order_created_type, &order_confirmed_type,
                                                          &order_rejected_type, &order_cancelled_type};
  for (size_t i = 0; queue && i < BUS_COUNT(events); i++)
    if (bus_topology_queue_type(queue, bus_str(events[i]->type)))
      return true;
  return false;
}

/* -1: go on */
static int choose(const struct program *program, int count, char **words, struct replaying *ret) {
  static struct bus_uuid order_id;
  ret->program = program;
  ret->since = INT64_MIN / 2;
  ret->until = bus_wall_clock();
  if (count != 1)
    return trouble("replay takes the queue; see --help");
  ret->queue = bus_topology_queue(&orderbus_topology, words[0]);
  if (!takes_events(ret->queue) || ret->queue->kind != BUS_QUEUE_WORK)
    return trouble("that is no work queue that takes events of orders");
  if (!program->order == !program->since)
    return trouble("name the events by --order ID, or by --since TIME and --until TIME");
  if (program->order && !bus_uuid_parse(bus_str(program->order), &order_id))
    return trouble("--order is a UUID");
  if ((program->since && !bus_time_parse(bus_str(program->since), &ret->since)) ||
      (program->until && !bus_time_parse(bus_str(program->until), &ret->until)))
    return trouble("--since and --until are times like 2026-03-01T12:00:00Z");
  if (program->order) {
    ret->orders = &order_id;
    ret->order_count = 1;
  }
  return -1;
}

int run_replay(const struct program *program, int count, char **words) {
  static struct replaying replaying; /* the session's window is large for a stack */
  replaying = (struct replaying){.err.code = BUS_OK};
  int status = choose(program, count, words, &replaying);
  if (status >= 0)
    return status;
  replaying.kept = bus_arena_new(ARENA_LIMIT);
  replaying.arena = bus_arena_new(ARENA_LIMIT);
  status = replaying.kept && replaying.arena ? replay(&replaying) : trouble("out of memory for events");
  bus_reader_free(replaying.log);
  bus_arena_free(replaying.kept);
  bus_arena_free(replaying.arena);
  return status;
}
