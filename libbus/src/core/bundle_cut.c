/* Cuts a bundle into its elements, in one pass. The sender may be hostile: each byte is looked at a bounded number of
 * times, and nesting is counted, not followed. */
#include <bus/bundle.h>
#include <bus/timefmt.h>

#include "hex.h"
#include "json_scan.h"
#include "json_write.h"

enum attribute { SPECVERSION, ID, TYPE, SUBJECT, TIME, TRACEPARENT, TRACESTATE, CAUSATIONID, DATA, ATTRIBUTES };

#define NAME(text)                                                                                                     \
  { text, sizeof(text) - 1 }

static const struct bus_str names[ATTRIBUTES] = {
    [SPECVERSION] = NAME("specversion"), [ID] = NAME("id"),     [TYPE] = NAME("type"),
    [SUBJECT] = NAME("subject"),         [TIME] = NAME("time"), [TRACEPARENT] = NAME("traceparent"),
    [TRACESTATE] = NAME("tracestate"),   [DATA] = NAME("data"), [CAUSATIONID] = NAME("causationid"),
};

/* No attribute that counts is longer. */
enum { TEXT_MAX = BUS_TRACESTATE_MAX };

struct cut {
  struct bus_str body;
  size_t at;
  size_t index; /* of the element at hand, from 0 */
  const struct bus_envelope *delivery;
  struct bus_arena *arena;
  struct bus_error *err;
};

/* Attributes of the element at hand that are judged at its end. */
struct found {
  bool seen[ATTRIBUTES], version, type;
  struct bus_str tracestate; /* may come before its traceparent */
};

static bool refuse_element(const struct cut *cut, const char *problem) {
  return bus_fail(cut->err, BUS_E_DECODE, "bundle[%zu]: %s", cut->index, problem);
}

static bool refuse_bundle(const struct cut *cut, const char *problem) {
  return bus_fail(cut->err, BUS_E_DECODE, "bundle: %s at byte %zu", problem, cut->at);
}

/* ---- bytes ---- */

static char peek(const struct cut *cut) {
  return cut->at < cut->body.len ? cut->body.data[cut->at] : '\0';
}

static bool take(struct cut *cut, char c) {
  if (cut->at == cut->body.len || peek(cut) != c)
    return false;
  cut->at++;
  return true;
}

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct cut *cut) {
  while (is_space(peek(cut)))
    cut->at++;
}

/* Behind a quotation mark: past the closing one. The next quotation mark is looked for once, not behind each escape. */
static bool skip_string(struct cut *cut) {
  const char *at = cut->body.data + cut->at, *end = cut->body.data + cut->body.len;
  const char *quote = memchr(at, '"', (size_t)(end - at)), *escape;
  while (quote && (escape = memchr(at, '\\', (size_t)(quote - at))) != NULL) {
    at = escape + 2;
    if (at > quote)
      quote = memchr(at, '"', (size_t)(end - at));
  }
  cut->at = quote ? (size_t)(quote + 1 - cut->body.data) : cut->body.len;
  return quote || refuse_bundle(cut, "a string does not end");
}

/* Takes the text up to the comma or bracket that ends a value: strings and brackets are all that is looked at. */
static bool take_value(struct cut *cut, struct bus_str *ret) {
  size_t start = cut->at, depth = 0;
  while (cut->at < cut->body.len) {
    char c = cut->body.data[cut->at];
    bool closes = c == '}' || c == ']';
    if (depth == 0 && (closes || c == ','))
      break;
    cut->at++;
    if (c == '"' && !skip_string(cut))
      return false;
    depth += c == '{' || c == '[';
    depth -= closes;
  }
  size_t end = cut->at;
  while (end > start && is_space(cut->body.data[end - 1]))
    end--;
  *ret = (struct bus_str){cut->body.data + start, end - start};
  return true;
}

/* ---- texts ---- */

/* Puts the character of an escape that the scan has let through. One beyond ASCII becomes DEL, which no attribute that
 * counts may have. Returns the bytes behind the backslash. */
static size_t unescape(const char *escape, char *ret) {
  static const char letters[] = "bfnrt", values[] = "\b\f\n\r\t";
  uint8_t code[2] = {UINT8_MAX, UINT8_MAX};
  const char *letter = strchr(letters, escape[0]);
  *ret = letter ? values[letter - letters] : escape[0];
  if (escape[0] != 'u')
    return 1;
  (void)bus_hex_read(escape + 1, code, 2); /* the scan has read it */
  *ret = code[0] == 0 && code[1] < 0x7F ? (char)code[1] : '\x7F';
  return 5;
}

