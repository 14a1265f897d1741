/* A message is made of the rows of the place that knows, and goes the way of dead letters that are sent again. */
#include "reconcile_repair.h"

#include "pace.h"
#include "reconcile_statements.h"

#include <bus/clock.h>
#include <dead_send.h>
#include <inventory_messages.h>
#include <order_messages.h>
#include <orderbus_topology.h>
#include <payment.h>
#include <payment_messages.h>

#include <inttypes.h>
#include <stdio.h>

enum { READ_MS = 10000, MEMORY = 4 << 20 };
enum { PUT_OFF_S = 60 }; /* SAGA_DEADLINE_MS: a deadline that is further away counts as one of another clock */

/* ---- messages ---- */

enum body { OF_ORDER, OF_PAYMENT, OF_ROW, OF_PAYMENT_ROW };

/* body: of the ids alone, or made by a statement of the place. */
struct message {
  const struct bus_message_type *type;
  enum story_place to;
  enum body body;
  enum story_place from;
  size_t statement;
};

static const struct message messages[MISFIT_REPAIRS] = {
    [MISFIT_RESERVE] = {&inventory_reserve_type, STORY_INVENTORY, OF_ROW, STORY_ORDERS, RECONCILE_SQL_RESERVE},
    [MISFIT_RELEASE] = {.type = &inventory_release_type, .to = STORY_INVENTORY, .body = OF_ORDER},
    [MISFIT_SELL] = {&order_confirmed_type, STORY_INVENTORY, OF_ROW, STORY_ORDERS, RECONCILE_SQL_CONFIRMED},
    [MISFIT_RETURN] = {.type = &inventory_restock_type, .to = STORY_INVENTORY, .body = OF_ORDER},
    [MISFIT_REFUND] = {.type = &payment_refund_type, .to = STORY_PAYMENTS, .body = OF_PAYMENT},
    [MISFIT_TELL_RESERVED] = {&stock_reserved_type, STORY_ORDERS, OF_ROW, STORY_INVENTORY, RECONCILE_SQL_RESERVED},
    [MISFIT_TELL_RELEASED] = {.type = &stock_released_type, .to = STORY_ORDERS, .body = OF_ORDER},
    [MISFIT_TELL_CAPTURED] = {&payment_captured_type, STORY_ORDERS, OF_PAYMENT_ROW, STORY_PAYMENTS,
                              RECONCILE_SQL_CAPTURED},
    [MISFIT_TELL_REFUSED] = {&payment_declined_type, STORY_ORDERS, OF_PAYMENT_ROW, STORY_PAYMENTS,
                             RECONCILE_SQL_REFUSED},
    [MISFIT_TELL_REFUNDED] = {&payment_refunded_type, STORY_ORDERS, OF_PAYMENT_ROW, STORY_PAYMENTS,
                              RECONCILE_SQL_REFUNDED},
};

static const struct bus_message_type *type_of(const struct misfit *misfit) {
  bool failed = misfit->repair == MISFIT_TELL_REFUSED && misfit->payment == MISFIT_FAILED;
  return failed ? &payment_failed_type : messages[misfit->repair].type;
}

/* ---- bodies ---- */

struct reading {
  const struct message *message;
  const struct bus_uuid *order_id;
  const struct misfit *misfit;
  struct bus_arena *arena;
  struct bus_str body; /* absent: no row */
};

static void ask(void *context, struct bus_sql *sql) {
  const struct reading *reading = context;
  struct bus_args *args = bus_sql_add(sql, reading->message->statement);
  bus_args_uuid(args, reading->order_id);
  if (reading->message->body == OF_PAYMENT_ROW)
    bus_args_int64(args, reading->misfit->attempt);
}

static void take(void *context, size_t index, const struct bus_rows *rows) {
  struct reading *reading = context;
  (void)index;
  if (bus_rows_count(rows) > 0)
    reading->body = bus_arena_copy(reading->arena, bus_rows_text(rows, 0, 0));
}

static bool read_body(struct reconcile_repair *repair, struct reading *reading, struct bus_error *err) {
  const struct bus_reader_calls calls = {ask, take, reading};
  const struct bus_schema *schema = type_of(reading->misfit)->schema;
  if (!bus_reader_run(repair->bodies[reading->message->from], repair->arena, &calls, err))
    return bus_error_wrap(err, "%s database", story_place_names[reading->message->from]);
  if (!reading->body.data)
    return true;
  void *body = bus_arena_alloc(repair->arena, schema->size);
  return (body && bus_decode(schema, reading->body, BUS_REFUSE_UNKNOWN, repair->arena, body, NULL)) ||
         bus_fail(err, BUS_E_DECODE, "a row gives no valid %s", schema->name);
}

