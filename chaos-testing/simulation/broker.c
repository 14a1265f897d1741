/* Queues and what is in them. */
#include "broker.h"

#include "check.h"

#include <orderbus_topology.h>

const char *const queue_names[QUEUES] = {
    [QUEUE_ORDERS] = "order-svc",     [QUEUE_PLACE] = "order-svc.place", [QUEUE_INVENTORY] = "inventory-svc",
    [QUEUE_PAYMENTS] = "payment-svc", [QUEUE_NOTIFY] = "notify-svc",     [QUEUE_REQUESTS] = "inventory-svc.request"};
const int queue_databases[QUEUES] = {
    [QUEUE_ORDERS] = SERVICE_ORDER,     [QUEUE_PLACE] = SERVICE_ORDER,   [QUEUE_INVENTORY] = SERVICE_INVENTORY,
    [QUEUE_PAYMENTS] = SERVICE_PAYMENT, [QUEUE_NOTIFY] = SERVICE_NOTIFY, [QUEUE_REQUESTS] = SERVICE_INVENTORY};

static struct fate *fate_in(struct letter *letter, int queue) {
  return &letter->fates[queue_databases[queue]];
}

enum copy_state { COPY_COMING, COPY_READY, COPY_OUT };

struct copy {
  const struct message *message;
  int queue;
  enum copy_state state;
  bool redelivered;
  uint64_t place; /* in the queue's order */
  struct peer *peer;
  uint64_t tag, delivery;
  struct copy *next;
};

void broker_init(struct world *world) {
  struct broker *broker = world_alloc(world, sizeof *broker);
  broker->up = true;
  for (int i = 0; i < QUEUES; i++)
    broker->queues[i].bound = true;
  world->broker = broker;
}

struct letter *letter_of(struct world *world, const struct bus_uuid *id) {
  struct letter **slot = &world->broker->letters[id->bytes[15]], *letter = *slot;
  while (letter && !bus_uuid_equal(&letter->id, id))
    letter = letter->next;
  if (letter)
    return letter;
  letter = world_alloc(world, sizeof *letter);
  *letter = (struct letter){.id = *id, .next = *slot, .number = ++world->broker->next_letter};
  *slot = letter;
  return letter;
}

bool broker_has(const struct broker *broker, int queue) {
  return broker->queues[queue].first != NULL;
}

/* ---- into a queue ---- */

static void make_ready(struct world *world, void *subject, uint64_t detail) {
  struct copy *copy = subject;
  (void)detail;
  copy->state = COPY_READY;
  broker_dispatch(world);
}

static void append(struct world *world, int queue, const struct message *message, int64_t delay) {
  struct copy *copy = world_alloc(world, sizeof *copy);
  struct copy **at = &world->broker->queues[queue].first;
  *copy = (struct copy){.message = message, .queue = queue, .place = ++world->broker->next_place};
  while (*at)
    at = &(*at)->next;
  *at = copy;
  for (size_t i = 0; i < message_letters(message); i++)
    fate_in(message_letter(message, i), queue)->copies++;
  world->broker->alive++;
  if (delay > 0) {
    world_after(world, delay, make_ready, copy, 0);
    return;
  }
  copy->state = COPY_READY;
}

static void note_arrival(const struct message *message) {
  for (size_t i = 0; i < message_letters(message); i++)
    message_letter(message, i)->arrived = true;
}

static void put(struct world *world, int queue, const struct message *message, int64_t delay) {
  const struct plan *plan = &world->plan;
  if (!world->quiet && random_chance(&world->random, plan->slow_ppm))
    delay += random_between(&world->random, BUS_SECOND, plan->slow_max);
  append(world, queue, message, delay);
  if (world->quiet || !random_chance(&world->random, plan->duplicate_ppm))
    return;
  world->tally->duplicates++;
  append(world, queue, message, random_wait(&world->random, 2 * BUS_SECOND));
}

void broker_inject(struct world *world, int queue, const struct message *message) {
  note_arrival(message);
  put(world, queue, message, 0);
  broker_dispatch(world);
}

bool broker_takes(int queue, const struct bus_message_type *type) {
  static const struct bus_queue *tables[QUEUES];
  if (!tables[queue])
    tables[queue] = bus_topology_queue(&orderbus_topology, queue_names[queue]);
  const struct bus_queue *table = tables[queue];
  for (size_t i = 0; i < table->type_count; i++)
    if (table->types[i] == type)
      return true;
  return false;
}

static bool is_simulated(const struct bus_queue *table) {
  for (int queue = 0; queue < QUEUES; queue++)
    if (strcmp(queue_names[queue], table->name) == 0)
      return true;
  return false;
}

