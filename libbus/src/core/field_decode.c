/* From JSON to a struct, strictly: scan, parse, look for repeated keys, then walk along the field table. */
#include <bus/field.h>

#include <math.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "field_value.h"
#include "json_scan.h"

static const cJSON *find_member(const cJSON *object, const char *name) {
  const cJSON *member;
  cJSON_ArrayForEach(member, object) {
    if (strcmp(member->string, name) == 0)
      return member;
  }
  return NULL;
}

static void decode_object(struct bus_decoding *d, const struct bus_schema *schema, const cJSON *object, void *ret);

static void decode_object_field(struct bus_decoding *d, const struct bus_field *field, const cJSON *value, void *ret) {
  if (!cJSON_IsObject(value)) {
    bus_field_problem(&d->sink, "must be an object");
    return;
  }
  void *object = bus_field_alloc(&d->sink, 1, field->item->size);
  if (object == NULL)
    return;
  decode_object(d, field->item, value, object);
  memcpy((char *)ret + field->offset, &object, sizeof object);
}

static void decode_items(struct bus_decoding *d, const struct bus_schema *schema, const cJSON *array, char *items) {
  size_t index = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, array) {
    size_t back = bus_path_enter_item(&d->sink.path, index);
    if (cJSON_IsObject(item))
      decode_object(d, schema, item, items + index * schema->size);
    else
      bus_field_problem(&d->sink, "must be an object");
    bus_path_leave(&d->sink.path, back);
    index++;
  }
}

static void decode_array_field(struct bus_decoding *d, const struct bus_field *field, const cJSON *value, void *ret) {
  size_t count = cJSON_IsArray(value) ? (size_t)cJSON_GetArraySize(value) : 0;
  if (!cJSON_IsArray(value) || (int64_t)count < field->min || (int64_t)count > field->max) {
    bus_field_problem(&d->sink, "must be a list of %lld to %lld items", (long long)field->min, (long long)field->max);
    return;
  }
  char *items = bus_field_alloc(&d->sink, count, field->item->size);
  if (items == NULL)
    return;
  decode_items(d, field->item, value, items);
  memcpy((char *)ret + field->offset, &items, sizeof items);
  memcpy((char *)ret + field->count_offset, &count, sizeof count);
}

static void decode_field(struct bus_decoding *d, const struct bus_field *field, const cJSON *value, void *ret) {
  size_t back = bus_path_enter(&d->sink.path, field->name);
  bool required = field->presence == BUS_REQUIRED || field == d->needed;
  bool absent = value == NULL || (cJSON_IsNull(value) && !required);
  bus_field_set_absent(field, ret);
  if (value == NULL && required)
    bus_field_problem(&d->sink, "is required");
  else if (!absent && field->kind == BUS_KIND_OBJECT)
    decode_object_field(d, field, value, ret);
  else if (!absent && field->kind == BUS_KIND_ARRAY)
    decode_array_field(d, field, value, ret);
  else if (!absent)
    bus_field_decode_value(&d->sink, field, value, (char *)ret + field->offset);
  bus_path_leave(&d->sink.path, back);
}

static bool is_known(const struct bus_schema *schema, const char *name) {
  for (size_t i = 0; i < schema->field_count; i++)
    if (schema->fields[i].kind == BUS_KIND_EMBED ? is_known(schema->fields[i].item, name)
                                                 : strcmp(schema->fields[i].name, name) == 0)
      return true;
  return false;
}

static void refuse_unknown(struct bus_decoding *d, const struct bus_schema *schema, const cJSON *object) {
  const cJSON *member;
  cJSON_ArrayForEach(member, object) {
    if (is_known(schema, member->string))
      continue;
    size_t back = bus_path_enter(&d->sink.path, member->string);
    bus_field_problem(&d->sink, "unknown field");
    bus_path_leave(&d->sink.path, back);
  }
}

static void decode_members(struct bus_decoding *d, const struct bus_schema *schema, const cJSON *object, void *ret) {
  for (size_t i = 0; i < schema->field_count; i++) {
    const struct bus_field *field = &schema->fields[i];
    if (field->kind == BUS_KIND_EMBED)
      decode_members(d, field->item, object, (char *)ret + field->offset);
    else
      decode_field(d, field, find_member(object, field->name), ret);
  }
}

