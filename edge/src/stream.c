/* GET /api/orders/{id}/stream: the log of an order as server-sent events. A stream reads the log once at its begin, and
 * then whenever an event names a higher version of the order. The watch asks for the versions as well, as a net: all
 * streams together cost a query for each 64 orders, every 15 s, or every second while no events come. The seq of an
 * event is its id, so that a client that comes back goes on behind the last one that it has. */
#include "edge.h"
#include "requests.h"

#include <bus/clock.h>

#include <sys/eventfd.h>
#include <unistd.h>

enum { ARENA_LIMIT = 4 << 20, PAGE = 100, LOOK_MS = 500 };
#define QUIET (15 * BUS_SECOND)   /* then a comment is sent, which keeps proxies from closing the connection */
#define LONGEST (60 * BUS_MINUTE) /* the client comes back, perhaps to another edge */
#define PAUSE (1 * BUS_SECOND)    /* after a query that failed */

struct reading {
  struct edge *edge;
  struct bus_http_exchange *exchange;
  struct bus_arena *arena;
  struct stream stream;
  int64_t after; /* seq of the last event sent */
};

static bool ask_for(struct reading *reading, const struct edge_query_kind *kind, const void *body, const void **ret,
                    struct response *ret_refusal) {
  const struct edge_query query = {
      .kind = kind, .correlation_id = &reading->stream.order_id, .body = body, .arena = reading->arena};
  return edge_ask(reading->edge, reading->exchange, &query, ret, ret_refusal);
}

static bool read_order(struct reading *reading, const struct order_view **ret, struct response *ret_refusal) {
  static const struct edge_query_kind kind = {&order_get_type, &order_answer_type, NULL};
  const struct order_get get = {reading->stream.order_id, edge_owner(reading->exchange)};
  const void *said;
  if (!ask_for(reading, &kind, &get, &said, ret_refusal))
    return false;
  const struct order_answer *answer = said;
  *ret_refusal = response_get(answer);
  *ret = answer->order;
  return ret_refusal->status == 200;
}

static bool read_page(struct reading *reading, const struct order_history **ret, struct response *ret_refusal) {
  static const struct edge_query_kind kind = {&order_events_get_type, &order_history_type, NULL};
  const struct order_events_get get = {.order_id = reading->stream.order_id,
                                       .customer_id = edge_owner(reading->exchange),
                                       .after_seq = reading->after,
                                       .limit = PAGE};
  const void *said;
  if (!ask_for(reading, &kind, &get, &said, ret_refusal))
    return false;
  *ret = said;
  *ret_refusal = response_refusal(REFUSAL_BAD_ANSWER);
  return (*ret)->outcome == ORDER_FOUND;
}

/* ---- any stream ---- */

struct response edge_stream_join(struct streams *streams, struct stream *stream, void (*serve)(void *context),
                                 void *context) {
  stream->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); /* without one it looks twice a second */
  bool joined = streams_join(streams, stream);
  if (joined) {
    serve(context);
    streams_leave(streams, stream);
  }
  if (stream->wake_fd >= 0)
    (void)close(stream->wake_fd);
  return joined ? (struct response){.status = 0} : response_too_many_streams();
}

bool edge_stream_open(struct bus_http_exchange *exchange) {
  bus_http_add_header(exchange, "X-Accel-Buffering", BUS_STR("no")); /* nginx would hold events back */
  return bus_http_stream_start(exchange, 200, "text/event-stream");
}

bool edge_stream_resync(struct bus_http_exchange *exchange) {
  return bus_http_stream_write(exchange, BUS_STR("event: resync\ndata: {}\n\n"));
}

/* A stream does not outlive the token that opened it. */
struct edge_pause edge_pause_of(struct bus_http_exchange *exchange, int fd) {
  const struct bus_token_claims *caller = bus_http_caller(exchange);
  int64_t now = bus_monotonic(), left = caller ? caller->exp - bus_wall_clock() : LONGEST;
  return (struct edge_pause){exchange, fd, now + (left < LONGEST ? left : LONGEST), now + QUIET};
}

bool edge_stream_pause(const struct edge *edge, struct edge_pause *pause) {
  eventfd_t count;
  int64_t now = bus_monotonic();
  if (atomic_load(&edge->draining) || now >= pause->until)
    return false;
  if (now >= pause->quiet_until) {
    if (!bus_http_stream_write(pause->exchange, BUS_STR(":\n\n")))
      return false;
    pause->quiet_until = now + QUIET;
  }
  enum bus_http_wait ended = bus_http_wait_ready(pause->exchange, pause->fd, LOOK_MS);
  if (ended == BUS_HTTP_READY)
    (void)eventfd_read(pause->fd, &count);
  return ended != BUS_HTTP_GONE;
}

/* ---- the stream ---- */

static bool send_page(struct reading *reading, const struct order_history *page) {
  for (size_t i = 0; i < page->item_count; i++) {
    struct bus_str text = stream_event(&page->items[i], reading->arena);
    if (text.data == NULL || !bus_http_stream_write(reading->exchange, text))
      return false;
    reading->after = page->items[i].seq;
  }
  return true;
}

