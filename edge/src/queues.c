/* Counts the messages of all queues by passive declarations, which need no permission, on a connection that is opened
 * for it: while nobody asks, there is none. */
#include "queues.h"

#include <bus/amqp.h>
#include <bus/clock.h>
#include <bus/log.h>

#include "edge.h"

#define FRESH (2 * BUS_SECOND)
enum { OPEN_MS = 1000 };

static const char *const kinds[] = {"work", "queries", NULL};
static const struct bus_field view_fields[] = {
    BUS_FIELD_STRING(struct queue_view, queue, BUS_TOKEN, 1, BUS_NAME_MAX, BUS_REQUIRED, "its name"),
    BUS_FIELD_STRING(struct queue_view, service, BUS_TOKEN, 1, BUS_NAME_MAX, BUS_REQUIRED, "its reader"),
    BUS_FIELD_ENUM(struct queue_view, kind, kinds, BUS_REQUIRED, "what it takes: commands and events, or queries"),
    BUS_FIELD_INT64(struct queue_view, ready, 0, BUS_JSON_INT_MAX, BUS_REQUIRED,
                    "messages that wait in it; those that a consumer has fetched aside"),
    BUS_FIELD_INT64(struct queue_view, consumers, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "its consumers"),
    BUS_FIELD_INT64(struct queue_view, retrying, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "messages between tries"),
    BUS_FIELD_INT64(struct queue_view, dead, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "dead-lettered messages"),
};
static const struct bus_schema view_schema = BUS_SCHEMA("queue", struct queue_view, view_fields);
static const struct bus_field list_fields[] = {
    BUS_FIELD_ARRAY(struct queue_list, items, item_count, struct queue_view, &view_schema, 0, EDGE_QUEUES_MAX,
                    BUS_REQUIRED, "queues by service"),
    BUS_FIELD_STRING(struct queue_list, next_cursor, BUS_TOKEN, 1, 1, BUS_OPTIONAL, "null"),
    BUS_FIELD_TIME(struct queue_list, read_at, BUS_REQUIRED, "when they were counted"),
    BUS_FIELD_BOOL(struct queue_list, blocked, BUS_REQUIRED, "the broker takes no messages: an alarm of its own"),
    BUS_FIELD_STRING(struct queue_list, reason, BUS_TEXT, 0, BUS_REQUESTER_REASON, BUS_OPTIONAL,
                     "the broker's words for its alarm"),
};
const struct bus_schema queue_list_schema = BUS_SCHEMA("queue_list", struct queue_list, list_fields);

/* ---- which ---- */

/* Queues of events belong to one process each. */
static bool is_counted(const struct bus_topology *topology, const struct bus_queue *queue) {
  return queue->kind != BUS_QUEUE_EVENT && bus_topology_is_own(topology, queue);
}

bool edge_queues_open(struct edge_queues *queues, const struct bus_topology *topology, struct bus_error *err) {
  const struct bus_queue *queue;
  size_t count = 0;
  *queues = (struct edge_queues){.topology = topology};
  (void)pthread_mutex_init(&queues->mutex, NULL); /* a default mutex: cannot fail on Linux */
  for (size_t i = 0; (queue = bus_topology_queue_at(topology, i)); i++)
    count += is_counted(topology, queue);
  return count <= EDGE_QUEUES_MAX ||
         bus_fail(err, BUS_E_CONFIG, "the topology has %zu queues; at most %d are counted", count, EDGE_QUEUES_MAX);
}

void edge_queues_close(struct edge_queues *queues) {
  queues->known = false;
  queues->count = 0;
}

/* ---- reading; with the mutex held ---- */

static bool count_one(const struct edge_queues *queues, struct bus_amqp *amqp, const struct bus_queue *queue,
                      struct queue_view *ret, struct bus_error *err) {
  struct bus_queue_depths depths;
  bool works = queue->kind == BUS_QUEUE_WORK;
  if (!bus_amqp_queue_depths(amqp, queues->topology, queue, &depths, err))
    return false;
  *ret = (struct queue_view){.queue = bus_str(queue->name),
                             .service = bus_str(bus_topology_owner(queues->topology, queue)->user.name),
                             .kind = works ? QUEUE_OF_WORK : QUEUE_OF_QUERIES,
                             .ready = depths.ready,
                             .consumers = depths.consumers,
                             .retrying = works ? depths.retrying : BUS_NO_INT64,
                             .dead = works ? depths.dead : BUS_NO_INT64};
  return true;
}

static bool count_all(struct edge_queues *queues, struct bus_amqp *amqp, struct bus_error *err) {
  const struct bus_queue *queue;
  queues->count = 0;
  for (size_t i = 0; (queue = bus_topology_queue_at(queues->topology, i)); i++)
    if (is_counted(queues->topology, queue) && !count_one(queues, amqp, queue, &queues->items[queues->count++], err))
      return false;
  queues->read_at = bus_wall_clock();
  return true;
}

static void read_again(struct edge_queues *queues, const struct edge_settings *settings) {
  const struct bus_amqp_settings broker = {.url = settings->rabbitmq_url.text,
                                           .url_file = settings->rabbitmq_url.file,
                                           .dns_server = settings->dns_server,
                                           .name = "edge queues",
                                           .tls = settings->rabbitmq_tls,
                                           .heartbeat_s = settings->heartbeat_s,
                                           .open_timeout_ms = OPEN_MS};
  struct bus_amqp *amqp = NULL;
  struct bus_error err;
  queues->known = bus_amqp_open_any(&broker, &amqp, &err) && count_all(queues, amqp, &err);
  queues->tried_at = bus_monotonic();
  bus_amqp_free(amqp);
  if (!queues->known)
    bus_log(BUS_WARN, "cannot count the messages of the queues", BUS_F_STR("error", bus_error_name(err.code)),
            BUS_F_STR("cause", err.text));
}

/* ---- GET /api/queues ---- */

/* After a failure, too, nobody tries again for a while. */
static bool recall(struct edge *edge, struct bus_arena *arena, struct queue_list *list) {
  struct edge_queues *queues = &edge->queues;
  (void)pthread_mutex_lock(&queues->mutex); /* a plain mutex does not fail */
  if (queues->tried_at == 0 || bus_monotonic() - queues->tried_at > FRESH)
    read_again(queues, edge->settings);
  bool known = queues->known;
  if (known) {
    list->items = bus_arena_array(arena, queues->count, sizeof *list->items);
    list->item_count = list->items ? queues->count : 0;
    list->read_at = queues->read_at;
    if (list->items)
      memcpy(list->items, queues->items, queues->count * sizeof *list->items);
  }
  (void)pthread_mutex_unlock(&queues->mutex);
  return known;
}

void edge_queues_list(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  struct bus_arena *arena = bus_http_arena(exchange);
  struct queue_list list = {.items = NULL};
  char reason[BUS_REQUESTER_REASON];
  struct response response = response_refusal(REFUSAL_NO_BROKER);
  if (recall(edge, arena, &list)) {
    list.blocked = bus_requester_blocked_for(edge->requester, reason);
    list.reason = list.blocked ? bus_arena_copy(arena, bus_str(reason)) : BUS_NO_STR;
    response = list.items && (!list.blocked || list.reason.data) ? response_found(&queue_list_schema, &list)
                                                                 : response_refusal(REFUSAL_NO_MEMORY);
  }
  edge_respond(edge, exchange, &response);
}