static void decode_object(struct bus_decoding *d, const struct bus_schema *schema, const cJSON *object, void *ret) {
  decode_members(d, schema, object, ret);
  if (d->unknown == BUS_REFUSE_UNKNOWN)
    refuse_unknown(d, schema, object);
}

/* Walks the whole tree once, in the text's order: notes the scan's result on each number in its node, and finds
 * repeated keys, also in parts that the table ignores. */
struct check {
  struct bus_field_sink *sink;
  const struct bus_json_scan *scan;
  size_t numbers;
};

static int compare_names(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void refuse_repeated(struct bus_field_sink *sink, const cJSON *object) {
  size_t count = (size_t)cJSON_GetArraySize(object), n = 0;
  if (count < 2)
    return;
  const char **names = bus_field_alloc(sink, count, sizeof *names);
  if (names == NULL)
    return;
  const cJSON *member;
  cJSON_ArrayForEach(member, object) {
    names[n++] = member->string;
  }
  qsort(names, count, sizeof *names, compare_names);
  for (size_t i = 1; i < count; i++) {
    if (strcmp(names[i - 1], names[i]) != 0 || (i > 1 && strcmp(names[i - 2], names[i]) == 0))
      continue;
    size_t back = bus_path_enter(&sink->path, names[i]);
    bus_field_problem(sink, "is given more than once");
    bus_path_leave(&sink->path, back);
  }
}

static void check_tree(struct check *check, cJSON *node) {
  if (cJSON_IsNumber(node) && !bus_json_scan_is_integer(check->scan, check->numbers++))
    node->valuedouble = NAN;
  if (cJSON_IsObject(node))
    refuse_repeated(check->sink, node);
  size_t index = 0;
  for (cJSON *child = node->child; child; child = child->next) {
    struct bus_path *path = &check->sink->path;
    size_t back = child->string ? bus_path_enter(path, child->string) : bus_path_enter_item(path, index++);
    check_tree(check, child);
    bus_path_leave(path, back);
  }
}

/* Once more, noting which numbers they are: only for the rare text that has any. */
static bool note_inexact(struct bus_str json, size_t max_nodes, struct bus_json_scan *scan, struct bus_arena *arena) {
  uint64_t *bits = bus_arena_array(arena, scan->numbers / 64 + 1, sizeof *bits);
  return bits && bus_json_scan(json, max_nodes, bits, scan);
}

static cJSON *parse(struct bus_str json, size_t max_nodes, struct bus_json_scan *scan, struct bus_field_sink *sink) {
  if (!bus_json_scan(json, max_nodes, NULL, scan)) {
    bus_field_problem(sink, "must be JSON: %s at byte %zu", scan->problem, scan->at);
    return NULL;
  }
  bool noted = scan->inexact_count == 0 || note_inexact(json, max_nodes, scan, sink->arena);
  struct bus_str copy = noted ? bus_arena_copy(sink->arena, json) : BUS_NO_STR;
  cJSON *root = copy.data ? cJSON_ParseWithLengthOpts(copy.data, copy.len + 1, NULL, true) : NULL;
  if (root == NULL) /* the scan found nothing wrong */
    bus_field_no_memory(sink);
  return root;
}

void bus_decode_members(struct bus_decoding *d, const struct bus_schema *schema, struct bus_str json, void *record) {
  struct bus_json_scan scan;
  size_t max_nodes = d->unknown == BUS_REFUSE_UNKNOWN ? BUS_JSON_NODES : BUS_JSON_MESSAGE_NODES;
  cJSON *root = parse(json, max_nodes, &scan, &d->sink);
  if (root == NULL)
    return;
  check_tree(&(struct check){.sink = &d->sink, .scan = &scan}, root);
  if (cJSON_IsObject(root))
    decode_object(d, schema, root, record);
  else
    bus_field_problem(&d->sink, "must be an object");
  cJSON_Delete(root);
}

bool bus_decode(const struct bus_schema *schema, struct bus_str json, enum bus_unknown unknown, struct bus_arena *arena,
                void *ret, struct bus_problems *problems) {
  struct bus_decoding d = {.sink = {.arena = arena, .problems = problems}, .unknown = unknown};
  if (problems)
    problems->count = 0;
  void *value = bus_field_alloc(&d.sink, 1, schema->size);
  if (value)
    bus_decode_members(&d, schema, json, value);
  if (d.sink.failed || value == NULL)
    return false;
  memcpy(ret, value, schema->size);
  return true;
}
