/* A topology's declarations in the order in which a broker can take them, and look-ups. */
#include <bus/topology.h>

#include <stdio.h>

const struct bus_tier bus_default_tiers[3] = {{"1s", 1000}, {"30s", 30000}, {"10m", 600000}};

/* Every close of a connection counts for all that was prefetched, so a low limit would dead-letter the innocent; and
 * 4.x sets a low one where none is given. */
enum { DELIVERY_LIMIT = 100000 };

struct visit {
  bool (*visit)(void *context, const struct bus_declaration *declaration);
  void *context;
};

static bool make(const struct visit *v, const struct bus_declaration *declaration) {
  return v->visit(v->context, declaration);
}

static void add_text(struct bus_declaration *d, const char *name, const char *text) {
  d->arguments[d->argument_count++] = (struct bus_declare_argument){.name = name, .text = text};
}

static void add_number(struct bus_declaration *d, const char *name, int64_t number) {
  d->arguments[d->argument_count++] = (struct bus_declare_argument){.name = name, .number = number};
}

static bool bind(const struct visit *v, enum bus_exchange exchange, struct bus_str key, const char *queue) {
  struct bus_declaration d = {.kind = BUS_DECLARE_BINDING};
  snprintf(d.name, sizeof d.name, "%s", queue);
  snprintf(d.exchange, sizeof d.exchange, "%s", bus_exchange_name(exchange));
  snprintf(d.key, sizeof d.key, "%.*s", (int)key.len, key.data);
  return make(v, &d);
}

static bool each_exchange(const struct visit *v) {
  for (int i = BUS_EXCHANGE_CMD; i <= BUS_EXCHANGE_BACK; i++) {
    struct bus_declaration d = {.kind = BUS_DECLARE_EXCHANGE};
    snprintf(d.name, sizeof d.name, "%s", bus_exchange_name((enum bus_exchange)i));
    if (!make(v, &d))
      return false;
  }
  return true;
}

static void guard_against_loss(struct bus_declaration *d) {
  add_text(d, "x-dead-letter-strategy", "at-least-once");
  add_text(d, "x-overflow", "reject-publish"); /* at-least-once needs it */
}

static bool declare_work_queue(const struct visit *v, const struct bus_queue *queue) {
  struct bus_declaration d = {.kind = BUS_DECLARE_QUEUE};
  snprintf(d.name, sizeof d.name, "%s", queue->name);
  add_text(&d, "x-queue-type", "quorum");
  add_text(&d, "x-dead-letter-exchange", bus_exchange_name(BUS_EXCHANGE_DEAD));
  add_text(&d, "x-dead-letter-routing-key", queue->name);
  guard_against_loss(&d);
  add_number(&d, "x-delivery-limit", DELIVERY_LIMIT);
  if (queue->max_bytes > 0)
    add_number(&d, "x-max-length-bytes", queue->max_bytes);
  return make(v, &d);
}

static bool declare_dead_queue(const struct visit *v, const struct bus_queue *queue) {
  struct bus_declaration d = {.kind = BUS_DECLARE_QUEUE};
  snprintf(d.name, sizeof d.name, "%s.dead", queue->name);
  add_text(&d, "x-queue-type", "quorum");
  add_number(&d, "x-delivery-limit", DELIVERY_LIMIT);
  return make(v, &d);
}

static bool declare_query_queue(const struct visit *v, const struct bus_queue *queue, int64_t ttl_ms) {
  struct bus_declaration d = {.kind = BUS_DECLARE_QUEUE};
  snprintf(d.name, sizeof d.name, "%s", queue->name);
  add_text(&d, "x-queue-type", "classic");
  add_number(&d, "x-message-ttl", ttl_ms);
  if (queue->max_bytes > 0)
    add_number(&d, "x-max-length-bytes", queue->max_bytes);
  return make(v, &d);
}

