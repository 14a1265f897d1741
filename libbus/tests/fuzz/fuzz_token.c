/* Bearer tokens and key sets from anywhere. The first byte chooses: a header Authorization; a key set; a token as it
 * is; or header and claims, apart by a byte 0xFF, for a token whose signature no key has made. No token is ever
 * accepted, because the fuzzer has no private key. */
#include "fuzz.h"

#include "internal.h"

#include "base64url.h"

enum { NOW = 1790000000 };

static const char jwks[] = "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"k1\",\"crv\":\"P-256\",\"x\":"
                           "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":"
                           "\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";

static struct bus_token_keys *our_keys(struct bus_arena *arena) {
  static struct bus_token_keys *keys;
  if (keys == NULL)
    FUZZ_CHECK(bus_token_keys_parse(bus_str(jwks), BUS_TOKEN_ES256, arena, &keys, NULL));
  return keys;
}

static void check(struct bus_str token, struct bus_arena *arena) {
  const struct bus_token_issuer issuer = {
      .iss = "i", .aud = "a", .algs = BUS_TOKEN_ALL_ALGS, .max_age = BUS_HOUR, .keys = our_keys(arena)};
  struct bus_token_claims claims;
  char *exact = fuzz_exact(token);
  enum bus_token_verdict verdict =
      bus_token_check(&issuer, 1, (struct bus_str){exact, token.len}, NOW * BUS_SECOND, arena, &claims);
  free(exact);
  FUZZ_CHECK(verdict != BUS_TOKEN_OK && bus_token_verdict_text(verdict));
}

static void bearer(struct bus_str header, struct bus_arena *arena) {
  struct bus_str token;
  char *exact = fuzz_exact(header);
  if (bus_token_bearer((struct bus_str){exact, header.len}, &token)) {
    FUZZ_CHECK(token.data + token.len == exact + header.len && token.len > 0);
    check(token, arena);
  }
  free(exact);
}

/* The same bytes have one text. */
static void base64(struct bus_str text, struct bus_arena *arena) {
  size_t room = bus_base64url_room(text.len), len;
  uint8_t *bytes = bus_arena_alloc(arena, room);
  FUZZ_CHECK(bytes != NULL);
  if (bus_base64url_read(text, bytes, room, &len))
    FUZZ_CHECK(bus_str_equal(bus_base64url_print(arena, bytes, len), text));
}

static void made(struct bus_str rest, struct bus_arena *arena) {
  struct bus_str head = fuzz_part(&rest);
  head = bus_base64url_print(arena, head.data, head.len);
  struct bus_str body = bus_base64url_print(arena, rest.data, rest.len);
  FUZZ_CHECK(head.data && body.data);
  struct bus_str token =
      bus_arena_printf(arena, "%.*s.%.*s.%.86d", (int)head.len, head.data, (int)body.len, body.data, 0);
  FUZZ_CHECK(token.data != NULL);
  check(token, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct bus_str rest = fuzz_input(data, size);
  struct bus_arena *arena = bus_arena_new((size_t)64 << 20);
  struct bus_token_keys *keys = NULL;
  switch (fuzz_byte(&rest) % 5) {
  case 0:
    bearer(rest, arena);
    break;
  case 1:
    if (bus_token_keys_parse(rest, BUS_TOKEN_ALL_ALGS, arena, &keys, NULL))
      FUZZ_CHECK(bus_token_keys_count(keys) > 0);
    bus_token_keys_free(keys);
    break;
  case 2:
    check(rest, arena);
    break;
  case 3:
    base64(rest, arena);
    break;
  default:
    made(rest, arena);
  }
  bus_arena_free(arena);
  return 0;
}