/* Reads a JSON string, which the scan has let through. Absent: it is no string, or too long for any attribute. */
static struct bus_str text_of(struct bus_str json, char room[TEXT_MAX]) {
  if (json.data[0] != '"')
    return BUS_NO_STR;
  struct bus_str text = {json.data + 1, json.len - 2};
  if (text.len == 0 || memchr(text.data, '\\', text.len) == NULL)
    return text.len <= TEXT_MAX ? text : BUS_NO_STR;
  size_t len = 0;
  for (size_t i = 0; i < text.len; len++) {
    if (len == TEXT_MAX)
      return BUS_NO_STR;
    room[len] = text.data[i++];
    if (room[len] == '\\')
      i += unescape(text.data + i, &room[len]);
  }
  return (struct bus_str){room, len};
}

/* A string of plain ASCII without escapes, as nearly all names and attributes are. */
static bool is_plain(struct bus_str json) {
  return json.len >= 2 && json.data[0] == '"' && json.data[json.len - 1] == '"' &&
         bus_json_plain_run(json.data + 1, json.len - 2) == json.len - 2;
}

/* A name or an attribute: one value that is neither object nor array. */
static bool scan(const struct cut *cut, struct bus_str json) {
  struct bus_json_scan scan;
  if (is_plain(json))
    return true;
  if (bus_json_scan(json, 1, NULL, &scan))
    return true;
  return bus_fail(cut->err, BUS_E_DECODE, "bundle[%zu]: an attribute must be a JSON text, number, boolean or null: %s",
                  cut->index, scan.problem);
}

/* ---- attributes ---- */

static enum attribute attribute_of(struct bus_str name) {
  enum attribute attribute = SPECVERSION;
  while (attribute < ATTRIBUTES && !bus_str_equal(name, names[attribute]))
    attribute++;
  return attribute;
}

static void read_uuid(struct bus_str text, struct bus_uuid *ret) {
  if (!bus_uuid_parse(text, ret))
    *ret = (struct bus_uuid){{0}};
}

/* As in a single message, a malformed attribute counts as absent; without id, type and version there is no element. */
static void read_attribute(const struct cut *cut, enum attribute attribute, struct bus_str text,
                           struct bus_envelope *envelope, struct found *found) {
  bus_time time;
  switch (attribute) {
  case SPECVERSION:
    found->version = bus_str_is(text, "1.0");
    break;
  case ID:
    read_uuid(text, &envelope->message_id);
    break;
  case TYPE:
    found->type = text.data && bus_str_equal(text, cut->delivery->type);
    break;
  case SUBJECT:
    read_uuid(text, &envelope->correlation_id);
    break;
  case TIME:
    if (bus_time_parse(text, &time)) /* else the delivery's stays */
      envelope->timestamp = time;
    break;
  case TRACEPARENT:
    if (!bus_trace_parse(text, &envelope->trace))
      envelope->trace = (struct bus_trace){.flags = 0};
    break;
  case TRACESTATE:
    found->tracestate = text.data ? bus_arena_copy(cut->arena, text) : BUS_NO_STR; /* absent, too, without memory */
    break;
  case CAUSATIONID:
    read_uuid(text, &envelope->causation_id);
    break;
  case DATA:
  case ATTRIBUTES:
    break;
  }
}

static bool take_name(struct cut *cut, enum attribute *ret) {
  char room[TEXT_MAX];
  skip_space(cut);
  size_t start = cut->at;
  if (!take(cut, '"'))
    return refuse_bundle(cut, "the name of an attribute is expected");
  if (!skip_string(cut))
    return false;
  struct bus_str json = {cut->body.data + start, cut->at - start};
  if (!scan(cut, json))
    return false;
  *ret = attribute_of(text_of(json, room));
  return true;
}

static bool take_attribute(struct cut *cut, struct bus_bundle_element *element, struct found *found) {
  enum attribute attribute = ATTRIBUTES;
  struct bus_str json;
  char room[TEXT_MAX];
  if (!take_name(cut, &attribute))
    return false;
  skip_space(cut);
  if (!take(cut, ':'))
    return refuse_bundle(cut, "':' is expected");
  skip_space(cut);
  if (!take_value(cut, &json))
    return false;
  if (attribute < ATTRIBUTES && found->seen[attribute])
    return bus_fail(cut->err, BUS_E_DECODE, "bundle[%zu]: %s is given more than once", cut->index,
                    names[attribute].data);
  if (attribute < ATTRIBUTES)
    found->seen[attribute] = true;
  if (attribute == DATA) {
    element->body = json;
    return true;
  }
  if (!scan(cut, json))
    return false;
  read_attribute(cut, attribute, text_of(json, room), &element->envelope, found);
  return true;
}

/* ---- elements ---- */