/* Without a dead-letter routing key the message's own, "<tier>.<queue>", leads it back. */
static bool declare_tier_queue(const struct visit *v, const struct bus_tier *tier) {
  struct bus_declaration d = {.kind = BUS_DECLARE_QUEUE};
  snprintf(d.name, sizeof d.name, "%s.%s", bus_exchange_name(BUS_EXCHANGE_RETRY), tier->name);
  add_text(&d, "x-queue-type", "quorum");
  add_number(&d, "x-message-ttl", tier->ttl_ms);
  add_text(&d, "x-dead-letter-exchange", bus_exchange_name(BUS_EXCHANGE_BACK));
  guard_against_loss(&d);
  return make(v, &d);
}

static bool each_queue(const struct visit *v, const struct bus_topology *topology) {
  for (size_t i = 0; i < topology->queue_count; i++) {
    const struct bus_queue *queue = &topology->queues[i];
    bool made = queue->kind == BUS_QUEUE_QUERY ? declare_query_queue(v, queue, topology->query_ttl_ms)
                                               : declare_work_queue(v, queue) && declare_dead_queue(v, queue);
    if (!made)
      return false;
  }
  for (size_t i = 0; i < topology->tier_count; i++)
    if (!declare_tier_queue(v, &topology->tiers[i]))
      return false;
  return true;
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

static bool bind_types(const struct visit *v, const struct bus_queue *queue) {
  for (size_t i = 0; i < queue->type_count; i++) {
    const struct bus_message_type *type = queue->types[i];
    if (!is_bound_already(queue, i) && !bind(v, type->exchange, bus_message_key(type), queue->name))
      return false;
  }
  return true;
}

static bool bind_back_and_dead(const struct visit *v, const struct bus_topology *topology,
                               const struct bus_queue *queue) {
  char text[BUS_KEY_MAX];
  for (size_t i = 0; i < topology->tier_count; i++) {
    snprintf(text, sizeof text, "%s.%s", topology->tiers[i].name, queue->name);
    if (!bind(v, BUS_EXCHANGE_BACK, bus_str(text), queue->name))
      return false;
  }
  snprintf(text, sizeof text, "%s.dead", queue->name);
  return bind(v, BUS_EXCHANGE_DEAD, bus_str(queue->name), text);
}

static bool bind_tier(const struct visit *v, const struct bus_tier *tier) {
  char queue[BUS_KEY_MAX], key[BUS_KEY_MAX];
  snprintf(queue, sizeof queue, "%s.%s", bus_exchange_name(BUS_EXCHANGE_RETRY), tier->name);
  snprintf(key, sizeof key, "%s.#", tier->name);
  return bind(v, BUS_EXCHANGE_RETRY, bus_str(key), queue);
}

static bool each_binding(const struct visit *v, const struct bus_topology *topology) {
  for (size_t i = 0; i < topology->tier_count; i++)
    if (!bind_tier(v, &topology->tiers[i]))
      return false;
  for (size_t i = 0; i < topology->queue_count; i++) {
    const struct bus_queue *queue = &topology->queues[i];
    if (!bind_types(v, queue))
      return false;
    if (queue->kind == BUS_QUEUE_WORK && !bind_back_and_dead(v, topology, queue))
      return false;
  }
  return true;
}

bool bus_topology_each(const struct bus_topology *topology,
                       bool (*visit)(void *context, const struct bus_declaration *declaration), void *context) {
  struct visit v = {visit, context};
  return each_exchange(&v) && each_queue(&v, topology) && each_binding(&v, topology);
}

const struct bus_message_type *bus_topology_type(const struct bus_topology *topology, struct bus_str type) {
  for (size_t i = 0; i < topology->type_count; i++)
    if (bus_str_is(type, topology->types[i]->type))
      return topology->types[i];
  return NULL;
}

const struct bus_queue *bus_topology_queue(const struct bus_topology *topology, const char *name) {
  for (size_t i = 0; i < topology->queue_count; i++)
    if (strcmp(topology->queues[i].name, name) == 0)
      return &topology->queues[i];
  return NULL;
}
