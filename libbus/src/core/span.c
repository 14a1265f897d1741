/* Fills the record of a span; everything in it has a bound. */
#include <bus/span.h>

#include <stdarg.h>
#include <stdio.h>

/* The first bytes of a text, at most so many, without a part of a character at their end. */
static size_t cut(const char *text, size_t len, size_t most) {
  if (len <= most)
    return len;
  size_t end = most;
  while (end > 0 && most - end < 3 && ((uint8_t)text[end] & 0xC0) == 0x80)
    end--;
  return end;
}

void bus_span_init(struct bus_span *span, enum bus_span_kind kind, const struct bus_trace *trace,
                   const uint8_t *parent_id) {
  *span = (struct bus_span){.kind = kind};
  memcpy(span->trace_id, trace->trace_id, sizeof span->trace_id);
  memcpy(span->span_id, trace->span_id, sizeof span->span_id);
  if (parent_id)
    memcpy(span->parent_id, parent_id, sizeof span->parent_id);
}

void bus_span_set_name(struct bus_span *span, const char *format, ...) {
  char name[BUS_SPAN_NAME_MAX + 8];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(name, sizeof name, format, args);
  va_end(args);
  if (len < 0)
    return;
  span->name_len = (uint16_t)cut(name, (size_t)len, BUS_SPAN_NAME_MAX);
  memcpy(span->name, name, span->name_len);
}

static struct bus_span_attribute *add(struct bus_span *span, const char *key, enum bus_attribute_kind kind) {
  if (span->attribute_count == BUS_SPAN_ATTRIBUTES_MAX) {
    span->dropped_attributes++;
    return NULL;
  }
  struct bus_span_attribute *attribute = &span->attributes[span->attribute_count++];
  *attribute = (struct bus_span_attribute){.key = key, .kind = kind};
  return attribute;
}

void bus_span_add_text(struct bus_span *span, const char *key, struct bus_str value) {
  size_t room = sizeof span->text - span->text_len;
  struct bus_span_attribute *attribute = value.data ? add(span, key, BUS_ATTRIBUTE_TEXT) : NULL;
  if (attribute == NULL)
    return;
  attribute->at = span->text_len;
  attribute->len = (uint16_t)cut(value.data, value.len, room < BUS_SPAN_VALUE_MAX ? room : BUS_SPAN_VALUE_MAX);
  memcpy(span->text + attribute->at, value.data, attribute->len);
  span->text_len = (uint16_t)(span->text_len + attribute->len);
}

void bus_span_add_int(struct bus_span *span, const char *key, int64_t value) {
  struct bus_span_attribute *attribute = add(span, key, BUS_ATTRIBUTE_INT);
  if (attribute)
    attribute->number = value;
}

void bus_span_add_bool(struct bus_span *span, const char *key, bool value) {
  struct bus_span_attribute *attribute = add(span, key, BUS_ATTRIBUTE_BOOL);
  if (attribute)
    attribute->number = value;
}

void bus_span_fail(struct bus_span *span, struct bus_str type) {
  span->status = BUS_SPAN_ERROR;
  bus_span_add_text(span, "error.type", type);
}

void bus_span_add_links(struct bus_span *span, const struct bus_span_link *links, size_t count, size_t total) {
  size_t room = BUS_SPAN_LINKS_MAX - (size_t)span->link_count, taken = count < room ? count : room;
  if (taken > 0)
    memcpy(&span->links[span->link_count], links, taken * sizeof *links);
  span->link_count = (uint8_t)(span->link_count + taken);
  span->dropped_links += (uint32_t)(total - taken);
}
