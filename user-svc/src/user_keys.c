/* Reads key files; makes and opens what is secret. */
#include "user_keys.h"

#include <bus/config.h>
#include <bus/hash.h>

#include <stdio.h>
#include <string.h>

enum { FILE_MAX = 8192, PUBLISHED_MAX = 65536 };

/* ---- files ---- */

static bool read_private(const char *variable, const char *path, char text[FILE_MAX], struct bus_error *err) {
  if (!bus_secret_file_read(path, text, FILE_MAX, err))
    return bus_error_wrap(err, "%s", variable);
  return text[0] || bus_fail(err, BUS_E_CONFIG, "%s: %s is empty", variable, path);
}

static bool read_seal(const struct user_settings *settings, struct user_key_ring *ring, struct bus_error *err) {
  char text[FILE_MAX];
  struct bus_seal_key key;
  if (!read_private("SEAL_KEY_FILE", settings->seal_key_file, text, err))
    return false;
  bool good = bus_seal_key_parse(bus_str(text), &key);
  bus_erase(text, sizeof text);
  if (!good)
    return bus_fail(err, BUS_E_CONFIG, "SEAL_KEY_FILE: %s must hold 43 characters of base64url",
                    settings->seal_key_file);
  bus_seal_pair_of(&key, &ring->seal);
  bus_erase(&key, sizeof key);
  return true;
}

static bool read_signer(const char *variable, const char *path, struct user_key_ring *ring, struct bus_error *err) {
  char text[FILE_MAX];
  if (!read_private(variable, path, text, err))
    return false;
  bool good = bus_token_signer_new(bus_str(text), NULL, &ring->signers[ring->signer_count], err);
  bus_erase(text, sizeof text);
  if (!good)
    return bus_error_wrap(err, "%s: %s", variable, path);
  ring->signer_count++;
  return true;
}

static bool publish(struct user_key_ring *ring, struct bus_error *err) {
  ring->arena = bus_arena_new(PUBLISHED_MAX);
  struct bus_jwk *keys = ring->arena ? bus_arena_array(ring->arena, USER_SIGNERS_MAX, sizeof *keys) : NULL;
  for (size_t i = 0; keys && i < ring->signer_count; i++)
    if (!bus_token_signer_jwk(ring->signers[i], ring->arena, &keys[i]))
      keys = NULL;
  ring->published = (struct user_keys){.issuer = bus_str(ring->settings->issuer),
                                       .jwks = {.keys = keys, .key_count = ring->signer_count}};
  return keys || bus_fail(err, BUS_E_NOMEM, "out of memory for the public keys");
}

bool user_keys_open(const struct user_settings *settings, struct user_key_ring *ret, struct bus_error *err) {
  *ret = (struct user_key_ring){.settings = settings};
  bool second = settings->second_key_file && *settings->second_key_file;
  bool good = bus_secret_init(err) && read_seal(settings, ret, err) &&
              read_signer("SIGNING_KEY_FILE", settings->signing_key_file, ret, err) &&
              (!second || read_signer("SECOND_KEY_FILE", settings->second_key_file, ret, err)) && publish(ret, err);
  if (!good)
    user_keys_close(ret);
  return good;
}

void user_keys_close(struct user_key_ring *ring) {
  for (size_t i = 0; i < ring->signer_count; i++)
    bus_token_signer_free(ring->signers[i]);
  bus_arena_free(ring->arena);
  bus_erase(ring, sizeof *ring);
}

/* ---- tokens ---- */

/* Whom a token is of, and what it allows. */
struct bearer {
  const struct bus_uuid *id;
  int role;
  struct bus_str scope;
};

static bool sign(const struct user_key_ring *ring, const struct bearer *bearer, bus_time now, struct bus_arena *arena,
                 struct bus_str *ret) {
  struct bus_token_claims claims = {.role = (enum bus_token_role)bearer->role};
  struct bus_uuid random;
  char jti[BUS_UUID_TEXT];
  struct bus_error ignored;
  bus_uuid_format(bearer->id, claims.sub);
  if (bearer->scope.data)
    (void)snprintf(claims.scope, sizeof claims.scope, "%.*s", (int)bearer->scope.len, bearer->scope.data);
  (void)snprintf(claims.iss, sizeof claims.iss, "%s", ring->settings->issuer);
  claims.iat = now - now % BUS_SECOND;
  claims.exp = claims.iat + ring->settings->access_s * BUS_SECOND;
  bus_secret_random(&random, sizeof random);
  bus_uuid_format(&random, jti);
  return bus_token_sign(ring->signers[0], &claims, ring->settings->audience, bus_str(jti), arena, ret, &ignored);
}

