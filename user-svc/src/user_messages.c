/* The messages that user-svc takes and answers: field tables and types. */
#include "user_messages.h"

#include <bus/pong.h>

#include <string.h>

const char *const user_role_names[] = {"customer", "operator", "admin", NULL};
const char *const user_outcome_names[] = {"done", "refused", "locked", "invalid", "not_found", "busy", NULL};

#define R struct user_request
#define REQUEST_ID BUS_FIELD_UUID(R, request_id, BUS_REQUIRED, "of the client's idempotency key, or a new one")
#define USER_ID BUS_FIELD_UUID(R, user_id, BUS_REQUIRED, "the user")
#define EMAIL BUS_FIELD_STRING(R, email, BUS_PLAIN, 3, USER_EMAIL_MAX, BUS_REQUIRED, "the user's e-mail address")
#define NAME BUS_FIELD_STRING(R, name, BUS_PLAIN, 1, USER_NAME_MAX, BUS_OPTIONAL, "what the user is called")
#define CLIENT                                                                                                         \
  BUS_FIELD_STRING(R, client, BUS_TOKEN, USER_CLIENT_LEN, USER_CLIENT_LEN, BUS_REQUIRED, "hash of the address")
#define SEALED(member, text)                                                                                           \
  BUS_FIELD_STRING(R, member, BUS_TOKEN, USER_SEALED_MIN, USER_SEALED_MAX, BUS_REQUIRED, text)
#define REPLY_KEY                                                                                                      \
  BUS_FIELD_STRING(R, reply_key, BUS_TOKEN, USER_KEY_TEXT, USER_KEY_TEXT, BUS_REQUIRED, "tokens are sealed to it")

static const struct bus_field register_fields[] = {REQUEST_ID, EMAIL, NAME, SEALED(new_password, "sealed password")};
static const struct bus_field login_fields[] = {REQUEST_ID, EMAIL, CLIENT, SEALED(password, "sealed password"),
                                                REPLY_KEY};
static const struct bus_field refresh_fields[] = {REQUEST_ID, SEALED(token, "sealed refresh token"), REPLY_KEY};
static const struct bus_field logout_fields[] = {REQUEST_ID, SEALED(token, "sealed refresh token")};
static const struct bus_field forgot_fields[] = {REQUEST_ID, EMAIL};
static const struct bus_field reset_fields[] = {REQUEST_ID, SEALED(token, "sealed reset token"),
                                                SEALED(new_password, "sealed password")};
static const struct bus_field password_fields[] = {REQUEST_ID, USER_ID, SEALED(password, "sealed present password"),
                                                   SEALED(new_password, "sealed new password")};
static const struct bus_field update_fields[] = {REQUEST_ID, USER_ID, NAME};
static const struct bus_field erase_fields[] = {REQUEST_ID, USER_ID};

#define REQUEST_TYPE(verb, text)                                                                                       \
  static const struct bus_schema verb##_schema = BUS_SCHEMA("user." text, R, verb##_fields);                           \
  const struct bus_message_type user_##verb##_type = BUS_REQUEST("user." text ".v1", &verb##_schema, "edge")
REQUEST_TYPE(register, "register");
REQUEST_TYPE(login, "login");
REQUEST_TYPE(refresh, "refresh");
REQUEST_TYPE(logout, "logout");
REQUEST_TYPE(forgot, "forgot");
REQUEST_TYPE(reset, "reset");
REQUEST_TYPE(password, "change-password");
REQUEST_TYPE(update, "update");
REQUEST_TYPE(erase, "erase");

static const struct bus_field view_fields[] = {
    BUS_FIELD_UUID(struct user_view, user_id, BUS_REQUIRED, "the user"),
    BUS_FIELD_STRING(struct user_view, email, BUS_PLAIN, 1, USER_EMAIL_MAX, BUS_OPTIONAL, "null once erased"),
    BUS_FIELD_STRING(struct user_view, name, BUS_PLAIN, 1, USER_NAME_MAX, BUS_OPTIONAL, "what the user is called"),
    BUS_FIELD_ENUM(struct user_view, role, user_role_names, BUS_REQUIRED, "the user's rights"),
    BUS_FIELD_TIME(struct user_view, created_at, BUS_REQUIRED, "when the user registered"),
    BUS_FIELD_INT64(struct user_view, version, 1, BUS_JSON_INT_MAX, BUS_REQUIRED, "counts its changes"),
};
const struct bus_schema user_view_schema = BUS_SCHEMA("user", struct user_view, view_fields);

static const struct bus_field answer_fields[] = {
    BUS_FIELD_ENUM(struct user_answer, outcome, user_outcome_names, BUS_REQUIRED, "what became of it"),
    BUS_FIELD_INT64(struct user_answer, retry_after_s, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "when to try again"),
    BUS_FIELD_STRING(struct user_answer, tokens, BUS_TOKEN, 1, USER_TOKENS_MAX, BUS_OPTIONAL, "sealed tokens"),
    BUS_FIELD_OBJECT(struct user_answer, user, struct user_view, &user_view_schema, BUS_OPTIONAL, "the user"),
};
const struct bus_schema user_answer_schema = BUS_SCHEMA("user.answer", struct user_answer, answer_fields);

