/* The edge's responses: one function for each request, from the outcome to what the client sees. */
#include "responses.h"

#include <inttypes.h>
#include <pthread.h>

enum { ACCEPTED_FIELDS_MAX = 32 }; /* a test finds an order with more */
static const char *accepted_names[ORDER_STATUS_COUNT + 2];
static struct bus_field accepted_order_fields[ACCEPTED_FIELDS_MAX];
struct bus_schema accepted_order_schema = {"accepted order", sizeof(struct order_view), accepted_order_fields, 0};

/* The fields of an order in their order, but optional, and with one status more. */
static void add_accepted_fields(const struct bus_schema *schema, size_t offset) {
  for (size_t i = 0; i < schema->field_count && accepted_order_schema.field_count < ACCEPTED_FIELDS_MAX; i++) {
    struct bus_field field = schema->fields[i];
    field.offset += offset;
    field.count_offset += offset;
    if (field.kind == BUS_KIND_EMBED) {
      add_accepted_fields(field.item, field.offset);
      continue;
    }
    field.presence = field.offset == offsetof(struct order_view, order_id) ? BUS_REQUIRED : BUS_OPTIONAL;
    if (field.offset == offsetof(struct order_view, status))
      field.names = accepted_names;
    accepted_order_fields[accepted_order_schema.field_count++] = field;
  }
}

static void make_accepted_order_schema(void) {
  memcpy(accepted_names, order_status_names, ORDER_STATUS_COUNT * sizeof *accepted_names);
  accepted_names[ORDER_STATUS_COUNT] = "ACCEPTED";
  add_accepted_fields(&order_view_schema, 0);
}

void responses_init(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, make_accepted_order_schema); /* fails only with a wrong argument */
}

static const struct bus_field accepted_stock_fields[] = {
    BUS_FIELD_STRING(struct accepted_stock, idempotency_key, BUS_VISIBLE, 1, 255, BUS_REQUIRED, "of the request"),
    BUS_FIELD_STRING(struct accepted_stock, status, BUS_TOKEN, 1, 16, BUS_REQUIRED, "ACCEPTED"),
};
const struct bus_schema accepted_stock_schema =
    BUS_SCHEMA("accepted stock update", struct accepted_stock, accepted_stock_fields);

/* A page of events as clients see it: the cursor is text, as in every list. */
struct event_page {
  struct order_event_view *items;
  size_t item_count;
  struct bus_str next_cursor;
};
static const struct bus_field event_page_fields[] = {
    BUS_FIELD_ARRAY(struct event_page, items, item_count, struct order_event_view, &order_event_view_schema, 0,
                    ORDER_PAGE_MAX, BUS_REQUIRED, "events, oldest first"),
    BUS_FIELD_STRING(struct event_page, next_cursor, BUS_TOKEN, 1, 20, BUS_OPTIONAL, "null at the end"),
};
const struct bus_schema event_page_schema = BUS_SCHEMA("events", struct event_page, event_page_fields);

struct refusal_text {
  const char *name;
  int retry_after_s;
  const char *detail;
};
static const struct refusal_text refusals[REFUSAL_COUNT] = {
#define REFUSAL_TEXT(name, label, retry, text) [name] = {label, retry, text},
    REFUSAL_MAP(REFUSAL_TEXT)
#undef REFUSAL_TEXT
};

const char *refusal_name(enum refusal refusal) {
  return refusals[refusal].name;
}

static struct response problem(int status, const char *detail) {
  return (struct response){.status = status, .detail = detail};
}

static struct response json(int status, const struct bus_schema *schema, const void *body) {
  return (struct response){.status = status, .schema = schema, .body = body};
}

struct response response_refusal(enum refusal refusal) {
  struct response response = problem(503, refusals[refusal].detail);
  response.retry_after_s = refusals[refusal].retry_after_s;
  response.refusal = (int)refusal;
  return response;
}

