/* A bundle from any sender: what is cut lies in the body, is what cJSON finds there, and comes back when it is sent on
 * in a bundle of our own. The first byte is the header bus-count. */
#include "fuzz.h"

#include <bus/bundle.h>

#include <cjson/cJSON.h>

static const struct bus_message_type type = BUS_COMMAND("a.b.v1", NULL, "edge");

static void check_element(const struct bus_bundle_element *element, struct bus_str body) {
  FUZZ_CHECK(!bus_uuid_is_nil(&element->envelope.message_id) && !element->envelope.bundle);
  FUZZ_CHECK(bus_str_is(element->envelope.type, type.type) && bus_str_is(element->envelope.user_id, "edge"));
  FUZZ_CHECK(element->body.len == 0 ||
             (element->body.data > body.data && element->body.data + element->body.len < body.data + body.len));
}

/* cJSON is laxer, but where it reads the whole text it must see the same elements. */
static void compare_with_cjson(const struct bus_bundle_element *elements, size_t count, struct bus_str body) {
  char *text = fuzz_text(body);
  cJSON *root = memchr(text, '\0', body.len) == NULL ? cJSON_ParseWithOpts(text, NULL, true) : NULL;
  if (root) {
    FUZZ_CHECK(cJSON_IsArray(root) && (size_t)cJSON_GetArraySize(root) == count);
    const cJSON *item = root->child;
    for (size_t i = 0; i < count; i++, item = item->next) {
      struct bus_uuid id;
      FUZZ_CHECK(bus_uuid_parse(bus_str(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "id"))), &id));
      FUZZ_CHECK(bus_uuid_equal(&id, &elements[i].envelope.message_id));
      const cJSON *data = cJSON_GetObjectItemCaseSensitive(item, "data");
      cJSON *own = cJSON_ParseWithLength(elements[i].body.data, elements[i].body.len);
      FUZZ_CHECK(data == NULL ? own == NULL : own != NULL && own->type == data->type);
      cJSON_Delete(own);
    }
    cJSON_Delete(root);
  }
  free(text);
}

static void send_on(const struct bus_bundle_element *elements, size_t count, struct bus_arena *arena) {
  struct bus_bundle_item items[BUS_BUNDLE_MAX];
  struct bus_bundle_element *again;
  struct bus_envelope envelope;
  struct bus_error err;
  struct bus_str text;
  size_t again_count;
  for (size_t i = 0; i < count; i++)
    items[i] = (struct bus_bundle_item){&type, &elements[i].envelope,
                                        elements[i].body.len > 0 ? elements[i].body : BUS_STR("null"), 0};
  FUZZ_CHECK(bus_bundle_encode("edge", items, count, arena, &text));
  bus_bundle_envelope(items, count, &(struct bus_uuid){{1}}, &envelope);
  FUZZ_CHECK(bus_bundle_cut(&envelope, text, arena, &again, &again_count, &err) && again_count == count);
  for (size_t i = 0; i < count; i++) {
    const struct bus_envelope *a = &elements[i].envelope, *b = &again[i].envelope;
    FUZZ_CHECK(bus_uuid_equal(&a->message_id, &b->message_id));
    FUZZ_CHECK(bus_uuid_equal(&a->correlation_id, &b->correlation_id));
    FUZZ_CHECK(bus_uuid_equal(&a->causation_id, &b->causation_id));
    FUZZ_CHECK(memcmp(&a->trace, &b->trace, offsetof(struct bus_trace, state)) == 0);
    FUZZ_CHECK(bus_str_equal(a->trace.state, b->trace.state));
    FUZZ_CHECK(bus_str_equal(items[i].body, again[i].body));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct bus_str rest = fuzz_input(data, size);
  struct bus_envelope delivery = {
      .type = bus_str(type.type), .user_id = BUS_STR("edge"), .bundle = true, .bundle_count = fuzz_byte(&rest)};
  struct bus_arena *arena = bus_arena_new((size_t)4 << 20);
  struct bus_bundle_element *elements;
  struct bus_error err = {.code = BUS_OK};
  size_t count;
  char *exact = fuzz_exact(rest);
  struct bus_str body = {exact, rest.len};
  if (bus_bundle_cut(&delivery, body, arena, &elements, &count, &err)) {
    FUZZ_CHECK((int64_t)count == delivery.bundle_count);
    for (size_t i = 0; i < count; i++)
      check_element(&elements[i], body);
    compare_with_cjson(elements, count, body);
    send_on(elements, count, arena);
  } else
    FUZZ_CHECK(err.code == BUS_E_DECODE && err.text[0]);
  free(exact);
  bus_arena_free(arena);
  return 0;
}
