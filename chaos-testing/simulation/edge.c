/* Requests under way: sent, confirmed, answered, given up. */
#include "edge.h"

#include "check.h"

#include <bus/bundle.h>
#include <requests.h>

#include <assert.h>
#include <stdio.h>

#define ACCEPT_SOON (500 * BUS_MILLISECOND)
#define ACCEPT_LATE (2 * BUS_SECOND)

struct request {
  struct ask ask;
  struct edge *edge;
  uint64_t life;
  const struct message *message;
  struct order_place *place;
  bool needs_answer; /* a payment, or a cancel of an order that this edge has not accepted itself */
  struct bus_uuid order_id;
  struct letter *letter;
  enum accept_patience patience;
  bus_time began;
  bool confirmed, soon, ended;
  struct order_answer *first; /* an response that is not the last one, while the client waits */
  struct request *next;
};

/* ---- the end of a request ---- */

static void end(struct world *world, struct request *request, struct response response, enum accept_ending ending) {
  struct edge *edge = request->edge;
  if (request->ended)
    return;
  request->ended = true;
  (void)accept_mode_leave(&edge->modes[request->ask.kind], ending);
  for (struct request **at = &edge->requests; *at; at = &(*at)->next)
    if (*at == request) {
      *at = request->next;
      break;
    }
  TRACE(world, "%s answers %d", edge->peer.name, response.status);
  client_hears(world, &request->ask, &response, request->letter);
}

static void end_confirmed(struct world *world, struct request *request) {
  struct edge *edge = request->edge;
  enum accept_ending ending = request->patience == ACCEPT_CONFIRM ? ACCEPT_UNKNOWN : ACCEPT_TIMED_OUT;
  struct response response;
  if (request->needs_answer && (request->ask.kind == REQUEST_PAY || !has_bug(world, BUG_CANCEL_UNKNOWN)))
    response = response_refusal(REFUSAL_NO_ANSWER);
  else if (request->ask.kind == REQUEST_CANCEL)
    response = response_accepted(202, &request->order_id, world->arena);
  else if (accepted_remember(edge->accepted, &request->order_id, request->place->request_hash, world->now) ==
           ACCEPTED_OTHER)
    response = response_key_reused();
  else
    response = response_place_accepted(&request->order_id, world->arena);
  end(world, request, response, ending);
}

static void end_answered(struct world *world, struct request *request, const struct order_answer *order) {
  struct response response;
  if (request->ask.kind == REQUEST_PLACE) {
    response = response_place(order, request->ask.wait_s);
    accepted_forget(request->edge->accepted, &request->order_id);
  } else if (request->ask.kind == REQUEST_PAY) {
    response = response_pay(order, world->arena);
  } else {
    response = response_cancel(order, &request->order_id, world->arena);
  }
  end(world, request, response, ACCEPT_ANSWERED);
}

/* ---- time ---- */

static bool is_void(const struct request *request, uint64_t life) {
  return request->ended || request->edge->peer.life != life;
}

static void wait_ends(struct world *world, void *subject, uint64_t life) {
  struct request *request = subject;
  if (is_void(request, life))
    return;
  if (request->first)
    end_answered(world, request, request->first);
  else if (request->confirmed)
    end_confirmed(world, request);
}

static void late(struct world *world, void *subject, uint64_t life) {
  struct request *request = subject;
  if (is_void(request, life) || request->first)
    return;
  if (!request->confirmed)
    end(world, request, response_refusal(REFUSAL_NO_CONFIRM), ACCEPT_UNKNOWN);
  else if (request->needs_answer)
    end_confirmed(world, request);
}

static void soon(struct world *world, void *subject, uint64_t life) {
  struct request *request = subject;
  if (is_void(request, life))
    return;
  request->soon = true;
  if (request->confirmed && request->ask.wait_s == 0 && !request->needs_answer)
    end_confirmed(world, request);
}

/* ---- what the broker says ---- */

static void on_confirm(struct world *world, struct peer *peer, const struct sending *sending) {
  struct request *request = sending->held;
  (void)peer;
  if (is_void(request, request->life))
    return;
  if (sending->returned)
    end(world, request, response_refusal(REFUSAL_UNROUTABLE), ACCEPT_UNKNOWN);
  else if (!sending->acked)
    end(world, request, response_refusal(REFUSAL_QUEUE_FULL), ACCEPT_UNKNOWN);
  else {
    request->confirmed = true;
    bool enough = request->patience == ACCEPT_CONFIRM || (request->soon && !request->needs_answer);
    if (request->ask.wait_s == 0 && enough)
      end_confirmed(world, request);
  }
}

static bool is_meant(const struct world *world, const struct request *request, const struct message *message) {
  return (has_bug(world, BUG_ANY_REPLY) && !request->next) ||
         bus_uuid_equal(&message->envelope.causation_id, &request->message->envelope.message_id);
}