/* A service of the system that is not in this world takes it. */
static bool is_taken_elsewhere(const struct bus_message_type *type) {
  const struct bus_queue *table;
  for (size_t i = 0; (table = bus_topology_queue_at(&orderbus_topology, i)); i++)
    for (size_t j = 0; table->kind == BUS_QUEUE_WORK && j < table->type_count; j++)
      if (table->types[j] == type && !is_simulated(table))
        return true;
  return false;
}

/* A queue that lacks its bindings takes those of its types from all queues: else an event would be lost for one of its
 * receivers, and no publisher could know. */
static bool is_unbound(const struct world *world, const struct bus_message_type *type) {
  for (int queue = 0; queue < QUEUES; queue++)
    if (!world->broker->queues[queue].bound && broker_takes(queue, type))
      return true;
  return false;
}

/* False: no queue is bound. */
static bool route(struct world *world, const struct message *message) {
  bool routed = false;
  if (is_unbound(world, message->type))
    return false;
  for (int queue = 0; queue < QUEUES; queue++) {
    if (!broker_takes(queue, message->type))
      continue;
    put(world, queue, message, 0);
    routed = true;
  }
  note_arrival(message);
  if (routed)
    world->broker->history[world->broker->routed++ % HISTORY] = message;
  return routed || is_taken_elsewhere(message->type);
}

static void send_again(struct world *world, const struct message *known) {
  struct message *message = world_alloc(world, sizeof *message);
  *message = *known;
  uint64_t bits = random_next(&world->random);
  memcpy(message->envelope.message_id.bytes + 8, &bits, 8);
  message->letter = letter_of(world, &message->envelope.message_id);
  message->letter->external = true;
  message->letter->type = message->type;
  message->letter->order_id = message->envelope.correlation_id;
  memcpy(message->letter->span, message->envelope.trace.span_id, sizeof message->letter->span);
  TRACE(world, "%s is sent again as m%" PRIu64, message->type->type, message->letter->number);
  for (int queue = 0; queue < QUEUES; queue++)
    if (broker_takes(queue, message->type))
      broker_inject(world, queue, message);
}

void broker_redrive(struct world *world) {
  struct broker *broker = world->broker;
  uint64_t known = broker->routed < HISTORY ? broker->routed : HISTORY;
  if (known > 0)
    send_again(world, broker->history[random_below(&world->random, known)]);
}

void broker_place_again(struct world *world) {
  const struct broker *broker = world->broker;
  uint64_t known = broker->routed < HISTORY ? broker->routed : HISTORY, i = 0;
  while (i < known && !broker_takes(QUEUE_PLACE, broker->history[i]->type))
    i++;
  if (i < known && random_chance(&world->random, PPM / 2))
    send_again(world, broker->history[i]);
}

/* The fault of a dead letter is mended: the operator sends the message again, in its first sender's name, once no other
 * copy is under way. */
static void send_back(struct world *world, void *subject, uint64_t queue) {
  struct dead *dead = subject;
  struct fate *fate = fate_in(dead->message->letter, (int)queue);
  if (fate->copies > fate->buried) {
    world_after(world, random_wait(&world->random, BUS_MINUTE), send_back, dead, queue);
    return;
  }
  struct message *message = world_alloc(world, sizeof *message);
  *message = *dead->message;
  message->envelope.user_id = BUS_STR("operator");
  message->letter->poison = message->letter->crashes = message->letter->kills = false;
  for (struct dead **at = &world->broker->dead_letters; *at; at = &(*at)->next)
    if (*at == dead) {
      *at = dead->next;
      break;
    }
  world->broker->dead--;
  TRACE(world, "the operator sends m%" PRIu64 " again", message->letter->number);
  broker_inject(world, (int)queue, message);
  fate->copies--;
  fate->buried--;
}

static void bury(struct world *world, const struct message *message, int queue) {
  struct dead *dead = world_alloc(world, sizeof *dead);
  *dead = (struct dead){message, world->broker->dead_letters};
  world->broker->dead_letters = dead;
  world->broker->dead++;
  struct fate *fate = fate_in(message->letter, queue);
  fate->copies++;
  bool first = fate->buried++ == 0;
  if (first && (message->letter->crashes || message->letter->kills) && random_chance(&world->random, PPM / 2))
    world_after(world, random_wait(&world->random, BUS_MINUTE), send_back, dead, (uint64_t)queue);
}

static bool deliver_reply(struct world *world, const struct sending *sending);

static bool take(struct world *world, const struct sending *sending) {
  switch (sending->exchange) {
  case BUS_EXCHANGE_REPLY:
    return deliver_reply(world, sending);
  case BUS_EXCHANGE_RETRY:
    append(world, sending->queue, sending->message, orderbus_topology.tiers[sending->tier].ttl_ms * BUS_MILLISECOND);
    return true;
  case BUS_EXCHANGE_DEAD:
    bury(world, sending->message, sending->queue);
    return true;
  default:
    return route(world, sending->message);
  }
}

