/* Handlers of /api/users and of a change of password. Each needs a caller: without authentication nobody is anyone. */
#include "profiles.h"

#include <bus/secret.h>
#include <bus/token.h>

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

static struct response no_such_user(void) {
  return edge_user_refusal(&(struct user_answer){.outcome = USER_NOT_FOUND});
}

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
    return no_such_user();
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

/* False: it has responded. */
static bool admit(struct edge *edge, struct bus_http_exchange *exchange, const struct bus_uuid *user_id) {
  const struct bus_token_claims *caller = bus_http_caller(exchange);
  struct response response = caller ? no_such_user() : no_caller();
  if (caller && may(caller, user_id))
    return true;
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
  struct response response = caller ? no_such_user() : no_caller();
  if (!caller || !bus_uuid_parse(bus_str(caller->sub), &change.user_id)) {
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
