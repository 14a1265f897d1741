/* What each user may do, as RabbitMQ's regular expressions, derived from who sends and who takes what. */
#include <bus/topology.h>

#include "topology_pattern.h"

static bool owns_queue(const struct bus_topology *topology, const struct bus_user *user, bool only_work) {
  for (size_t i = 0; i < topology->queue_count; i++) {
    const struct bus_queue *queue = &topology->queues[i];
    if (strcmp(queue->service, user->name) == 0 && (!only_work || queue->kind == BUS_QUEUE_WORK))
      return true;
  }
  return false;
}

static bool anyone_asks(const struct bus_topology *topology) {
  for (size_t i = 0; i < topology->user_count; i++)
    if (topology->users[i].asks)
      return true;
  return false;
}

static bool sends(const struct bus_message_type *type, const struct bus_user *user, enum bus_exchange exchange) {
  return type->exchange == exchange && type->sender && strcmp(type->sender, user->name) == 0;
}

bool bus_topology_may_write(const struct bus_topology *topology, const struct bus_user *user,
                            enum bus_exchange exchange) {
  switch (exchange) {
  case BUS_EXCHANGE_QUERY:
    if (!user->asks)
      return false;
    break;
  case BUS_EXCHANGE_REPLY: /* who takes commands or queries answers them */
    return owns_queue(topology, user, false) && anyone_asks(topology);
  case BUS_EXCHANGE_RETRY:
    return user->redrives || owns_queue(topology, user, true);
  case BUS_EXCHANGE_DEAD:
    return owns_queue(topology, user, true);
  case BUS_EXCHANGE_BACK:
    return false;
  case BUS_EXCHANGE_CMD:
  case BUS_EXCHANGE_EVENT:
    break;
  }
  for (size_t i = 0; i < topology->type_count; i++)
    if (sends(topology->types[i], user, exchange))
      return true;
  return false;
}

static void add_own_replies(struct bus_pattern *pattern, const struct bus_user *user) {
  bus_pattern_begin_alternative(pattern);
  bus_pattern_add_literal(pattern, bus_str(user->name));
  bus_pattern_add_regex(pattern, "\\.reply\\..*");
}

static void add_own_queues(struct bus_pattern *pattern, const struct bus_topology *topology,
                           const struct bus_user *user, bool only_work) {
  for (size_t i = 0; i < topology->queue_count; i++) {
    const struct bus_queue *queue = &topology->queues[i];
    if (strcmp(queue->service, user->name) != 0 || (only_work && queue->kind != BUS_QUEUE_WORK))
      continue;
    bus_pattern_begin_alternative(pattern);
    bus_pattern_add_literal(pattern, bus_str(queue->name));
  }
}

static void add_dead_queues(struct bus_pattern *pattern, const struct bus_topology *topology) {
  for (size_t i = 0; i < topology->queue_count; i++) {
    if (topology->queues[i].kind != BUS_QUEUE_WORK)
      continue;
    bus_pattern_begin_alternative(pattern);
    bus_pattern_add_literal(pattern, bus_str(topology->queues[i].name));
    bus_pattern_add_regex(pattern, "\\.dead");
  }
}

static bool configure_pattern(char *text, size_t size, const struct bus_user *user) {
  struct bus_pattern pattern = bus_pattern_start(text, size);
  if (user->asks)
    add_own_replies(&pattern, user);
  return bus_pattern_end(&pattern);
}

static bool write_pattern(char *text, size_t size, const struct bus_topology *topology, const struct bus_user *user) {
  struct bus_pattern pattern = bus_pattern_start(text, size);
  char name[BUS_KEY_MAX];
  for (int i = BUS_EXCHANGE_CMD; i <= BUS_EXCHANGE_BACK; i++) {
    if (!bus_topology_may_write(topology, user, (enum bus_exchange)i))
      continue;
    bus_pattern_begin_alternative(&pattern);
    bus_exchange_of((enum bus_exchange)i, bus_str(user->name), name);
    bus_pattern_add_literal(&pattern, bus_str(name));
  }
  if (user->asks) /* binding a queue writes to it */
    add_own_replies(&pattern, user);
  return bus_pattern_end(&pattern);
}

static bool read_pattern(char *text, size_t size, const struct bus_topology *topology, const struct bus_user *user) {
  struct bus_pattern pattern = bus_pattern_start(text, size);
  add_own_queues(&pattern, topology, user, false);
  if (user->redrives)
    add_dead_queues(&pattern, topology);
  if (user->asks) { /* binding a queue reads from the exchange */
    bus_pattern_begin_alternative(&pattern);
    bus_pattern_add_literal(&pattern, bus_str(bus_exchange_name(BUS_EXCHANGE_REPLY)));
    add_own_replies(&pattern, user);
  }
  return bus_pattern_end(&pattern);
}