static bool make_body(struct reconcile_repair *repair, struct reading *reading, struct bus_error *err) {
  const struct payment_refund refund = {*reading->order_id,
                                        reading->misfit->attempt > 0 ? reading->misfit->attempt : BUS_NO_INT64};
  /* The bodies of commands and events that name the order alone are one struct each, with that id in it. */
  const struct inventory_order order = {*reading->order_id};
  const void *body = reading->message->body == OF_PAYMENT ? (const void *)&refund : (const void *)&order;
  return bus_encode(type_of(reading->misfit)->schema, body, repair->arena, &reading->body) ||
         bus_fail(err, BUS_E_NOMEM, "out of memory for a message");
}
_Static_assert(sizeof(struct inventory_order) == sizeof(struct stock_event), "both are the order's id");

/* ---- one repair ---- */

static bool record(struct reconcile_repair *repair, const struct bus_uuid *order_id, const struct bus_uuid *message_id,
                   const struct misfit *misfit, struct bus_error *err) {
  struct audit_line line = audit_line_none();
  char text[MISFIT_TEXT + 32];
  (void)snprintf(text, sizeof text, "%s: %s", misfit_repair_names[misfit->repair], misfit->text); /* fits */
  line.order_id = *order_id;
  line.message_id = *message_id;
  line.text = bus_str(text);
  return audit_message(&repair->audit, &line, err);
}

static bool send(struct reconcile_repair *repair, const struct reading *reading, struct bus_error *err) {
  const struct bus_message_type *type = type_of(reading->misfit);
  struct bus_envelope envelope = {.type = bus_str(type->type),
                                  .correlation_id = *reading->order_id,
                                  .sender = bus_str(type->senders[0]),
                                  .timestamp = bus_wall_clock(),
                                  .first_failed_at = BUS_NO_TIME};
  bus_uuid_v7(&repair->ids, envelope.timestamp, &envelope.message_id);
  *err = (struct bus_error){.code = BUS_OK};
  if (!record(repair, reading->order_id, &envelope.message_id, reading->misfit, err))
    return false;
  return dead_send(&repair->session, &orderbus_topology,
                   bus_topology_queue(&orderbus_topology, story_services[reading->message->to]), &envelope,
                   reading->body, (long)repair->done + 1, err) ||
         err->code != BUS_OK || bus_fail(err, BUS_E_TOPOLOGY, "the broker returned or refused a message");
}

static bool send_message(struct reconcile_repair *repair, const struct bus_uuid *order_id, const struct misfit *misfit,
                         struct bus_error *err) {
  struct reading reading = {
      .message = &messages[misfit->repair], .order_id = order_id, .misfit = misfit, .arena = repair->arena};
  bool is_row = reading.message->body == OF_ROW || reading.message->body == OF_PAYMENT_ROW;
  if (!(is_row ? read_body(repair, &reading, err) : make_body(repair, &reading, err)))
    return false;
  if (!reading.body.data) {
    repair->outdated++;
    return true;
  }
  if (!send(repair, &reading, err) || err->code != BUS_OK)
    return false;
  repair->done++;
  return true;
}

/* ---- rows ---- */

struct adopting {
  const struct bus_uuid *order_id;
  const struct misfit *misfit;
};

static void ask_adopt(void *context, struct bus_sql *sql) {
  const struct adopting *adopting = context;
  const struct misfit *misfit = adopting->misfit;
  static const struct bus_uuid nil;
  const struct bus_uuid payment = payment_row_id(adopting->order_id, misfit->attempt);
  struct bus_args *args = bus_sql_add(sql, RECONCILE_SQL_ADOPT);
  bus_args_uuid(args, &payment);
  bus_args_uuid_or_null(args, misfit->attempt > 0 ? adopting->order_id : &nil);
  bus_args_int64(args, misfit->attempt);
  bus_args_int64(args, misfit->captured);
  bus_args_text(args, misfit->currency);
  bus_args_text(args, misfit->psp_id);
  bus_args_int64(args, misfit->refunded);
  bus_args_text_or_null(args, misfit->refund_psp_id);
}

static void take_nothing(void *context, size_t index, const struct bus_rows *rows) {
  (void)context;
  (void)index;
  (void)rows;
}

static bool adopt(struct reconcile_repair *repair, const struct bus_uuid *order_id, const struct misfit *misfit,
                  struct bus_error *err) {
  static const struct bus_uuid no_message;
  struct adopting adopting = {order_id, misfit};
  const struct bus_reader_calls calls = {ask_adopt, take_nothing, &adopting};
  if (!record(repair, order_id, &no_message, misfit, err))
    return false;
  if (!bus_reader_run(repair->payments, repair->arena, &calls, err))
    return bus_error_wrap(err, "payments database");
  repair->done++;
  return true;
}

