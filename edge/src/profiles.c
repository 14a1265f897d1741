/* Handlers of /api/users and of a change of password. Each needs a caller: without authentication nobody is anyone. */
#include "profiles.h"
#include "requests.h"

#include "own_keys.h"

#include <bus/secret.h>
#include <bus/token.h>

#define CURSOR "the next_cursor of an earlier page"
#define PROFILE_EXAMPLE "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
static const struct bus_field profile_path[] = {
    BUS_FIELD_UUID(struct profile_request, user_id, BUS_REQUIRED, "the user", .example = PROFILE_EXAMPLE)};
static const struct bus_field profile_fields[] = {
    BUS_FIELD_STRING(struct profile_request, name, BUS_PLAIN, 1, USER_NAME_MAX, BUS_OPTIONAL,
                     "what the user is called; null: nothing", .example = "Ann"),
};
#define BY_USER .path = BUS_TABLE(struct profile_request, profile_path), .no_such = "no such user"
const struct bus_http_input profile_input = {.size = sizeof(struct profile_request), BY_USER};
const struct bus_http_input profile_change_input = {
    .size = sizeof(struct profile_request), BY_USER, .body = BUS_TABLE(struct profile_request, profile_fields)};

#define PASSWORD(member, least)                                                                                        \
  BUS_FIELD_STRING(struct password_request, member, BUS_TEXT, least, USER_PASSWORD_MAX, BUS_REQUIRED, "password",      \
                   .example = "correct horse battery")
static const struct bus_field password_fields[] = {PASSWORD(current_password, 1),
                                                   PASSWORD(new_password, USER_PASSWORD_MIN)};
static const struct bus_field password_key = USER_KEY_FIELD(struct password_request);
const struct bus_http_input password_input = {.size = sizeof(struct password_request),
                                              .body = BUS_TABLE(struct password_request, password_fields),
                                              .header_key = &password_key};

static const struct bus_field users_query[] = {
    BUS_FIELD_INT64(struct user_list, limit, 1, USER_PAGE_MAX, BUS_OPTIONAL, "how many at most", .fallback = "20",
                    .example = "20"),
    BUS_FIELD_STRING(struct user_list, email, BUS_PLAIN, 1, USER_EMAIL_MAX, BUS_OPTIONAL,
                     "only users whose e-mail address begins so", .example = "ann"),
    BUS_FIELD_STRING(struct user_list, cursor, BUS_TOKEN, 2, USER_CURSOR_MAX, BUS_OPTIONAL, CURSOR, .opaque = true,
                     .pattern = "^([0-9a-f]{2})+$"),
};

static void check_users(void *request, struct bus_problems *problems) {
  const struct user_list *list = request;
  char email[USER_EMAIL_MAX + 1];
  if (list->cursor.data && !user_cursor_parse(list->cursor, email))
    bus_problem_add(problems, "cursor", "must be %s", CURSOR);
}

const struct bus_http_input users_input = {
    .size = sizeof(struct user_list), .query = BUS_TABLE(struct user_list, users_query), .check = check_users};

/* ---- all that is kept of a user ---- */

static const struct bus_field export_path[] = {
    BUS_FIELD_UUID(struct export_request, user_id, BUS_REQUIRED, "the user", .example = PROFILE_EXAMPLE)};
static const struct bus_field export_query[] = {
    BUS_FIELD_STRING(struct export_request, cursor, BUS_TOKEN, 1, ORDER_CURSOR_TEXT - 1, BUS_OPTIONAL,
                     "the next_cursor of orders in an earlier export", .opaque = true, .pattern = ORDER_CURSOR_PATTERN),
};

static void check_export(void *request, struct bus_problems *problems) {
  const struct export_request *export = request;
  bus_time at;
  struct bus_uuid id;
  if (export->cursor.data && !order_cursor_parse(export->cursor, &at, &id))
    bus_problem_add(problems, "cursor", "must be %s", CURSOR);
}

const struct bus_http_input export_input = {.size = sizeof(struct export_request),
                                            .path = BUS_TABLE(struct export_request, export_path),
                                            .no_such = "no such user",
                                            .query = BUS_TABLE(struct export_request, export_query),
                                            .check = check_export};

struct user_export {
  struct user_view *user;
  struct order_page *orders;
};
static const struct bus_field export_fields[] = {
    BUS_FIELD_OBJECT(struct user_export, user, struct user_view, &user_view_schema, BUS_REQUIRED, "the user"),
    BUS_FIELD_OBJECT(struct user_export, orders, struct order_page, &order_page_schema, BUS_REQUIRED,
                     "the user's orders, newest first"),
};
const struct bus_schema user_export_schema = BUS_SCHEMA("export", struct user_export, export_fields);

/* ---- who may ---- */

static struct response no_caller(void) {
  return (struct response){.status = 401, .detail = "a token is needed, and authentication is off"};
}

/* True: the caller is this user, or an administrator. */
static bool may(const struct bus_token_claims *caller, const struct bus_uuid *user_id) {
  char id[BUS_UUID_TEXT];
  bus_uuid_format(user_id, id);
  return caller->role == BUS_ROLE_ADMIN || bus_str_is(bus_str(caller->sub), id);
}