static const struct bus_field tokens_fields[] = {
    BUS_FIELD_STRING(struct user_tokens, access_token, BUS_VISIBLE, 1, USER_TOKENS_MAX, BUS_REQUIRED,
                     "for the header Authorization: Bearer"),
    BUS_FIELD_STRING(struct user_tokens, token_type, BUS_TOKEN, 1, 16, BUS_REQUIRED, "Bearer"),
    BUS_FIELD_INT64(struct user_tokens, expires_in, 1, BUS_JSON_INT_MAX, BUS_REQUIRED, "seconds of the access token"),
    BUS_FIELD_STRING(struct user_tokens, refresh_token, BUS_TOKEN, USER_TOKEN_LEN, USER_TOKEN_LEN, BUS_REQUIRED,
                     "for one POST /api/auth/refresh"),
};
const struct bus_schema user_tokens_schema = BUS_SCHEMA("tokens", struct user_tokens, tokens_fields);

static const struct bus_field get_fields[] = {BUS_FIELD_UUID(struct user_get, user_id, BUS_REQUIRED, "the user")};
const struct bus_schema user_get_schema = BUS_SCHEMA("user.get", struct user_get, get_fields);

static const struct bus_field list_fields[] = {
    BUS_FIELD_STRING(struct user_list, email, BUS_PLAIN, 1, USER_EMAIL_MAX, BUS_OPTIONAL, "begin of the address"),
    BUS_FIELD_STRING(struct user_list, cursor, BUS_TOKEN, 2, USER_CURSOR_MAX, BUS_OPTIONAL, "begin behind it"),
    BUS_FIELD_INT64(struct user_list, limit, 1, USER_PAGE_MAX, BUS_REQUIRED, "how many at most"),
};
const struct bus_schema user_list_schema = BUS_SCHEMA("user.list", struct user_list, list_fields);

static const struct bus_field page_fields[] = {
    BUS_FIELD_ARRAY(struct user_page, items, item_count, struct user_view, &user_view_schema, 0, USER_PAGE_MAX,
                    BUS_REQUIRED, "users, by e-mail address"),
    BUS_FIELD_STRING(struct user_page, next_cursor, BUS_TOKEN, 2, USER_CURSOR_MAX, BUS_OPTIONAL, "null at the end"),
};
const struct bus_schema user_page_schema = BUS_SCHEMA("user.page", struct user_page, page_fields);

#define C struct user_client_token
static const struct bus_field client_token_fields[] = {
    BUS_FIELD_UUID(C, client_id, BUS_REQUIRED, "the program"),
    BUS_FIELD_STRING(C, secret, BUS_TOKEN, USER_SEALED_MIN, USER_SEALED_MAX, BUS_REQUIRED, "sealed secret"),
    BUS_FIELD_STRING(C, reply_key, BUS_TOKEN, USER_KEY_TEXT, USER_KEY_TEXT, BUS_REQUIRED, "the token is sealed to it"),
};
const struct bus_schema user_client_token_schema = BUS_SCHEMA("user.client-token", C, client_token_fields);

#define A struct user_client_tokens
static const struct bus_field client_tokens_fields[] = {
    BUS_FIELD_STRING(A, access_token, BUS_VISIBLE, 1, USER_TOKENS_MAX, BUS_REQUIRED,
                     "for the header Authorization: Bearer"),
    BUS_FIELD_STRING(A, token_type, BUS_TOKEN, 1, 16, BUS_REQUIRED, "Bearer"),
    BUS_FIELD_INT64(A, expires_in, 1, BUS_JSON_INT_MAX, BUS_REQUIRED, "seconds of the access token"),
    BUS_FIELD_STRING(A, scope, BUS_PLAIN, 1, USER_SCOPE_MAX, BUS_OPTIONAL, "what the token allows besides its role"),
};
const struct bus_schema user_client_tokens_schema = BUS_SCHEMA("client tokens", A, client_tokens_fields);

static const struct bus_field keys_get_fields[] = {
    BUS_FIELD_BOOL(struct user_keys_get, deep, BUS_OPTIONAL, "reserved"),
};
const struct bus_schema user_keys_get_schema = BUS_SCHEMA("user.keys", struct user_keys_get, keys_get_fields);

static const struct bus_field keys_fields[] = {
    BUS_FIELD_STRING(struct user_keys, issuer, BUS_VISIBLE, 1, 255, BUS_REQUIRED, "iss of the tokens"),
    BUS_FIELD_EMBED(struct user_keys, jwks, struct bus_jwks, &bus_jwks_schema),
};
const struct bus_schema user_keys_schema = BUS_SCHEMA("user.keys", struct user_keys, keys_fields);

