/* Handlers of /api/webhooks. The secret of a webhook is opened here, from the answer that notify-svc seals to a key of
 * the request. */
#include "webhooks.h"

#include "requests.h"

#include <bus/hash.h>
#include <bus/secret.h>
#include <bus/token.h>
#include <user_messages.h>

/* ---- what clients send ---- */

#define R struct webhook_request
#define WEBHOOK_EXAMPLE "b200fe6d-c22d-5354-9252-135baea4b58a"
#define CUSTOMER_EXAMPLE "customer-1"
#define CURSOR "the next_cursor of an earlier page"
#define BY_WEBHOOK(S)                                                                                                  \
  .path = BUS_TABLE(S, ((const struct bus_field[]){                                                                    \
                           BUS_FIELD_UUID(S, webhook_id, BUS_REQUIRED, "the webhook", .example = WEBHOOK_EXAMPLE)})),  \
  .no_such = "no such webhook"

struct create_request {
  struct webhook_request create; /* first */
  struct bus_str idempotency_key;
};
struct rotate_request {
  struct webhook_request rotate; /* first */
  struct bus_str idempotency_key;
};

static const struct bus_field create_fields[] = {
    BUS_FIELD_STRING(struct create_request, idempotency_key, BUS_VISIBLE, 1, 255, BUS_OPTIONAL,
                     "the same for every try of one request; or the header Idempotency-Key: one of both must be there",
                     .example = "example-1"),
    BUS_FIELD_STRING(R, customer_id, BUS_VISIBLE, 1, WEBHOOK_CUSTOMER_MAX, BUS_OPTIONAL, "whose orders it is told of",
                     .fallback = REQUEST_CUSTOMER_DEFAULT, .example = CUSTOMER_EXAMPLE),
    BUS_FIELD_STRING(R, url, BUS_VISIBLE, WEBHOOK_URL_MIN, WEBHOOK_URL_MAX, BUS_REQUIRED,
                     "where events are posted: https, a port that is allowed, a host of the public internet; or "
                     "mailto: and the address that they are mailed to",
                     .example = "https://example.org/hooks/orders"),
    BUS_FIELD_SET(R, events, webhook_event_names, 1, BUS_REQUIRED, "the events that it wants",
                  .example = "order.confirmed"),
    BUS_FIELD_STRING(R, description, BUS_PLAIN, 1, WEBHOOK_DESCRIPTION_MAX, BUS_OPTIONAL, "the owner's own words",
                     .example = "my warehouse"),
};
const struct bus_http_input webhook_create_input = {.size = sizeof(struct create_request),
                                                    .body = BUS_TABLE(struct create_request, create_fields),
                                                    .key = &create_fields[0]};

static const struct bus_field list_query[] = {
    BUS_FIELD_STRING(struct webhook_list, customer_id, BUS_VISIBLE, 1, WEBHOOK_CUSTOMER_MAX, BUS_OPTIONAL,
                     "whose webhooks; the caller's, if it is absent", .fallback = REQUEST_CUSTOMER_DEFAULT,
                     .example = CUSTOMER_EXAMPLE),
};
const struct bus_http_input webhook_list_input = {.size = sizeof(struct webhook_list),
                                                  .query = BUS_TABLE(struct webhook_list, list_query)};

const struct bus_http_input webhook_input = {.size = sizeof(R), BY_WEBHOOK(R)};

static const struct bus_field rotate_key =
    BUS_FIELD_STRING(struct rotate_request, idempotency_key, BUS_VISIBLE, 1, 255, BUS_OPTIONAL,
                     "the same for every try of one request, so that a repeat does no harm", .example = "example-1");
const struct bus_http_input webhook_rotate_input = {
    .size = sizeof(struct rotate_request), BY_WEBHOOK(R), .header_key = &rotate_key};

#define G struct webhook_deliveries_get
static const struct bus_field deliveries_query[] = {
    BUS_FIELD_INT64(G, limit, 1, WEBHOOK_PAGE_MAX, BUS_OPTIONAL, "how many at most", .fallback = "20", .example = "20"),
    BUS_FIELD_STRING(G, cursor, BUS_TOKEN, 1, WEBHOOK_CURSOR_MAX, BUS_OPTIONAL, CURSOR, .opaque = true,
                     .pattern = ORDER_CURSOR_PATTERN),
};

static void check_deliveries(void *request, struct bus_problems *problems) {
  const struct webhook_deliveries_get *get = request;
  struct bus_uuid id;
  bus_time at;
  if (get->cursor.data && !order_cursor_parse(get->cursor, &at, &id))
    bus_problem_add(problems, "cursor", "must be %s", CURSOR);
}

