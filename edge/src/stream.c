/* GET /api/orders/{id}/stream: the log of an order as server-sent events. A stream reads the log once at its begin, and
 * then whenever the watch has seen another version of the order; all streams together cost a query a second for each 64
 * orders. The seq of an event is its id, so that a client that comes back goes on behind the last one that it has. */
#include "edge.h"
#include "requests.h"

#include <bus/clock.h>

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

static bool is_to_end(const struct reading *reading, int64_t until) {
  return atomic_load(&reading->edge->draining) || bus_monotonic() >= until;
}

/* False: the stream ends. *version: what the log was read for. */
static bool wait_for_news(struct reading *reading, int64_t version, bool known, int64_t until) {
  int64_t quiet_until = bus_monotonic() + QUIET, retry_at = bus_monotonic() + PAUSE;
  while (!is_to_end(reading, until)) {
    int64_t now = bus_monotonic();
    if (atomic_load(&reading->stream.version) != version || atomic_exchange(&reading->stream.unseen, false) ||
        (!known && now >= retry_at))
      return true;
    if (now >= quiet_until && !bus_http_stream_write(reading->exchange, BUS_STR(":\n\n")))
      return false;
    if (now >= quiet_until)
      quiet_until = now + QUIET;
    if (bus_http_wait_gone(reading->exchange, LOOK_MS))
      return false;
  }
  return false;
}

/* The order first, then its log: what the log has behind the version is sent now, too. */
static void follow(struct reading *reading, int64_t until) {
  const struct order_view *order;
  struct response refusal;
  for (;;) {
    int64_t version = atomic_load(&reading->stream.version);
    bool known, found = read_order(reading, &order, &refusal), final = found && order_status_is_final(order->status);
    if (found && order->version > version)
      version = order->version;
    atomic_store(&reading->stream.version, version);
    if (!send_news(reading, &known))
      return;
    if (final && known) {
      (void)bus_http_stream_write(reading->exchange, BUS_STR("event: end\ndata: {}\n\n"));
      return;
    }
    if (!wait_for_news(reading, version, found && known, until))
      return;
  }
}

/* A stream does not outlive the token that opened it. */
static int64_t longest(const struct bus_http_exchange *exchange) {
  const struct bus_token_claims *caller = bus_http_caller(exchange);
  int64_t left = caller ? caller->exp - bus_wall_clock() : LONGEST;
  return left < LONGEST ? left : LONGEST;
}

static void serve(struct reading *reading) {
  bus_http_add_header(reading->exchange, "X-Accel-Buffering", BUS_STR("no")); /* nginx would hold events back */
  if (bus_http_stream_start(reading->exchange, 200, "text/event-stream"))
    follow(reading, bus_monotonic() + longest(reading->exchange));
}

static uint64_t customer_of(const struct order_view *order) {
  bool nameless = bus_str_is(order->customer_id, REQUEST_CUSTOMER_DEFAULT);
  return nameless ? bus_breaker_subject(order->order_id.bytes, sizeof order->order_id.bytes)
                  : bus_breaker_subject(order->customer_id.data, order->customer_id.len);
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
  if (!streams_join(&reading->edge->streams, &reading->stream))
    return response_too_many_streams();
  serve(reading);
  streams_leave(&reading->edge->streams, &reading->stream);
  return (struct response){.status = 0};
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
