/* A topology's declarations in the order in which a broker can take them, and look-ups. */
#include <bus/topology.h>

#include "topology_pattern.h"

#include <stdio.h>

const struct bus_tier bus_default_tiers[3] = {{"1s", 1000}, {"30s", 30000}, {"10m", 600000}};

/* Each close of a connection counts against every prefetched message, so a low limit would dead-letter innocent
 * messages; and RabbitMQ 4.x sets a low limit by default. */
enum { DELIVERY_LIMIT = 100000 };

struct visit {
  bool (*visit)(void *context, const struct bus_declaration *declaration);
  void *context;
};

static bool visit_one(const struct visit *v, const struct bus_declaration *declaration) {
  return v->visit(v->context, declaration);
}

static void add_text(struct bus_declaration *d, const char *name, const char *text) {
  d->arguments[d->argument_count++] = (struct bus_declare_argument){.name = name, .text = text};
}

static void add_number(struct bus_declaration *d, const char *name, int64_t number) {
  d->arguments[d->argument_count++] = (struct bus_declare_argument){.name = name, .number = number};
}

static void add_flag(struct bus_declaration *d, const char *name) {
  d->arguments[d->argument_count++] = (struct bus_declare_argument){.name = name, .number = 1, .flag = true};
}

/* The end of a binding: a queue, or the exchange that routes to its shards. */
struct target {
  const char *name;
  bool exchange;
};

static struct bus_declaration binding_of(const char *exchange, struct bus_str key, struct target to) {
  struct bus_declaration d = {.kind = BUS_DECLARE_BINDING, .to_exchange = to.exchange};
  snprintf(d.name, sizeof d.name, "%s", to.name);
  snprintf(d.exchange, sizeof d.exchange, "%s", exchange);
  snprintf(d.key, sizeof d.key, "%.*s", (int)key.len, key.data);
  return d;
}

static bool bind_to(const struct visit *v, const char *exchange, struct bus_str key, struct target to) {
  struct bus_declaration d = binding_of(exchange, key, to);
  return visit_one(v, &d);
}

static bool bind(const struct visit *v, const char *exchange, struct bus_str key, const char *queue) {
  return bind_to(v, exchange, key, (struct target){queue, false});
}

static bool declare_exchange(const struct visit *v, enum bus_exchange exchange, const char *user) {
  struct bus_declaration d = {.kind = BUS_DECLARE_EXCHANGE};
  bus_exchange_of(exchange, bus_str(user), d.name);
  return visit_one(v, &d);
}

/* bus.dead itself is where queues dead-letter to. */
static bool each_exchange(const struct visit *v, const struct bus_topology *topology) {
  struct bus_declaration dead = {.kind = BUS_DECLARE_EXCHANGE};
  snprintf(dead.name, sizeof dead.name, "%s", bus_exchange_name(BUS_EXCHANGE_DEAD));
  for (int i = BUS_EXCHANGE_CMD; i <= BUS_EXCHANGE_REPLY; i++)
    if (!declare_exchange(v, (enum bus_exchange)i, ""))
      return false;
  for (size_t p = 0; p < topology->part_count; p++)
    for (int i = BUS_EXCHANGE_RETRY; i <= BUS_EXCHANGE_DEAD; i++)
      if (!topology->parts[p]->user.elsewhere &&
          bus_topology_may_write(topology, topology->parts[p], (enum bus_exchange)i) &&
          !declare_exchange(v, (enum bus_exchange)i, topology->parts[p]->user.name))
        return false;
  return visit_one(v, &dead) && declare_exchange(v, BUS_EXCHANGE_BACK, "");
}

/* The exchange of messages that name no shard. */
static void name_rest(const struct bus_queue *queue, char name[BUS_KEY_MAX]) {
  snprintf(name, BUS_KEY_MAX, "bus.rest.%s", queue->name);
}

