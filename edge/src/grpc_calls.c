/* The methods of OrderService: each is a row that says by which request of REST it is carried out. */
#include "grpc_front.h"
#include "grpc_shape.h"
#include "grpc_status.h"
#include "grpc_write.h"
#include "responses.h"

#include <bus/http_carried.h>
#include <orderbus/v1/order_service.pb-c.h>

enum { HEADERS_MAX = 10, WAIT_MAX = 3600 };

struct row {
  const ProtobufCMessageDescriptor *request, *answer;
  const char *method, *path, *behind; /* the order's id stands between path and behind, where behind is given */
  bool has_body;
  const struct bus_schema *shown;
  const char *member; /* of the answer, which is what is shown; NULL: the answer is */
  bool watches;       /* its answer is a stream of server-sent events */
};

/* Names of fields that stand in the path or in a header. */
static const char *const elsewhere[] = {"order_id", "wait_seconds", NULL};

/* One call while it is carried. */
struct carried {
  struct bus_grpc_call *call;
  const struct row *row;
};

static void finish(struct bus_grpc_call *call, enum bus_grpc_code code, const char *text) {
  bus_grpc_finish(call, &(struct bus_grpc_status){.code = code, .message = bus_str(text)});
}

/* ---- the answer ---- */

static ProtobufCMessage *shape(const struct row *row, const void *record, struct bus_arena *arena) {
  if (row->member == NULL)
    return grpc_shape(row->answer, row->shown, record, arena);
  ProtobufCMessage *message = grpc_message_new(row->answer, arena);
  const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(row->answer, row->member);
  ProtobufCMessage *shown = message ? grpc_shape(field->descriptor, row->shown, record, arena) : NULL;
  if (shown == NULL)
    return NULL;
  *(ProtobufCMessage **)grpc_message_field(message, row->member) = shown;
  return message;
}

/* data is NULL when out of memory, or the body is not what the row says. */
static struct bus_str encode(const struct row *row, struct bus_http_exchange *exchange, struct bus_str body) {
  struct bus_arena *arena = bus_http_arena(exchange);
  void *record = bus_arena_alloc(arena, row->shown->size);
  responses_init();
  if (record == NULL || !bus_decode(row->shown, body, BUS_IGNORE_UNKNOWN, arena, record, NULL))
    return BUS_NO_STR;
  ProtobufCMessage *message = shape(row, record, arena);
  protobuf_c_boolean *replayed = message ? grpc_message_field(message, "replayed") : NULL;
  if (replayed)
    *replayed = bus_http_added_header(exchange, "Idempotent-Replayed").data != NULL;
  return message ? grpc_message_pack(message, arena) : BUS_NO_STR;
}

static void answer(void *context, struct bus_http_exchange *exchange, int status, struct bus_str body) {
  static const struct bus_grpc_status ok;
  const struct carried *carried = context;
  struct bus_grpc_status refusal;
  if (status >= 300) {
    refusal = grpc_status_of(status, body, bus_http_added_header(exchange, "Retry-After"), bus_http_arena(exchange));
    bus_grpc_finish(carried->call, &refusal);
    return;
  }
  if (status == 204) { /* of a watch: the client has every event of a final order */
    bus_grpc_finish(carried->call, &ok);
    return;
  }
  struct bus_str message = encode(carried->row, exchange, body);
  if (message.data == NULL)
    finish(carried->call, BUS_GRPC_UNAVAILABLE, "out of memory for the answer; repeating is safe");
  else if (bus_grpc_send(carried->call, message))
    bus_grpc_finish(carried->call, &ok);
}

/* ---- server-sent events ---- */

/* The rest of the line that begins with `name`; absent: there is none. */
static struct bus_str line_of(struct bus_str text, const char *name) {
  while (text.len > 0) {
    struct bus_str line = bus_str_cut(&text, '\n');
    if (bus_str_cut_start(&line, name))
      return line;
  }
  return BUS_NO_STR;
}