const struct bus_http_input webhook_deliveries_input = {
    .size = sizeof(G), BY_WEBHOOK(G), .query = BUS_TABLE(G, deliveries_query), .check = check_deliveries};

static const struct bus_field replay_fields[] = {
    BUS_FIELD_UUID(R, delivery_id, BUS_OPTIONAL, "this delivery alone"),
    BUS_FIELD_TIME(R, since, BUS_OPTIONAL, "those that were made since then and failed; absent: all that failed",
                   .example = "2026-03-01T12:00:00.000Z"),
    BUS_FIELD_BOOL(R, delivered, BUS_OPTIONAL, "since: also those that were delivered"),
};

static void check_replay(void *request, struct bus_problems *problems) {
  struct webhook_request *replay = request;
  if (bus_uuid_is_nil(&replay->delivery_id) && replay->since == BUS_NO_TIME)
    replay->since = 0;
  else if (!bus_uuid_is_nil(&replay->delivery_id) && replay->since != BUS_NO_TIME)
    bus_problem_add(problems, "since", "excludes delivery_id; give one of them");
}

const struct bus_http_input webhook_replay_input = {.size = sizeof(R),
                                                    BY_WEBHOOK(R),
                                                    .body = BUS_TABLE(R, replay_fields),
                                                    .body_may_be_empty = true,
                                                    .check = check_replay};

/* The first member is the message's, without the code's hash. */
struct confirm_request {
  struct webhook_request confirm; /* first */
  struct bus_str code;
};
static const struct bus_field confirm_fields[] = {
    BUS_FIELD_STRING(struct confirm_request, code, BUS_TOKEN, 1, 64, BUS_REQUIRED, "the code in the mail",
                     .example = "5f0c1a0e7c5f5a4e9d0c3b5d7a9b1c2d"),
};
const struct bus_http_input webhook_confirm_input = {
    .size = sizeof(struct confirm_request), BY_WEBHOOK(R), .body = BUS_TABLE(struct confirm_request, confirm_fields)};

/* ---- what they get ---- */

struct shown {
  struct webhook_view webhook;
  struct bus_str secret;
};
static const struct bus_field shown_fields[] = {
    BUS_FIELD_EMBED(struct shown, webhook, struct webhook_view, &webhook_view_schema),
    BUS_FIELD_STRING(struct shown, secret, BUS_VISIBLE, WEBHOOK_SECRET_TEXT, WEBHOOK_SECRET_TEXT, BUS_OPTIONAL,
                     "signs what is sent: keep it, it is not shown again; null: an address has none"),
};
const struct bus_schema webhook_shown_schema = BUS_SCHEMA("webhook with its secret", struct shown, shown_fields);

struct status {
  struct bus_str status;
};
static const struct bus_field status_fields[] = {
    BUS_FIELD_STRING(struct status, status, BUS_TOKEN, 1, 16, BUS_REQUIRED, "accepted or done"),
};
const struct bus_schema webhook_status_schema = BUS_SCHEMA("status of a webhook", struct status, status_fields);

#define L struct webhook_deliveries
static const struct bus_field page_fields[] = {
    BUS_FIELD_ARRAY(L, items, item_count, struct webhook_delivery, &webhook_delivery_schema, 0, WEBHOOK_PAGE_MAX,
                    BUS_REQUIRED, "deliveries, newest first"),
    BUS_FIELD_STRING(L, next_cursor, BUS_TOKEN, 1, WEBHOOK_CURSOR_MAX, BUS_OPTIONAL, "null at the end"),
};
const struct bus_schema webhook_delivery_page_schema = BUS_SCHEMA("deliveries", L, page_fields);

static struct response refuse(int status, const char *detail) {
  return (struct response){.status = status, .detail = detail};
}

