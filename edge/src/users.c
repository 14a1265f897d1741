/* Handlers of the routes that user-svc answers. */
#include "users.h"

#include "session_cookie.h"

#include <bus/hash.h>
#include <bus/secret.h>

#include <stdio.h>

/* ---- what clients send ---- */

#define B struct auth_body
#define TOKEN_EXAMPLE "0123456789012345678901234567890123456789012"
/* The addresses that user_email_normalise takes: up to 64 bytes before the last @, and no blank inside. */
#define EMAIL_CHARACTER(more) "[^" more " \\x00-\\x1F\\x7F-\\x9F\\u061C\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u2069]"
#define EMAIL_PATTERN "^ *" EMAIL_CHARACTER("") "{1,64}@" EMAIL_CHARACTER("@") "+ *$"
#define EMAIL                                                                                                          \
  BUS_FIELD_STRING(B, email, BUS_PLAIN, 3, USER_EMAIL_MAX, BUS_REQUIRED,                                               \
                   "e-mail address, with at most 64 bytes before the @", .pattern = EMAIL_PATTERN,                     \
                   .example = "ann@example.org")
#define PASSWORD(member, least)                                                                                        \
  BUS_FIELD_STRING(B, member, BUS_TEXT, least, USER_PASSWORD_MAX, BUS_REQUIRED, "password",                            \
                   .example = "correct horse battery")
#define TOKEN(member, text)                                                                                            \
  BUS_FIELD_STRING(B, member, BUS_TOKEN, USER_TOKEN_LEN, USER_TOKEN_LEN, BUS_REQUIRED, text, .example = TOKEN_EXAMPLE)

static const struct bus_field register_fields[] = {
    EMAIL,
    PASSWORD(password, USER_PASSWORD_MIN),
    BUS_FIELD_STRING(B, name, BUS_PLAIN, 1, USER_NAME_MAX, BUS_OPTIONAL, "what the user is called", .example = "Ann"),
};
static const struct bus_field login_fields[] = {
    EMAIL,
    PASSWORD(password, 1),
    BUS_FIELD_BOOL(B, cookie, BUS_OPTIONAL,
                   "true: the refresh token comes as the cookie __Host-refresh and not in the body; for pages of this "
                   "host alone"),
};
static const struct bus_field refresh_fields[] = {
    BUS_FIELD_STRING(B, refresh_token, BUS_TOKEN, USER_TOKEN_LEN, USER_TOKEN_LEN, BUS_OPTIONAL,
                     "of a login or the last refresh; it or cookie must be there", .example = TOKEN_EXAMPLE),
    BUS_FIELD_BOOL(B, cookie, BUS_OPTIONAL,
                   "true: the refresh token is in the cookie __Host-refresh; for pages of this host alone"),
};
static const struct bus_field forgot_fields[] = {EMAIL};
static const struct bus_field reset_fields[] = {TOKEN(token, "reset token"), PASSWORD(password, USER_PASSWORD_MIN)};

static void check_email(void *request, struct bus_problems *problems) {
  struct auth_body *body = request;
  if (body->email.data && !user_email_normalise(body->email, body->normal_email))
    bus_problem_add(problems, "email", "must be an e-mail address of at most %d bytes", USER_EMAIL_MAX);
}

static void check_refresh(void *request, struct bus_problems *problems) {
  const struct auth_body *body = request;
  if (!body->refresh_token.data && !body->cookie)
    bus_problem_add(problems, "refresh_token", "must be there, unless cookie is true");
  else if (body->refresh_token.data && body->cookie)
    bus_problem_add(problems, "cookie", "must be absent beside refresh_token");
}

static const struct bus_field key_field = USER_KEY_FIELD(B);
#define INPUT(name, fields, checks)                                                                                    \
  const struct bus_http_input name##_input = {                                                                         \
      .size = sizeof(B), .body = BUS_TABLE(B, fields), .header_key = &key_field, .check = (checks)}
INPUT(register, register_fields, check_email);
INPUT(login, login_fields, check_email);
INPUT(refresh, refresh_fields, check_refresh);
INPUT(logout, refresh_fields, check_refresh);
INPUT(forgot, forgot_fields, check_email);
INPUT(reset, reset_fields, NULL);

/* ---- what they get ---- */

static const struct bus_field status_fields[] = {
    BUS_FIELD_STRING(struct auth_status, status, BUS_TOKEN, 1, 16, BUS_REQUIRED, "accepted or done"),
};
const struct bus_schema auth_status_schema = BUS_SCHEMA("status", struct auth_status, status_fields);