static void take_answer(struct world *world, struct edge *edge, const struct message *message) {
  struct bus_problems problems;
  struct request *request = edge->requests;
  while (request && !is_meant(world, request, message))
    request = request->next;
  if (!request)
    return; /* too late */
  struct order_answer *order = world_alloc(world, sizeof *order);
  bool decoded = bus_decode(&order_answer_schema, message->body, BUS_IGNORE_UNKNOWN, world->arena, order, &problems);
  assert(decoded);
  bool last = request->ask.wait_s == 0 || order->outcome != ORDER_ACCEPTED;
  if (last)
    end_answered(world, request, order);
  else
    request->first = order;
}

static void on_reply(struct world *world, struct peer *peer, const struct message *message) {
  struct bus_bundle_element *elements;
  size_t count = letters_of(world, &message->envelope, message->body, &elements).count;
  if (!elements)
    take_answer(world, peer->owner, message);
  for (size_t i = 0; i < count && elements; i++) {
    const struct message one = {.envelope = elements[i].envelope,
                                .type = message->type,
                                .body = elements[i].body,
                                .letter = message->letters.items[i]};
    take_answer(world, peer->owner, &one);
  }
}

static void connect_again(struct world *world, void *subject, uint64_t life) {
  struct peer *peer = subject;
  if (peer->up && peer->life == life && !peer->linked && !peer_connect(world, peer))
    world_after(world, random_between(&world->random, BUS_SECOND / 2, 2 * BUS_SECOND), connect_again, peer, life);
}

static void on_link(struct world *world, struct peer *peer, bool up) {
  struct edge *edge = peer->owner;
  if (!up)
    world_after(world, random_between(&world->random, BUS_SECOND / 10, 2 * BUS_SECOND), connect_again, peer,
                peer->life);
  struct request *next;
  for (struct request *request = edge->requests; request && !up; request = next) {
    next = request->next;
    if (!request->confirmed && !request->first)
      end(world, request, response_refusal(REFUSAL_LOST), ACCEPT_UNKNOWN);
  }
}

static void on_blocked(struct world *world, struct peer *peer, bool blocked) {
  (void)world, (void)peer, (void)blocked; /* it looks at the broker's own word */
}

static void on_delivery(struct world *world, struct peer *peer, const struct message *message, int queue, uint64_t tag,
                        bool redelivered) {
  (void)world, (void)peer, (void)message, (void)queue, (void)tag, (void)redelivered; /* an edge reads no queue */
}

/* ---- asking ---- */

static struct message *command(struct world *world, struct edge *edge, const struct bus_message_type *type,
                               const struct bus_uuid *order_id, const void *body) {
  struct message *message = world_alloc(world, sizeof *message);
  message->type = type;
  message->envelope = (struct bus_envelope){.type = bus_str(type->type),
                                            .correlation_id = *order_id,
                                            .app_id = BUS_STR("edge"),
                                            .user_id = BUS_STR("edge"),
                                            .reply_to = bus_arena_printf(world->arena, "edge.reply.%d", edge->index),
                                            .first_failed_at = BUS_NO_TIME};
  bus_uuid_v7(&edge->ids, world->now + edge->peer.wall_offset, &message->envelope.message_id);
  message->letter = letter_of(world, &message->envelope.message_id);
  message->letter->external = true;
  message->letter->type = type;
  message->letter->order_id = *order_id;
  bus_trace_start(&edge->ids, &message->envelope.trace);
  bus_trace_set_state(&message->envelope.trace, BUS_STR(TRACESTATE));
  memcpy(message->letter->span, message->envelope.trace.span_id, sizeof message->letter->span);
  bool encoded = bus_encode(type->schema, body, world->arena, &message->body);
  assert(encoded);
  return message;
}

static void send(struct world *world, struct request *request, const struct message *message) {
  struct edge *edge = request->edge;
  const struct sending sending = {.peer = &edge->peer,
                                  .kind = SENDING_REQUEST,
                                  .message = message,
                                  .exchange = BUS_EXCHANGE_CMD,
                                  .mandatory = true,
                                  .held = request};
  bool waits = request->ask.wait_s > 0;
  request->message = message;
  request->letter = message->letter;
  request->began = world->now;
  request->patience = waits ? ACCEPT_WAIT : accept_mode_enter(&edge->modes[request->ask.kind], world->now);
  request->next = edge->requests;
  edge->requests = request;
  broker_publish(world, &sending);
  world_after(world, ACCEPT_SOON, soon, request, request->life);
  world_after(world, ACCEPT_LATE, late, request, request->life);
  if (waits)
    world_after(world, request->ask.wait_s * BUS_SECOND, wait_ends, request, request->life);
  if (has_bug(world, BUG_EARLY_2XX) && request->ask.kind == REQUEST_PLACE)
    end_confirmed(world, request);
}