/* ---- publications ---- */

/* At the earliest behind what went the same way before. */
static int64_t way(struct world *world, bus_time *last) {
  bus_time at = world->now + random_wait(&world->random, world->plan.latency);
  if (at < *last)
    at = *last;
  *last = at;
  return at - world->now;
}

static void confirm_comes(struct world *world, void *subject, uint64_t epoch) {
  struct sending *sending = subject;
  struct peer *peer = sending->peer;
  if (peer->epoch == epoch && peer->linked)
    peer->on_confirm(world, peer, sending);
}

/* All before it have the same outcome: one confirm may do for them. */
static bool may_be_multiple(const struct sending *sending) {
  for (const struct sending *earlier = sending->peer->open; earlier != sending; earlier = earlier->next)
    if (!earlier->taken || earlier->returned || earlier->acked != sending->acked)
      return false;
  return true;
}

static void remove_open(struct sending *sending) {
  struct sending **at = &sending->peer->open;
  while (*at != sending)
    at = &(*at)->next;
  *at = sending->next;
  if (sending->peer->open_end == &sending->next)
    sending->peer->open_end = at;
  sending->confirmed = true;
}

static void confirm(struct world *world, void *subject, uint64_t epoch) {
  struct sending *sending = subject;
  struct peer *peer = sending->peer;
  if (peer->epoch != epoch || !peer->linked || sending->confirmed)
    return;
  if (!sending->returned && peer->open != sending && may_be_multiple(sending))
    sending->multiple = random_chance(&world->random, PPM / 2);
  while (sending->multiple && peer->open != sending)
    remove_open(peer->open);
  remove_open(sending);
  world_after(world, way(world, &peer->in_at), confirm_comes, sending, epoch);
}

/* While the broker is blocked it reads no publication. */
static void arrive(struct world *world, void *subject, uint64_t epoch) {
  struct sending *sending = subject;
  struct peer *peer = sending->peer;
  if (peer->epoch != epoch || !peer->linked)
    return; /* lost with its connection */
  if (world->broker->blocked) {
    world_at(world, world->broker->blocked_until, arrive, sending, epoch);
    return;
  }
  sending->taken = true;
  sending->acked = world->quiet || !random_chance(&world->random, world->plan.refuse_ppm);
  if (sending->acked)
    sending->returned = !take(world, sending) && sending->mandatory;
  TRACE(world, "broker takes m%" PRIu64 " %s from %s%s%s", sending->message->letter->number,
        sending->message->type ? sending->message->type->type : "?", peer->name, sending->acked ? "" : ": refused",
        sending->returned ? ": returned" : "");
  if (!sending->returned && random_chance(&world->random, PPM / 4))
    world_after(world, random_wait(&world->random, world->plan.latency), confirm, sending, epoch);
  else
    confirm(world, sending, epoch);
  broker_dispatch(world);
}

static void break_later(struct world *world, void *subject, uint64_t epoch) {
  struct peer *peer = subject;
  if (peer->epoch == epoch && !world->quiet)
    peer_break(world, peer);
}

static void perhaps_break(struct world *world, struct peer *peer) {
  if (!world->quiet && random_chance(&world->random, world->plan.link_break_ppm))
    world_after(world, random_wait(&world->random, world->plan.latency), break_later, peer, peer->epoch);
}

void broker_publish(struct world *world, const struct sending *given) {
  struct sending *sending = world_alloc(world, sizeof *sending);
  struct peer *peer = given->peer;
  *sending = *given;
  sending->epoch = peer->epoch;
  sending->seq = ++peer->next_seq;
  check_sender(world, sending);
  if (!peer->linked)
    return; /* into a connection that is gone */
  *peer->open_end = sending;
  peer->open_end = &sending->next;
  world_after(world, way(world, &sending->peer->out_at), arrive, sending, sending->epoch);
  perhaps_break(world, sending->peer);
}

/* ---- deliveries ---- */

static void reply_comes(struct world *world, void *subject, uint64_t epoch) {
  const struct sending *sending = subject;
  struct peer *peer = sending->held;
  if (peer->epoch != epoch || !peer->linked || peer_waits(world, peer, reply_comes, subject, epoch))
    return;
  peer->on_reply(world, peer, sending->message);
}

/* The edge's own queue goes with its connection. */
static bool deliver_reply(struct world *world, const struct sending *sending) {
  struct peer *peer = peer_of_edge(world, sending->queue);
  struct sending *reply = world_alloc(world, sizeof *reply);
  if (!peer->linked)
    return false;
  *reply = *sending;
  reply->held = peer;
  world_after(world, way(world, &peer->in_at), reply_comes, reply, peer->epoch);
  return true;
}