/* Seals tokens to the key that a request gives. */
static bool seal(struct bus_str reply_key, const struct bus_schema *schema, const void *tokens, struct bus_arena *arena,
                 struct bus_str *ret) {
  struct bus_seal_key reply;
  struct bus_str json;
  if (!bus_seal_key_parse(reply_key, &reply) || !bus_encode(schema, tokens, arena, &json))
    return false;
  bool sealed = bus_seal(&reply, json, arena, ret);
  bus_erase((char *)json.data, json.len);
  return sealed;
}

bool user_keys_issue(void *context, const struct user *user, const struct user_ask *ask, bus_time now,
                     struct bus_arena *arena, struct bus_str *ret_sealed) {
  const struct user_key_ring *ring = context;
  struct user_tokens tokens = {.token_type = BUS_STR("Bearer"), .expires_in = ring->settings->access_s};
  const struct bearer bearer = {&user->user_id, user->role, bus_str(user_decide_scope((enum user_role)user->role))};
  tokens.refresh_token = bus_str(ask->fresh_token);
  if (!sign(ring, &bearer, now, arena, &tokens.access_token))
    return false;
  bool sealed = seal(ask->reply_key, &user_tokens_schema, &tokens, arena, ret_sealed);
  bus_erase((char *)tokens.access_token.data, tokens.access_token.len);
  bus_erase(ask->fresh_token, BUS_SECRET_TOKEN_TEXT);
  return sealed;
}

bool user_keys_issue_client(void *context, const struct client *client, struct bus_str reply_key, bus_time now,
                            struct bus_arena *arena, struct bus_str *ret_sealed) {
  const struct user_key_ring *ring = context;
  const struct bearer bearer = {&client->client_id, client->role, client->scope};
  struct user_client_tokens tokens = {
      .token_type = BUS_STR("Bearer"), .expires_in = ring->settings->access_s, .scope = client->scope};
  if (!sign(ring, &bearer, now, arena, &tokens.access_token))
    return false;
  bool sealed = seal(reply_key, &user_client_tokens_schema, &tokens, arena, ret_sealed);
  bus_erase((char *)tokens.access_token.data, tokens.access_token.len);
  return sealed;
}

/* ---- asks ---- */

static bool hash_of(struct bus_str secret, struct bus_arena *arena, struct bus_str *ret) {
  char *text = bus_arena_alloc(arena, BUS_SHA256_TEXT);
  if (!text)
    return false;
  bus_sha256_hex(secret, text);
  *ret = (struct bus_str){text, BUS_SHA256_TEXT - 1};
  return true;
}

/* A text that is no token gets no hash, and so is found nowhere. */
static bool hash_sealed(const struct user_key_ring *ring, struct bus_str sealed, struct bus_arena *arena,
                        bool *ret_opened, struct bus_str *ret) {
  char token[USER_PASSWORD_MAX + 1];
  size_t len;
  *ret_opened = bus_unseal(&ring->seal, sealed, token, sizeof token, &len);
  bool good = !*ret_opened || hash_of((struct bus_str){token, len}, arena, ret);
  bus_erase(token, sizeof token);
  return good;
}

bool user_keys_prepare_client(const struct user_key_ring *ring, struct user_query_client *asked,
                              struct bus_arena *arena) {
  bool opened;
  return hash_sealed(ring, asked->request->secret, arena, &opened, &asked->secret_hash);
}

static bool needs_token(const struct user_ask *ask) {
  return ask->kind == USER_REFRESH || ask->kind == USER_FORGOT || (ask->kind == USER_LOGIN && ask->completion);
}

bool user_keys_prepare(const struct user_key_ring *ring, struct user_ask *ask, struct bus_arena *arena) {
  if (ask->request && ask->request->token.data &&
      !hash_sealed(ring, ask->request->token, arena, &ask->opened, &ask->token_hash))
    return false;
  if (ask->completion && ask->kind == USER_REGISTER)
    bus_secret_uuid(&ask->user_id);
  if (ask->completion && ask->kind == USER_LOGIN)
    bus_secret_uuid(&ask->session_id);
  if (!needs_token(ask))
    return true;
  ask->fresh_token = bus_arena_alloc(arena, BUS_SECRET_TOKEN_TEXT + 1);
  if (!ask->fresh_token)
    return false;
  bus_secret_token(ask->fresh_token);
  return hash_of(bus_str(ask->fresh_token), arena, &ask->fresh_hash);
}
