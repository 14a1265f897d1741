/* Signing keys and signed tokens: ES256 alone. */
#include "internal.h"

#include <bus/hash.h>

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "base64url.h"

struct bus_token_signer {
  char kid[BUS_TOKEN_KID_MAX + 1];
  char x[44], y[44]; /* base64url of 32 bytes */
  EVP_PKEY *key;
};

static bool refuse(struct bus_error *err, enum bus_errc code, const char *text) {
  ERR_clear_error();
  return bus_fail(err, code, "%s", text);
}

bool bus_token_key_generate(struct bus_arena *arena, struct bus_str *ret_pem, struct bus_error *err) {
  EVP_PKEY *key = EVP_EC_gen("P-256");
  BIO *out = BIO_new(BIO_s_secmem());
  char *text = NULL;
  struct bus_str pem = BUS_NO_STR;
  if (key && out && PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1) {
    long len = BIO_get_mem_data(out, &text);
    pem = bus_arena_copy(arena, (struct bus_str){text, (size_t)len});
  }
  BIO_free(out);
  EVP_PKEY_free(key);
  if (pem.data == NULL)
    return refuse(err, BUS_E_NOMEM, "out of memory making a signing key");
  *ret_pem = pem;
  return true;
}

/* A password would be asked for on the terminal. */
static int no_password(char *text, int size, int writing, void *context) {
  (void)text, (void)size, (void)writing, (void)context;
  return -1;
}

static EVP_PKEY *read_pem(struct bus_str pem) {
  BIO *in = pem.len > 0 && pem.len <= 65536 ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
  EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_password, NULL) : NULL;
  BIO_free(in);
  return key;
}

static void print_number(char text[44], const uint8_t *bytes, struct bus_arena *arena, bool *made) {
  struct bus_str printed = bus_base64url_print(arena, bytes, 32);
  *made = *made && printed.data;
  if (printed.data) {
    memcpy(text, printed.data, printed.len);
    text[printed.len] = '\0';
  }
}