static bool declare_shard_exchanges(const struct visit *v, const struct bus_queue *queue) {
  struct bus_declaration rest = {.kind = BUS_DECLARE_EXCHANGE}, shard = {.kind = BUS_DECLARE_EXCHANGE, .headers = true};
  name_rest(queue, rest.name);
  bus_topology_shard_exchange(queue, shard.name);
  add_text(&shard, "alternate-exchange", rest.name);
  return visit_one(v, &rest) && visit_one(v, &shard);
}

static struct bus_declaration queue_of(const struct bus_queue *queue, const char *suffix, const char *type) {
  struct bus_declaration d = {.kind = BUS_DECLARE_QUEUE};
  snprintf(d.name, sizeof d.name, "%s%s", queue->name, suffix);
  add_text(&d, "x-queue-type", type);
  return d;
}

static void add_limit(struct bus_declaration *d, const struct bus_queue *queue) {
  if (queue->max_bytes > 0)
    add_number(d, "x-max-length-bytes", queue->max_bytes);
}

static void guard_against_loss(struct bus_declaration *d) {
  add_text(d, "x-dead-letter-strategy", "at-least-once");
  add_text(d, "x-overflow", "reject-publish"); /* at-least-once needs it */
}

/* Shards dead-letter as their queue does. */
static bool declare_work_queue(const struct visit *v, const struct bus_queue *queue, const char *suffix) {
  struct bus_declaration d = queue_of(queue, suffix, "quorum");
  add_text(&d, "x-dead-letter-exchange", bus_exchange_name(BUS_EXCHANGE_DEAD));
  add_text(&d, "x-dead-letter-routing-key", queue->name);
  guard_against_loss(&d);
  add_number(&d, "x-delivery-limit", DELIVERY_LIMIT);
  add_limit(&d, queue);
  if (suffix[0])
    add_flag(&d, "x-single-active-consumer");
  return visit_one(v, &d);
}

static bool declare_shards(const struct visit *v, const struct bus_topology *topology, const struct bus_queue *queue) {
  char name[BUS_KEY_MAX];
  bool good = true;
  for (size_t i = 0; i < bus_topology_shards(topology) && good; i++) {
    bus_topology_shard(queue, i, name);
    good = declare_work_queue(v, queue, name + strlen(queue->name));
  }
  return good;
}

static bool declare_dead_queue(const struct visit *v, const struct bus_queue *queue) {
  struct bus_declaration d = queue_of(queue, ".dead", "quorum");
  add_number(&d, "x-delivery-limit", DELIVERY_LIMIT);
  return visit_one(v, &d);
}

static bool declare_query_queue(const struct visit *v, const struct bus_queue *queue, int64_t ttl_ms) {
  struct bus_declaration d = queue_of(queue, "", "classic");
  add_number(&d, "x-message-ttl", ttl_ms);
  add_limit(&d, queue);
  return visit_one(v, &d);
}

/* The queue of a tier, and the routing key to it and back. */
static void name_tier(const struct bus_tier *tier, const struct bus_queue *queue, char name[BUS_KEY_MAX],
                      char key[BUS_KEY_MAX]) {
  snprintf(key, BUS_KEY_MAX, "%s.%s", tier->name, queue->name);
  snprintf(name, BUS_KEY_MAX, "%s.%s.%s", bus_exchange_name(BUS_EXCHANGE_RETRY), tier->name, queue->name);
}

/* The dead-letter routing key is fixed: without one a message goes by its own, and those of its header CC. */
static bool declare_tier_queue(const struct visit *v, const struct bus_tier *tier, const struct bus_queue *queue) {
  struct bus_declaration d = {.kind = BUS_DECLARE_QUEUE};
  name_tier(tier, queue, d.name, d.key);
  add_text(&d, "x-queue-type", "quorum");
  add_number(&d, "x-message-ttl", tier->ttl_ms);
  add_text(&d, "x-dead-letter-exchange", bus_exchange_name(BUS_EXCHANGE_BACK));
  add_text(&d, "x-dead-letter-routing-key", d.key);
  guard_against_loss(&d);
  return visit_one(v, &d);
}