/* data is NULL when out of memory. */
static struct bus_str encode_event(const struct row *row, struct bus_str data, struct bus_arena *arena) {
  struct order_event_view event;
  if (!bus_decode(row->shown, data, BUS_IGNORE_UNKNOWN, arena, &event, NULL))
    return BUS_NO_STR;
  ProtobufCMessage *message = shape(row, &event, arena);
  return message ? grpc_message_pack(message, arena) : BUS_NO_STR;
}

static struct bus_str encode_resync(struct bus_arena *arena) {
  Orderbus__V1__WatchOrderResponse response = ORDERBUS__V1__WATCH_ORDER_RESPONSE__INIT;
  response.resync = true;
  return grpc_message_pack(&response.base, arena);
}

/* Each piece is one event. A comment is for proxies of HTTP/1.1; the end is that of the call. */
static bool write_piece(void *context, struct bus_str piece) {
  static const struct bus_grpc_status ok;
  enum { ARENA_LIMIT = 1 << 20 };
  const struct carried *carried = context;
  struct bus_str type = line_of(piece, "event: ");
  if (type.data == NULL)
    return true;
  if (bus_str_is(type, "end")) {
    bus_grpc_finish(carried->call, &ok);
    return true;
  }
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  struct bus_str message = BUS_NO_STR;
  if (arena && bus_str_is(type, "resync"))
    message = encode_resync(arena);
  else if (arena)
    message = encode_event(carried->row, line_of(piece, "data: "), arena);
  bool sent = message.data && bus_grpc_send(carried->call, message);
  bus_arena_free(arena);
  return sent;
}

static enum bus_http_wait wait_ready(void *context, int fd, int64_t timeout_ms) {
  const struct carried *carried = context;
  switch (bus_grpc_wait(carried->call, fd, timeout_ms)) {
  case BUS_GRPC_READY:
    return BUS_HTTP_READY;
  case BUS_GRPC_WAITED:
    return BUS_HTTP_WAITED;
  case BUS_GRPC_GONE:
    break;
  }
  return BUS_HTTP_GONE;
}

/* ---- the request ---- */

/* Metadata that REST has as headers of the same names. */
static size_t pick_headers(const struct bus_grpc_call *call, struct bus_http_header_view ret[HEADERS_MAX]) {
  static const char *const names[] = {"authorization", "traceparent",     "tracestate",
                                      "x-request-id",  "x-forwarded-for", NULL};
  size_t given, count = 0;
  const struct bus_grpc_header *headers = bus_grpc_headers(call, &given);
  for (size_t i = 0; i < given && count < HEADERS_MAX - 1; i++)
    if (bus_str_is_one_of(headers[i].name, names))
      ret[count++] = (struct bus_http_header_view){headers[i].name, headers[i].value};
  return count;
}

/* A text that no path can name is as an id that no order has. */
static const char *named_order(ProtobufCMessage *message) {
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
  const char *id = *(const char *const *)grpc_message_field(message, "order_id");
  return *id != '\0' && id[strspn(id, plain)] == '\0' ? id : "-";
}

static struct bus_str path_of(const struct row *row, ProtobufCMessage *message, struct bus_arena *arena) {
  if (row->behind == NULL)
    return bus_str(row->path);
  return bus_arena_printf(arena, "%s%s%s", row->path, named_order(message), row->behind);
}

static int32_t wait_of(ProtobufCMessage *message) {
  const int32_t *seconds = grpc_message_field(message, "wait_seconds");
  return seconds == NULL || *seconds <= 0 ? 0 : *seconds < WAIT_MAX ? *seconds : WAIT_MAX;
}

/* wait_s: REST's Prefer. */
static bool carry(struct carried *carried, struct bus_http_server *api, ProtobufCMessage *message, int wait_s,
                  struct bus_arena *arena) {
  static const struct bus_http_carrier carrier = {answer, write_piece, wait_ready};
  const struct row *row = carried->row;
  struct bus_http_header_view headers[HEADERS_MAX];
  size_t count = pick_headers(carried->call, headers);
  struct bus_str prefer = bus_arena_printf(arena, "wait=%d", wait_s);
  if (wait_s > 0 && prefer.data)
    headers[count++] = (struct bus_http_header_view){BUS_STR("prefer"), prefer};
  struct bus_str text =
      row->has_body ? grpc_write_json(message, elsewhere, arena) : grpc_write_query(message, elsewhere, arena);
  const struct bus_http_carried request = {.listener = "grpc",
                                           .method = row->method,
                                           .path = path_of(row, message, arena),
                                           .query = row->has_body || text.len == 0 ? BUS_NO_STR : text,
                                           .headers = headers,
                                           .header_count = count,
                                           .body = row->has_body ? text : BUS_NO_STR,
                                           .peer = bus_grpc_peer(carried->call),
                                           .carrier = &carrier,
                                           .context = carried};
  return text.data && request.path.data && bus_http_carry(api, &request);
}