bool reconcile_mend(struct reconcile_repair *repair, const struct bus_uuid *order_id, const struct misfit *misfit,
                    struct bus_error *err) {
  bus_arena_reset(repair->arena);
  if (misfit->repair == MISFIT_BY_HAND)
    return true;
  return misfit->repair == MISFIT_ADOPT ? adopt(repair, order_id, misfit, err)
                                        : send_message(repair, order_id, misfit, err);
}

static void ask_put_off(void *context, struct bus_sql *sql) {
  (void)context;
  bus_args_int64(bus_sql_add(sql, RECONCILE_SQL_PUT_OFF), PUT_OFF_S);
}

static void take_count(void *context, size_t index, const struct bus_rows *rows) {
  (void)index;
  *(int64_t *)context = bus_rows_int64(rows, 0, 0);
}

bool reconcile_put_off(struct reconcile_repair *repair, struct bus_error *err) {
  int64_t orders = 0;
  const struct bus_reader_calls calls = {ask_put_off, take_count, &orders};
  struct audit_line line = audit_line_none();
  char text[80];
  bus_arena_reset(repair->arena);
  if (!bus_reader_run(repair->orders, repair->arena, &calls, err))
    return bus_error_wrap(err, "orders database");
  (void)snprintf(text, sizeof text, "put_off: %" PRId64 " open orders have %d s from now on", orders, PUT_OFF_S);
  line.text = bus_str(text);
  line.messages = orders;
  return audit_message(&repair->audit, &line, err);
}

/* ---- places ---- */

static bool open_database(const struct program *program, const char *url, const char *variable,
                          const struct bus_registry *registry, bool writes, struct bus_reader **ret,
                          struct bus_error *err) {
  const struct bus_reader_settings settings = {.url = url,
                                               .dns_server = program->settings.broker.dns_server,
                                               .name = "orderctl",
                                               .statements = registry->statements,
                                               .count = registry->count,
                                               .timeout_ms = READ_MS,
                                               .writes = writes};
  if (!url || !url[0])
    return bus_fail(err, BUS_E_CONFIG, "%s must be set to repair", variable);
  return bus_reader_open(&settings, ret, err) || bus_error_wrap(err, "%s", variable);
}

static bool open_places(struct reconcile_repair *repair, struct bus_error *err) {
  const struct program *program = repair->program;
  return open_database(program, program->log_url, "ORDERS_LOG_DATABASE_URL", &reconcile_log_statements, false,
                       &repair->bodies[STORY_ORDERS], err) &&
         open_database(program, program->settings.urls[STORY_INVENTORY], "INVENTORY_DATABASE_URL",
                       &reconcile_statements[STORY_INVENTORY], false, &repair->bodies[STORY_INVENTORY], err) &&
         open_database(program, program->settings.urls[STORY_PAYMENTS], "PAYMENTS_DATABASE_URL",
                       &reconcile_statements[STORY_PAYMENTS], false, &repair->bodies[STORY_PAYMENTS], err) &&
         open_database(program, program->repair_urls[STORY_ORDERS], "ORDERS_REPAIR_DATABASE_URL",
                       &reconcile_orders_repairs, true, &repair->orders, err) &&
         open_database(program, program->repair_urls[STORY_PAYMENTS], "PAYMENTS_REPAIR_DATABASE_URL",
                       &reconcile_payments_repairs, true, &repair->payments, err) &&
         send_open(&repair->session, &program->settings.broker, err);
}

bool reconcile_repair_open(const struct program *program, struct reconcile_repair *ret, struct bus_error *err) {
  uint64_t seed[4];
  *ret = (struct reconcile_repair){.program = program, .audit.fd = -1, .arena = bus_arena_new(MEMORY)};
  bus_random_seed(seed);
  bus_uuid_source_init(&ret->ids, seed);
  if (!ret->arena)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for repairs");
  ret->session.unit = "message";
  return audit_open(program->audit_file, "reconcile", "", NULL, &ret->audit, err) && open_places(ret, err);
}

void reconcile_repair_close(struct reconcile_repair *repair) {
  if (repair->session.amqp)
    send_close(&repair->session);
  for (int place = 0; place < STORY_BROKER; place++)
    bus_reader_free(repair->bodies[place]);
  bus_reader_free(repair->orders);
  bus_reader_free(repair->payments);
  audit_close(&repair->audit);
  bus_arena_free(repair->arena);
}