bool bus_topology_permission_fits(const struct bus_topology *topology, const struct bus_user *user,
                                  struct bus_permission *ret) {
  bool configure = configure_pattern(ret->configure, sizeof ret->configure, user);
  bool write = write_pattern(ret->write, sizeof ret->write, topology, user);
  bool read = read_pattern(ret->read, sizeof ret->read, topology, user);
  return configure && write && read;
}

void bus_topology_permission(const struct bus_topology *topology, const struct bus_user *user,
                             struct bus_permission *ret) {
  (void)bus_topology_permission_fits(topology, user, ret); /* what does not fit permits nothing */
}

static void add_own_keys(struct bus_pattern *pattern, const struct bus_topology *topology, const struct bus_user *user,
                         enum bus_exchange exchange) {
  for (size_t i = 0; i < topology->type_count; i++) {
    struct bus_str key = bus_message_key(topology->types[i]);
    bool again = false; /* two versions of a type have one key */
    for (size_t j = 0; j < i && !again; j++)
      again = sends(topology->types[j], user, exchange) && bus_str_equal(bus_message_key(topology->types[j]), key);
    if (again || !sends(topology->types[i], user, exchange))
      continue;
    bus_pattern_begin_alternative(pattern);
    bus_pattern_add_literal(pattern, key);
  }
}

static void add_askers(struct bus_pattern *pattern, const struct bus_topology *topology) {
  for (size_t i = 0; i < topology->user_count; i++)
    if (topology->users[i].asks)
      add_own_replies(pattern, &topology->users[i]);
}

static void add_work_queues(struct bus_pattern *pattern, const struct bus_topology *topology) {
  for (size_t i = 0; i < topology->queue_count; i++) {
    if (topology->queues[i].kind != BUS_QUEUE_WORK)
      continue;
    bus_pattern_begin_alternative(pattern);
    bus_pattern_add_literal(pattern, bus_str(topology->queues[i].name));
  }
}

/* Two groups side by side: tiers and queues. What is sent again waits no longer than the shortest tier. */
static void add_retries(struct bus_pattern *pattern, const struct bus_topology *topology, const struct bus_user *user) {
  size_t tiers = user->redrives && topology->tier_count > 0 ? 1 : topology->tier_count;
  if (tiers == 0)
    return;
  for (size_t i = 0; i < tiers; i++) {
    bus_pattern_begin_alternative(pattern);
    bus_pattern_add_literal(pattern, bus_str(topology->tiers[i].name));
  }
  bus_pattern_begin_group(pattern, "\\.");
  if (user->redrives)
    add_work_queues(pattern, topology);
  else
    add_own_queues(pattern, topology, user, true);
}

static bool topic_write_pattern(char *text, size_t size, const struct bus_topology *topology,
                                const struct bus_user *user, enum bus_exchange exchange) {
  struct bus_pattern pattern = bus_pattern_start(text, size);
  if (!bus_topology_may_write(topology, user, exchange))
    return bus_pattern_end(&pattern);
  if (exchange == BUS_EXCHANGE_REPLY)
    add_askers(&pattern, topology);
  else if (exchange == BUS_EXCHANGE_RETRY)
    add_retries(&pattern, topology, user);
  else if (exchange == BUS_EXCHANGE_DEAD)
    add_own_queues(&pattern, topology, user, true);
  else
    add_own_keys(&pattern, topology, user, exchange);
  return bus_pattern_end(&pattern);
}

static bool topic_read_pattern(char *text, size_t size, const struct bus_user *user, enum bus_exchange exchange) {
  struct bus_pattern pattern = bus_pattern_start(text, size);
  if (user->asks && exchange == BUS_EXCHANGE_REPLY)
    add_own_replies(&pattern, user);
  return bus_pattern_end(&pattern);
}

/* RabbitMQ lets through whom it has no topic permission for: each exchange that the user may write or bind needs one.
 */
bool bus_topology_topics_fit(const struct bus_topology *topology, const struct bus_user *user,
                             struct bus_topic_permission ret[6], size_t *ret_count) {
  bool fits = true;
  *ret_count = 0;
  for (int i = BUS_EXCHANGE_CMD; i < BUS_EXCHANGE_BACK; i++) {
    enum bus_exchange exchange = (enum bus_exchange)i;
    if (!bus_topology_may_write(topology, user, exchange) && !(user->asks && exchange == BUS_EXCHANGE_REPLY))
      continue;
    struct bus_topic_permission *topic = &ret[(*ret_count)++];
    bus_exchange_of(exchange, bus_str(user->name), topic->exchange);
    fits &= topic_write_pattern(topic->write, sizeof topic->write, topology, user, exchange);
    fits &= topic_read_pattern(topic->read, sizeof topic->read, user, exchange);
  }
  return fits;
}

size_t bus_topology_topic_permissions(const struct bus_topology *topology, const struct bus_user *user,
                                      struct bus_topic_permission ret[6]) {
  size_t count;
  (void)bus_topology_topics_fit(topology, user, ret, &count); /* what does not fit permits nothing */
  return count;
}
