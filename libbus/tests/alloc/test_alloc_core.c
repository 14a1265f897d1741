/* The pure half without memory: fields, configuration, effects, topology, metrics. Lack of memory is said as such, so
 * that no message is blamed for it, and results stay as they were. */
#include "torture.h"

#include <bus/bundle.h>
#include <bus/config.h>
#include <bus/effects.h>
#include <bus/metrics.h>

#include "config_sample.h"
#include "field_sample.h"
#include "test.h"
#include "topology_sample.h"

#define ORDER "11223344-5566-5788-99aa-bbccddeeff01"
static const char full[] =
    "{\"key\":\"k\",\"name\":\"n\",\"total\":5,\"limit\":-7,\"urgent\":true,\"state\":\"PAID\",\"order_id\":\"" ORDER
    "\",\"at\":\"2026-03-01T12:00:00.123Z\",\"address\":{\"city\":\"c\",\"note\":\"\"},\"items\":[{\"product_id\":"
    "\"A\",\"quantity\":1},{\"product_id\":\"b.c\",\"quantity\":1000}],\"data\":{\"x\":[1,{\"y\":null}]}}";
static const char with_inexact[] = "{\"key\":\"k\",\"other\":[1.5,1e3,2],\"data\":[1,2]}";

/* A whole document, its answer without nulls and with them. */
static bool decode(struct bus_arena *arena, const void *context) {
  struct bus_problems problems;
  struct sample sample, before;
  struct bus_str text = BUS_NO_STR;
  memset(&sample, 0xA5, sizeof sample);
  before = sample;
  bool done = bus_decode(&sample_schema, bus_str(context), BUS_IGNORE_UNKNOWN, arena, &sample, &problems);
  if (!done) {
    assert_true(bus_problems_no_memory(&problems));
    assert_memory_equal(&sample, &before, sizeof sample);
  }
  done = done && bus_encode(&sample_schema, &sample, arena, &text);
  done = done && bus_encode_nulls(&sample_schema, &sample, arena, &text);
  bus_refusals_over();
  assert_true(!done || text.len > 0);
  return done;
}

TEST(decoding_and_encoding)
{
  torture(decode, full);
  torture(decode, with_inexact);
}

static bool decode_wrong(struct bus_arena *arena, const void *context) {
  struct bus_problems problems;
  struct sample sample;
  bool decoded = bus_decode(&strict_schema, bus_str(context), BUS_REFUSE_UNKNOWN, arena, &sample, &problems);
  bus_refusals_over();
  assert_false(decoded);
  assert_true(problems.count > 0);
  return !bus_problems_no_memory(&problems); /* it came to its verdict */
}

TEST(refusing_what_is_wrong)
{ torture(decode_wrong, "{\"key\":5,\"more\":[],\"key\":6,\"items\":[{},5],\"data\":0.5}"); }

static bool copy_text(struct bus_arena *arena, const void *context) {
  struct bus_str copy = bus_arena_copy(arena, bus_str(context));
  struct bus_str printed = bus_arena_printf(arena, "%s %d", (const char *)context, 5);
  char *array = bus_arena_array(arena, 100, 1000);
  if (array)
    memset(array, 1, 100000);
  bus_refusals_over();
  assert_true(copy.data == NULL || bus_str_is(copy, context));
  assert_true(printed.data == NULL || printed.data[printed.len] == '\0');
  return copy.data && printed.data && array;
}

/* After a refusal an arena goes on to serve. */
static bool reuse(struct bus_arena *arena, const void *context) {
  bool done = true;
  (void)context;
  for (size_t round = 0; round < 3; round++) {
    for (size_t size = 1; size < 40000; size *= 3) {
      char *memory = bus_arena_alloc(arena, size);
      done = done && memory;
      for (size_t i = 0; memory && i < size; i++)
        assert_int_equal(memory[i], 0);
      if (memory)
        memset(memory, 0x5A, size);
    }
    bus_arena_reset(arena);
    assert_int_equal(bus_arena_used(arena), 0);
  }
  bus_refusals_over();
  assert_true(!done || bus_arena_alloc(arena, 1));
  return done;
}

TEST(arenas)
{
  torture(copy_text, "some text");
  torture(reuse, NULL);
}

static const char *lookup(void *context, const char *name) {
  (void)context;
  return strcmp(name, "URL") == 0 ? "postgres://x" : strcmp(name, "NAME") == 0 ? "n" : NULL;
}

static bool read_config(struct bus_arena *arena, const void *context) {
  struct bus_error err = {.code = BUS_OK};
  (void)arena;
  (void)context;
  bool done = bus_config_read(config_tables, 2, lookup, NULL, &err);
  bus_refusals_over();
  if (done)
    bus_config_done(config_tables, 2);
  else
    assert_int_equal(err.code, BUS_E_NOMEM);
  assert_null(config_sample.url);
  assert_null(config_sample.name);
  assert_null(config_other.color.text);
  return done;
}

TEST(configuration)
{ torture(read_config, NULL); }

