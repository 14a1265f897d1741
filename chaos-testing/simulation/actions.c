/* Carries out the actions of a pipeline: trips, publications, acks, connections. */
#include "worker.h"

#include "check.h"
#include "check_worker.h"

#include <bus/bundle.h>
#include <orderbus_topology.h>

#include <stdlib.h>

/* ---- publications ---- */

static bool is_prefix(struct bus_str text, const char *prefix, struct bus_str *ret_rest) {
  size_t len = strlen(prefix);
  if (text.len <= len || memcmp(text.data, prefix, len) != 0)
    return false;
  *ret_rest = (struct bus_str){text.data + len, text.len - len};
  return true;
}

static int queue_of(struct world *world, struct bus_str name) {
  for (int queue = 0; queue < QUEUES; queue++)
    if (bus_str_is(name, queue_names[queue]))
      return queue;
  world_violate(world, "something is sent to the queue %.*s", (int)name.len, name.data);
}

/* "30s.order-svc": tier and work queue. */
static void address(struct world *world, struct bus_str key, struct sending *sending) {
  struct bus_str rest = key;
  while (sending->exchange == BUS_EXCHANGE_RETRY && sending->tier < (int)orderbus_topology.tier_count) {
    const char *name = orderbus_topology.tiers[sending->tier].name;
    if (is_prefix(key, name, &rest) && rest.data[0] == '.') {
      rest = (struct bus_str){rest.data + 1, rest.len - 1};
      break;
    }
    sending->tier++;
  }
  if (sending->exchange == BUS_EXCHANGE_REPLY)
    sending->queue = key.data[key.len - 1] - '0';
  else if (sending->kind == SENDING_HELD)
    sending->queue = queue_of(world, rest);
}

static void keep_texts(struct world *world, struct bus_envelope *envelope) {
  if (!bus_envelope_move(envelope, world->arena))
    world_violate(world, "out of memory");
}

/* It is copied from memory to memory, and must be whole wherever it is sent on. */
static void check_trace(struct world *world, struct letter *letter, const struct message *message,
                        const struct bus_trace *trace) {
  static const uint8_t none[sizeof letter->span];
  if (trace->state.data && !bus_str_is(trace->state, TRACESTATE))
    world_violate(world, "%s goes out with a tracestate that never came in", message->type->type);
  if (memcmp(letter->span, none, sizeof none) == 0)
    memcpy(letter->span, trace->span_id, sizeof letter->span);
  if (memcmp(letter->span, trace->span_id, sizeof letter->span) != 0)
    world_violate(world, "m%" PRIu64 " is sent again with another span as its parent", letter->number);
}

/* An answer is of no row, and comes after the commit of what it answers. */
static void open_message(struct world *world, const struct worker *worker, struct message *message, bool answer) {
  struct bus_bundle_element *elements;
  struct letters letters = letters_of(world, &message->envelope, message->body, &elements);
  letters_name(&letters, message->type, elements, &message->envelope.correlation_id);
  message->letter->type = message->type;
  for (size_t i = 0; i < letters.count; i++)
    check_trace(world, letters.items[i], message, elements ? &elements[i].envelope.trace : &message->envelope.trace);
  for (size_t i = 0; i < letters.count && answer; i++) {
    letters.items[i]->external = true;
    check_answer(world, worker, letters.items[i],
                 elements ? &elements[i].envelope.causation_id : &message->envelope.causation_id);
  }
  if (elements)
    message->letters = letters;
}

static void check_span(struct world *world, const struct bus_pipeline_action *action) {
  struct bus_processed processed;
  if (!bus_pipeline_processed(action, &processed))
    return;
  const struct letter *letter = letter_of(world, &processed.envelope->message_id);
  if (memcmp(processed.parent_id, letter->span, sizeof letter->span) != 0)
    world_violate(world, "the span of m%" PRIu64 " is not the child of the one that sent it", letter->number);
}

static const struct message *message_of(struct world *world, const struct worker *worker,
                                        const struct bus_pipeline_action *action) {
  const struct bus_publication *publication = &action->publish.publication;
  struct message *message = world_alloc(world, sizeof *message);
  message->envelope = *publication->envelope;
  message->envelope.user_id = bus_str(worker->peer.user);
  message->envelope.app_id = bus_str(worker->peer.user);
  keep_texts(world, &message->envelope);
  message->type = bus_topology_type(&orderbus_topology, message->envelope.type);
  message->letter = letter_of(world, &message->envelope.message_id);
  bool has_row = action->publish.kind == BUS_SENT_OUTBOX && message->letter->body.data;
  if (has_row && !bus_str_equal(message->letter->body, publication->body))
    world_violate(world, "%s sends other bytes of m%" PRIu64 " than its outbox row has", worker->peer.name,
                  message->letter->number);
  message->body = has_row ? message->letter->body : world_text(world, publication->body);
  open_message(world, worker, message, action->publish.kind == BUS_SENT_ANSWER);
  return message;
}

