/* Writes a bundle: the JSON batch of CloudEvents, in one pass over memory whose size is known from a bound. */
#include <bus/bundle.h>
#include <bus/timefmt.h>

#include <assert.h>

#include "json_write.h"

/* An element with all its attributes, each as long as it can be, but for texts that the bound counts. */
#define LONGEST                                                                                                        \
  "{\"specversion\":\"1.0\",\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\","                                          \
  "\"source\":\"/0123456789012345678901234567890123456789012345678901234567890123\",\"type\":\"\","                    \
  "\"subject\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"time\":\"2026-03-01T12:00:00.123Z\","                        \
  "\"datacontenttype\":\"application/json\","                                                                          \
  "\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\",\"tracestate\":\"\","                   \
  "\"causationid\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"data\":},"

static size_t text_bound(struct bus_str text) {
  return bus_json_plain_run(text.data, text.len) == text.len ? text.len : text.len * BUS_JSON_ESCAPE_MAX;
}

size_t bus_bundle_item_bound(const struct bus_bundle_item *item) {
  return sizeof LONGEST + text_bound(bus_str(item->type->type)) + text_bound(item->envelope->trace.state) +
         item->body.len;
}

static void put_text(struct bus_json_writer *writer, struct bus_str name, struct bus_str value) {
  bus_json_raw(writer, name);
  bus_json_string(writer, value);
}

static void put_uuid(struct bus_json_writer *writer, struct bus_str name, const struct bus_uuid *id) {
  char text[BUS_UUID_TEXT];
  if (bus_uuid_is_nil(id))
    return;
  bus_uuid_format(id, text);
  put_text(writer, name, (struct bus_str){text, BUS_UUID_TEXT - 1});
}

static void put_time(struct bus_json_writer *writer, bus_time time) {
  char text[BUS_TIME_TEXT];
  if (time <= 0)
    return;
  bus_time_format(time, text);
  put_text(writer, BUS_STR(",\"time\":"), bus_str(text));
}

static void put_trace(struct bus_json_writer *writer, const struct bus_trace *trace) {
  char text[BUS_TRACEPARENT_TEXT];
  if (!bus_trace_is_set(trace))
    return;
  bus_trace_format(trace, text);
  put_text(writer, BUS_STR(",\"traceparent\":"), (struct bus_str){text, BUS_TRACEPARENT_TEXT - 1});
  if (trace->state.data)
    put_text(writer, BUS_STR(",\"tracestate\":"), trace->state);
}

static void put_element(struct bus_json_writer *writer, const char *service, const struct bus_bundle_item *item) {
  const struct bus_envelope *envelope = item->envelope;
  bus_json_raw(writer, BUS_STR("{\"specversion\":\"1.0\""));
  put_uuid(writer, BUS_STR(",\"id\":"), &envelope->message_id);
  bus_json_raw(writer, BUS_STR(",\"source\":\"/"));
  bus_json_raw(writer, bus_str(service));
  put_text(writer, BUS_STR("\",\"type\":"), bus_str(item->type->type));
  put_uuid(writer, BUS_STR(",\"subject\":"), &envelope->correlation_id);
  put_time(writer, envelope->timestamp);
  bus_json_raw(writer, BUS_STR(",\"datacontenttype\":\"application/json\""));
  put_trace(writer, &envelope->trace);
  put_uuid(writer, BUS_STR(",\"causationid\":"), &envelope->causation_id);
  bus_json_raw(writer, BUS_STR(",\"data\":"));
  bus_json_raw(writer, item->body);
  bus_json_char(writer, '}');
}

bool bus_bundle_encode(const char *service, const struct bus_bundle_item *items, size_t count, struct bus_arena *arena,
                       struct bus_str *ret) {
  size_t bound = BUS_BUNDLE_BRACKETS;
  assert(count >= 1 && count <= BUS_BUNDLE_MAX && strlen(service) < BUS_NAME_MAX);
  for (size_t i = 0; i < count; i++)
    bound += bus_bundle_item_bound(&items[i]);
  struct bus_json_writer writer = {bus_arena_alloc(arena, bound + 1), 0};
  if (writer.text == NULL)
    return false;
  for (size_t i = 0; i < count; i++) {
    assert(items[i].type == items[0].type && !bus_uuid_is_nil(&items[i].envelope->message_id));
    bus_json_char(&writer, i == 0 ? '[' : ',');
    put_element(&writer, service, &items[i]);
  }
  bus_json_char(&writer, ']');
  assert(writer.len <= bound);
  *ret = (struct bus_str){writer.text, writer.len}; /* the arena's memory is zeroed, so a NUL stands behind it */
  return true;
}

void bus_bundle_envelope(const struct bus_bundle_item *items, size_t count, const struct bus_uuid *id,
                         struct bus_envelope *ret) {
  *ret = (struct bus_envelope){
      .message_id = *id,
      .type = bus_str(items[0].type->type),
      .app_id = items[0].envelope->app_id,
      .reply_to = items[0].envelope->reply_to,
      .timestamp = items[0].envelope->timestamp,
      .first_failed_at = BUS_NO_TIME,
      .bundle = true,
      .bundle_count = (int64_t)count,
  };
  if (items[0].shard > 0)
    ret->correlation_id = items[0].envelope->correlation_id;
}