static bool declare_queue(const struct visit *v, const struct bus_topology *topology, const struct bus_queue *queue) {
  if (bus_topology_is_split(topology, queue) && !declare_shard_exchanges(v, queue))
    return false;
  if (queue->kind == BUS_QUEUE_EVENT)
    return true; /* their user declares them */
  if (queue->kind != BUS_QUEUE_WORK)
    return declare_query_queue(v, queue, topology->query_ttl_ms);
  bool good = declare_work_queue(v, queue, "") && declare_dead_queue(v, queue);
  if (good && bus_topology_is_split(topology, queue))
    good = declare_shards(v, topology, queue);
  for (size_t i = 0; i < topology->tier_count && good; i++)
    good = declare_tier_queue(v, &topology->tiers[i], queue);
  return good;
}

/* Two versions of a type have one key. */
static bool is_bound_already(const struct bus_queue *queue, size_t index) {
  struct bus_str key = bus_message_key(queue->types[index]);
  for (size_t i = 0; i < index; i++)
    if (queue->types[i]->exchange == queue->types[index]->exchange &&
        bus_str_equal(bus_message_key(queue->types[i]), key))
      return true;
  return false;
}

static bool bind_types(const struct visit *v, const struct bus_queue *queue, struct target to) {
  for (size_t i = 0; i < queue->type_count; i++) {
    const struct bus_message_type *type = queue->types[i];
    if (!is_bound_already(queue, i) && !bind_to(v, bus_exchange_name(type->exchange), bus_message_key(type), to))
      return false;
  }
  return true;
}

static bool bind_dead(const struct visit *v, const struct bus_user *user, const struct bus_queue *queue) {
  char dead[BUS_KEY_MAX], own[BUS_KEY_MAX];
  snprintf(dead, sizeof dead, "%s.dead", queue->name);
  bus_exchange_of(BUS_EXCHANGE_DEAD, bus_str(user->name), own);
  return bind(v, own, bus_str(queue->name), dead) &&
         bind(v, bus_exchange_name(BUS_EXCHANGE_DEAD), bus_str(queue->name), dead);
}

/* The way from the queue's reader through the tier, and back. */
static bool bind_tier(const struct visit *v, const struct bus_tier *tier, const struct bus_user *user,
                      const struct bus_queue *queue, struct target back) {
  char own[BUS_KEY_MAX], name[BUS_KEY_MAX], key[BUS_KEY_MAX];
  bus_exchange_of(BUS_EXCHANGE_RETRY, bus_str(user->name), own);
  name_tier(tier, queue, name, key);
  return bind(v, own, bus_str(key), name) && bind_to(v, bus_exchange_name(BUS_EXCHANGE_BACK), bus_str(key), back);
}

static bool bind_redrivers(const struct visit *v, const struct bus_topology *topology, const struct bus_queue *queue) {
  char own[BUS_KEY_MAX], name[BUS_KEY_MAX], key[BUS_KEY_MAX];
  name_tier(&topology->tiers[0], queue, name, key);
  for (size_t i = 0; i < topology->part_count; i++) {
    const struct bus_user *user = &topology->parts[i]->user;
    bus_exchange_of(BUS_EXCHANGE_RETRY, bus_str(user->name), own);
    if (user->redrives && !bind(v, own, bus_str(key), name))
      return false;
  }
  return true;
}

static bool bind_work(const struct visit *v, const struct bus_topology *topology, const struct bus_user *user,
                      const struct bus_queue *queue, struct target back) {
  for (size_t i = 0; i < topology->tier_count; i++)
    if (!bind_tier(v, &topology->tiers[i], user, queue, back))
      return false;
  return bind_redrivers(v, topology, queue) && bind_dead(v, user, queue);
}