/* RFC 7638: the hash of the required members in the order of the alphabet. */
static bool print_thumbprint(struct bus_token_signer *signer, struct bus_arena *arena) {
  uint8_t digest[32];
  char text[44] = "";
  bool made = true;
  struct bus_str json =
      bus_arena_printf(arena, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", signer->x, signer->y);
  if (json.data == NULL)
    return false;
  bus_sha256(json, digest);
  print_number(text, digest, arena, &made);
  memcpy(signer->kid, text, sizeof text);
  return made;
}

static bool fill_signer(struct bus_token_signer *signer, const char *kid, struct bus_error *err) {
  uint8_t point[P256_POINT];
  if (signer->key == NULL || !token_point_of(signer->key, point))
    return refuse(err, BUS_E_CONFIG, "the signing key must be a private key on the curve P-256, as PEM");
  if (kid && !token_is_kid(bus_str(kid)))
    return refuse(err, BUS_E_CONFIG, "a signing key's kid must be 1 to 64 of A-Z a-z 0-9 _ -");
  struct bus_arena *arena = bus_arena_new(4096);
  bool made = arena != NULL;
  if (arena) {
    print_number(signer->x, point + 1, arena, &made);
    print_number(signer->y, point + 33, arena, &made);
    if (made && kid)
      memcpy(signer->kid, kid, strlen(kid) + 1);
    else if (made)
      made = print_thumbprint(signer, arena);
    bus_arena_free(arena);
  }
  return made || refuse(err, BUS_E_NOMEM, "out of memory reading a signing key");
}

bool bus_token_signer_new(struct bus_str pem, const char *kid, struct bus_token_signer **ret, struct bus_error *err) {
  struct bus_token_signer *signer = calloc(1, sizeof *signer);
  if (signer == NULL)
    return refuse(err, BUS_E_NOMEM, "out of memory reading a signing key");
  signer->key = read_pem(pem);
  if (!fill_signer(signer, kid, err)) {
    bus_token_signer_free(signer);
    return false;
  }
  *ret = signer;
  return true;
}

void bus_token_signer_free(struct bus_token_signer *signer) {
  if (signer)
    EVP_PKEY_free(signer->key);
  free(signer);
}

const char *bus_token_signer_kid(const struct bus_token_signer *signer) {
  return signer->kid;
}

bool bus_token_signer_jwk(const struct bus_token_signer *signer, struct bus_arena *arena, struct bus_jwk *ret) {
  struct bus_jwk jwk = {
      .kty = BUS_STR("EC"),
      .kid = bus_arena_copy(arena, bus_str(signer->kid)),
      .use = BUS_STR("sig"),
      .alg = BUS_STR("ES256"),
      .crv = BUS_STR("P-256"),
      .x = bus_arena_copy(arena, bus_str(signer->x)),
      .y = bus_arena_copy(arena, bus_str(signer->y)),
  };
  if (jwk.kid.data == NULL || jwk.x.data == NULL || jwk.y.data == NULL)
    return false;
  *ret = jwk;
  return true;
}

/* The claims are decoded again: a token that is signed here must be accepted there. */
static bool is_readable(const struct token_payload *payload, struct bus_arena *arena) {
  struct token_payload again;
  struct bus_str json;
  return bus_encode(&token_payload_schema, payload, arena, &json) &&
         bus_decode(&token_payload_schema, json, BUS_IGNORE_UNKNOWN, arena, &again, NULL) &&
         token_is_scope(payload->scope);
}

static struct bus_str encode(const struct bus_schema *schema, const void *value, struct bus_arena *arena) {
  struct bus_str json;
  return bus_encode(schema, value, arena, &json) ? bus_base64url_print(arena, json.data, json.len) : BUS_NO_STR;
}

static struct bus_str text_or_none(const char *text) {
  return text[0] ? bus_str(text) : BUS_NO_STR;
}

bool bus_token_sign(const struct bus_token_signer *signer, const struct bus_token_claims *claims, const char *aud,
                    struct bus_str jti, struct bus_arena *arena, struct bus_str *ret, struct bus_error *err) {
  struct token_header header = {.alg = BUS_STR("ES256"), .kid = bus_str(signer->kid), .typ = BUS_STR("at+jwt")};
  struct token_payload payload;
  bus_set_absent(&token_payload_schema, &payload);
  payload.iss = bus_str(claims->iss);
  payload.sub = bus_str(claims->sub);
  payload.aud = bus_arena_printf(arena, "\"%s\"", aud);
  payload.iat = claims->iat / BUS_SECOND;
  payload.exp = claims->exp / BUS_SECOND;
  payload.scope = text_or_none(claims->scope);
  payload.role = bus_str(bus_token_role_names[claims->role]);
  payload.jti = jti;
  if (!token_is_plain(aud) || !payload.aud.data || !is_readable(&payload, arena))
    return refuse(err, BUS_E_INVALID, "a claim has a form that no reader accepts, or memory ran out");
  struct bus_str head = encode(&token_header_schema, &header, arena);
  struct bus_str body = encode(&token_payload_schema, &payload, arena);
  struct bus_str input = head.data && body.data
                             ? bus_arena_printf(arena, "%.*s.%.*s", (int)head.len, head.data, (int)body.len, body.data)
                             : BUS_NO_STR;
  uint8_t raw[ES256_SIGNATURE];
  struct bus_str last = input.data && token_signature_make(signer->key, input, raw)
                            ? bus_base64url_print(arena, raw, sizeof raw)
                            : BUS_NO_STR;
  struct bus_str token =
      last.data ? bus_arena_printf(arena, "%.*s.%.*s", (int)input.len, input.data, (int)last.len, last.data)
                : BUS_NO_STR;
  if (token.data == NULL)
    return refuse(err, BUS_E_NOMEM, "out of memory signing a token");
  if (token.len > BUS_TOKEN_MAX)
    return refuse(err, BUS_E_INVALID, "a token may have at most 4096 bytes");
  *ret = token;
  return true;
}