/* An erased user is not shown: a repeat has none to show. */
static struct response respond_to(const struct user_answer *said, bool erases) {
  switch ((enum user_outcome)said->outcome) {
  case USER_DONE:
    break;
  case USER_NOT_FOUND:
  case USER_INVALID:
    return response_no_user();
  case USER_REFUSED:
    return (struct response){.status = 403, .detail = "the present password is wrong"};
  case USER_LOCKED:
  case USER_BUSY:
    return edge_user_refusal(said);
  }
  static const struct auth_status done = {BUS_STR("done")};
  return said->user && !erases ? response_found(&user_view_schema, said->user)
                               : response_found(&auth_status_schema, &done);
}

static void ask(struct edge *edge, struct bus_http_exchange *exchange, const struct edge_query *query) {
  const void *said;
  struct response response = response_refusal(REFUSAL_UNROUTABLE);
  if (edge->has_users && edge_ask(edge, exchange, query, &said, &response))
    response = respond_to(said, query->kind->type == &user_erase_type);
  edge_respond(edge, exchange, &response);
}

/* A caller of user-svc's own: a subject or an administrator of another issuer is nobody here. */
static bool is_ours(struct edge *edge, struct bus_http_exchange *exchange, struct response *ret_refusal) {
  const struct bus_token_claims *caller = bus_http_caller(exchange);
  *ret_refusal = no_caller();
  return caller &&
         (edge->settings->auth != EDGE_AUTH_OIDC || edge_own_issuer_is(edge, exchange, caller->iss, ret_refusal));
}

/* False: it has responded. */
static bool admit(struct edge *edge, struct bus_http_exchange *exchange, const struct bus_uuid *user_id) {
  struct response response;
  bool ours = is_ours(edge, exchange, &response);
  if (ours && may(bus_http_caller(exchange), user_id))
    return true;
  if (ours)
    response = response_no_user();
  edge_respond(edge, exchange, &response);
  return false;
}

void edge_profile_get(void *context, struct bus_http_exchange *exchange) {
  static const struct edge_query_kind kind = {.type = &user_get_type, .answer = &user_answer_type};
  const struct profile_request *request = bus_http_request(exchange);
  const struct user_get get = {request->user_id};
  if (admit(context, exchange, &request->user_id))
    ask(context, exchange, &(struct edge_query){.kind = &kind, .correlation_id = &get.user_id, .body = &get});
}

void edge_profile_change(void *context, struct bus_http_exchange *exchange) {
  const struct profile_request *request = bus_http_request(exchange);
  struct user_request change = {.user_id = request->user_id, .name = request->name};
  if (!admit(context, exchange, &request->user_id))
    return;
  bus_secret_uuid(&change.request_id); /* a repeat does no harm */
  ask(context, exchange,
      &(struct edge_query){.kind = bus_http_route(exchange)->data, .correlation_id = &change.user_id, .body = &change});
}

void edge_password_change(void *context, struct bus_http_exchange *exchange) {
  static const struct edge_query_kind kind = {.type = &user_password_type, .answer = &user_answer_type};
  struct edge *edge = context;
  const struct bus_token_claims *caller = bus_http_caller(exchange);
  const struct password_request *request = bus_http_request(exchange);
  struct user_request change = {.request_id = {{0}}};
  struct response response;
  bool ours = is_ours(edge, exchange, &response);
  if (!ours || !bus_uuid_parse(bus_str(caller->sub), &change.user_id)) {
    response = ours ? response_no_user() : response;
    edge_respond(edge, exchange, &response);
    return;
  }
  bool sealed = edge_user_seal(edge, exchange, request->current_password, &change.password) &&
                edge_user_seal(edge, exchange, request->new_password, &change.new_password);
  edge_user_name_request(exchange, request->idempotency_key, bus_str(caller->sub), &change.request_id);
  edge_user_erase_body(exchange);
  response = response_refusal(REFUSAL_NO_MEMORY);
  if (!sealed)
    edge_respond(edge, exchange, &response);
  else
    ask(edge, exchange, &(struct edge_query){.kind = &kind, .correlation_id = &change.user_id, .body = &change});
}

void edge_users_list(void *context, struct bus_http_exchange *exchange) {
  struct response response;
  if (is_ours(context, exchange, &response))
    edge_query(context, exchange);
  else
    edge_respond(context, exchange, &response);
}

void edge_profile_export(void *context, struct bus_http_exchange *exchange) {
  static const struct edge_query_kind get_kind = {.type = &user_get_type, .answer = &user_answer_type},
                                      list_kind = {.type = &order_list_type, .answer = &order_page_type};
  struct edge *edge = context;
  const struct export_request *request = bus_http_request(exchange);
  const struct user_get get = {request->user_id};
  const void *user, *orders;
  char id[BUS_UUID_TEXT];
  if (!admit(edge, exchange, &request->user_id))
    return;
  bus_uuid_format(&request->user_id, id);
  const struct order_list list = {
      .customer_id = bus_str(id), .status = -1, .cursor = request->cursor, .limit = ORDER_PAGE_MAX};
  struct response response = response_refusal(REFUSAL_UNROUTABLE);
  struct user_export *export = bus_arena_alloc(bus_http_arena(exchange), sizeof *export);
  if (export && edge->has_users &&
      edge_ask(edge, exchange, &(struct edge_query){.kind = &get_kind, .correlation_id = &get.user_id, .body = &get},
               &user, &response) &&
      edge_ask(edge, exchange, &(struct edge_query){.kind = &list_kind, .id = list.customer_id, .body = &list}, &orders,
               &response)) {
    const struct user_answer *said = user;
    *export = (struct user_export){said->user, (struct order_page *)orders};
    response = said->user ? response_found(&user_export_schema, export) : response_no_user();
  }
  edge_respond(edge, exchange, &response);
}