static void publish(struct world *world, struct worker *worker, const struct bus_pipeline_action *action) {
  static const enum sending_kind kinds[] = {
      [BUS_SENT_ANSWER] = SENDING_ANSWER, [BUS_SENT_OUTBOX] = SENDING_OUTBOX, [BUS_SENT_HELD] = SENDING_HELD};
  const struct bus_publication *publication = &action->publish.publication;
  struct sending sending = {.peer = &worker->peer,
                            .kind = kinds[action->publish.kind],
                            .message = message_of(world, worker, action),
                            .exchange = publication->exchange,
                            .mandatory = publication->mandatory};
  address(world, publication->key, &sending);
  if (sending.kind == SENDING_HELD)
    check_moved(world, worker, &sending, publication);
  else
    leaving_check(world, &worker->leaving, &sending);
  if (action->publish.seq != worker->peer.next_seq + 1)
    world_violate(world, "%s expects confirm %" PRIu64 " where %" PRIu64 " comes", worker->peer.name,
                  action->publish.seq, worker->peer.next_seq + 1);
  broker_publish(world, &sending);
}

/* ---- connections ---- */

static int64_t way(struct world *world) {
  return random_wait(&world->random, world->plan.latency);
}

static void database_opens(struct world *world, void *subject, uint64_t life) {
  struct worker *worker = subject;
  if (!worker->peer.up || worker->peer.life != life)
    return;
  worker->opened = worker->database->up;
  worker->refused = !worker->opened;
  if (worker->opened)
    session_open(world, &worker->session);
  driver_plan(world, worker);
}

static void broker_opens(struct world *world, void *subject, uint64_t life) {
  struct worker *worker = subject;
  if (!worker->peer.up || worker->peer.life != life || peer_connect(world, &worker->peer))
    return;
  (void)driver_read(world, worker, FRAME_DOWN);
  driver_plan(world, worker);
}

static void close_broker(struct world *world, struct worker *worker, const char *why) {
  TRACE(world, "%s closes its connections to the broker: %s", worker->peer.name, why);
  if (worker->peer.linked)
    peer_break(world, &worker->peer);
}

/* No answer came. */
static void give_up(struct world *world, struct worker *worker) {
  session_end(world, &worker->session);
  worker_database_lost(world, worker);
}

/* ---- all ---- */

static int queue_at(const struct worker *worker, size_t index) {
  return services[worker->service].queues[index];
}

/* A process may die before each of these. */
static bool is_outward(enum bus_pipeline_action_kind kind) {
  return kind == BUS_DO_TRIP || kind == BUS_DO_PUBLISH || kind == BUS_DO_ACK || kind == BUS_DO_SERVICE;
}

static void begin_attempt(struct world *world, struct worker *worker) {
  worker->decided_count = 0;
  leaving_begin(world, &worker->leaving);
  if (worker->begins) {
    worker->batch_inputs = worker->asked_count;
    worker->batch_tried = 0;
  } else {
    check_part(world, worker);
  }
  worker->refusal.inputs = 0;
}

static void carry_out(struct world *world, struct worker *worker, const struct bus_pipeline_action *action) {
  switch (action->kind) {
  case BUS_DO_TRIP:
    if (action->trip.purpose == BUS_TRIP_1)
      begin_attempt(world, worker);
    if (action->trip.purpose == BUS_TRIP_SUSPECT)
      worker->refusal.inputs = 0; /* another batch */
    session_send(world, &worker->session, action);
    break;
  case BUS_DO_GIVE_UP_TRIP:
    give_up(world, worker);
    break;
  case BUS_DO_PUBLISH:
    publish(world, worker, action);
    break;
  case BUS_DO_ACK:
    broker_ack(world, &worker->peer, action->tag);
    break;
  case BUS_DO_CONSUME:
  case BUS_DO_CANCEL:
    broker_read(world, &worker->peer, queue_at(worker, action->consume.queue), action->kind == BUS_DO_CONSUME);
    break;
  case BUS_DO_OPEN_DATABASE:
    world_after(world, way(world), database_opens, worker, worker->peer.life);
    break;
  case BUS_DO_CLOSE_DATABASE:
    session_end(world, &worker->session);
    worker->lost = false;
    break;
  case BUS_DO_OPEN_BROKER:
    world_after(world, way(world), broker_opens, worker, worker->peer.life);
    break;
  case BUS_DO_CLOSE_BROKER:
    close_broker(world, worker, action->why);
    break;
  case BUS_DO_SERVICE:
    services[worker->service].bus->act(services_context(worker), action->service);
    break;
  case BUS_DO_COUNT_BATCH:
    worker_tried(worker, action->batch.size);
    (void)bus_pipeline_served(action, NULL, 0); /* what it reads must be there still */
    break;
  case BUS_DO_COUNT_MESSAGE:
    check_span(world, action);
    break;
  case BUS_DO_STOPPED:
    worker_stopped(world, worker);
    break;
  default:
    break; /* metrics */
  }
}

bool actions_carry_out(struct world *world, struct worker *worker, const struct bus_pipeline_actions *actions) {
  uint64_t life = worker->peer.life;
  for (size_t i = 0; i < actions->count; i++) {
    if (is_outward(actions->items[i].kind) && worker_perhaps_crashes(world, worker))
      return false;
    carry_out(world, worker, &actions->items[i]);
    if (worker->peer.life != life)
      return false;
  }
  return true;
}
