/* Permissions of each user, as RabbitMQ's regular expressions, derived from the senders and receivers of each type. */
#include <bus/topology.h>

#include "topology_pattern.h"

static bool has_kind(const struct bus_topology_part *part, enum bus_queue_kind kind) {
  for (size_t i = 0; i < part->queue_count; i++)
    if (part->queues[i].kind == kind)
      return true;
  return false;
}

static bool owns_work(const struct bus_topology_part *part) {
  return has_kind(part, BUS_QUEUE_WORK);
}

static bool takes_events(const struct bus_topology_part *part) {
  return has_kind(part, BUS_QUEUE_EVENT);
}

/* Events are not answered. */
static bool answers(const struct bus_topology_part *part) {
  return owns_work(part) || has_kind(part, BUS_QUEUE_QUERY) || has_kind(part, BUS_QUEUE_REQUEST);
}

static bool anyone_asks(const struct bus_topology *topology) {
  for (size_t i = 0; i < topology->part_count; i++)
    if (topology->parts[i]->user.asks)
      return true;
  return false;
}

static bool sends(const struct bus_topology *topology, const struct bus_message_type *type, const struct bus_user *user,
                  enum bus_exchange exchange) {
  return type->exchange == exchange && bus_topology_is_sender(topology, type, bus_str(user->name));
}

static bool sends_any(const struct bus_topology *topology, const struct bus_user *user, enum bus_exchange exchange) {
  const struct bus_message_type *type;
  for (size_t i = 0; (type = bus_topology_type_at(topology, i)); i++)
    if (sends(topology, type, user, exchange))
      return true;
  return false;
}

bool bus_topology_may_write(const struct bus_topology *topology, const struct bus_topology_part *part,
                            enum bus_exchange exchange) {
  switch (exchange) {
  case BUS_EXCHANGE_REPLY: /* a user that reads commands or queries also answers them */
    return answers(part) && anyone_asks(topology);
  case BUS_EXCHANGE_RETRY:
    return part->user.redrives || owns_work(part);
  case BUS_EXCHANGE_DEAD:
    return owns_work(part);
  case BUS_EXCHANGE_BACK:
    return false;
  case BUS_EXCHANGE_QUERY:
    return part->user.asks && sends_any(topology, &part->user, exchange);
  case BUS_EXCHANGE_CMD:
  case BUS_EXCHANGE_EVENT:
    break;
  }
  return sends_any(topology, &part->user, exchange);
}

static void add_own_replies(struct bus_pattern *pattern, const struct bus_user *user) {
  bus_pattern_begin_alternative(pattern);
  bus_pattern_add_literal(pattern, bus_str(user->name));
  bus_pattern_add_regex(pattern, "\\.reply\\..*");
}

/* Shards have the tiers and the dead queue of their queue: only who reads them names them. */
enum { EVERY_QUEUE, WORK_QUEUES };
static void add_queues(struct bus_pattern *pattern, const struct bus_topology *topology,
                       const struct bus_topology_part *part, int which, const char *suffix) {
  for (size_t i = 0; i < part->queue_count; i++) {
    const struct bus_queue *queue = &part->queues[i];
    if (queue->kind == BUS_QUEUE_EVENT || (which == WORK_QUEUES && queue->kind != BUS_QUEUE_WORK))
      continue;
    bus_pattern_begin_alternative(pattern);
    bus_pattern_add_literal(pattern, bus_str(queue->name));
    bus_pattern_add_regex(pattern, suffix);
    if (which == EVERY_QUEUE && bus_topology_is_split(topology, queue))
      bus_pattern_add_regex(pattern, "(\\.[0-9][0-9])?");
  }
}

/* The instances of event queues. */
static void add_event_queues(struct bus_pattern *pattern, const struct bus_topology_part *part) {
  for (size_t i = 0; i < part->queue_count; i++) {
    if (part->queues[i].kind != BUS_QUEUE_EVENT)
      continue;
    bus_pattern_begin_alternative(pattern);
    bus_pattern_add_literal(pattern, bus_str(part->queues[i].name));
    bus_pattern_add_regex(pattern, "\\..+");
  }
}

