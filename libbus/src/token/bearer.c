/* The header Authorization as RFC 6750 writes it, names in a token's scope, and texts of verdicts. */
#include <bus/token.h>

#include <assert.h>
#include <strings.h>

static bool is_token_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         (c != '\0' && strchr("-._~+/=", c) != NULL);
}

bool bus_token_bearer(struct bus_str authorization, struct bus_str *ret) {
  static const char scheme[] = "Bearer ";
  enum { SCHEME_LEN = sizeof scheme - 1 };
  if (authorization.len <= SCHEME_LEN || strncasecmp(authorization.data, scheme, SCHEME_LEN) != 0)
    return false;
  struct bus_str token = {authorization.data + SCHEME_LEN, authorization.len - SCHEME_LEN};
  for (size_t i = 0; i < token.len; i++)
    if (!is_token_character(token.data[i]))
      return false;
  *ret = token;
  return true;
}

bool bus_token_has_scope(const struct bus_token_claims *claims, const char *name) {
  struct bus_str rest = bus_str(claims->scope);
  assert(name);
  while (rest.len > 0)
    if (bus_str_is(bus_str_cut(&rest, ' '), name))
      return true;
  return false;
}

const char *bus_token_verdict_text(enum bus_token_verdict verdict) {
  static const char *const texts[] = {
#define VERDICT_TEXT(name, text) [BUS_TOKEN_##name] = text,
      BUS_TOKEN_VERDICT_MAP(VERDICT_TEXT)
#undef VERDICT_TEXT
  };
  return texts[verdict];
}
