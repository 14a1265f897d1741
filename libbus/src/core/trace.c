/* W3C Trace Context: traceparent text to struct and back, new traces and child spans. */
#include <bus/trace.h>

#include <bus/hash.h>

#include "hex.h"

enum { TRACEPARENT_LEN = BUS_TRACEPARENT_TEXT - 1, SAMPLED = 1, MILLION = 1000000, QUEUE_MAX = 64 };

static bool is_zero(const uint8_t *bytes, size_t count) {
  uint8_t any = 0;
  for (size_t i = 0; i < count; i++)
    any |= bytes[i];
  return any == 0;
}

bool bus_trace_is_set(const struct bus_trace *trace) {
  return trace != NULL && !is_zero(trace->trace_id, sizeof trace->trace_id);
}

static bool has_upper_case(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (text[i] >= 'A' && text[i] <= 'F')
      return true;
  return false;
}

/* Version 00 has exactly four fields; a later one may have more behind a hyphen; ff is no version. */
static bool is_length_of_version(struct bus_str text, uint8_t version) {
  if (version == 0xFF)
    return false;
  return text.len == TRACEPARENT_LEN || (version > 0 && text.data[TRACEPARENT_LEN] == '-');
}

bool bus_trace_parse(struct bus_str traceparent, struct bus_trace *ret) {
  const char *text = traceparent.data;
  uint8_t trace_id[sizeof ret->trace_id], span_id[sizeof ret->span_id], version, flags;
  if (traceparent.len < TRACEPARENT_LEN || has_upper_case(text, TRACEPARENT_LEN))
    return false;
  if (text[2] != '-' || text[35] != '-' || text[52] != '-')
    return false;
  if (!bus_hex_read(text, &version, 1) || !is_length_of_version(traceparent, version))
    return false;
  if (!bus_hex_read(text + 3, trace_id, sizeof trace_id) || !bus_hex_read(text + 36, span_id, sizeof span_id) ||
      !bus_hex_read(text + 53, &flags, 1))
    return false;
  if (is_zero(trace_id, sizeof trace_id) || is_zero(span_id, sizeof span_id))
    return false;
  *ret = (struct bus_trace){.flags = flags & SAMPLED}; /* the other bits have no meaning at level 1 */
  memcpy(ret->trace_id, trace_id, sizeof trace_id);
  memcpy(ret->span_id, span_id, sizeof span_id);
  return true;
}

void bus_trace_format(const struct bus_trace *trace, char text[BUS_TRACEPARENT_TEXT]) {
  static const uint8_t version = 0;
  text = bus_hex_write(text, &version, 1);
  *text++ = '-';
  text = bus_hex_write(text, trace->trace_id, sizeof trace->trace_id);
  *text++ = '-';
  text = bus_hex_write(text, trace->span_id, sizeof trace->span_id);
  *text++ = '-';
  text = bus_hex_write(text, &trace->flags, 1);
  *text = '\0';
}

void bus_trace_id_format(const struct bus_trace *trace, char text[BUS_TRACE_ID_TEXT]) {
  *bus_hex_write(text, trace->trace_id, sizeof trace->trace_id) = '\0';
}

/* Eight bytes that are not all zero. */
static void fill_random(struct bus_uuid_source *source, uint8_t bytes[8]) {
  uint64_t random;
  do
    random = bus_uuid_source_random(source);
  while (random == 0);
  memcpy(bytes, &random, sizeof random);
}

void bus_trace_start(struct bus_uuid_source *source, struct bus_trace *ret) {
  *ret = (struct bus_trace){.flags = SAMPLED};
  fill_random(source, ret->trace_id);
  fill_random(source, ret->trace_id + 8);
  fill_random(source, ret->span_id);
}

bool bus_trace_is_sampled(const struct bus_trace *trace) {
  return (trace->flags & SAMPLED) != 0;
}

/* The last seven bytes of a trace id are its randomness (W3C Trace Context, level 2); OpenTelemetry samples what is at
 * or above a threshold. */
void bus_trace_sample(struct bus_trace *trace, int64_t of_a_million) {
  uint64_t randomness = 0;
  for (size_t i = sizeof trace->trace_id - 7; i < sizeof trace->trace_id; i++)
    randomness = randomness << 8 | trace->trace_id[i];
  uint64_t threshold = (uint64_t)(MILLION - of_a_million) * ((UINT64_C(1) << 56) / MILLION);
  trace->flags = of_a_million > 0 && randomness >= threshold ? SAMPLED : 0;
}

void bus_trace_child(const struct bus_trace *parent, struct bus_uuid_source *source, struct bus_trace *ret) {
  if (!bus_trace_is_set(parent)) {
    bus_trace_start(source, ret);
    return;
  }
  if (ret != parent)
    *ret = *parent;
  fill_random(source, ret->span_id);
}

void bus_trace_process(struct bus_trace *trace, const struct bus_uuid *message_id, const char *queue) {
  char text[sizeof *message_id + QUEUE_MAX];
  size_t len = strlen(queue) < QUEUE_MAX ? strlen(queue) : QUEUE_MAX;
  memcpy(text, message_id, sizeof *message_id);
  memcpy(text + sizeof *message_id, queue, len);
  uint64_t id = bus_hash64(text, sizeof *message_id + len);
  id += id == 0; /* an id is not zero */
  memcpy(trace->span_id, &id, sizeof trace->span_id);
}
