/* One who asks, and one who answers in a thread of his own. */
#include "amqp_request_fixture.h"

#include <bus/bundle.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct bus_field number_fields[] = {
    BUS_FIELD_INT64(struct number, value, 0, 1000000, BUS_REQUIRED, "a number")};
static const struct bus_schema number_schema = BUS_SCHEMA("number", struct number, number_fields);

const struct bus_message_type ask = BUS_COMMAND("test.ask.v1", &number_schema, "admin");
const struct bus_message_type lost_ask = BUS_COMMAND("test.nobody.v1", &number_schema, "admin");
const struct bus_message_type query = BUS_QUERY("test.query.v1", &number_schema, "admin");
const struct bus_message_type answer = BUS_ANSWER("test.answer.v1", &number_schema);
static const struct bus_message_type *const answers[] = {&answer};

/* ---- who answers ---- */

static void send_answer(struct responder *responder, const struct bus_envelope *request, struct bus_str type,
                        struct bus_str body) {
  struct bus_envelope envelope = {
      .type = type, .message_id = next_id(), .causation_id = request->message_id, .trace = request->trace};
  struct bus_publication publication = {
      .exchange = BUS_EXCHANGE_REPLY, .key = request->reply_to, .envelope = &envelope, .body = body};
  uint64_t seq;
  struct bus_error err;
  if (!bus_amqp_publish(responder->link->amqp, &publication, &seq, &err))
    atomic_store(&responder->stopping, true);
}

static void hold_answer(struct responder *responder, const struct bus_envelope *request, struct bus_str body) {
  struct bus_bundle_item items[BUNDLED];
  struct bus_envelope outer;
  struct bus_uuid id = next_id();
  struct bus_publication publication = {.exchange = BUS_EXCHANGE_REPLY, .envelope = &outer};
  struct bus_error err;
  uint64_t seq;
  size_t last = responder->held_count++;
  responder->held[last] = (struct bus_envelope){.message_id = next_id(), .causation_id = request->message_id};
  (void)snprintf(responder->bodies[last], sizeof responder->bodies[last], "%.*s", (int)body.len, body.data);
  (void)snprintf(responder->reply_to, BUS_KEY_MAX, "%s", request->reply_to.data);
  if (responder->held_count < BUNDLED)
    return;
  for (size_t i = 0; i < BUNDLED; i++)
    items[i] = (struct bus_bundle_item){&answer, &responder->held[i], bus_str(responder->bodies[i]), 0};
  bus_bundle_envelope(items, BUNDLED, &id, &outer);
  publication.key = bus_str(responder->reply_to);
  if (!bus_bundle_encode("admin", items, BUNDLED, responder->link->arena, &publication.body) ||
      !bus_amqp_publish(responder->link->amqp, &publication, &seq, &err))
    atomic_store(&responder->stopping, true);
  responder->held_count = 0;
}

static void answer_one(struct responder *responder, const struct bus_envelope *request, struct bus_str body) {
  int behaviour = atomic_load(&responder->behaviour);
  struct bus_str type = behaviour == ANSWER_STRANGE_TYPE ? BUS_STR("test.strange.v1") : BUS_STR("test.answer.v1");
  atomic_fetch_add(&responder->taken, 1);
  if (behaviour == ANSWER_IN_BUNDLES) {
    hold_answer(responder, request, body);
    return;
  }
  send_answer(responder, request, type, behaviour == ANSWER_GARBAGE ? BUS_STR("{]") : body);
  if (behaviour == ANSWER_TWICE)
    send_answer(responder, request, type, BUS_STR("{\"value\":2}"));
}

static void on_request(void *context, const struct bus_delivery *delivery) {
  struct responder *responder = context;
  struct bus_bundle_element *elements;
  struct bus_error err;
  size_t count;
  atomic_fetch_add(&responder->deliveries, 1);
  if (!bus_amqp_ack(responder->link->amqp, delivery->tag, false, &err))
    atomic_store(&responder->stopping, true);
  if (!delivery->envelope.bundle)
    answer_one(responder, &delivery->envelope, delivery->body);
  else if (bus_bundle_cut(&delivery->envelope, delivery->body, responder->link->arena, &elements, &count, &err))
    for (size_t i = 0; i < count; i++)
      answer_one(responder, &elements[i].envelope, elements[i].body);
}

static void *respond(void *argument) {
  static const struct bus_amqp_events events = {.delivery = on_request};
  struct responder *responder = argument;
  struct bus_error err;
  while (!atomic_load(&responder->stopping)) {
    struct pollfd fd = {.fd = bus_amqp_fd(responder->link->amqp), .events = POLLIN};
    if (!bus_amqp_has_buffered(responder->link->amqp))
      (void)poll(&fd, 1, 20);
    if (!bus_amqp_pump(responder->link->amqp, &events, responder, &err))
      break;
    bus_arena_reset(responder->link->arena);
  }
  return NULL;
}

const char *make_place(void) {
  char vhost[64];
  const char *url = fresh_vhost(vhost, sizeof vhost);
  struct link *link = link_open(url);
  struct bus_declaration queue = queue_of("asked"), command = binding_of(BUS_EXCHANGE_CMD, "test.ask", "asked"),
                         question = binding_of(BUS_EXCHANGE_QUERY, "test.query", "asked");
  declare_exchanges(link);
  declare(link, &queue);
  declare(link, &command);
  declare(link, &question);
  link_close(link);
  return url;
}

struct responder *start_responder(const char *url, enum behaviour behaviour) {
  struct responder *responder = calloc(1, sizeof *responder);
  responder->link = link_open(url);
  atomic_store(&responder->behaviour, (int)behaviour);
  link_consume(responder->link, "asked", 0, 500);
  assert_int_equal(pthread_create(&responder->thread, NULL, respond, responder), 0);
  return responder;
}

void stop_responder(struct responder *responder) {
  atomic_store(&responder->stopping, true);
  pthread_join(responder->thread, NULL);
  link_close(responder->link);
  free(responder);
}

/* ---- who asks ---- */

struct bus_requester *new_requester(const char *url, int max_open) {
  struct bus_requester_settings settings = {
      .amqp_url = url, .service = "edge", .instance = fresh_name("i"), .heartbeat_s = 10, .max_open = max_open};
  struct bus_requester *requester;
  struct bus_error err;
  if (!bus_requester_new(&settings, &requester, &err))
    fail_msg("%s", err.text);
  return requester;
}

void await_up(struct bus_requester *requester) {
  for (int i = 0; i < 1000 && !bus_requester_is_up(requester); i++)
    usleep(10000);
  assert_true(bus_requester_is_up(requester));
}

struct bus_pending *begin(struct bus_requester *requester, const struct bus_message_type *type, int64_t value) {
  struct number body = {.value = value};
  struct bus_request request = {.type = type, .correlation_id = next_id(), .body = &body};
  struct bus_pending *pending = bus_request_begin(requester, &request);
  assert_non_null(pending);
  return pending;
}

enum bus_request_state wait_ms(struct bus_pending *pending, int64_t ms, bool confirm_is_enough) {
  return bus_request_wait(pending, bus_monotonic() + ms * BUS_MILLISECOND, confirm_is_enough);
}

int64_t take(struct bus_pending *pending) {
  struct bus_arena *arena = bus_arena_new(65536);
  const struct bus_message_type *type;
  const void *body;
  int64_t value = -1;
  if (bus_request_answer(pending, answers, 1, arena, &type, &body)) {
    assert_ptr_equal(type, &answer);
    value = ((const struct number *)body)->value;
  }
  bus_arena_free(arena);
  return value;
}