struct response response_found(const struct bus_schema *schema, const void *body) {
  return json(200, schema, body);
}

/* Another edge may have accepted it a moment ago, so it is worth asking again. */
static struct response order_not_found(void) {
  struct response response = problem(404, "no such order");
  response.retry_after_s = 1;
  return response;
}

static struct response order(int status, const struct order_answer *answer) {
  if (answer->order == NULL)
    return response_refusal(REFUSAL_BAD_ANSWER);
  struct response response = json(status, &order_view_schema, answer->order);
  response.version = answer->order->version;
  return response;
}

static struct response placed(int status, const struct order_answer *answer) {
  struct response result = order(status, answer);
  if (result.schema)
    result.location = answer->order->order_id;
  return result;
}

struct response response_no_user(void) {
  return problem(404, "no such user");
}

struct response response_key_reused(void) {
  return problem(422, "this idempotency key was used with another request");
}

struct response response_place(const struct order_answer *answer, int64_t wait_s) {
  struct response result;
  switch (answer->outcome) {
  case ORDER_ACCEPTED:
    return placed(202, answer);
  case ORDER_FINAL:
    result = placed(201, answer);
    result.applied_wait_s = wait_s;
    return result;
  case ORDER_REPLAYED:
    result = placed(200, answer);
    result.replayed = result.schema != NULL;
    return result;
  case ORDER_KEY_REUSED:
    return response_key_reused();
  default:
    return response_refusal(REFUSAL_BAD_ANSWER);
  }
}

/* On the broker's confirm alone: another body under the key may have come first, so nothing of this one is repeated. */
struct response response_accepted(int status, const struct bus_uuid *order_id, struct bus_arena *arena) {
  struct order_view *body = bus_arena_alloc(arena, sizeof *body);
  if (body == NULL)
    return response_refusal(REFUSAL_NO_MEMORY);
  responses_init();
  bus_set_absent(&order_view_schema, body);
  body->order_id = *order_id;
  body->status = ORDER_STATUS_COUNT;
  struct response response = json(status, &accepted_order_schema, body);
  response.retry_after_s = 1;
  return response;
}

struct response response_place_accepted(const struct bus_uuid *order_id, struct bus_arena *arena) {
  struct response response = response_accepted(202, order_id, arena);
  if (response.schema)
    response.location = *order_id;
  return response;
}

struct response response_get(const struct order_answer *answer) {
  switch (answer->outcome) {
  case ORDER_FOUND:
    return order(200, answer);
  case ORDER_NOT_FOUND:
    return order_not_found();
  default:
    return response_refusal(REFUSAL_BAD_ANSWER);
  }
}

static struct response conflict(const struct order_answer *answer, const char *why, struct bus_arena *arena) {
  if (answer->order == NULL)
    return response_refusal(REFUSAL_BAD_ANSWER);
  struct bus_str detail = bus_arena_printf(arena, "the order is %s%s", order_status_names[answer->order->status], why);
  return detail.data ? problem(409, detail.data) : response_refusal(REFUSAL_NO_MEMORY);
}

/* Without an order: order-svc keeps the cancel until the order comes. */
struct response response_cancel(const struct order_answer *answer, const struct bus_uuid *order_id,
                                struct bus_arena *arena) {
  switch (answer->outcome) {
  case ORDER_CANCEL_ACCEPTED:
    return answer->order ? order(202, answer) : response_accepted(202, order_id, arena);
  case ORDER_CANCEL_DONE:
    return order(200, answer);
  case ORDER_CANCEL_TOO_LATE:
    return conflict(answer, " and can no longer be cancelled", arena);
  case ORDER_NOT_FOUND:
    return order_not_found();
  default:
    return response_refusal(REFUSAL_BAD_ANSWER);
  }
}

