/* Calls that wait for the broker's answer: channel, confirms, consumers, declarations. */
#include "connection.h"

#include <inttypes.h>
#include <stdio.h>

struct timeval link_timeval(int64_t ms) {
  return (struct timeval){.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

void link_set_call_timeout(struct bus_amqp *amqp, int64_t timeout_ms) {
  struct timeval timeout = link_timeval(timeout_ms);
  (void)amqp_set_rpc_timeout(amqp->state, &timeout); /* fails only for a timeout that is no time */
}

/* Frames of deliveries that came before the answer wait in the library's queue, in order, for the next pump. */
static bool answered(struct bus_amqp *amqp, const char *what, struct bus_error *err) {
  if (!link_check_reply(amqp, amqp_get_rpc_reply(amqp->state), what, err))
    return false;
  amqp_maybe_release_buffers(amqp->state);
  return true;
}

bool link_open_channel(struct bus_amqp *amqp, struct bus_error *err) {
  (void)amqp_channel_open(amqp->state, CHANNEL); /* the reply is looked at below */
  return answered(amqp, "open a channel", err);
}

bool bus_amqp_confirm(struct bus_amqp *amqp, struct bus_error *err) {
  if (!link_stands(amqp, err))
    return false;
  (void)amqp_confirm_select(amqp->state, CHANNEL); /* the reply is looked at below */
  if (!answered(amqp, "switch publisher confirms on", err))
    return false;
  if (amqp->next_seq == 0)
    amqp->next_seq = 1;
  return true;
}

/* ---- consumers ---- */

enum { TAG_TEXT = sizeof "bus-3-18446744073709551615" };

/* "bus-3-1": the index that its deliveries carry, and a number that no other consumer of the connection has: RabbitMQ
 * 3.10 counts a quorum queue's deliveries by tag, and loses count where one comes again before all before are settled.
 */
static amqp_bytes_t consumer_tag(int consumer, uint64_t number, char text[TAG_TEXT]) {
  (void)snprintf(text, TAG_TEXT, "bus-%d-%" PRIu64, consumer, number);
  return amqp_cstring_bytes(text);
}

bool bus_amqp_consume(struct bus_amqp *amqp, const char *queue, int consumer, int prefetch, bool no_ack,
                      struct bus_error *err) {
  char tag[TAG_TEXT], what[BUS_KEY_MAX + 16];
  if (consumer < 0 || consumer >= CONSUMERS_MAX || prefetch < 1 || prefetch > UINT16_MAX)
    return bus_fail(err, BUS_E_INVALID, "consume %s: consumer 0 to %d, prefetch 1 to %d", queue, CONSUMERS_MAX - 1,
                    UINT16_MAX);
  if (amqp->consumers[consumer].count == CONSUMED_MAX)
    return bus_fail(err, BUS_E_INVALID, "consume %s: consumer %d reads %d queues already", queue, consumer,
                    CONSUMED_MAX);
  if (!link_stands(amqp, err))
    return false;
  (void)snprintf(what, sizeof what, "consume %s", queue);
  (void)amqp_basic_qos(amqp->state, CHANNEL, 0, (uint16_t)prefetch, 0); /* per consumer; quorum queues know no other */
  if (!answered(amqp, what, err))
    return false;
  uint64_t number = ++amqp->last_consumer;
  (void)amqp_basic_consume(amqp->state, CHANNEL, amqp_cstring_bytes(queue), consumer_tag(consumer, number, tag), 0,
                           no_ack, 0, amqp_empty_table);
  if (!answered(amqp, what, err))
    return false;
  amqp->consumers[consumer].numbers[amqp->consumers[consumer].count++] = number;
  return true;
}

bool bus_amqp_cancel(struct bus_amqp *amqp, int consumer, struct bus_error *err) {
  char tag[TAG_TEXT];
  if (!link_stands(amqp, err))
    return false;
  if (consumer < 0 || consumer >= CONSUMERS_MAX)
    return true;
  struct consumer *own = &amqp->consumers[consumer];
  for (; own->count > 0; own->count--) {
    (void)amqp_basic_cancel(amqp->state, CHANNEL, consumer_tag(consumer, own->numbers[own->count - 1], tag));
    if (!answered(amqp, "cancel a consumer", err))
      return false;
  }
  return true;
}

bool bus_amqp_reply_queue(struct bus_amqp *amqp, const char *name, struct bus_error *err) {
  char what[BUS_KEY_MAX + 32];
  if (!link_stands(amqp, err))
    return false;
  (void)snprintf(what, sizeof what, "declare the reply queue %s", name);
  amqp_bytes_t queue = amqp_cstring_bytes(name);
  (void)amqp_queue_declare(amqp->state, CHANNEL, queue, 0, 0, 1, 1, amqp_empty_table);
  if (!answered(amqp, what, err))
    return false;
  (void)amqp_queue_bind(amqp->state, CHANNEL, queue, amqp_cstring_bytes(bus_exchange_name(BUS_EXCHANGE_REPLY)), queue,
                        amqp_empty_table);
  return answered(amqp, what, err);
}

/* ---- declarations ---- */

struct arguments {
  amqp_table_entry_t entries[BUS_COUNT(((struct bus_declaration *)0)->arguments)];
};

static amqp_field_value_t value_of(const struct bus_declare_argument *argument) {
  if (argument->text)
    return (amqp_field_value_t){.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(argument->text)};
  if (argument->flag)
    return (amqp_field_value_t){.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = argument->number != 0};
  return (amqp_field_value_t){.kind = AMQP_FIELD_KIND_I64, .value.i64 = argument->number};
}

static amqp_table_t arguments_of(const struct bus_declaration *d, struct arguments *ret) {
  for (size_t i = 0; i < d->argument_count; i++)
    ret->entries[i] = (amqp_table_entry_t){amqp_cstring_bytes(d->arguments[i].name), value_of(&d->arguments[i])};
  return (amqp_table_t){.num_entries = (int)d->argument_count, .entries = ret->entries};
}

static void send_binding(struct bus_amqp *amqp, const struct bus_declaration *d, amqp_table_t arguments) {
  amqp_bytes_t to = amqp_cstring_bytes(d->name), from = amqp_cstring_bytes(d->exchange);
  if (d->to_exchange)
    (void)amqp_exchange_bind(amqp->state, CHANNEL, to, from, amqp_cstring_bytes(d->key), arguments);
  else
    (void)amqp_queue_bind(amqp->state, CHANNEL, to, from, amqp_cstring_bytes(d->key), arguments);
}

static void send_declaration(struct bus_amqp *amqp, const struct bus_declaration *d, bool passive) {
  struct arguments room;
  amqp_table_t arguments = arguments_of(d, &room);
  switch (d->kind) {
  case BUS_DECLARE_EXCHANGE:
    (void)amqp_exchange_declare(amqp->state, CHANNEL, amqp_cstring_bytes(d->name),
                                amqp_cstring_bytes(d->headers ? "headers" : "topic"), passive, 1, 0, 0, arguments);
    break;
  case BUS_DECLARE_QUEUE:
    (void)amqp_queue_declare(amqp->state, CHANNEL, amqp_cstring_bytes(d->name), passive, !d->exclusive, d->exclusive,
                             d->exclusive, arguments);
    break;
  case BUS_DECLARE_BINDING:
    send_binding(amqp, d, arguments);
    break;
  }
}

/* 404: not there; 406: there, and different. Both close the channel, but not the connection. */
static bool is_refused_declaration(amqp_rpc_reply_t reply, int *ret_code) {
  if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION || reply.reply.id != AMQP_CHANNEL_CLOSE_METHOD)
    return false;
  const amqp_channel_close_t *close = reply.reply.decoded;
  *ret_code = close->reply_code;
  return (*ret_code == AMQP_NOT_FOUND || *ret_code == AMQP_PRECONDITION_FAILED) &&
         !link_is_node_away(close->reply_code, rabbit_view(close->reply_text));
}

/* The channel is closed, and its consumers and confirms with it: if there were any, the connection counts as lost. */
static bool reopen_channel(struct bus_amqp *amqp, struct bus_error *err) {
  amqp_channel_close_ok_t ok = {0};
  bool used = amqp->next_seq > 0;
  for (int i = 0; i < CONSUMERS_MAX; i++)
    used |= amqp->consumers[i].count > 0;
  if (used)
    return link_fail_with(amqp, BUS_E_TOPOLOGY, "the channel went with a refused declaration", err);
  int status = amqp_send_method(amqp->state, CHANNEL, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
  if (status != AMQP_STATUS_OK)
    return link_fail_status(amqp, status, "open the channel again", err);
  amqp_maybe_release_buffers(amqp->state);
  return link_open_channel(amqp, err);
}

static bool refused(struct bus_amqp *amqp, const struct bus_declaration *d, int code, const amqp_method_t *close,
                    struct bus_error *err) {
  struct bus_error why, again;
  struct bus_str text = rabbit_view(((const amqp_channel_close_t *)close->decoded)->reply_text);
  (void)bus_fail(&why, BUS_E_TOPOLOGY, "%s is %s: %d %.*s", d->name, code == AMQP_NOT_FOUND ? "missing" : "different",
                 code, (int)text.len, text.data);
  bool open = reopen_channel(amqp, &again);
  if (err)
    *err = open || again.code == BUS_E_TOPOLOGY ? why : again;
  return false;
}

bool bus_amqp_declare(struct bus_amqp *amqp, const struct bus_declaration *declaration, bool passive,
                      struct bus_error *err) {
  char what[BUS_KEY_MAX + 16];
  int code;
  if (!link_stands(amqp, err))
    return false;
  if (passive && declaration->kind == BUS_DECLARE_BINDING)
    return bus_fail(err, BUS_E_INVALID, "AMQP has no way to ask about the binding of %s", declaration->name);
  link_set_call_timeout(amqp, passive ? CALL_TIMEOUT_MS : DECLARE_TIMEOUT_MS);
  send_declaration(amqp, declaration, passive);
  link_set_call_timeout(amqp, CALL_TIMEOUT_MS);
  amqp_rpc_reply_t reply = amqp_get_rpc_reply(amqp->state);
  if (is_refused_declaration(reply, &code))
    return refused(amqp, declaration, code, &reply.reply, err);
  (void)snprintf(what, sizeof what, "declare %s", declaration->name);
  return answered(amqp, what, err);
}

static void send_removal(struct bus_amqp *amqp, const struct bus_declaration *d) {
  struct arguments room;
  amqp_table_t arguments = arguments_of(d, &room);
  amqp_bytes_t name = amqp_cstring_bytes(d->name), from = amqp_cstring_bytes(d->exchange);
  if (d->kind == BUS_DECLARE_EXCHANGE)
    (void)amqp_exchange_delete(amqp->state, CHANNEL, name, false);
  else if (d->kind == BUS_DECLARE_QUEUE)
    (void)amqp_queue_delete(amqp->state, CHANNEL, name, false, false);
  else if (d->to_exchange)
    (void)amqp_exchange_unbind(amqp->state, CHANNEL, name, from, amqp_cstring_bytes(d->key), arguments);
  else
    (void)amqp_queue_unbind(amqp->state, CHANNEL, name, from, amqp_cstring_bytes(d->key), arguments);
}

bool bus_amqp_remove(struct bus_amqp *amqp, const struct bus_declaration *declaration, struct bus_error *err) {
  char what[BUS_KEY_MAX + 16];
  if (!link_stands(amqp, err))
    return false;
  link_set_call_timeout(amqp, DECLARE_TIMEOUT_MS);
  send_removal(amqp, declaration);
  link_set_call_timeout(amqp, CALL_TIMEOUT_MS);
  (void)snprintf(what, sizeof what, "remove %s", declaration->name);
  return answered(amqp, what, err);
}

struct declaring {
  struct bus_amqp *amqp;
  struct bus_error *err;
};

static bool declare_one(void *context, const struct bus_declaration *declaration) {
  const struct declaring *declaring = context;
  return bus_amqp_declare(declaring->amqp, declaration, false, declaring->err);
}

bool bus_amqp_event_queue(struct bus_amqp *amqp, const struct bus_queue *queue, const char *instance,
                          struct bus_error *err) {
  struct declaring declaring = {amqp, err};
  return bus_topology_each_of_events(queue, instance, declare_one, &declaring);
}

bool bus_amqp_queue_state(struct bus_amqp *amqp, const char *queue, struct bus_queue_state *ret,
                          struct bus_error *err) {
  struct bus_declaration declaration = {.kind = BUS_DECLARE_QUEUE};
  char what[BUS_KEY_MAX + 16];
  int code;
  if (!link_stands(amqp, err))
    return false;
  (void)snprintf(declaration.name, sizeof declaration.name, "%s", queue);
  const amqp_queue_declare_ok_t *ok =
      amqp_queue_declare(amqp->state, CHANNEL, amqp_cstring_bytes(queue), 1, 1, 0, 0, amqp_empty_table);
  struct bus_queue_state state = {0};
  if (ok) /* lies in the library's buffers */
    state = (struct bus_queue_state){.ready = ok->message_count, .consumers = ok->consumer_count};
  amqp_rpc_reply_t reply = amqp_get_rpc_reply(amqp->state);
  if (is_refused_declaration(reply, &code))
    return refused(amqp, &declaration, code, &reply.reply, err);
  (void)snprintf(what, sizeof what, "look at %s", queue);
  if (!answered(amqp, what, err))
    return false;
  *ret = state;
  return true;
}

bool bus_amqp_queue_depth(struct bus_amqp *amqp, const char *queue, int64_t *ret, struct bus_error *err) {
  struct bus_queue_state state;
  if (!bus_amqp_queue_state(amqp, queue, &state, err))
    return false;
  *ret = state.ready;
  return true;
}

bool bus_amqp_ping(struct bus_amqp *amqp, struct bus_error *err) {
  struct bus_declaration exchange = {.kind = BUS_DECLARE_EXCHANGE};
  (void)snprintf(exchange.name, sizeof exchange.name, "%s", bus_exchange_name(BUS_EXCHANGE_EVENT));
  return bus_amqp_declare(amqp, &exchange, true, err);
}