static void add_all_work(struct bus_pattern *pattern, const struct bus_topology *topology, const char *suffix) {
  for (size_t i = 0; i < topology->part_count; i++)
    if (!topology->parts[i]->user.elsewhere)
      add_queues(pattern, topology, topology->parts[i], WORK_QUEUES, suffix);
}

static bool configure_pattern(char *text, size_t size, const struct bus_topology_part *part) {
  struct bus_pattern pattern = bus_pattern_start(text, size);
  if (part->user.asks)
    add_own_replies(&pattern, &part->user);
  add_event_queues(&pattern, part);
  return bus_pattern_end(&pattern);
}

static bool write_pattern(char *text, size_t size, const struct bus_topology *topology,
                          const struct bus_topology_part *part) {
  const struct bus_user *user = &part->user;
  struct bus_pattern pattern = bus_pattern_start(text, size);
  char name[BUS_KEY_MAX];
  for (int i = BUS_EXCHANGE_CMD; i <= BUS_EXCHANGE_BACK; i++) {
    if (!bus_topology_may_write(topology, part, (enum bus_exchange)i))
      continue;
    bus_pattern_begin_alternative(&pattern);
    bus_exchange_of((enum bus_exchange)i, bus_str(user->name), name);
    bus_pattern_add_literal(&pattern, bus_str(name));
  }
  if (user->asks) /* binding a queue writes to it */
    add_own_replies(&pattern, user);
  add_event_queues(&pattern, part);
  return bus_pattern_end(&pattern);
}

static bool read_pattern(char *text, size_t size, const struct bus_topology *topology,
                         const struct bus_topology_part *part) {
  const struct bus_user *user = &part->user;
  struct bus_pattern pattern = bus_pattern_start(text, size);
  add_queues(&pattern, topology, part, EVERY_QUEUE, "");
  if (user->redrives)
    add_all_work(&pattern, topology, "\\.dead");
  if (user->asks) { /* binding a queue reads from the exchange */
    bus_pattern_begin_alternative(&pattern);
    bus_pattern_add_literal(&pattern, bus_str(bus_exchange_name(BUS_EXCHANGE_REPLY)));
    add_own_replies(&pattern, user);
  }
  if (takes_events(part)) {
    bus_pattern_begin_alternative(&pattern);
    bus_pattern_add_literal(&pattern, bus_str(bus_exchange_name(BUS_EXCHANGE_EVENT)));
    add_event_queues(&pattern, part);
  }
  return bus_pattern_end(&pattern);
}

bool bus_topology_permission(const struct bus_topology *topology, const struct bus_topology_part *part,
                             struct bus_permission *ret) {
  bool configure = configure_pattern(ret->configure, sizeof ret->configure, part);
  bool write = write_pattern(ret->write, sizeof ret->write, topology, part);
  bool read = read_pattern(ret->read, sizeof ret->read, topology, part);
  return configure && write && read;
}

/* Two versions of a type have one key. */
static bool is_added(const struct bus_topology *topology, const struct bus_user *user,
                     const struct bus_message_type *type, size_t before) {
  for (size_t i = 0; i < before; i++) {
    const struct bus_message_type *other = bus_topology_type_at(topology, i);
    if (sends(topology, other, user, type->exchange) && bus_str_equal(bus_message_key(other), bus_message_key(type)))
      return true;
  }
  return false;
}

static void add_own_keys(struct bus_pattern *pattern, const struct bus_topology *topology, const struct bus_user *user,
                         enum bus_exchange exchange) {
  const struct bus_message_type *type;
  for (size_t i = 0; (type = bus_topology_type_at(topology, i)); i++) {
    if (!sends(topology, type, user, exchange) || is_added(topology, user, type, i))
      continue;
    bus_pattern_begin_alternative(pattern);
    bus_pattern_add_literal(pattern, bus_message_key(type));
  }
}