/* The key of such a binding routes nothing: it tells the bindings of different numbers of shards apart. */
static bool bind_shards(const struct visit *v, const struct bus_topology *topology, const struct bus_queue *queue,
                        const char *exchange) {
  size_t shards = bus_topology_shards(topology);
  char name[BUS_KEY_MAX];
  bool good = true;
  for (size_t i = 0; i < shards && good; i++) {
    bus_topology_shard(queue, i, name);
    struct bus_declaration d = binding_of(exchange, BUS_NO_STR, (struct target){name, false});
    bus_shard_text(i + 1, shards, d.key);
    add_text(&d, "x-match", "all");
    add_text(&d, BUS_SHARD_HEADER, d.key);
    good = visit_one(v, &d);
  }
  name_rest(queue, name);
  return good && bind(v, name, BUS_STR("#"), queue->name);
}

static bool bind_queue(const struct visit *v, const struct bus_topology *topology, const struct bus_queue *queue) {
  const struct bus_user *user = &bus_topology_owner(topology, queue)->user;
  char exchange[BUS_KEY_MAX];
  struct target to = {queue->name, false};
  if (queue->kind == BUS_QUEUE_EVENT)
    return true;
  if (bus_topology_is_split(topology, queue)) {
    bus_topology_shard_exchange(queue, exchange);
    to = (struct target){exchange, true};
    if (!bind_shards(v, topology, queue, exchange))
      return false;
  }
  return bind_types(v, queue, to) && (queue->kind != BUS_QUEUE_WORK || bind_work(v, topology, user, queue, to));
}

static bool each_queue(const struct visit *v, const struct bus_topology *topology,
                       bool (*visit)(const struct visit *v, const struct bus_topology *topology,
                                     const struct bus_queue *queue)) {
  const struct bus_queue *queue;
  for (size_t i = 0; (queue = bus_topology_queue_at(topology, i)); i++)
    if (bus_topology_is_own(topology, queue) && !visit(v, topology, queue))
      return false;
  return true;
}

bool bus_topology_each(const struct bus_topology *topology,
                       bool (*visit)(void *context, const struct bus_declaration *declaration), void *context) {
  struct visit v = {visit, context};
  return each_exchange(&v, topology) && each_queue(&v, topology, declare_queue) && each_queue(&v, topology, bind_queue);
}

/* The bindings of a queue that is not split. */
static bool unbind_direct(const struct visit *v, const struct bus_topology *topology, const struct bus_queue *queue) {
  const struct target to = {queue->name, false};
  char name[BUS_KEY_MAX], key[BUS_KEY_MAX];
  bool good = bind_types(v, queue, to);
  for (size_t i = 0; i < topology->tier_count && good; i++) {
    name_tier(&topology->tiers[i], queue, name, key);
    good = bind_to(v, bus_exchange_name(BUS_EXCHANGE_BACK), bus_str(key), to);
  }
  return good;
}

static bool supersede(const struct visit *v, const struct bus_topology *topology, const struct bus_queue *queue) {
  if (!queue->sharded || topology->shards == NULL)
    return true;
  return bus_topology_is_split(topology, queue) ? unbind_direct(v, topology, queue) : declare_shard_exchanges(v, queue);
}

bool bus_topology_each_superseded(const struct bus_topology *topology,
                                  bool (*visit)(void *context, const struct bus_declaration *declaration),
                                  void *context) {
  struct visit v = {visit, context};
  return each_queue(&v, topology, supersede);
}

bool bus_topology_each_of_events(const struct bus_queue *queue, const char *instance,
                                 bool (*visit)(void *context, const struct bus_declaration *declaration),
                                 void *context) {
  struct visit v = {visit, context};
  struct bus_declaration d = queue_of(queue, ".", "classic");
  size_t len = strlen(d.name);
  d.exclusive = true;
  snprintf(d.name + len, sizeof d.name - len, "%s", instance);
  add_number(&d, "x-max-length", queue->max_length);
  add_text(&d, "x-overflow", "drop-head");
  return visit_one(&v, &d) && bind_types(&v, queue, (struct target){d.name, false});
}