/* While an attempt is open its outcome is near: it is worth trying again. */
static struct response pay_is_open(const struct order_answer *answer, struct bus_arena *arena) {
  struct response response = conflict(answer, ", and its last payment may still be captured", arena);
  if (response.status == 409)
    response.retry_after_s = 1;
  return response;
}

struct response response_pay(const struct order_answer *answer, struct bus_arena *arena) {
  struct response result;
  switch (answer->outcome) {
  case ORDER_PAY_ACCEPTED:
    return order(202, answer);
  case ORDER_REPLAYED:
    result = order(200, answer);
    result.replayed = result.schema != NULL;
    return result;
  case ORDER_KEY_REUSED:
    return response_key_reused();
  case ORDER_PAY_OPEN:
    return pay_is_open(answer, arena);
  case ORDER_PAY_NOT_DUE:
    return conflict(answer, " and awaits no payment", arena);
  case ORDER_PAY_SPENT:
    return conflict(answer, ", and too many payments of it have failed", arena);
  case ORDER_NOT_FOUND:
    return order_not_found();
  default:
    return response_refusal(REFUSAL_BAD_ANSWER);
  }
}

static struct response events_found(const struct order_history *history, struct bus_arena *arena) {
  struct event_page *page = bus_arena_alloc(arena, sizeof *page);
  if (page == NULL)
    return response_refusal(REFUSAL_NO_MEMORY);
  *page = (struct event_page){.items = history->items, .item_count = history->item_count};
  if (history->next_after_seq != BUS_NO_INT64) {
    page->next_cursor = bus_arena_printf(arena, "%" PRId64, history->next_after_seq);
    if (page->next_cursor.data == NULL)
      return response_refusal(REFUSAL_NO_MEMORY);
  }
  return json(200, &event_page_schema, page);
}

struct response response_events(const struct order_history *history, bool accepted, struct bus_arena *arena) {
  if (history->outcome == ORDER_FOUND)
    return events_found(history, arena);
  if (!accepted)
    return order_not_found();
  static const struct event_page none = {.items = NULL};
  struct response response = json(200, &event_page_schema, &none);
  response.retry_after_s = 1;
  return response;
}

struct response response_too_many_streams(void) {
  struct response response = problem(429, "this customer has as many streams as allowed: close one first");
  response.retry_after_s = 1;
  return response;
}

struct response response_bad_position(void) {
  return problem(400, "Last-Event-ID must be the id of an event of this stream");
}

static struct response product(int status, const struct inventory_answer *answer) {
  if (answer->product == NULL)
    return response_refusal(REFUSAL_BAD_ANSWER);
  struct response response = json(status, &product_view_schema, answer->product);
  response.version = answer->product->version;
  if (answer->product->stock_version != BUS_NO_INT64)
    response.stock_version = answer->product->stock_version;
  return response;
}

struct response response_product(const void *said, struct bus_arena *arena) {
  const struct inventory_answer *answer = said;
  (void)arena;
  switch (answer->outcome) {
  case INVENTORY_FOUND:
    return product(200, answer);
  case INVENTORY_NOT_FOUND:
    return problem(404, "no such product");
  default:
    return response_refusal(REFUSAL_BAD_ANSWER);
  }
}

struct response response_changed_meanwhile(void) {
  return problem(412, "the product has changed meanwhile, or the condition is not one on its entity tag");
}

struct response response_product_written(const void *said, struct bus_arena *arena) {
  const struct inventory_answer *answer = said;
  switch (answer->outcome) {
  case INVENTORY_CREATED:
    return product(201, answer);
  case INVENTORY_UPDATED:
    return product(200, answer);
  case INVENTORY_CHANGED_MEANWHILE:
    return response_changed_meanwhile();
  default:
    return response_product(said, arena);
  }
}

