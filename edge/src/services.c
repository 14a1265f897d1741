/* The services behind the edge, as the topology names them: every service that takes a query of the edge has a breaker,
 * and a service that takes a ping is pinged. A thread for queries answers the ping, so an answer closes the breaker;
 * the state of the threads that take commands is in its body. */
#include "edge.h"

#include <bus/clock.h>
#include <bus/trail.h>

#include <stdio.h>

#define EDGE_USER BUS_STR("edge")

static bool ends_with(struct bus_str text, struct bus_str end) {
  return text.len >= end.len && memcmp(text.data + text.len - end.len, end.data, end.len) == 0;
}

/* "order-svc" is "order_service". */
static void name_service(struct edge_service *service, struct bus_str user) {
  static const struct bus_str suffix = {"-svc", 4};
  size_t len = ends_with(user, suffix) ? user.len - suffix.len : user.len;
  (void)snprintf(service->name, sizeof service->name, "%.*s_service", (int)len, user.data);
}

/* The body of every ping: it asks for nothing in particular. */
static const char nothing[64];

/* The service's pong, and its member workers_down. */
static bool take_ping(struct edge_service *service, const struct bus_topology *topology,
                      const struct bus_message_type *ping, struct bus_error *err) {
  char name[BUS_TYPE_MAX];
  struct bus_str key = bus_message_key(ping);
  (void)snprintf(name, sizeof name, "%.*spong.v1", (int)(key.len - strlen("ping")), key.data);
  const struct bus_message_type *pong = bus_topology_type(topology, bus_str(name));
  bool fits = pong && ping->schema->size <= sizeof nothing;
  for (size_t i = 0; fits && i < pong->schema->field_count; i++) {
    const struct bus_field *field = &pong->schema->fields[i];
    if (field->kind != BUS_KIND_BOOL || strcmp(field->name, "workers_down") != 0)
      continue;
    service->ping = ping;
    service->pong = pong;
    service->workers_down = field->offset;
    return true;
  }
  return bus_fail(err, BUS_E_CONFIG, "%s has no answer %s with the member workers_down", ping->type, name);
}

/* The part's service; NULL: there are too many. */
static struct edge_service *add_service(struct edge *edge, const struct bus_topology_part *part,
                                        const struct bus_breaker_settings *settings) {
  for (size_t i = 0; i < edge->service_count; i++)
    if (edge->services[i].part == part)
      return &edge->services[i];
  if (edge->service_count == EDGE_SERVICES_MAX)
    return NULL;
  struct edge_service *service = &edge->services[edge->service_count++];
  *service = (struct edge_service){.edge = edge, .part = part};
  name_service(service, bus_str(part->user.name));
  edge_breaker_open(&service->breaker, service->name, settings);
  return service;
}

static bool add_queue(struct edge *edge, const struct bus_topology *topology, const struct bus_topology_part *part,
                      const struct bus_queue *queue, const struct bus_breaker_settings *settings,
                      struct bus_error *err) {
  for (size_t i = 0; i < queue->type_count; i++) {
    const struct bus_message_type *type = queue->types[i];
    if (type->exchange != BUS_EXCHANGE_QUERY || !bus_topology_is_sender(topology, type, EDGE_USER))
      continue;
    struct edge_service *service = add_service(edge, part, settings);
    if (service == NULL)
      return bus_fail(err, BUS_E_CONFIG, "more than %d services take queries", EDGE_SERVICES_MAX);
    if (type->schema == &bus_trail_get_schema)
      service->trail = type;
    if (ends_with(bus_message_key(type), BUS_STR(".ping")) && !take_ping(service, topology, type, err))
      return false;
  }
  return true;
}

static bool add_command(struct edge *edge, const struct bus_message_type *type, struct bus_error *err) {
  if (edge->command_count == EDGE_COMMANDS_MAX)
    return bus_fail(err, BUS_E_CONFIG, "the edge sends more than %d commands", EDGE_COMMANDS_MAX);
  edge->commands[edge->command_count++].type = type;
  return true;
}

bool edge_services_open(struct edge *edge, const struct bus_topology *topology,
                        const struct bus_breaker_settings *settings, struct bus_error *err) {
  const struct bus_message_type *type;
  for (size_t i = 0; i < topology->part_count; i++)
    for (size_t k = 0; k < topology->parts[i]->queue_count; k++)
      if (!add_queue(edge, topology, topology->parts[i], &topology->parts[i]->queues[k], settings, err))
        return false;
  for (size_t i = 0; (type = bus_topology_type_at(topology, i)); i++)
    if (type->exchange == BUS_EXCHANGE_CMD && bus_topology_is_sender(topology, type, EDGE_USER) &&
        !add_command(edge, type, err))
      return false;
  return true;
}

static bool takes(const struct bus_topology_part *part, const struct bus_message_type *type) {
  for (size_t i = 0; i < part->queue_count; i++)
    for (size_t k = 0; k < part->queues[i].type_count; k++)
      if (part->queues[i].types[k] == type)
        return true;
  return false;
}

struct edge_service *edge_service_of(struct edge *edge, const struct bus_message_type *query) {
  for (size_t i = 0; i < edge->service_count; i++)
    if (takes(edge->services[i].part, query))
      return &edge->services[i];
  return NULL;
}

/* ---- pings ---- */

struct bus_pending *edge_ping_begin(struct edge_service *service) {
  return bus_request_begin(service->edge->requester, &(struct bus_request){.type = service->ping, .body = nothing});
}

const void *edge_ping_end(struct edge_service *service, struct bus_pending *pending, int64_t until,
                          struct bus_arena *arena) {
  const struct bus_message_type *type;
  const void *pong = NULL;
  if (pending == NULL)
    return NULL;
  if (bus_request_wait(pending, until, false) == BUS_REQUEST_ANSWERED) {
    edge_breaker_alive(&service->breaker, bus_monotonic());
    if (arena == NULL || !bus_request_answer(pending, &service->pong, 1, arena, &type, &pong))
      pong = NULL;
  }
  bus_request_end(pending);
  return pong;
}

bool edge_ping_has_workers(const struct edge_service *service, const void *pong) {
  return pong && !*(const bool *)((const char *)pong + service->workers_down);
}
