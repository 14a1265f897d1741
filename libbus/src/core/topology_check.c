/* Checks a topology: names, owners, receivers, and patterns that do not fit. */
#include <bus/topology.h>

#include "topology_pattern.h"

static bool is_name(const char *name, size_t max, bool dots) {
  struct bus_str text = bus_str(name);
  if (text.len == 0 || text.len > max)
    return false;
  char before = '.'; /* so that no dot begins it, and none follows another */
  for (size_t i = 0; i < text.len; i++) {
    char c = name[i];
    bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    if (!plain && !(dots && c == '.' && before != '.'))
      return false;
    before = c;
  }
  return before != '.';
}

static bool wrong(struct bus_error *err, const char *kind, const char *name, const char *problem) {
  return bus_fail(err, BUS_E_TOPOLOGY, "%s %s: %s", kind, name ? name : "(no name)", problem);
}

static bool is_right(struct bus_error *err, const char *kind, const char *name, const char *problem) {
  return !problem || wrong(err, kind, name, problem);
}

static bool are_users_valid(const struct bus_topology *topology, struct bus_error *err) {
  for (size_t i = 0; i < topology->part_count; i++) {
    const struct bus_user *user = &topology->parts[i]->user;
    if (!is_name(user->name, BUS_NAME_MAX, false))
      return wrong(err, "user", user->name, "a name is 1 to 64 of a-z 0-9 -");
    if (bus_topology_find_user(topology, bus_str(user->name)) != user)
      return wrong(err, "user", user->name, "is there twice");
    if (user->redrives && user->elsewhere)
      return wrong(err, "user", user->name, "who belongs to another system sends no dead messages again");
    if (user->redrives && topology->parts[i]->queue_count > 0)
      return wrong(err, "user", user->name, "who sends dead messages again owns no queue");
  }
  return true;
}

static bool are_tiers_valid(const struct bus_topology *topology, struct bus_error *err) {
  for (size_t i = 0; i < topology->tier_count; i++) {
    const struct bus_tier *tier = &topology->tiers[i];
    if (!is_name(tier->name, BUS_NAME_MAX / 2, false))
      return wrong(err, "tier", tier->name, "a name is 1 to 32 of a-z 0-9 -");
    if (tier->ttl_ms <= 0 || (i > 0 && tier->ttl_ms <= topology->tiers[i - 1].ttl_ms))
      return wrong(err, "tier", tier->name, "tiers stand shortest first");
    for (size_t j = 0; j < i; j++)
      if (strcmp(topology->tiers[j].name, tier->name) == 0)
        return wrong(err, "tier", tier->name, "is there twice");
  }
  return true;
}

/* A name, ".v" and a number without leading zero. */
static bool is_type_name(const char *name) {
  if (!is_name(name, BUS_TYPE_MAX, true))
    return false;
  const char *dot = strrchr(name, '.');
  return dot && dot > name && dot[1] == 'v' && dot[2] >= '1' && dot[2] <= '9' &&
         strspn(dot + 2, "0123456789") == strlen(dot + 2);
}

/* NULL: nothing. */
static const char *problem_of_exchange(const struct bus_topology *topology, const struct bus_message_type *type) {
  size_t receivers = bus_topology_count_receivers(topology, type);
  switch (type->exchange) {
  case BUS_EXCHANGE_CMD:
    if (receivers != 1)
      return receivers == 0 ? "no queue takes this command" : "more than one queue takes this command";
    return NULL;
  case BUS_EXCHANGE_QUERY:
    if (receivers != 1)
      return receivers == 0 ? "no queue takes this query" : "more than one queue takes this query";
    return NULL;
  case BUS_EXCHANGE_EVENT:
  case BUS_EXCHANGE_REPLY:
    return NULL;
  default:
    return "a type belongs to bus.cmd, bus.event, bus.query or bus.reply";
  }
}

/* NULL: nothing. */
static const char *problem_of_senders(const struct bus_topology *topology, const struct bus_message_type *type) {
  bool query = type->exchange == BUS_EXCHANGE_QUERY;
  if (type->exchange == BUS_EXCHANGE_REPLY)
    return type->senders[0] ? "an answer has no senders" : NULL;
  if (type->open && !query && !type->notice)
    return "only a query is open to every user who asks, and a notice to every user";
  if (!type->open && !type->senders[0])
    return "has no sender";
  for (size_t i = 0; i < BUS_SENDERS_MAX && type->senders[i]; i++) {
    const struct bus_user *user = bus_topology_find_user(topology, bus_str(type->senders[i]));
    if (!user)
      return "its sender is no user";
    if (query && !user->asks)
      return "its sender does not ask";
  }
  return NULL;
}

static const char *problem_of_type(const struct bus_topology *topology, const struct bus_message_type *type) {
  if (!is_type_name(type->type))
    return "a type is at most 64 of a-z 0-9 - . and ends with .v1, .v2, ...";
  if (bus_topology_type(topology, bus_str(type->type)) != type)
    return "is there twice";
  if (type->writes && type->exchange != BUS_EXCHANGE_QUERY)
    return "only a query writes";
  if (type->notice && (type->exchange != BUS_EXCHANGE_EVENT || type->taken_elsewhere))
    return "a notice is an event of this system";
  if (type->taken_elsewhere && type->exchange != BUS_EXCHANGE_EVENT)
    return "only an event is taken elsewhere";
  const char *problem = problem_of_senders(topology, type);
  return problem ? problem : problem_of_exchange(topology, type);
}

