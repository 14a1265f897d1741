/* W3C Trace Context: whether a tracestate is well-formed. */
#include <bus/trace.h>

#include "ascii.h"

enum { KEY_MAX = 256, TENANT_MAX = 241, SYSTEM_MAX = 14, VALUE_MAX = 256 };

static bool is_simple_key(struct bus_str text, size_t max, bool may_begin_with_digit) {
  if (text.len == 0 || text.len > max ||
      !(ascii_is_lower(text.data[0]) || (may_begin_with_digit && ascii_is_digit(text.data[0]))))
    return false;
  for (size_t i = 1; i < text.len; i++)
    if (!ascii_is_lower(text.data[i]) && !ascii_is_digit(text.data[i]) && !memchr("_-*/", text.data[i], 4))
      return false;
  return true;
}

/* "vendor", or "tenant@system". */
static bool is_key(struct bus_str key) {
  const char *at = key.len > 0 ? memchr(key.data, '@', key.len) : NULL;
  if (at == NULL)
    return is_simple_key(key, KEY_MAX, false);
  const struct bus_str tenant = {key.data, (size_t)(at - key.data)};
  const struct bus_str system = {at + 1, key.len - tenant.len - 1};
  return is_simple_key(tenant, TENANT_MAX, true) && is_simple_key(system, SYSTEM_MAX, false);
}

static bool is_value(struct bus_str value) {
  if (value.len == 0 || value.len > VALUE_MAX || value.data[value.len - 1] == ' ')
    return false;
  for (size_t i = 0; i < value.len; i++)
    if (value.data[i] < 0x20 || value.data[i] > 0x7E || value.data[i] == ',' || value.data[i] == '=')
      return false;
  return true;
}

static bool is_repeated(const struct bus_str *keys, size_t count, struct bus_str key) {
  for (size_t i = 0; i < count; i++)
    if (bus_str_equal(keys[i], key))
      return true;
  return false;
}

/* An empty member is allowed, and counts as none. */
static bool take_member(struct bus_str member, struct bus_str keys[BUS_TRACESTATE_MEMBERS], size_t *count) {
  const char *equals = member.len > 0 ? memchr(member.data, '=', member.len) : NULL;
  if (member.len == 0)
    return true;
  if (equals == NULL || *count == BUS_TRACESTATE_MEMBERS)
    return false;
  const struct bus_str key = {member.data, (size_t)(equals - member.data)};
  const struct bus_str value = {equals + 1, member.len - key.len - 1};
  if (!is_key(key) || !is_value(value) || is_repeated(keys, *count, key))
    return false;
  keys[(*count)++] = key;
  return true;
}

static bool is_well_formed(struct bus_str text) {
  struct bus_str keys[BUS_TRACESTATE_MEMBERS];
  size_t count = 0, begin = 0;
  for (size_t i = 0; i <= text.len; i++) {
    if (i < text.len && text.data[i] != ',')
      continue;
    if (!take_member(ascii_trim((struct bus_str){text.data + begin, i - begin}, " \t"), keys, &count))
      return false;
    begin = i + 1;
  }
  return count > 0;
}

void bus_trace_set_state(struct bus_trace *trace, struct bus_str tracestate) {
  bool good =
      bus_trace_is_set(trace) && tracestate.data && tracestate.len <= BUS_TRACESTATE_MAX && is_well_formed(tracestate);
  trace->state = good ? tracestate : BUS_NO_STR;
}