static bool read_place(struct world *world, struct request *request) {
  struct bus_problems problems;
  const struct bus_http_given given = {.body = request->ask.body};
  const struct place_request *placed = bus_http_decode(&place_input, &given, world->arena, &problems);
  request->place = world_alloc(world, sizeof *request->place);
  if (placed)
    *request->place = request_place(placed, BUS_STR("pm_card_visa"));
  else
    world_violate(world, "an edge refuses a good request: %s %s", problems.items[0].path, problems.items[0].text);
  if (has_bug(world, BUG_KEY_PER_EDGE))
    bus_uuid_v7(&request->edge->ids, world->now, &request->place->order_id);
  request->place->wait_ms = request->ask.wait_s * 1000;
  request->order_id = request->place->order_id;
  return accepted_check(request->edge->accepted, &request->order_id, request->place->request_hash, world->now) !=
         ACCEPTED_OTHER;
}

static struct order_pay *read_pay(struct world *world, struct request *request) {
  struct bus_problems problems;
  const struct bus_http_given given = {.body = request->ask.body};
  const struct pay_request *pay = bus_http_decode(&pay_input, &given, world->arena, &problems);
  struct order_pay *command = world_alloc(world, sizeof *command);
  if (!pay)
    world_violate(world, "an edge refuses a good payment: %s %s", problems.items[0].path, problems.items[0].text);
  *command = pay->pay;
  command->customer_id = BUS_NO_STR;
  request->order_id = command->order_id;
  request->needs_answer = true;
  return command;
}

static void say(struct world *world, const struct ask *ask, struct response response) {
  client_hears(world, ask, &response, NULL);
}

void edge_ask(struct world *world, struct edge *edge, const struct ask *ask) {
  struct request *request = world_alloc(world, sizeof *request);
  struct order_cancel cancel = {.customer_id = BUS_NO_STR, .reason = BUS_NO_STR};
  *request = (struct request){.ask = *ask, .edge = edge, .life = edge->peer.life};
  if (!edge->peer.up) {
    say(world, ask, (struct response){.status = 0});
    return;
  }
  if (ask->kind == REQUEST_PLACE && !read_place(world, request)) {
    say(world, ask, response_key_reused());
    return;
  }
  if (!edge->peer.linked || world->broker->blocked) {
    say(world, ask, response_refusal(edge->peer.linked ? REFUSAL_BLOCKED : REFUSAL_NO_BROKER));
    return;
  }
  if (ask->kind == REQUEST_CANCEL) {
    cancel.order_id = request->order_id = *check_order_id(ask->client);
    cancel.accepted = accepted_knows(edge->accepted, &cancel.order_id, world->now);
    request->needs_answer = !cancel.accepted;
  }
  const void *bodies[REQUESTS] = {[REQUEST_PLACE] = request->place, [REQUEST_CANCEL] = &cancel};
  static const struct bus_message_type *const types[REQUESTS] = {
      [REQUEST_PLACE] = &order_place_type, [REQUEST_CANCEL] = &order_cancel_type, [REQUEST_PAY] = &order_pay_type};
  if (ask->kind == REQUEST_PAY)
    bodies[REQUEST_PAY] = read_pay(world, request);
  send(world, request, command(world, edge, types[ask->kind], &request->order_id, bodies[ask->kind]));
}

/* ---- its life ---- */

static void start(struct world *world, void *subject, uint64_t life) {
  struct edge *edge = subject;
  uint64_t seed[4];
  if (edge->peer.up || edge->peer.life != life)
    return;
  for (size_t i = 0; i < 4; i++)
    seed[i] = random_next(&world->random);
  bus_uuid_source_init(&edge->ids, seed);
  accepted_free(edge->accepted);
  edge->accepted = accepted_new(64);
  assert(edge->accepted);
  memset(edge->modes, 0, sizeof edge->modes);
  edge->peer.up = true;
  connect_again(world, &edge->peer, life);
}

void edge_crash(struct world *world, struct edge *edge, int64_t downtime) {
  struct request *requests = edge->requests;
  if (!edge->peer.up)
    return;
  TRACE(world, "%s crashes", edge->peer.name);
  world->tally->crashes++;
  edge->peer.up = false;
  edge->peer.life++;
  edge->requests = NULL;
  for (struct request *request = requests; request; request = request->next) {
    request->ended = true;
    say(world, &request->ask, (struct response){.status = 0});
  }
  peer_break(world, &edge->peer);
  world_after(world, downtime, start, edge, edge->peer.life);
}

void edges_init(struct world *world) {
  static const char *const names[EDGES] = {"edge/0", "edge/1"};
  world->edges = world_alloc(world, EDGES * sizeof *world->edges);
  for (int i = 0; i < EDGES; i++) {
    struct edge *edge = &world->edges[i];
    edge->index = i;
    edge->peer = (struct peer){.name = names[i],
                               .user = "edge",
                               .owner = edge,
                               .on_delivery = on_delivery,
                               .on_reply = on_reply,
                               .on_confirm = on_confirm,
                               .on_link = on_link,
                               .on_blocked = on_blocked};
    start(world, edge, 0);
  }
}

void edges_done(struct world *world) {
  for (int i = 0; world->edges && i < EDGES; i++)
    accepted_free(world->edges[i].accepted);
}

struct peer *peer_of_edge(struct world *world, int index) {
  return &world->edges[index].peer;
}