/* The response to every outcome but success. */
static struct response refusal_of(const struct webhook_answer *said, struct bus_arena *arena) {
  struct bus_str reason;
  switch (said->outcome) {
  case WEBHOOK_NOT_FOUND:
    return refuse(404, "no such webhook");
  case WEBHOOK_TOO_MANY:
    return refuse(409, "the customer has ten webhooks: delete one first");
  case WEBHOOK_IS_DISABLED:
    return refuse(409, "the webhook is disabled: enable it first");
  case WEBHOOK_NO_SECRET:
    return refuse(409, "an address has no secret");
  case WEBHOOK_NOT_CONFIRMED:
    return refuse(409, "the address is not confirmed: confirm it by the code in its mail");
  case WEBHOOK_NO_ADDRESS:
    return refuse(409, "an address alone is confirmed, and this is a webhook");
  case WEBHOOK_WRONG_CODE:
    return refuse(400, "code must be the one in the mail to the address");
  case WEBHOOK_KEY_REUSED:
    return response_key_reused();
  case WEBHOOK_BAD_URL:
    reason = bus_arena_printf(arena, "%.*s", (int)said->reason.len, said->reason.data ? said->reason.data : "");
    return reason.data ? refuse(400, reason.data) : response_refusal(REFUSAL_NO_MEMORY);
  default:
    return response_refusal(REFUSAL_BAD_ANSWER);
  }
}

struct response response_webhook(const void *answer, struct bus_arena *arena) {
  const struct webhook_answer *said = answer;
  bool good = said->outcome == WEBHOOK_DONE && said->webhook;
  return good ? response_found(&webhook_view_schema, said->webhook) : refusal_of(said, arena);
}

static struct response say_status(const struct webhook_answer *said, int status, const struct status *body,
                                  struct bus_arena *arena) {
  if (said->outcome != WEBHOOK_DONE)
    return refusal_of(said, arena);
  struct response response = response_found(&webhook_status_schema, body);
  response.status = status;
  return response;
}

struct response response_webhook_done(const void *said, struct bus_arena *arena) {
  static const struct status done = {BUS_STR("done")};
  return say_status(said, 200, &done, arena);
}

struct response response_webhook_replay(const void *said, struct bus_arena *arena) {
  static const struct status accepted = {BUS_STR("accepted")};
  return say_status(said, 202, &accepted, arena);
}

struct response response_webhook_deliveries(const void *answer, struct bus_arena *arena) {
  const struct webhook_deliveries *said = answer;
  (void)arena;
  return said->outcome == WEBHOOK_DONE ? response_found(&webhook_delivery_page_schema, said)
                                       : refuse(404, "no such webhook");
}

/* Opens the secret. */
static struct response show(const struct webhook_answer *said, const struct bus_seal_pair *pair,
                            struct bus_arena *arena) {
  struct shown *shown = bus_arena_alloc(arena, sizeof *shown);
  char *secret = bus_arena_alloc(arena, WEBHOOK_SECRET_TEXT + 1);
  size_t len;
  if ((said->outcome != WEBHOOK_DONE && said->outcome != WEBHOOK_REPLAYED) || !said->webhook)
    return refusal_of(said, arena);
  if (!shown || !secret)
    return response_refusal(REFUSAL_NO_MEMORY);
  *shown = (struct shown){*said->webhook, BUS_NO_STR};
  bool is_address = bus_str_cut_start(&(struct bus_str){said->webhook->url.data, said->webhook->url.len}, "mailto:");
  if (!is_address) {
    if (!said->secret.data || !bus_unseal(pair, said->secret, secret, WEBHOOK_SECRET_TEXT + 1, &len))
      return response_refusal(REFUSAL_BAD_ANSWER);
    shown->secret = (struct bus_str){secret, len};
  }
  struct response response = response_found(&webhook_shown_schema, shown);
  response.replayed = said->outcome == WEBHOOK_REPLAYED;
  return response;
}

/* ---- who calls ---- */

/* The customer that the request is about: the caller, unless another one is named. False: the caller may not name it.
 */
static bool name_customer(const struct bus_http_exchange *exchange, bool may_name, struct bus_str *customer_id) {
  const struct bus_token_claims *caller = bus_http_caller(exchange);
  if (!caller || bus_str_is(*customer_id, caller->sub))
    return true;
  if (!bus_str_is(*customer_id, REQUEST_CUSTOMER_DEFAULT))
    return may_name;
  *customer_id = bus_str(caller->sub);
  return true;
}

/* ---- handlers ---- */

/* Asks for what makes a secret, with a key of its own for the answer. */
static struct response ask_for_secret(struct edge *edge, struct bus_http_exchange *exchange,
                                      struct webhook_request *request) {
  char key[BUS_SEAL_KEY_TEXT + 1];
  struct bus_seal_pair pair;
  const void *said;
  struct response response;
  bus_seal_pair_new(&pair);
  bus_seal_key_format(&pair.public_key, key);
  request->reply_key = bus_str(key);
  const struct edge_query query = {
      .kind = bus_http_route(exchange)->data, .correlation_id = &request->webhook_id, .body = request};
  if (edge_ask(edge, exchange, &query, &said, &response))
    response = show(said, &pair, bus_http_arena(exchange));
  bus_erase(&pair, sizeof pair);
  return response;
}