static bool ends_with(const char *text, const char *end) {
  size_t len = strlen(text), end_len = strlen(end);
  return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* Names that the topology makes itself. */
static bool is_reserved(const char *name) {
  return strncmp(name, "bus.", 4) == 0 || strncmp(name, "amq.", 4) == 0 || strstr(name, ".reply.") ||
         ends_with(name, ".dead");
}

/* Such as "order-svc.02" beside the sharded queue order-svc. */
static bool is_shard_of_another(const struct bus_topology *topology, const char *name) {
  size_t len = strlen(name);
  const struct bus_queue *queue;
  for (size_t i = 0; (queue = bus_topology_queue_at(topology, i)); i++)
    if (queue->sharded && len == strlen(queue->name) + 3 && strncmp(name, queue->name, len - 3) == 0 &&
        name[len - 3] == '.' && strspn(name + len - 2, "0123456789") == 2)
      return true;
  return false;
}

/* NULL: nothing. */
static const char *problem_of_taking(const struct bus_queue *queue, const struct bus_message_type *type) {
  bool query = type->exchange == BUS_EXCHANGE_QUERY;
  if (queue->kind == BUS_QUEUE_EVENT)
    return type->exchange == BUS_EXCHANGE_EVENT ? NULL : "an event queue takes events";
  if (type->notice)
    return "only an event queue takes a notice";
  if (type->exchange == BUS_EXCHANGE_REPLY || query == (queue->kind == BUS_QUEUE_WORK))
    return "a work queue takes commands and events, a query queue takes queries";
  if (query && type->writes != (queue->kind == BUS_QUEUE_REQUEST))
    return "a query queue takes queries that read, a request queue queries that write";
  return NULL;
}

static const char *problem_of_queue_types(const struct bus_topology *topology, const struct bus_queue *queue) {
  for (size_t i = 0; i < queue->type_count; i++) {
    const struct bus_message_type *type = queue->types[i];
    if (bus_topology_type(topology, bus_str(type->type)) != type)
      return "takes a type that the topology does not have";
    const char *problem = problem_of_taking(queue, type);
    if (problem)
      return problem;
    for (size_t j = 0; j < i; j++)
      if (queue->types[j] == type)
        return "takes a type twice";
  }
  return NULL;
}

/* Its user alone may declare <name>.<instance>. */
static const char *problem_of_event_queue(const struct bus_topology *topology, const struct bus_queue *queue) {
  const char *user = bus_topology_owner(topology, queue)->user.name;
  size_t len = strlen(user);
  if (queue->max_length <= 0)
    return "an event queue needs a max_length";
  if (strncmp(queue->name, user, len) != 0 || queue->name[len] != '.')
    return "the name of an event queue begins with its user's and a dot";
  return problem_of_queue_types(topology, queue);
}

static const char *problem_of_queue(const struct bus_topology *topology, const struct bus_queue *queue) {
  if (!is_name(queue->name, BUS_NAME_MAX, true))
    return "a name is 1 to 64 of a-z 0-9 - .";
  if (is_reserved(queue->name))
    return "bus.*, amq.*, *.reply.* and *.dead are reserved names";
  if (strcmp(queue->name, BUS_PROBE) == 0)
    return "is the name of a probe";
  if (is_shard_of_another(topology, queue->name))
    return "is the name of another queue's shard";
  if (queue->sharded && queue->kind != BUS_QUEUE_WORK)
    return "only a work queue is sharded";
  if (bus_topology_queue(topology, queue->name) != queue)
    return "is there twice";
  if (queue->max_bytes < 0)
    return "max_bytes is negative";
  if (queue->kind == BUS_QUEUE_EVENT)
    return problem_of_event_queue(topology, queue);
  if (queue->max_length != 0)
    return "only an event queue has a max_length";
  if (queue->kind == BUS_QUEUE_WORK && topology->tier_count == 0)
    return "a work queue needs retry tiers";
  if (queue->kind != BUS_QUEUE_WORK && topology->query_ttl_ms <= 0)
    return "a query queue needs a message TTL";
  return problem_of_queue_types(topology, queue);
}

static bool are_types_and_queues_valid(const struct bus_topology *topology, struct bus_error *err) {
  const struct bus_message_type *type;
  const struct bus_queue *queue;
  for (size_t i = 0; (type = bus_topology_type_at(topology, i)); i++)
    if (!is_right(err, "type", type->type, problem_of_type(topology, type)))
      return false;
  for (size_t i = 0; (queue = bus_topology_queue_at(topology, i)); i++)
    if (!is_right(err, "queue", queue->name, problem_of_queue(topology, queue)))
      return false;
  return true;
}

static bool do_patterns_fit(const struct bus_topology *topology, struct bus_error *err) {
  struct bus_permission permission;
  struct bus_topic_permission topics[6];
  size_t count;
  for (size_t i = 0; i < topology->part_count; i++)
    if (!bus_topology_permission(topology, topology->parts[i], &permission) ||
        !bus_topology_topic_permissions(topology, topology->parts[i], topics, &count))
      return wrong(err, "user", topology->parts[i]->user.name, "has more permissions than a pattern holds");
  return true;
}

static bool is_guest_valid(const struct bus_topology *topology, struct bus_error *err) {
  if (topology->guest && !is_name(topology->guest, BUS_NAME_MAX, false))
    return wrong(err, "guest", topology->guest, "a name is 1 to 64 of a-z 0-9 -");
  return true;
}

bool bus_topology_is_valid(const struct bus_topology *topology, struct bus_error *err) {
  return is_guest_valid(topology, err) && are_users_valid(topology, err) && are_tiers_valid(topology, err) &&
         are_types_and_queues_valid(topology, err) && do_patterns_fit(topology, err);
}