/* Without a place a watch is refused, and an order is not waited for. */
static void carry_out(struct grpc_front *front, struct carried *carried, ProtobufCMessage *message,
                      struct bus_arena *arena) {
  int wait_s = wait_of(message);
  bool is_long = carried->row->watches || wait_s > 0, holds = is_long && grpc_front_hold(front);
  if (carried->row->watches && !holds)
    finish(carried->call, BUS_GRPC_UNAVAILABLE, "too many calls watch orders, or wait for them");
  else if (!carry(carried, grpc_front_api(front), message, holds ? wait_s : 0, arena))
    finish(carried->call, BUS_GRPC_UNAVAILABLE, "out of memory; repeating is safe");
  if (carried->row->watches) /* it has ended before its order: the edge drains, or the token has expired */
    finish(carried->call, BUS_GRPC_UNAVAILABLE, "the order is not final yet: watch it again after the last event");
  if (holds)
    grpc_front_release(front);
}

/* The arena takes the message, its JSON, in which an escape is six characters, and what they grow by. */
static void handle(void *context, struct bus_grpc_call *call) {
  enum { ARENA_LIMIT = 4 << 20 };
  struct carried carried = {call, bus_grpc_method_of(call)->data};
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  ProtobufCMessage *message = arena ? grpc_message_unpack(carried.row->request, bus_grpc_message(call), arena) : NULL;
  if (message)
    carry_out(context, &carried, message, arena);
  else if (arena)
    finish(call, BUS_GRPC_INVALID_ARGUMENT, "the message is malformed, or has too many fields");
  else
    finish(call, BUS_GRPC_UNAVAILABLE, "out of memory; repeating is safe");
  bus_arena_free(arena);
}

#define METHOD(name, ...)                                                                                              \
  {                                                                                                                    \
    .path = "/orderbus.v1.OrderService/" name, .handler = handle, .data = &(const struct row) {                        \
      __VA_ARGS__                                                                                                      \
    }                                                                                                                  \
  }

const struct bus_grpc_method grpc_order_methods[] = {
    METHOD("PlaceOrder", .request = &orderbus__v1__place_order_request__descriptor,
           .answer = &orderbus__v1__place_order_response__descriptor, .method = "POST", .path = "/api/orders",
           .has_body = true, .shown = &accepted_order_schema, .member = "order"),
    METHOD("GetOrder", .request = &orderbus__v1__get_order_request__descriptor,
           .answer = &orderbus__v1__get_order_response__descriptor, .method = "GET", .path = "/api/orders/",
           .behind = "", .shown = &accepted_order_schema, .member = "order"),
    METHOD("ListOrders", .request = &orderbus__v1__list_orders_request__descriptor,
           .answer = &orderbus__v1__list_orders_response__descriptor, .method = "GET", .path = "/api/orders",
           .shown = &order_page_schema),
    METHOD("CancelOrder", .request = &orderbus__v1__cancel_order_request__descriptor,
           .answer = &orderbus__v1__cancel_order_response__descriptor, .method = "POST", .path = "/api/orders/",
           .behind = "/cancel", .has_body = true, .shown = &accepted_order_schema, .member = "order"),
    METHOD("WatchOrder", .request = &orderbus__v1__watch_order_request__descriptor,
           .answer = &orderbus__v1__watch_order_response__descriptor, .method = "GET", .path = "/api/orders/",
           .behind = "/stream", .shown = &order_event_view_schema, .member = "event", .watches = true),
};
const size_t grpc_order_method_count = BUS_COUNT(grpc_order_methods);