static const struct bus_field ping_fields[] = {BUS_FIELD_BOOL(struct user_ping, deep, BUS_OPTIONAL, "reserved")};
const struct bus_schema user_ping_schema = BUS_SCHEMA("ping", struct user_ping, ping_fields);

const struct bus_message_type user_get_type = BUS_QUERY("user.get.v1", &user_get_schema, "edge");
const struct bus_message_type user_list_type = BUS_QUERY("user.list.v1", &user_list_schema, "edge");
const struct bus_message_type user_client_token_type =
    BUS_QUERY("user.client-token.v1", &user_client_token_schema, "edge");
const struct bus_message_type user_keys_get_type = BUS_QUERY("user.keys-get.v1", &user_keys_get_schema, "edge");
const struct bus_message_type user_ping_type = BUS_QUERY("user.ping.v1", &user_ping_schema, "edge");
const struct bus_message_type user_answer_type = BUS_ANSWER("user.answer.v1", &user_answer_schema);
const struct bus_message_type user_page_type = BUS_ANSWER("user.page.v1", &user_page_schema);
const struct bus_message_type user_keys_type = BUS_ANSWER("user.keys.v1", &user_keys_schema);
const struct bus_message_type user_pong_type = BUS_ANSWER("user.pong.v1", &bus_pong_schema);

/* ---- e-mail addresses ---- */

enum { LOCAL_MAX = 64 };

static struct bus_str without_blanks(struct bus_str text) {
  while (text.len > 0 && text.data[0] == ' ')
    text = (struct bus_str){text.data + 1, text.len - 1};
  while (text.len > 0 && text.data[text.len - 1] == ' ')
    text.len--;
  return text;
}

static bool has_blank(struct bus_str text) {
  return text.len > 0 && memchr(text.data, ' ', text.len) != NULL;
}

/* The index of the last @; text.len where there is none. */
static size_t find_at(struct bus_str text) {
  for (size_t i = text.len; i > 0; i--)
    if (text.data[i - 1] == '@')
      return i - 1;
  return text.len;
}

bool user_email_normalise(struct bus_str email, char ret[USER_EMAIL_MAX + 1]) {
  struct bus_str text = without_blanks(email);
  size_t at = find_at(text);
  if (text.len > USER_EMAIL_MAX || at == 0 || at > LOCAL_MAX || at + 1 >= text.len || has_blank(text))
    return false;
  for (size_t i = 0; i < text.len; i++) {
    char c = text.data[i];
    ret[i] = (char)(i > at && c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  }
  ret[text.len] = '\0';
  return true;
}

/* ---- cursors ---- */

void user_cursor_format(struct bus_str email, char text[USER_CURSOR_MAX + 1]) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < email.len; i++) {
    uint8_t byte = (uint8_t)email.data[i];
    text[2 * i] = digits[byte >> 4];
    text[2 * i + 1] = digits[byte & 15];
  }
  text[2 * email.len] = '\0';
}

static int digit_of(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool user_cursor_parse(struct bus_str text, char ret[USER_EMAIL_MAX + 1]) {
  char email[USER_EMAIL_MAX + 1] = "";
  if (text.len == 0 || text.len > USER_CURSOR_MAX || text.len % 2 != 0)
    return false;
  for (size_t i = 0; i < text.len / 2; i++) {
    int high = digit_of(text.data[2 * i]), low = digit_of(text.data[2 * i + 1]);
    if (high < 0 || low < 0)
      return false;
    email[i] = (char)(high << 4 | low);
  }
  if (!bus_text_is_of(BUS_PLAIN, (struct bus_str){email, text.len / 2}))
    return false;
  memcpy(ret, email, sizeof email);
  return true;
}

/* ---- request ids ---- */

/* The namespace of these request ids; a constant for ever. */
static const struct bus_uuid request_namespace = {
    {0x75, 0x73, 0x65, 0x72, 0x72, 0x65, 0x41, 0x75, 0x9e, 0x10, 0x71, 0x75, 0x65, 0x73, 0x74, 0x73}};

enum { ID_TEXT_MAX = 1024 };

void user_request_id_of(struct bus_str path, struct bus_str key, struct bus_str whom, struct bus_uuid *ret) {
  char text[ID_TEXT_MAX];
  const struct bus_str parts[] = {path, key, whom};
  size_t len = 0;
  for (size_t i = 0; i < BUS_COUNT(parts); i++) {
    size_t room = sizeof text - len - 1, taken = parts[i].len < room ? parts[i].len : room;
    if (taken > 0)
      memcpy(text + len, parts[i].data, taken);
    len += taken;
    if (len < sizeof text - 1)
      text[len++] = '\0';
  }
  bus_uuid_v5(&request_namespace, (struct bus_str){text, len}, ret);
}