static bool judge(const struct cut *cut, struct bus_bundle_element *element, const struct found *found) {
  if (!found->version)
    return refuse_element(cut, "specversion must be \"1.0\"");
  if (bus_uuid_is_nil(&element->envelope.message_id))
    return refuse_element(cut, "id must be a UUID, and not the nil UUID");
  if (!found->type)
    return bus_fail(cut->err, BUS_E_DECODE, "bundle[%zu]: type must be %.*s, the type of the AMQP message", cut->index,
                    (int)cut->delivery->type.len, cut->delivery->type.data);
  bus_trace_set_state(&element->envelope.trace, found->tracestate);
  return true;
}

static void begin_element(const struct cut *cut, struct bus_bundle_element *element) {
  struct bus_envelope *envelope = &element->envelope;
  *envelope = *cut->delivery;
  envelope->message_id = envelope->correlation_id = envelope->causation_id = (struct bus_uuid){{0}};
  envelope->trace = (struct bus_trace){.flags = 0};
  envelope->bundle = false;
  envelope->bundle_count = 0;
  element->body = BUS_STR("");
}

static bool take_element(struct cut *cut, struct bus_bundle_element *element) {
  struct found found = {.version = false};
  begin_element(cut, element);
  skip_space(cut);
  if (!take(cut, '{'))
    return refuse_element(cut, "must be an object");
  skip_space(cut);
  if (!take(cut, '}')) {
    do {
      if (!take_attribute(cut, element, &found))
        return false;
    } while (take(cut, ','));
    if (!take(cut, '}'))
      return refuse_bundle(cut, "',' or '}' is expected");
  }
  return judge(cut, element, &found);
}

/* Ids of one sender rise as a rule; then the one before is the only one to compare with. */
static bool is_new(const struct cut *cut, const struct bus_bundle_element *elements, bool *rising) {
  const struct bus_uuid *id = &elements[cut->index].envelope.message_id;
  if (cut->index == 0)
    return true;
  *rising = *rising && bus_uuid_compare(&elements[cut->index - 1].envelope.message_id, id) < 0;
  for (size_t i = 0; !*rising && i < cut->index; i++)
    if (bus_uuid_equal(&elements[i].envelope.message_id, id))
      return false;
  return true;
}

static bool take_elements(struct cut *cut, struct bus_bundle_element *elements, size_t count) {
  bool rising = true;
  skip_space(cut);
  if (!take(cut, '['))
    return refuse_bundle(cut, "a JSON array is expected");
  skip_space(cut);
  if (peek(cut) == ']')
    return refuse_bundle(cut, "the array is empty");
  for (cut->index = 0; cut->index == 0 || take(cut, ','); cut->index++) {
    if (cut->index == count)
      return bus_fail(cut->err, BUS_E_DECODE, "bundle: more elements than the %zu that the header bus-count says",
                      count);
    if (!take_element(cut, &elements[cut->index]))
      return false;
    if (!is_new(cut, elements, &rising))
      return refuse_element(cut, "its id is that of an element before it");
    skip_space(cut);
  }
  if (!take(cut, ']'))
    return refuse_bundle(cut, "',' or ']' is expected");
  skip_space(cut);
  if (cut->at < cut->body.len)
    return refuse_bundle(cut, "text behind the end of the array");
  return cut->index == count ||
         bus_fail(cut->err, BUS_E_DECODE, "bundle: %zu elements, but the header bus-count says %zu", cut->index, count);
}

bool bus_bundle_cut(const struct bus_envelope *delivery, struct bus_str body, struct bus_arena *arena,
                    struct bus_bundle_element **ret, size_t *ret_count, struct bus_error *err) {
  struct cut cut = {.body = body, .delivery = delivery, .arena = arena, .err = err};
  if (!delivery->bundle)
    return bus_fail(err, BUS_E_DECODE, "the content type is not " BUS_BUNDLE_CONTENT_TYPE);
  if (body.data == NULL)
    return bus_fail(err, BUS_E_DECODE, "bundle: the body is too large");
  if (delivery->type.data == NULL)
    return bus_fail(err, BUS_E_DECODE, "bundle: the AMQP message has no type");
  if (delivery->bundle_count < 1 || delivery->bundle_count > BUS_BUNDLE_MAX)
    return bus_fail(err, BUS_E_DECODE, "bundle: the header bus-count must be 1 to %d", (int)BUS_BUNDLE_MAX);
  size_t count = (size_t)delivery->bundle_count;
  struct bus_bundle_element *elements = bus_arena_array(arena, count, sizeof *elements);
  if (elements == NULL)
    return bus_fail(err, BUS_E_NOMEM, "out of memory cutting a bundle of %zu", count);
  if (!take_elements(&cut, elements, count))
    return false;
  *ret = elements;
  *ret_count = count;
  return true;
}