static void delivery_comes(struct world *world, void *subject, uint64_t delivery) {
  struct copy *copy = subject;
  if (copy->state != COPY_OUT || copy->delivery != delivery)
    return;
  struct peer *peer = copy->peer;
  peer->on_delivery(world, peer, copy->message, copy->queue, copy->tag, copy->redelivered);
}

static struct peer *consumer_of(struct world *world, int queue) {
  struct peer *found[WORKERS_MAX];
  size_t count = 0;
  for (size_t i = 0; i < world->worker_count; i++) {
    struct peer *peer = peer_of_worker(world, i);
    if (peer->linked && peer->reading >> queue & 1 && peer->unacked[queue] < peer->prefetch)
      found[count++] = peer;
  }
  if (count < 2)
    return count ? found[0] : NULL;
  return found[random_below(&world->random, count)];
}

void broker_dispatch(struct world *world) {
  for (int queue = 0; queue < QUEUES && world->broker->up; queue++) {
    for (struct copy *copy = world->broker->queues[queue].first; copy; copy = copy->next) {
      if (copy->state != COPY_READY)
        continue;
      struct peer *peer = consumer_of(world, queue);
      if (!peer)
        break;
      copy->state = COPY_OUT;
      copy->peer = peer;
      copy->tag = ++peer->next_tag;
      copy->delivery = ++world->broker->next_delivery;
      peer->unacked[queue]++;
      world_after(world, way(world, &peer->in_at), delivery_comes, copy, copy->delivery);
    }
  }
}

/* ---- acks ---- */

struct ack {
  struct peer *peer;
  uint64_t tag;
};

static void settle_letters(struct world *world, const struct message *message, int queue) {
  for (size_t i = 0; i < message_letters(message); i++) {
    struct letter *letter = message_letter(message, i);
    fate_in(letter, queue)->copies--;
    check_settled(world, letter, queue);
  }
}

static void settle(struct world *world, struct peer *peer, uint64_t tag) {
  for (int queue = 0; queue < QUEUES; queue++) {
    struct copy **at = &world->broker->queues[queue].first;
    while (*at) {
      struct copy *copy = *at;
      if (copy->state != COPY_OUT || copy->peer != peer || copy->tag > tag) {
        at = &copy->next;
        continue;
      }
      *at = copy->next;
      copy->state = COPY_COMING; /* a delivery under way is void */
      peer->unacked[queue]--;
      world->broker->alive--;
      settle_letters(world, copy->message, queue);
    }
  }
}

static void ack_arrives(struct world *world, void *subject, uint64_t epoch) {
  struct ack *ack = subject;
  if (ack->peer->epoch != epoch || !ack->peer->linked)
    return;
  settle(world, ack->peer, ack->tag);
  broker_dispatch(world);
}

void broker_ack(struct world *world, struct peer *peer, uint64_t tag) {
  struct ack *ack = world_alloc(world, sizeof *ack);
  if (!peer->linked)
    return;
  *ack = (struct ack){peer, tag};
  world_after(world, way(world, &peer->out_at), ack_arrives, ack, peer->epoch);
  perhaps_break(world, peer);
}

struct interest {
  struct peer *peer;
  int queue;
  uint64_t number;
  bool reads;
};

static void interest_arrives(struct world *world, void *subject, uint64_t epoch) {
  const struct interest *interest = subject;
  unsigned bit = 1U << interest->queue;
  struct peer *peer = interest->peer;
  if (peer->epoch != epoch || !peer->linked || peer->interests[interest->queue] != interest->number)
    return;
  peer->reading = interest->reads ? peer->reading | bit : peer->reading & ~bit;
  broker_dispatch(world);
}

/* Queues answer for themselves: one before the other, or behind it. */
void broker_read(struct world *world, struct peer *peer, int queue, bool reads) {
  struct interest *interest = world_alloc(world, sizeof *interest);
  *interest = (struct interest){peer, queue, ++peer->interests[queue], reads};
  world_after(world, random_wait(&world->random, world->plan.latency), interest_arrives, interest, peer->epoch);
}

void broker_requeue(struct world *world, struct peer *peer) {
  for (int queue = 0; queue < QUEUES; queue++)
    for (struct copy *copy = world->broker->queues[queue].first; copy; copy = copy->next)
      if (copy->state == COPY_OUT && copy->peer == peer) {
        copy->state = COPY_READY;
        copy->redelivered = true;
        world->tally->redeliveries++;
      }
  memset(peer->unacked, 0, sizeof peer->unacked);
}