#define T struct user_tokens
static const struct bus_field session_fields[] = {
    BUS_FIELD_STRING(T, access_token, BUS_VISIBLE, 1, USER_TOKENS_MAX, BUS_REQUIRED,
                     "for the header Authorization: Bearer"),
    BUS_FIELD_STRING(T, token_type, BUS_TOKEN, 1, 16, BUS_REQUIRED, "Bearer"),
    BUS_FIELD_INT64(T, expires_in, 1, BUS_JSON_INT_MAX, BUS_REQUIRED, "seconds of the access token"),
    BUS_FIELD_STRING(T, refresh_token, BUS_TOKEN, USER_TOKEN_LEN, USER_TOKEN_LEN, BUS_OPTIONAL,
                     "for one POST /api/auth/refresh; absent if the cookie __Host-refresh has it"),
};
const struct bus_schema session_tokens_schema = BUS_SCHEMA("tokens", T, session_fields);

static struct response refusal(int status, const char *detail, int64_t retry_after_s) {
  return (struct response){
      .status = status, .detail = detail, .retry_after_s = retry_after_s == BUS_NO_INT64 ? 0 : (int)retry_after_s};
}

struct response edge_user_tokens(const struct user_answer *said, const struct bus_seal_pair *pair,
                                 const struct bus_schema *schema, struct bus_arena *arena) {
  size_t len, room = said->tokens.len + 1;
  char *text = bus_arena_alloc(arena, room);
  void *tokens = bus_arena_alloc(arena, schema->size);
  if (!text || !tokens)
    return response_refusal(REFUSAL_NO_MEMORY);
  if (!bus_unseal(pair, said->tokens, text, room, &len) ||
      !bus_decode(schema, (struct bus_str){text, len}, BUS_IGNORE_UNKNOWN, arena, tokens, NULL))
    return response_refusal(REFUSAL_BAD_ANSWER);
  return response_found(schema, tokens);
}

struct response edge_user_refusal(const struct user_answer *said) {
  if (said->outcome == USER_LOCKED)
    return refusal(429, "too many failed attempts", said->retry_after_s);
  if (said->outcome == USER_BUSY)
    return refusal(503, "too many passwords are being checked; repeating is safe", said->retry_after_s);
  return response_no_user();
}

static struct response respond_to(const struct user_answer *said, const struct edge_user_kind *kind,
                                  const struct bus_seal_pair *pair, struct bus_arena *arena) {
  static const struct auth_status accepted = {BUS_STR("accepted")}, done = {BUS_STR("done")};
  switch ((enum user_outcome)said->outcome) {
  case USER_DONE:
    break;
  case USER_REFUSED:
    return refusal(401, "the e-mail address or the password is wrong", BUS_NO_INT64);
  case USER_INVALID:
    return refusal(kind->invalid_status, "the token is unknown, used or expired", BUS_NO_INT64);
  case USER_LOCKED:
  case USER_NOT_FOUND:
  case USER_BUSY:
    return edge_user_refusal(said);
  }
  if (said->tokens.data)
    return edge_user_tokens(said, pair, &user_tokens_schema, arena);
  struct response found = response_found(&auth_status_schema, kind->status == 202 ? &accepted : &done);
  found.status = kind->status;
  return found;
}

/* ---- what user-svc is asked ---- */

void edge_user_name_request(struct bus_http_exchange *exchange, struct bus_str key, struct bus_str whom,
                            struct bus_uuid *ret) {
  if (key.data)
    user_request_id_of(bus_str(bus_http_route(exchange)->path), key, whom, ret);
  else
    bus_secret_uuid(ret);
}

bool edge_user_seal(const struct edge *edge, struct bus_http_exchange *exchange, struct bus_str secret,
                    struct bus_str *ret) {
  if (!secret.data)
    return true;
  bool sealed = bus_seal(&edge->user_key, secret, bus_http_arena(exchange), ret);
  bus_erase((char *)secret.data, secret.len);
  return sealed;
}

void edge_user_erase_body(struct bus_http_exchange *exchange) {
  struct bus_str raw = bus_http_body(exchange);
  if (raw.len > 0)
    bus_erase((char *)raw.data, raw.len);
}

/* Requests of one address can be counted together, and no address is named. */
static bool name_client(const struct edge *edge, struct bus_http_exchange *exchange, struct bus_str *ret) {
  char keyed[sizeof edge->customer_key + BUS_ADDRESS_BYTES], hash[BUS_SHA256_TEXT];
  struct bus_str client = bus_http_client(exchange);
  memcpy(keyed, edge->customer_key, sizeof edge->customer_key);
  memcpy(keyed + sizeof edge->customer_key, client.data, client.len);
  bus_sha256_hex((struct bus_str){keyed, sizeof edge->customer_key + client.len}, hash);
  *ret = bus_arena_copy(bus_http_arena(exchange), (struct bus_str){hash, USER_CLIENT_LEN});
  return ret->data != NULL;
}

/* Whom the request is about, for its id: an address, or a token by its hash. */
static struct bus_str whom(const struct auth_body *body, char hash[BUS_SHA256_TEXT]) {
  if (body->normal_email[0])
    return bus_str(body->normal_email);
  bus_sha256_hex(body->refresh_token.data ? body->refresh_token : body->token, hash);
  return bus_str(hash);
}

