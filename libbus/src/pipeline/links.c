/* Opening, closing, backoff. */
#include "links.h"

#define STABLE (10 * BUS_SECOND) /* a connection that stood so long: the next outage is a new one */
#define SETTLED_QUIET (1 * BUS_SECOND)
#define FLOW_PERIOD (10 * BUS_SECOND)
#define FLOW_PAUSE BUS_MINUTE /* between changes */
enum { FEW_DELIVERIES = 16, MANY_MESSAGES = 8 };

void links_init(struct links *links, const struct bus_pipeline_setup *setup) {
  assert(setup->broker_hosts > 0);
  links->database_backoff = (struct bus_backoff){.first = 100 * BUS_MILLISECOND, .max = 5 * BUS_SECOND};
  links->hosts = (struct bus_rotation){.backoff = links->database_backoff, .hosts = setup->broker_hosts};
}

void links_open(struct links *links, const struct turn *turn) {
  if (links->database.state == LINK_AWAY && turn->now >= links->database.again_at) {
    (void)turn_do(turn, BUS_DO_OPEN_DATABASE);
    links->database.state = LINK_OPENING;
  }
  if (links->database.state == LINK_UP && links->broker.state == LINK_AWAY && turn->now >= links->broker.again_at) {
    turn_do(turn, BUS_DO_OPEN_BROKER)->host = links->hosts.host;
    links->broker.state = LINK_OPENING;
  }
}

int64_t links_next(const struct links *links) {
  if (links->database.state == LINK_AWAY)
    return links->database.again_at;
  return links->database.state == LINK_UP && links->broker.state == LINK_AWAY ? links->broker.again_at : INT64_MAX;
}

void links_unsettle(struct links *links, const struct turn *turn) {
  links->settling = (struct settling){.since = turn->now, .last_delivery_at = turn->now};
}

void links_database_up(struct links *links, const struct turn *turn, bool pooled) {
  assert(links->database.state == LINK_OPENING);
  links->database = (struct link){.state = LINK_UP, .up_at = turn->now};
  links->pooled = pooled;
  links_unsettle(links, turn);
  turn_log(turn, BUS_INFO, "database connected");
}

void links_broker_up(struct links *links, const struct turn *turn) {
  assert(links->broker.state == LINK_OPENING);
  links->broker = (struct link){.state = LINK_UP, .up_at = turn->now};
  links_unsettle(links, turn);
}

static void reset_backoff(struct links *links, bool broker) {
  if (broker)
    bus_rotation_reset(&links->hosts);
  else
    bus_backoff_reset(&links->database_backoff);
}

void links_down(struct links *links, const struct turn *turn, struct link *link, const struct bus_error *why,
                uint64_t random) {
  bool broker = link == &links->broker;
  assert(broker || link == &links->database);
  if (link->state == LINK_UP && turn->now - link->up_at >= STABLE)
    reset_backoff(links, broker);
  int64_t delay =
      broker ? bus_rotation_next(&links->hosts, random) : bus_backoff_next(&links->database_backoff, random);
  *link = (struct link){.state = LINK_AWAY, .again_at = turn->now + delay};
  turn_count(turn, broker ? BUS_COUNT_BROKER_RECONNECTS : BUS_COUNT_DATABASE_RECONNECTS, 1);
  turn_log(turn, BUS_WARN,
           broker                                               ? "broker is away; trying again"
           : bus_error_class(why->code) == BUS_CLASS_CONNECTION ? "database is away; trying again"
                                                                : "database refuses the session; trying again",
           BUS_F_STR("cause", why->text), BUS_F_INT("again_in_ms", delay / BUS_MILLISECOND));
  if (!broker)
    return;
  links->epoch++;
  memset(links->reading, 0, sizeof links->reading);
}

size_t links_prefetch(const struct links *links, const struct turn *turn) {
  return links->flow.few ? FEW_DELIVERIES : (size_t)turn->setup->settings->batch_max * 2;
}

static void subscribe(const struct links *links, const struct turn *turn, size_t queue, bool reads) {
  assert(links->broker.state == LINK_UP && queue < turn->setup->service->queue_count);
  struct bus_pipeline_action *action = turn_do(turn, reads ? BUS_DO_CONSUME : BUS_DO_CANCEL);
  action->consume.queue = queue;
  action->consume.prefetch = (int)links_prefetch(links, turn);
}

void links_apply_pauses(struct links *links, const struct turn *turn) {
  const struct bus_service *service = turn->setup->service;
  assert(links->broker.state == LINK_UP);
  for (size_t i = 0; i < service->queue_count; i++) {
    if (links->paused[i] == !links->reading[i])
      continue;
    links->reading[i] = !links->paused[i];
    subscribe(links, turn, i, links->reading[i]);
    if (links->broker.up_at != turn->now) /* else all of them begin */
      turn_log(turn, BUS_INFO, links->paused[i] ? "queue paused" : "queue resumed",
               BUS_F_STR("queue", service->queues[i]));
  }
}

void links_delivered(struct links *links, size_t messages, int64_t now) {
  assert(messages > 0);
  links->settling.last_delivery_at = now;
  links->flow.deliveries++;
  links->flow.messages += messages;
}

/* To cancel a consumer of a shard hands the shard to another process, while this one still has its messages. */
static bool reads_shards(const struct turn *turn) {
  const struct bus_topology *topology = turn->setup->topology;
  const struct bus_service *service = turn->setup->service;
  for (size_t i = 0; i < service->queue_count; i++)
    if (bus_topology_is_split(topology, bus_topology_queue(topology, service->queues[i])))
      return true;
  return false;
}

void links_adapt(struct links *links, const struct turn *turn) {
  struct flow *flow = &links->flow;
  assert(links->broker.state == LINK_UP);
  if (turn->now < flow->since + FLOW_PERIOD || reads_shards(turn))
    return;
  bool few = flow->deliveries > 0 && flow->messages > flow->deliveries * MANY_MESSAGES;
  bool changes = few != flow->few && (flow->changed_at == 0 || turn->now >= flow->changed_at + FLOW_PAUSE);
  flow->since = turn->now;
  flow->deliveries = flow->messages = 0;
  if (!changes)
    return;
  flow->few = few;
  flow->changed_at = turn->now;
  for (size_t i = 0; i < turn->setup->service->queue_count; i++) {
    if (!links->reading[i])
      continue;
    subscribe(links, turn, i, false);
    subscribe(links, turn, i, true);
  }
}

/* The queues are empty if no delivery came for a second although there was credit. */
void links_look_whether_settled(struct links *links, const struct turn *turn, bool idle) {
  struct settling *settling = &links->settling;
  if (settling->settled || links->broker.state != LINK_UP)
    return;
  bool quiet = idle && turn->now - settling->last_delivery_at >= SETTLED_QUIET;
  settling->settled = quiet || turn->now - settling->since >= turn->setup->settings->settle_max_ms * BUS_MILLISECOND;
}

bool links_is_valid(const struct links *links) {
  bool reading = false;
  for (size_t i = 0; i < QUEUES_MAX; i++)
    reading = reading || links->reading[i];
  return bus_implies(reading, links->broker.state == LINK_UP) && links->hosts.hosts > 0;
}