/* ---- effects ---- */

struct thing {
  int64_t n;
  struct bus_str note;
};
static const struct bus_field fields[] = {
    BUS_FIELD_INT64(struct thing, n, 0, 100, BUS_REQUIRED, "a number"),
    BUS_FIELD_STRING(struct thing, note, BUS_TEXT, 0, 100, BUS_OPTIONAL, "a note"),
};
static const struct bus_schema schema = BUS_SCHEMA("thing", struct thing, fields);
static const struct bus_message_type done_type = BUS_EVENT("thing.done.v1", &schema, "thing");

static bool emit(struct bus_arena *arena, const void *context) {
  static const uint64_t seed[4] = {1, 2, 3, 4};
  const struct thing thing = {5, BUS_STR("a note")};
  const struct bus_envelope envelope = {.message_id = {{1}}, .reply_to = BUS_STR("edge.reply.1")};
  const struct bus_input input = {.kind = BUS_INPUT_DELIVERY, .envelope = &envelope};
  struct bus_uuid_source ids;
  struct bus_effects effects;
  (void)context;
  bus_uuid_source_init(&ids, seed);
  bus_effects_init(&effects, arena, &ids, BUS_SECOND, "thing");
  bus_effects_begin(&effects, &input);
  bus_emit(&effects, &done_type, &envelope.message_id, &thing);
  bus_answer(&effects, &done_type, &thing);
  bus_act(&effects, "action");
  assert_int_equal(bus_effects_end(&effects), BUS_DONE);
  bus_refusals_over();
  size_t count = 0;
  for (const struct bus_effect *effect = effects.first; effect; effect = effect->next, count++)
    assert_true(effect->kind == BUS_EFFECT_ACTION || effect->body.data);
  assert_int_equal(count, effects.count);
  assert_true(effects.failed || count == 3);
  return !effects.failed;
}

static bool take_back(struct bus_arena *arena, const void *context) {
  static const uint64_t seed[4] = {1, 2, 3, 4};
  const struct thing thing = {5, BUS_NO_STR};
  const struct bus_input input = {.kind = BUS_INPUT_DEADLINE};
  struct bus_uuid_source ids;
  struct bus_effects effects;
  (void)context;
  bus_uuid_source_init(&ids, seed);
  bus_effects_init(&effects, arena, &ids, BUS_SECOND, "thing");
  bus_effects_begin(&effects, &input);
  bus_emit(&effects, &done_type, &(struct bus_uuid){{1}}, &thing);
  bus_park(&effects, "no");
  assert_int_equal(bus_effects_end(&effects), BUS_PARK);
  bus_refusals_over();
  assert_null(effects.first);
  assert_int_equal(effects.count, 0);
  return !effects.failed;
}

TEST(effects)
{
  torture(emit, NULL);
  torture(take_back, NULL);
}

/* Both directions of a bundle; one that cannot be cut for want of memory is not blamed on its sender. */
static bool bundle(struct bus_arena *arena, const void *context) {
  const struct bus_envelope envelopes[] = {{.message_id = {{1}}}, {.message_id = {{2}}, .correlation_id = {{3}}}};
  const struct bus_bundle_item items[] = {{&done_type, &envelopes[0], BUS_STR("{\"n\":5}"), 0},
                                          {&done_type, &envelopes[1], BUS_STR("{\"n\":6}"), 0}};
  struct bus_envelope delivery;
  struct bus_bundle_element *elements = NULL;
  struct bus_error err = {.code = BUS_OK};
  struct bus_str text = BUS_NO_STR;
  size_t count = 0;
  (void)context;
  bus_bundle_envelope(items, 2, &(struct bus_uuid){{9}}, &delivery);
  bool encoded = bus_bundle_encode("thing", items, 2, arena, &text);
  bool cut = encoded && bus_bundle_cut(&delivery, text, arena, &elements, &count, &err);
  bus_refusals_over();
  assert_true(encoded == (text.data != NULL));
  assert_int_equal(err.code, encoded && !cut ? BUS_E_NOMEM : BUS_OK);
  assert_true(cut == (elements != NULL) && cut == (count == 2));
  return cut;
}

TEST(bundles)
{ torture(bundle, NULL); }

/* ---- what is made once ---- */

static bool series(struct bus_arena *arena, const void *context) {
  static int number;
  char label[16];
  snprintf(label, sizeof label, "v%d", number++);
  const struct bus_metric_spec *spec = context;
  struct bus_series *made = bus_metric_series(bus_metric_register(spec), (const char *const[]){label});
  bus_series_add(made, 1);
  (void)arena;
  bus_refusals_over();
  assert_non_null(made);
  return bus_series_value(bus_metric_series(bus_metric_register(spec), (const char *const[]){label})) == 1;
}

TEST(metrics)
{
  static const struct bus_metric_spec spec = {
      .name = "torture_total", .help = "Runs.", .kind = BUS_COUNTER, .labels = {"run"}};
  torture(series, &spec);
}
