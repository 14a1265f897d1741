/* JSON from anywhere: what the scan lets through, cJSON takes and means the same by; and a schema of every kind of
 * field comes through encoding and decoding unchanged. The first byte chooses. */
#include "fuzz.h"

#include <cjson/cJSON.h>
#include <math.h>

#include "field_sample.h"
#include "json_scan.h"

enum { DATA_MAX = 65536 };

struct wrapped {
  struct bus_str data;
};
static const struct bus_field wrapped_fields[] = {
    BUS_FIELD_JSON(struct wrapped, data, DATA_MAX, BUS_REQUIRED, "any"),
};
static const struct bus_schema wrapped_schema = BUS_SCHEMA("wrapped", struct wrapped, wrapped_fields);

static cJSON *parse(struct bus_str json) {
  char *text = fuzz_text(json);
  cJSON *root = cJSON_ParseWithLengthOpts(text, json.len + 1, NULL, true);
  free(text);
  return root;
}

struct counts {
  size_t nodes, numbers;
};

/* The scan's verdict on each number must agree with the number that cJSON read. */
static void compare_tree(const struct bus_json_scan *scan, const cJSON *node, struct counts *counts) {
  counts->nodes++;
  if (cJSON_IsNumber(node) && bus_json_scan_is_integer(scan, counts->numbers++))
    FUZZ_CHECK(node->valuedouble == floor(node->valuedouble) && fabs(node->valuedouble) <= 1e12);
  const cJSON *child;
  cJSON_ArrayForEach(child, node) {
    compare_tree(scan, child, counts);
  }
}

static bool scan_like_cjson(struct bus_str json) {
  static uint64_t bits[BUS_JSON_NODES / 64 + 1];
  struct bus_json_scan scan, plain;
  struct counts counts = {0, 0};
  char *exact = fuzz_exact(json);
  bool accepted = bus_json_scan((struct bus_str){exact, json.len}, BUS_JSON_NODES, bits, &scan);
  FUZZ_CHECK(bus_json_scan((struct bus_str){exact, json.len}, BUS_JSON_NODES, NULL, &plain) == accepted);
  free(exact);
  FUZZ_CHECK(accepted == (scan.problem == NULL) && plain.inexact_count == scan.inexact_count);
  FUZZ_CHECK(accepted || scan.at <= json.len);
  if (!accepted)
    return false;
  cJSON *root = parse(json);
  FUZZ_CHECK(root != NULL);
  compare_tree(&scan, root, &counts);
  FUZZ_CHECK(counts.nodes == scan.nodes && counts.numbers == scan.numbers);
  cJSON_Delete(root);
  return scan.inexact_count == 0;
}

/* A value that is carried verbatim means what it meant. */
static void carry(struct bus_str json, struct bus_arena *arena) {
  struct bus_str body = bus_arena_printf(arena, "{\"data\":%.*s}", (int)json.len, json.data);
  FUZZ_CHECK(body.data != NULL);
  const struct wrapped *wrapped = fuzz_codec(&wrapped_schema, body, BUS_REFUSE_UNKNOWN, arena);
  if (!wrapped)
    return;
  cJSON *before = parse(json), *after = parse(wrapped->data);
  FUZZ_CHECK(before && after && cJSON_Compare(before, after, true));
  cJSON_Delete(before);
  cJSON_Delete(after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct bus_str rest = fuzz_input(data, size);
  struct bus_arena *arena = bus_arena_new((size_t)64 << 20);
  uint8_t mode = fuzz_byte(&rest);
  enum bus_unknown unknown = mode & 1 ? BUS_REFUSE_UNKNOWN : BUS_IGNORE_UNKNOWN;
  if (mode & 2)
    (void)fuzz_codec(mode & 4 ? &strict_schema : &sample_schema, rest, unknown, arena); /* it checks by itself */
  else if (scan_like_cjson(rest) && rest.len < DATA_MAX / 2)
    carry(rest, arena);
  bus_arena_free(arena);
  return 0;
}
