/* Takes a token apart: three parts, strict base64url, JSON by the field tables. */
#include "internal.h"

#include "base64url.h"

/* Room for what issuers put into their tokens beyond what is read here; the token's own length bounds all of it. */
enum { CLAIM_MAX = BUS_TOKEN_MAX };

#define HEADER(member) BUS_FIELD_STRING(struct token_header, member, BUS_TEXT, 0, CLAIM_MAX, BUS_OPTIONAL, #member)
static const struct bus_field header_fields[] = {
    BUS_FIELD_STRING(struct token_header, alg, BUS_TEXT, 1, 16, BUS_REQUIRED, "the algorithm"),
    BUS_FIELD_STRING(struct token_header, kid, BUS_TEXT, 1, CLAIM_MAX, BUS_REQUIRED, "names the key"),
    HEADER(typ),
    BUS_FIELD_JSON(struct token_header, crit, CLAIM_MAX, BUS_OPTIONAL, "members that a reader must know"),
};
const struct bus_schema token_header_schema = BUS_SCHEMA("token_header", struct token_header, header_fields);

#define CLAIM(member) BUS_FIELD_STRING(struct token_payload, member, BUS_TEXT, 0, CLAIM_MAX, BUS_OPTIONAL, #member)
#define SECONDS(member, presence)                                                                                      \
  BUS_FIELD_INT64(struct token_payload, member, 1, BUS_JSON_INT_MAX, presence, "seconds since 1970")
static const struct bus_field payload_fields[] = {
    BUS_FIELD_STRING(struct token_payload, iss, BUS_TEXT, 1, BUS_TOKEN_ISS_MAX, BUS_REQUIRED, "issuer"),
    BUS_FIELD_STRING(struct token_payload, sub, BUS_ID, 1, BUS_TOKEN_SUB_MAX, BUS_REQUIRED, "subject"),
    BUS_FIELD_JSON(struct token_payload, aud, CLAIM_MAX, BUS_REQUIRED, "audience, or a list of them"),
    SECONDS(iat, BUS_REQUIRED),
    SECONDS(exp, BUS_REQUIRED),
    SECONDS(nbf, BUS_OPTIONAL),
    BUS_FIELD_STRING(struct token_payload, scope, BUS_TEXT, 0, BUS_TOKEN_SCOPE_MAX, BUS_OPTIONAL, "names, by spaces"),
    CLAIM(role),
    CLAIM(typ),
    CLAIM(token_use),
    CLAIM(nonce),
    CLAIM(at_hash),
    BUS_FIELD_JSON(struct token_payload, events, CLAIM_MAX, BUS_OPTIONAL, "of a logout or another security event"),
    CLAIM(jti),
};
const struct bus_schema token_payload_schema = BUS_SCHEMA("token_claims", struct token_payload, payload_fields);

bool token_is_kid(struct bus_str kid) {
  if (kid.len == 0 || kid.len > BUS_TOKEN_KID_MAX)
    return false;
  for (size_t i = 0; i < kid.len; i++) {
    char c = kid.data[i];
    if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
      return false;
  }
  return true;
}

/* One JSON text of the token, decoded into ret. */
static enum bus_token_verdict read_json(struct bus_str part, const struct bus_schema *schema, struct bus_arena *arena,
                                        enum bus_token_verdict refused, void *ret) {
  struct bus_problems problems;
  size_t room = bus_base64url_room(part.len), len;
  uint8_t *bytes = bus_arena_alloc(arena, room);
  if (bytes == NULL)
    return BUS_TOKEN_NO_MEMORY;
  if (!bus_base64url_read(part, bytes, room, &len))
    return BUS_TOKEN_MALFORMED;
  if (bus_decode(schema, (struct bus_str){(const char *)bytes, len}, BUS_IGNORE_UNKNOWN, arena, ret, &problems))
    return BUS_TOKEN_OK;
  return bus_problems_no_memory(&problems) ? BUS_TOKEN_NO_MEMORY : refused;
}

static enum bus_token_verdict read_signature(struct bus_str part, struct bus_arena *arena, struct token_parts *ret) {
  ret->signature = bus_arena_alloc(arena, TOKEN_SIGNATURE_MAX);
  if (ret->signature == NULL)
    return BUS_TOKEN_NO_MEMORY;
  return bus_base64url_read(part, ret->signature, TOKEN_SIGNATURE_MAX, &ret->signature_len) ? BUS_TOKEN_OK
                                                                                            : BUS_TOKEN_MALFORMED;
}

static size_t count_dots(struct bus_str text) {
  size_t dots = 0;
  for (size_t i = 0; i < text.len; i++)
    dots += text.data[i] == '.';
  return dots;
}

enum bus_token_verdict token_parts_read(struct bus_str token, struct bus_arena *arena, struct token_parts *ret) {
  if (token.len == 0 || token.len > BUS_TOKEN_MAX || count_dots(token) != 2)
    return BUS_TOKEN_MALFORMED;
  struct bus_str rest = token, header = bus_str_cut(&rest, '.'), payload = bus_str_cut(&rest, '.');
  *ret = (struct token_parts){.input = {token.data, header.len + 1 + payload.len}};
  if (header.len == 0 || payload.len == 0 || rest.len == 0)
    return BUS_TOKEN_MALFORMED;
  enum bus_token_verdict verdict = read_signature(rest, arena, ret);
  if (verdict == BUS_TOKEN_OK)
    verdict = read_json(header, &token_header_schema, arena, BUS_TOKEN_HEADER, &ret->header);
  return verdict == BUS_TOKEN_OK ? read_json(payload, &token_payload_schema, arena, BUS_TOKEN_CLAIMS, &ret->payload)
                                 : verdict;
}

/* One string of JSON without spaces, with its quotation marks, cut off *rest; absent where there is none. */
static struct bus_str cut_json_string(struct bus_str *rest) {
  if (rest->len == 0 || rest->data[0] != '"')
    return BUS_NO_STR;
  size_t end = 1;
  while (rest->data[end] != '"') /* the decoder has seen that it ends */
    end += rest->data[end] == '\\' ? 2 : 1;
  struct bus_str text = {rest->data, end + 1};
  *rest = (struct bus_str){rest->data + text.len, rest->len - text.len};
  return text;
}

static bool is_quoted(struct bus_str text, const char *name) {
  size_t len = strlen(name);
  return text.len == len + 2 && memcmp(text.data + 1, name, len) == 0;
}

/* aud: JSON as the decoder prints it, so without spaces; name has no character that JSON escapes. A list with anything
 * but strings is no audience. */
bool token_audience_has(struct bus_str aud, const char *name) {
  struct bus_str rest = aud, item;
  if (aud.len == 0)
    return false;
  if (aud.data[0] == '"')
    return is_quoted(aud, name);
  bool found = false;
  do {
    rest = (struct bus_str){rest.data + 1, rest.len - 1}; /* [ or , */
    item = cut_json_string(&rest);
    found = found || is_quoted(item, name);
  } while (item.data && rest.len > 0 && rest.data[0] == ',');
  return aud.data[0] == '[' && item.data && rest.len == 1 && found;
}