static struct response too_little(const struct inventory_answer *answer, struct bus_arena *arena) {
  if (answer->product == NULL)
    return response_refusal(REFUSAL_BAD_ANSWER);
  struct bus_str detail =
      bus_arena_printf(arena, "only %" PRId64 " are on hand; what is reserved cannot be taken away (%" PRId64 ")",
                       answer->product->on_hand, answer->product->reserved);
  return detail.data ? problem(409, detail.data) : response_refusal(REFUSAL_NO_MEMORY);
}

struct response response_stock(const void *said, struct bus_arena *arena) {
  const struct inventory_answer *answer = said;
  switch (answer->outcome) {
  case INVENTORY_FOUND:
  case INVENTORY_UPDATED:
    return product(200, answer);
  case INVENTORY_NOT_FOUND:
    return problem(404, "no such product");
  case INVENTORY_KEY_REUSED:
    return response_key_reused();
  case INVENTORY_CHANGED_MEANWHILE:
    return response_changed_meanwhile();
  case INVENTORY_BELOW_RESERVED:
    return too_little(answer, arena);
  case INVENTORY_TOO_MUCH:
    return problem(409, "more would be on hand than the 1000000000 that are allowed");
  default:
    return response_refusal(REFUSAL_BAD_ANSWER);
  }
}

/* The same request again is answered with its outcome. */
struct response response_stock_accepted(struct bus_str idempotency_key, struct bus_arena *arena) {
  struct accepted_stock *body = bus_arena_alloc(arena, sizeof *body);
  if (body == NULL)
    return response_refusal(REFUSAL_NO_MEMORY);
  *body = (struct accepted_stock){.idempotency_key = idempotency_key, .status = BUS_STR("ACCEPTED")};
  struct response response = json(202, &accepted_stock_schema, body);
  response.retry_after_s = 1;
  return response;
}

static struct response reservation(int status, const struct own_answer *answer) {
  if (answer->reservation == NULL)
    return response_refusal(REFUSAL_BAD_ANSWER);
  struct response response = json(status, &own_view_schema, answer->reservation);
  response.location = status == 201 ? answer->reservation->reservation_id : response.location;
  response.location_under = "/api/inventory/reservations";
  response.replayed = answer->outcome == OWN_REPEATED;
  return response;
}

static struct response not_reserved(const struct own_answer *answer, struct bus_arena *arena) {
  if (answer->reason < 0)
    return response_refusal(REFUSAL_BAD_ANSWER);
  const char *reason = stock_reason_names[answer->reason];
  struct bus_str detail = answer->product_id.data
                              ? bus_arena_printf(arena, "nothing is reserved: %s (%.*s)", reason,
                                                 (int)answer->product_id.len, answer->product_id.data)
                              : bus_arena_printf(arena, "nothing is reserved: %s", reason);
  return detail.data ? problem(409, detail.data) : response_refusal(REFUSAL_NO_MEMORY);
}

static struct response reservation_is_over(const struct own_answer *answer) {
  if (answer->reservation == NULL)
    return response_refusal(REFUSAL_BAD_ANSWER);
  switch (answer->reservation->status) {
  case OWN_EXPIRED:
    return problem(409, "the reservation has expired and its stock is back on sale: reserve again");
  case OWN_RELEASED:
    return problem(409, "the reservation is released and its stock is back on sale: reserve again");
  default:
    return problem(409, "the reservation is confirmed: its stock is sold");
  }
}

struct response response_reservation(const void *said, struct bus_arena *arena) {
  const struct own_answer *answer = said;
  switch (answer->outcome) {
  case OWN_MADE:
    return reservation(201, answer);
  case OWN_FOUND:
  case OWN_REPEATED:
  case OWN_DONE:
    return reservation(200, answer);
  case OWN_NOT_FOUND:
    return problem(404, "no such reservation");
  case OWN_KEY_REUSED:
    return response_key_reused();
  case OWN_REFUSED:
    return not_reserved(answer, arena);
  case OWN_TOO_LATE:
    return reservation_is_over(answer);
  default:
    return response_refusal(REFUSAL_BAD_ANSWER);
  }
}