void edge_webhooks_post(void *edge, struct bus_http_exchange *exchange) {
  const struct create_request *given = bus_http_request(exchange);
  const struct bus_token_claims *caller = bus_http_caller(exchange);
  struct webhook_request create = given->create;
  struct response response;
  if (!name_customer(exchange, caller && bus_token_has_scope(caller, USER_SCOPE_ON_BEHALF), &create.customer_id)) {
    bus_http_problem(exchange, 403, "customer_id of another customer needs the scope " USER_SCOPE_ON_BEHALF);
    return;
  }
  webhook_id_of(create.customer_id, given->idempotency_key, &create.webhook_id);
  edge_note_customer(edge, exchange, create.customer_id);
  response = ask_for_secret(edge, exchange, &create);
  if (response.schema) {
    const struct shown *shown = response.body;
    response.location = shown->webhook.webhook_id;
    response.location_under = "/api/webhooks";
    response.status = response.replayed ? 200 : 201;
  }
  edge_respond(edge, exchange, &response);
}

void edge_webhooks_rotate(void *edge, struct bus_http_exchange *exchange) {
  const struct rotate_request *given = bus_http_request(exchange);
  struct webhook_request rotate = given->rotate;
  rotate.customer_id = edge_owner(exchange);
  if (given->idempotency_key.data)
    webhook_rotation_id_of(&rotate.webhook_id, given->idempotency_key, &rotate.rotation_id);
  else
    bus_secret_uuid(&rotate.rotation_id);
  struct response response = ask_for_secret(edge, exchange, &rotate);
  edge_respond(edge, exchange, &response);
}

void edge_webhooks_confirm(void *edge, struct bus_http_exchange *exchange) {
  const struct confirm_request *given = bus_http_request(exchange);
  struct webhook_request confirm = given->confirm;
  char hash[BUS_SHA256_TEXT];
  const void *said;
  struct response response;
  bus_sha256_hex(given->code, hash);
  confirm.code_hash = bus_str(hash);
  confirm.customer_id = edge_owner(exchange);
  const struct edge_query query = {
      .kind = bus_http_route(exchange)->data, .correlation_id = &confirm.webhook_id, .body = &confirm};
  if (edge_ask(edge, exchange, &query, &said, &response))
    response = response_webhook(said, bus_http_arena(exchange));
  edge_respond(edge, exchange, &response);
}

void edge_webhooks_list(void *edge, struct bus_http_exchange *exchange) {
  static const struct webhook_page none = {.items = NULL};
  const struct edge_query_kind *kind = bus_http_route(exchange)->data;
  struct webhook_list list = *(const struct webhook_list *)bus_http_request(exchange);
  const void *said;
  struct response response = response_found(&webhook_page_schema, &none); /* as of a customer without webhooks */
  bool may = name_customer(exchange, !edge_owner(exchange).data, &list.customer_id);
  edge_note_customer(edge, exchange, list.customer_id);
  if (may && edge_ask(edge, exchange, &(struct edge_query){.kind = kind, .id = list.customer_id, .body = &list}, &said,
                      &response))
    response = response_found(&webhook_page_schema, said);
  edge_respond(edge, exchange, &response);
}

/* The struct of a query and that of a request both begin with the webhook and its owner. */
_Static_assert(offsetof(struct webhook_request, customer_id) == offsetof(struct webhook_deliveries_get, customer_id) &&
                   offsetof(struct webhook_request, customer_id) == offsetof(struct webhook_get, customer_id),
               "edge_webhooks_named writes the owner");

void edge_webhooks_named(void *edge, struct bus_http_exchange *exchange) {
  const struct bus_http_route *route = bus_http_route(exchange);
  const struct edge_query_kind *kind = route->data;
  struct bus_arena *arena = bus_http_arena(exchange);
  struct webhook_get *body = bus_arena_alloc(arena, route->input->size);
  const void *said;
  struct response response = response_refusal(REFUSAL_NO_MEMORY);
  if (body) {
    memcpy(body, bus_http_request(exchange), route->input->size);
    body->customer_id = edge_owner(exchange);
    if (edge_ask(edge, exchange, &(struct edge_query){.kind = kind, .correlation_id = &body->webhook_id, .body = body},
                 &said, &response))
      response = kind->view(said, arena);
  }
  edge_respond(edge, exchange, &response);
}