static void add_askers(struct bus_pattern *pattern, const struct bus_topology *topology) {
  for (size_t i = 0; i < topology->part_count; i++)
    if (topology->parts[i]->user.asks)
      add_own_replies(pattern, &topology->parts[i]->user);
}

/* Two groups side by side: tiers and queues. A user who re-drives messages may write to the shortest tier only, and may
 * probe the broker. */
static void add_retries(struct bus_pattern *pattern, const struct bus_topology *topology,
                        const struct bus_topology_part *part) {
  size_t tiers = part->user.redrives && topology->tier_count > 0 ? 1 : topology->tier_count;
  if (tiers == 0)
    return;
  for (size_t i = 0; i < tiers; i++) {
    bus_pattern_begin_alternative(pattern);
    bus_pattern_add_literal(pattern, bus_str(topology->tiers[i].name));
  }
  bus_pattern_begin_group(pattern, "\\.");
  if (part->user.redrives) {
    add_all_work(pattern, topology, "");
    bus_pattern_begin_alternative(pattern);
    bus_pattern_add_literal(pattern, BUS_STR(BUS_PROBE));
  } else
    add_queues(pattern, topology, part, WORK_QUEUES, "");
}

static bool topic_write_pattern(char *text, size_t size, const struct bus_topology *topology,
                                const struct bus_topology_part *part, enum bus_exchange exchange) {
  struct bus_pattern pattern = bus_pattern_start(text, size);
  if (!bus_topology_may_write(topology, part, exchange))
    return bus_pattern_end(&pattern);
  if (exchange == BUS_EXCHANGE_REPLY)
    add_askers(&pattern, topology);
  else if (exchange == BUS_EXCHANGE_RETRY)
    add_retries(&pattern, topology, part);
  else if (exchange == BUS_EXCHANGE_DEAD)
    add_queues(&pattern, topology, part, WORK_QUEUES, "");
  else
    add_own_keys(&pattern, topology, &part->user, exchange);
  return bus_pattern_end(&pattern);
}

static void add_taken_keys(struct bus_pattern *pattern, const struct bus_topology_part *part) {
  for (size_t i = 0; i < part->queue_count; i++)
    for (size_t j = 0; part->queues[i].kind == BUS_QUEUE_EVENT && j < part->queues[i].type_count; j++) {
      bus_pattern_begin_alternative(pattern);
      bus_pattern_add_literal(pattern, bus_message_key(part->queues[i].types[j]));
    }
}

/* Binding a queue reads the key from the exchange. */
static bool topic_read_pattern(char *text, size_t size, const struct bus_topology_part *part,
                               enum bus_exchange exchange) {
  struct bus_pattern pattern = bus_pattern_start(text, size);
  if (part->user.asks && exchange == BUS_EXCHANGE_REPLY)
    add_own_replies(&pattern, &part->user);
  if (exchange == BUS_EXCHANGE_EVENT)
    add_taken_keys(&pattern, part);
  return bus_pattern_end(&pattern);
}

/* RabbitMQ lets through whom it has no topic permission for: each exchange that the user may write or bind needs one.
 */
bool bus_topology_topic_permissions(const struct bus_topology *topology, const struct bus_topology_part *part,
                                    struct bus_topic_permission ret[6], size_t *ret_count) {
  const struct bus_user *user = &part->user;
  bool fits = true;
  *ret_count = 0;
  for (int i = BUS_EXCHANGE_CMD; i < BUS_EXCHANGE_BACK; i++) {
    enum bus_exchange exchange = (enum bus_exchange)i;
    bool binds = exchange == BUS_EXCHANGE_REPLY ? user->asks : exchange == BUS_EXCHANGE_EVENT && takes_events(part);
    if (!bus_topology_may_write(topology, part, exchange) && !binds)
      continue;
    struct bus_topic_permission *topic = &ret[(*ret_count)++];
    bus_exchange_of(exchange, bus_str(user->name), topic->exchange);
    fits &= topic_write_pattern(topic->write, sizeof topic->write, topology, part, exchange);
    fits &= topic_read_pattern(topic->read, sizeof topic->read, part, exchange);
  }
  return fits;
}
