/* Credentials of a program in the header or in the form, and user-svc's answer as OAuth 2.0 has it. */
#include "client_tokens.h"

#include <bus/form.h>

enum { FORM_MAX = 2048 };

/* Wide bounds: a wrong value gets an error of OAuth from the handler. */
#define T struct token_request
static const struct bus_field token_fields[] = {
    BUS_FIELD_STRING(T, grant_type, BUS_TEXT, 0, FORM_MAX, BUS_OPTIONAL, "client_credentials",
                     .example = "client_credentials"),
    BUS_FIELD_STRING(T, client_id, BUS_TEXT, 0, FORM_MAX, BUS_OPTIONAL, "the program; or in Authorization: Basic",
                     .example = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
    BUS_FIELD_STRING(T, client_secret, BUS_TEXT, 0, FORM_MAX, BUS_OPTIONAL, "its secret; or in Authorization: Basic",
                     .example = "0123456789012345678901234567890123456789012"),
};
const struct bus_http_input token_input = {.size = sizeof(T), .body = BUS_TABLE(T, token_fields), .body_is_form = true};

#define E struct oauth_error
static const struct bus_field error_fields[] = {
    BUS_FIELD_STRING(E, error, BUS_TOKEN, 1, 64, BUS_REQUIRED, "as RFC 6749, 5.2 names it"),
    BUS_FIELD_STRING(E, error_description, BUS_PLAIN, 1, 200, BUS_REQUIRED, "the same in words"),
};
const struct bus_schema oauth_error_schema = BUS_SCHEMA("OAuth error", E, error_fields);

/* ---- errors ---- */

static const struct oauth_error no_grant = {BUS_STR("invalid_request"), BUS_STR("grant_type is missing")},
                                other_grant = {BUS_STR("unsupported_grant_type"),
                                               BUS_STR("grant_type must be client_credentials")},
                                two_credentials = {BUS_STR("invalid_request"),
                                                   BUS_STR("credentials stand in the header and in the form")},
                                bad_client = {BUS_STR("invalid_client"),
                                              BUS_STR("the program is unknown, or its secret is wrong")};

static struct response refusal(const struct oauth_error *error) {
  return (struct response){.status = error == &bad_client ? 401 : 400, .schema = &oauth_error_schema, .body = error};
}

/* ---- credentials ---- */

static int sextet_of(char c) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const char *found = c ? strchr(digits, c) : NULL;
  return found ? (int)(found - digits) : -1;
}

/* Base64 with its padding. text has room for 3/4 of it. */
static bool read_base64(struct bus_str encoded, char *text, size_t *ret_len) {
  uint32_t bits = 0;
  size_t padding = 0, len = 0;
  while (padding < 2 && padding < encoded.len && encoded.data[encoded.len - 1 - padding] == '=')
    padding++;
  if (encoded.len == 0 || encoded.len % 4 != 0)
    return false;
  for (size_t i = 0; i < encoded.len - padding; i++) {
    int sextet = sextet_of(encoded.data[i]);
    if (sextet < 0)
      return false;
    bits = bits << 6 | (uint32_t)sextet;
    if (i % 4 != 0)
      text[len++] = (char)(bits >> (6 - i % 4 * 2) & 0xFF);
  }
  *ret_len = len;
  return (bits & ((1U << (padding * 2)) - 1)) == 0;
}

static bool decode(struct bus_str encoded, struct bus_arena *arena, struct bus_str *ret) {
  char *text = bus_arena_alloc(arena, encoded.len + 1);
  return text && bus_form_decode(encoded, text, &ret->len) && (ret->data = text);
}

bool edge_basic_parse(struct bus_str header, struct bus_arena *arena, struct bus_str *ret_name,
                      struct bus_str *ret_secret) {
  static const char scheme[] = "basic ";
  size_t start = sizeof scheme - 1;
  if (header.len <= start)
    return false;
  for (size_t i = 0; i < start; i++)
    if ((header.data[i] | 0x20) != scheme[i])
      return false;
  struct bus_str encoded = {header.data + start, header.len - start}, rest = BUS_NO_STR;
  char *text = bus_arena_alloc(arena, encoded.len);
  if (!text || !read_base64(encoded, text, &rest.len))
    return false;
  rest.data = text;
  bool has_colon = memchr(text, ':', rest.len) != NULL;
  struct bus_str whole = rest, name = bus_str_cut(&rest, ':');
  bool good = has_colon && decode(name, arena, ret_name) && decode(rest, arena, ret_secret);
  bus_erase((char *)whole.data, whole.len);
  return good;
}

/* NULL: they are there. */
static const struct oauth_error *find_credentials(struct bus_http_exchange *exchange, struct bus_uuid *ret_id,
                                                  struct bus_str *ret_secret) {
  const struct token_request *request = bus_http_request(exchange);
  struct bus_str header = bus_http_header(exchange, "Authorization"), name = request->client_id;
  *ret_secret = request->client_secret;
  if (!request->grant_type.data)
    return &no_grant;
  if (!bus_str_is(request->grant_type, "client_credentials"))
    return &other_grant;
  if (header.data && request->client_secret.data)
    return &two_credentials;
  if (header.data && !edge_basic_parse(header, bus_http_arena(exchange), &name, ret_secret))
    return &bad_client;
  return name.data && ret_secret->len > 0 && ret_secret->len <= USER_PASSWORD_MAX && bus_uuid_parse(name, ret_id)
             ? NULL
             : &bad_client;
}

/* ---- the handler ---- */

static struct response ask(struct edge *edge, struct bus_http_exchange *exchange, struct user_client_token *token,
                           struct bus_str secret) {
  static const struct edge_query_kind kind = {.type = &user_client_token_type, .answer = &user_answer_type};
  struct bus_seal_pair pair;
  char key[BUS_SEAL_KEY_TEXT + 1];
  const void *said;
  struct response response = response_refusal(REFUSAL_NO_MEMORY);
  bus_seal_pair_new(&pair);
  bus_seal_key_format(&pair.public_key, key);
  token->reply_key = bus_str(key);
  if (edge_user_seal(edge, exchange, secret, &token->secret) &&
      edge_ask(edge, exchange, &(struct edge_query){.kind = &kind, .correlation_id = &token->client_id, .body = token},
               &said, &response)) {
    const struct user_answer *answer = said;
    response = answer->outcome == USER_DONE && answer->tokens.data
                   ? edge_user_tokens(answer, &pair, &user_client_tokens_schema, bus_http_arena(exchange))
                   : refusal(&bad_client);
  }
  bus_erase(&pair, sizeof pair);
  return response;
}

void edge_client_token(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  struct user_client_token token = {.secret = BUS_NO_STR};
  struct bus_str secret;
  struct response response = response_refusal(REFUSAL_UNROUTABLE);
  const struct oauth_error *error = find_credentials(exchange, &token.client_id, &secret);
  if (error)
    response = refusal(error);
  else if (edge->has_users)
    response = ask(edge, exchange, &token, secret);
  edge_user_erase_body(exchange);
  if (response.status == 401)
    bus_http_add_header(exchange, "WWW-Authenticate", BUS_STR("Basic realm=\"orderbus\""));
  edge_respond(edge, exchange, &response);
}