/* False: the client or the memory is gone. *ret_known: nothing failed. */
static bool send_news(struct reading *reading, bool *ret_known) {
  const struct order_history *page;
  struct response refusal;
  do {
    bus_arena_reset(reading->arena);
    *ret_known = read_page(reading, &page, &refusal);
    if (!*ret_known)
      return true;
    if (!send_page(reading, page))
      return false;
  } while (page->next_after_seq != BUS_NO_INT64);
  return true;
}

/* version: what the log was read for. */
static bool has_news(struct reading *reading, int64_t version) {
  struct stream *stream = &reading->stream;
  return atomic_load(&stream->version) > version || atomic_exchange(&stream->unseen, false) ||
         atomic_load(&stream->missed);
}

/* False: the stream ends. */
static bool wait_for_news(struct reading *reading, int64_t version, bool known, struct edge_pause *pause) {
  int64_t retry_at = bus_monotonic() + PAUSE;
  do {
    if (has_news(reading, version) || (!known && bus_monotonic() >= retry_at))
      return !atomic_exchange(&reading->stream.missed, false) || edge_stream_resync(reading->exchange);
  } while (edge_stream_pause(reading->edge, pause));
  return false;
}

/* The order first, then its log: what the log has behind the version is sent now, too. */
static void follow(struct reading *reading) {
  struct edge_pause pause = edge_pause_of(reading->exchange, reading->stream.wake_fd);
  const struct order_view *order;
  struct response refusal;
  for (;;) {
    bool known, found = read_order(reading, &order, &refusal), final = found && order_status_is_final(order->status);
    int64_t version = found ? order->version : atomic_load(&reading->stream.version);
    if (!send_news(reading, &known))
      return;
    if (final && known) {
      (void)bus_http_stream_write(reading->exchange, BUS_STR("event: end\ndata: {}\n\n"));
      return;
    }
    if (!wait_for_news(reading, version, found && known, &pause))
      return;
  }
}

static void serve(void *context) {
  struct reading *reading = context;
  if (edge_stream_open(reading->exchange))
    follow(reading);
}

static uint64_t customer_of(const struct order_view *order) {
  const struct bus_str id = {(const char *)order->order_id.bytes, sizeof order->order_id.bytes};
  return streams_customer(bus_str_is(order->customer_id, REQUEST_CUSTOMER_DEFAULT) ? id : order->customer_id);
}

/* True: the client has every event of an order to which none is added; 204 tells an EventSource not to come back. */
static bool has_all(struct reading *reading, const struct order_view *order) {
  const struct order_history *page;
  struct response refusal;
  return order_status_is_final(order->status) && reading->after > 0 && read_page(reading, &page, &refusal) &&
         page->item_count == 0;
}

static struct response open_stream(struct reading *reading) {
  const struct order_view *order;
  struct response refusal;
  if (!read_order(reading, &order, &refusal))
    return refusal;
  reading->stream.customer = customer_of(order);
  if (has_all(reading, order))
    return (struct response){.status = 204};
  return edge_stream_join(&reading->edge->streams, &reading->stream, serve, reading);
}

void edge_orders_stream(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  const struct events_request *request = bus_http_request(exchange);
  struct bus_str last = bus_http_header(exchange, "Last-Event-ID");
  struct reading reading = {.edge = edge,
                            .exchange = exchange,
                            .arena = bus_arena_new(ARENA_LIMIT),
                            .stream = {.order_id = request->get.order_id},
                            .after = request->get.after_seq};
  struct response response = response_refusal(REFUSAL_NO_MEMORY);
  if (last.len > 0 && !stream_position(last, &reading.after))
    response = response_bad_position();
  else if (reading.arena)
    response = open_stream(&reading);
  if (response.status == 204)
    bus_http_reply(exchange, 204, NULL, BUS_NO_STR);
  else if (response.status != 0)
    edge_respond(edge, exchange, &response);
  bus_arena_free(reading.arena);
}

/* ---- the watch ---- */

static bool look_at(struct edge *edge, struct order_get *orders, size_t count, struct bus_arena *arena) {
  const struct order_get_many many = {orders, count};
  const struct bus_message_type *type, *answer_type = &order_answers_type;
  const void *body = NULL;
  struct bus_pending *pending =
      bus_request_begin(edge->requester, &(struct bus_request){.type = &order_get_many_type, .body = &many});
  if (pending == NULL)
    return false;
  bool answered = bus_request_wait(pending, bus_monotonic() + PAUSE, false) == BUS_REQUEST_ANSWERED &&
                  bus_request_answer(pending, &answer_type, 1, arena, &type, &body);
  bus_request_end(pending);
  const struct order_answers *answers = body;
  for (size_t i = 0; answered && i < count && i < answers->answer_count; i++)
    streams_see(&edge->streams, &orders[i].order_id, &answers->answers[i]);
  return answered;
}

void edge_streams_look(struct edge *edge) {
  struct order_get orders[ORDER_GET_MANY_MAX];
  size_t skip = 0, count = streams_orders(&edge->streams, skip, orders, BUS_COUNT(orders));
  if (count == 0)
    return;
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  while (arena && count > 0 && look_at(edge, orders, count, arena)) {
    bus_arena_reset(arena);
    skip += count;
    count = streams_orders(&edge->streams, skip, orders, BUS_COUNT(orders));
  }
  bus_arena_free(arena);
}
