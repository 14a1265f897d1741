/* The verdict on a token: form first, then issuer, claims and time, and the signature last. */
#include "internal.h"

const char *const bus_token_role_names[] = {"customer", "operator", "admin", NULL};

bool token_is_plain(const char *text) {
  size_t len = text ? strlen(text) : 0;
  for (size_t i = 0; i < len; i++)
    if (text[i] <= 0x20 || text[i] > 0x7E || text[i] == '"' || text[i] == '\\')
      return false;
  return len > 0 && len <= BUS_TOKEN_ISS_MAX;
}

static struct bus_str lower(struct bus_str text, char *room, size_t size) {
  size_t len = text.len < size ? text.len : size;
  for (size_t i = 0; i < len; i++)
    room[i] = text.data[i] >= 'A' && text.data[i] <= 'Z' ? (char)(text.data[i] + 32) : text.data[i];
  return (struct bus_str){room, text.len < size ? len : 0};
}

/* Media types have no case. Refresh, logout and proof tokens have other types. */
static bool is_access_typ(struct bus_str typ, bool strict) {
  char room[32];
  if (typ.data == NULL)
    return !strict;
  struct bus_str name = lower(typ, room, sizeof room);
  if (bus_str_is(name, "at+jwt") || bus_str_is(name, "application/at+jwt"))
    return true;
  return !strict && bus_str_is(name, "jwt");
}

static enum bus_token_verdict check_header(const struct token_header *header) {
  if (token_alg_of(header->alg) == 0 || !token_is_kid(header->kid) || header->crit.data)
    return BUS_TOKEN_HEADER;
  return BUS_TOKEN_OK;
}

/* Other kinds of tokens of the same issuer: those of OpenID Connect (nonce, at_hash; events in a logout), Keycloak's
 * claim typ and Cognito's token_use. */
static bool is_access(const struct token_payload *claims) {
  static const char *const typs[] = {"Bearer", "at+jwt", "JWT", NULL};
  return !claims->nonce.data && !claims->at_hash.data && !claims->events.data &&
         (!claims->typ.data || bus_str_is_one_of(claims->typ, typs)) &&
         (!claims->token_use.data || bus_str_is(claims->token_use, "access"));
}

static enum bus_token_verdict check_time(const struct token_payload *claims, bus_time max_age, bus_time now) {
  bus_time iat = claims->iat * BUS_SECOND, exp = claims->exp * BUS_SECOND;
  if (exp <= now - BUS_TOKEN_LEEWAY)
    return BUS_TOKEN_EXPIRED;
  if (iat > now + BUS_TOKEN_LEEWAY)
    return BUS_TOKEN_EARLY;
  if (claims->nbf != BUS_NO_INT64 && claims->nbf * BUS_SECOND > now + BUS_TOKEN_LEEWAY)
    return BUS_TOKEN_EARLY;
  return exp < iat || exp - iat > max_age ? BUS_TOKEN_AGE : BUS_TOKEN_OK;
}

bool token_is_scope(struct bus_str scope) {
  char last = ' ';
  for (size_t i = 0; i < scope.len; last = scope.data[i++])
    if (scope.data[i] < 0x20 || scope.data[i] > 0x7E || (scope.data[i] == ' ' && last == ' '))
      return false;
  return scope.len == 0 || last != ' ';
}

static bool read_role(struct bus_str name, enum bus_token_role *ret) {
  int role = BUS_ROLE_CUSTOMER;
  while (name.data && bus_token_role_names[role] && !bus_str_is(name, bus_token_role_names[role]))
    role++;
  *ret = (enum bus_token_role)role;
  return bus_token_role_names[role] != NULL;
}

static enum bus_token_verdict check_claims(const struct bus_token_issuer *issuer, const struct token_payload *claims,
                                           bus_time now) {
  enum bus_token_role role;
  if (!token_audience_has(claims->aud, issuer->aud))
    return BUS_TOKEN_AUDIENCE;
  if (!is_access(claims))
    return BUS_TOKEN_KIND;
  if (!token_is_scope(claims->scope) || !read_role(claims->role, &role))
    return BUS_TOKEN_CLAIMS;
  return check_time(claims, issuer->max_age, now);
}

static enum bus_token_verdict check_signature(const struct bus_token_issuer *issuer, const struct token_parts *parts) {
  unsigned alg = token_alg_of(parts->header.alg);
  const struct token_key *key = issuer->keys ? token_keys_find(issuer->keys, parts->header.kid) : NULL;
  if ((issuer->algs & alg) == 0)
    return BUS_TOKEN_HEADER;
  if (key == NULL)
    return BUS_TOKEN_KEY;
  if (key->alg != alg)
    return BUS_TOKEN_HEADER;
  return token_signature_holds(key, parts->input, parts->signature, parts->signature_len) ? BUS_TOKEN_OK
                                                                                          : BUS_TOKEN_SIGNATURE;
}

static void copy_text(char *to, struct bus_str text) {
  if (text.len > 0)
    memcpy(to, text.data, text.len);
  to[text.len] = '\0';
}

/* The bounds of the tables are those of the struct. */
static void tell(const struct token_parts *parts, struct bus_token_claims *ret) {
  *ret = (struct bus_token_claims){.iat = parts->payload.iat * BUS_SECOND, .exp = parts->payload.exp * BUS_SECOND};
  (void)read_role(parts->payload.role, &ret->role); /* it was checked */
  copy_text(ret->sub, parts->payload.sub);
  copy_text(ret->scope, parts->payload.scope);
  copy_text(ret->kid, parts->header.kid);
  copy_text(ret->iss, parts->payload.iss);
}

enum bus_token_verdict token_check(const struct bus_token_issuer *issuers, size_t issuer_count, struct bus_str token,
                                   bus_time now, struct bus_arena *arena, struct bus_token_claims *ret,
                                   size_t *ret_issuer) {
  struct token_parts parts;
  *ret_issuer = SIZE_MAX;
  enum bus_token_verdict verdict = token_parts_read(token, arena, &parts);
  if (verdict == BUS_TOKEN_OK)
    verdict = check_header(&parts.header);
  if (verdict != BUS_TOKEN_OK)
    return verdict;
  size_t at = 0;
  while (at < issuer_count && !bus_str_is(parts.payload.iss, issuers[at].iss))
    at++;
  if (at == issuer_count)
    return BUS_TOKEN_ISSUER;
  *ret_issuer = at;
  if (!is_access_typ(parts.header.typ, issuers[at].strict_typ))
    return BUS_TOKEN_KIND;
  verdict = check_claims(&issuers[at], &parts.payload, now);
  if (verdict == BUS_TOKEN_OK)
    verdict = check_signature(&issuers[at], &parts);
  if (verdict == BUS_TOKEN_OK)
    tell(&parts, ret);
  return verdict;
}

enum bus_token_verdict bus_token_check(const struct bus_token_issuer *issuers, size_t issuer_count,
                                       struct bus_str token, bus_time now, struct bus_arena *arena,
                                       struct bus_token_claims *ret) {
  size_t issuer;
  return token_check(issuers, issuer_count, token, now, arena, ret, &issuer);
}