static bool fill(const struct edge *edge, struct bus_http_exchange *exchange, const struct auth_body *body,
                 const struct bus_seal_pair *pair, struct user_request *ret) {
  struct bus_arena *arena = bus_http_arena(exchange);
  bool logs_in = ((const struct edge_user_kind *)bus_http_route(exchange)->data)->query.type == &user_login_type;
  char key[BUS_SEAL_KEY_TEXT + 1];
  struct bus_str token = body->refresh_token.data ? body->refresh_token : body->token;
  bus_seal_key_format(&pair->public_key, key);
  ret->reply_key = bus_arena_copy(arena, bus_str(key));
  ret->email = body->normal_email[0] ? bus_str(body->normal_email) : BUS_NO_STR;
  ret->name = body->name;
  bool filled = ret->reply_key.data && name_client(edge, exchange, &ret->client) &&
                edge_user_seal(edge, exchange, body->password, logs_in ? &ret->password : &ret->new_password) &&
                edge_user_seal(edge, exchange, token, &ret->token);
  edge_user_erase_body(exchange);
  return filled;
}

/* ---- the session's cookie ---- */

/* Takes the refresh token from the cookie; login has none yet. → the refusal; status 0: none. */
static struct response open_cookie(struct bus_http_exchange *exchange, struct auth_body *body) {
  bool begins = body->password.data != NULL;
  if (!session_origin_is_own(bus_http_header(exchange, "Origin"), bus_http_header(exchange, "Host")))
    return refusal(403, "cookie is for pages of this host alone: Origin must be its own, https or on loopback",
                   BUS_NO_INT64);
  if (begins)
    return (struct response){.status = 0};
  struct bus_str token = session_cookie_find(bus_http_header(exchange, "Cookie"));
  if (!token.data)
    return refusal(401, "there is no session: the cookie is absent or malformed", BUS_NO_INT64);
  body->refresh_token = bus_arena_copy(bus_http_arena(exchange), token); /* it is erased when it is sealed */
  return body->refresh_token.data ? (struct response){.status = 0} : response_refusal(REFUSAL_NO_MEMORY);
}

/* Puts the refresh token of the response into the cookie. */
static struct response hide_token(struct bus_http_exchange *exchange, const struct response *response) {
  struct bus_arena *arena = bus_http_arena(exchange);
  struct user_tokens *shown = bus_arena_alloc(arena, sizeof *shown);
  const struct user_tokens *tokens = response->body;
  struct bus_str cookie = session_cookie_set(tokens->refresh_token, arena);
  if (!shown || !cookie.data)
    return response_refusal(REFUSAL_NO_MEMORY);
  *shown = *tokens;
  shown->refresh_token = BUS_NO_STR;
  bus_http_add_header(exchange, "Set-Cookie", cookie);
  return response_found(&session_tokens_schema, shown);
}

/* A failed login leaves an older session its cookie. */
static bool ends_session(const struct auth_body *body, const struct response *response) {
  return !body->password.data && (response->status == 200 || response->status == 400 || response->status == 401);
}

static void close_cookie(struct bus_http_exchange *exchange, const struct auth_body *body, struct response *response) {
  if (response->status == 200 && response->schema == &user_tokens_schema)
    *response = hide_token(exchange, response);
  else if (ends_session(body, response))
    bus_http_add_header(exchange, "Set-Cookie", session_cookie_end());
}

/* ---- the handler ---- */

static struct response ask(struct edge *edge, struct bus_http_exchange *exchange, const struct auth_body *body) {
  const struct edge_user_kind *kind = bus_http_route(exchange)->data;
  struct user_request request = {.request_id = {{0}}};
  struct bus_seal_pair pair;
  char hash[BUS_SHA256_TEXT];
  const void *said;
  struct response response = response_refusal(REFUSAL_UNROUTABLE);
  bus_seal_pair_new(&pair);
  edge_user_name_request(exchange, body->idempotency_key, whom(body, hash), &request.request_id);
  if (edge->has_users && !fill(edge, exchange, body, &pair, &request))
    response = response_refusal(REFUSAL_NO_MEMORY);
  else if (edge->has_users &&
           edge_ask(edge, exchange, &(struct edge_query){.kind = &kind->query, .body = &request}, &said, &response))
    response = respond_to(said, kind, &pair, bus_http_arena(exchange));
  bus_erase(&pair, sizeof pair);
  return response;
}

void edge_user_request(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  struct auth_body body = *(const struct auth_body *)bus_http_request(exchange);
  struct response response = {.status = 0};
  if (body.cookie)
    response = open_cookie(exchange, &body);
  if (response.status == 0)
    response = ask(edge, exchange, &body);
  if (body.cookie)
    close_cookie(exchange, &body, &response);
  edge_respond(edge, exchange, &response);
}