bool bus_topology_is_instance(const struct bus_queue *queue, struct bus_str name) {
  size_t len = strlen(queue->name);
  return queue->kind == BUS_QUEUE_EVENT && name.len > len + 1 && memcmp(name.data, queue->name, len) == 0 &&
         name.data[len] == '.';
}

const struct bus_message_type *bus_topology_type_at(const struct bus_topology *topology, size_t index) {
  for (size_t i = 0; i < topology->part_count; index -= topology->parts[i++]->type_count)
    if (index < topology->parts[i]->type_count)
      return topology->parts[i]->types[index];
  return NULL;
}

const struct bus_queue *bus_topology_queue_at(const struct bus_topology *topology, size_t index) {
  for (size_t i = 0; i < topology->part_count; index -= topology->parts[i++]->queue_count)
    if (index < topology->parts[i]->queue_count)
      return &topology->parts[i]->queues[index];
  return NULL;
}

const struct bus_message_type *bus_topology_type(const struct bus_topology *topology, struct bus_str type) {
  for (size_t i = 0; i < topology->part_count; i++)
    for (size_t j = 0; j < topology->parts[i]->type_count; j++)
      if (bus_str_is(type, topology->parts[i]->types[j]->type))
        return topology->parts[i]->types[j];
  return NULL;
}

const struct bus_queue *bus_topology_queue(const struct bus_topology *topology, const char *name) {
  for (size_t i = 0; i < topology->part_count; i++)
    for (size_t j = 0; j < topology->parts[i]->queue_count; j++)
      if (strcmp(topology->parts[i]->queues[j].name, name) == 0)
        return &topology->parts[i]->queues[j];
  return NULL;
}

const struct bus_message_type *bus_topology_queue_type(const struct bus_queue *queue, struct bus_str name) {
  for (size_t i = 0; i < queue->type_count; i++)
    if (bus_str_is(name, queue->types[i]->type))
      return queue->types[i];
  return NULL;
}

const struct bus_topology_part *bus_topology_owner(const struct bus_topology *topology, const struct bus_queue *queue) {
  for (size_t i = 0; i < topology->part_count; i++)
    for (size_t j = 0; j < topology->parts[i]->queue_count; j++)
      if (&topology->parts[i]->queues[j] == queue)
        return topology->parts[i];
  return NULL;
}

static bool takes_key(const struct bus_queue *queue, const struct bus_message_type *type) {
  for (size_t i = 0; i < queue->type_count; i++)
    if (queue->types[i]->exchange == type->exchange &&
        bus_str_equal(bus_message_key(queue->types[i]), bus_message_key(type)))
      return true;
  return false;
}

size_t bus_topology_count_receivers(const struct bus_topology *topology, const struct bus_message_type *type) {
  const struct bus_queue *queue;
  size_t count = 0;
  for (size_t i = 0; (queue = bus_topology_queue_at(topology, i)); i++)
    count += queue->kind != BUS_QUEUE_EVENT && takes_key(queue, type);
  return count;
}

bool bus_topology_is_mandatory(const struct bus_topology *topology, const struct bus_message_type *type) {
  bool event = type->exchange == BUS_EXCHANGE_EVENT;
  return type->exchange == BUS_EXCHANGE_CMD ||
         (event && (type->taken_elsewhere || bus_topology_count_receivers(topology, type) > 0));
}

bool bus_topology_is_own(const struct bus_topology *topology, const struct bus_queue *queue) {
  return !bus_topology_owner(topology, queue)->user.elsewhere;
}

const char *bus_topology_correlation(const struct bus_topology *topology) {
  return topology->correlation ? topology->correlation : "correlation_id";
}
