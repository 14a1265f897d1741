/* Taking inputs apart, and the round trip through a field table. */
#include "fuzz.h"

uint8_t fuzz_byte(struct bus_str *rest) {
  return (uint8_t)fuzz_number(rest, 1);
}

uint64_t fuzz_number(struct bus_str *rest, size_t bytes) {
  uint64_t number = 0;
  for (size_t i = 0; i < bytes; i++) {
    number = number << 8 | (rest->len > 0 ? (uint8_t)rest->data[0] : 0);
    if (rest->len > 0)
      *rest = (struct bus_str){rest->data + 1, rest->len - 1};
  }
  return number;
}

struct bus_str fuzz_part(struct bus_str *rest) {
  return bus_str_cut(rest, (char)0xFF);
}

static char *copy_of(struct bus_str part, size_t room) {
  char *copy = malloc(room > 0 ? room : 1);
  FUZZ_CHECK(copy != NULL);
  if (part.len > 0)
    memcpy(copy, part.data, part.len);
  return copy;
}

char *fuzz_text(struct bus_str part) {
  char *copy = copy_of(part, part.len + 1);
  copy[part.len] = '\0';
  return copy;
}

char *fuzz_exact(struct bus_str part) {
  return copy_of(part, part.len);
}

static void check_problems(const struct bus_problems *problems) {
  char text[4096];
  FUZZ_CHECK(problems->count > 0);
  bus_problems_text(problems, text, sizeof text);
  FUZZ_CHECK(text[0] != '\0');
  for (const char *c = text; *c; c++)
    FUZZ_CHECK((unsigned char)*c >= 0x20 && *c != 0x7F);
}

static bool decode(const struct bus_schema *schema, struct bus_str json, enum bus_unknown unknown,
                   struct bus_arena *arena, void **ret) {
  struct bus_problems problems;
  *ret = bus_arena_alloc(arena, schema->size);
  FUZZ_CHECK(*ret != NULL);
  memset(*ret, 0xA5, schema->size); /* what a decoder leaves alone shows */
  if (bus_decode(schema, json, unknown, arena, *ret, &problems)) {
    FUZZ_CHECK(problems.count == 0);
    return true;
  }
  for (size_t i = 0; i < schema->size; i++)
    FUZZ_CHECK(((const unsigned char *)*ret)[i] == 0xA5);
  check_problems(&problems);
  return false;
}

static struct bus_str encode(const struct bus_schema *schema, const void *value, struct bus_arena *arena) {
  struct bus_str text;
  FUZZ_CHECK(bus_encode(schema, value, arena, &text));
  return text;
}

void fuzz_must_travel(const struct bus_schema *schema, const void *value, struct bus_arena *arena) {
  struct bus_str text = encode(schema, value, arena), with_nulls;
  void *again;
  FUZZ_CHECK(decode(schema, text, BUS_IGNORE_UNKNOWN, arena, &again));
  FUZZ_CHECK(bus_str_equal(text, encode(schema, again, arena)));
  FUZZ_CHECK(bus_encode_nulls(schema, value, arena, &with_nulls));
  FUZZ_CHECK(decode(schema, with_nulls, BUS_REFUSE_UNKNOWN, arena, &again));
  FUZZ_CHECK(bus_str_equal(text, encode(schema, again, arena)));
}

void *fuzz_codec(const struct bus_schema *schema, struct bus_str json, enum bus_unknown unknown,
                 struct bus_arena *arena) {
  void *value;
  char *exact = fuzz_exact(json);
  bool decoded = decode(schema, (struct bus_str){exact, json.len}, unknown, arena, &value);
  free(exact);
  if (!decoded)
    return NULL;
  fuzz_must_travel(schema, value, arena);
  return value;
}
