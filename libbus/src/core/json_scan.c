/* A recursive-descent recogniser of RFC 8259 that builds no tree: it refuses, counts, and marks inexact numbers. */
#include "json_scan.h"

#include "ascii.h"
#include "hex.h"
#include "json_write.h"
#include "utf8.h"

enum { NUMBER_MAX = 60 }; /* characters; cJSON reads no more than 63 */

struct scanner {
  const char *text;
  size_t len, at;
  int depth;
  struct bus_json_scan *result;
  size_t max_nodes;
};

static bool refuse_json(struct scanner *s, const char *problem) {
  s->result->problem = problem;
  s->result->at = s->at;
  return false;
}

/* The byte at hand; 0 at the end, and a raw NUL is refused before anything else is looked at. */
static char peek(const struct scanner *s) {
  if (s->at == s->len)
    return '\0';
  return s->text[s->at];
}

static bool take(struct scanner *s, char c) {
  if (peek(s) != c)
    return false;
  s->at++;
  return true;
}

static void skip_space(struct scanner *s) {
  for (char c = peek(s); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = peek(s))
    s->at++;
}

static bool scan_hex4(struct scanner *s, unsigned *ret) {
  uint8_t bytes[2];
  if (s->len - s->at < 4 || !bus_hex_read(s->text + s->at, bytes, 2))
    return refuse_json(s, "\\u needs four hexadecimal digits");
  s->at += 4;
  *ret = (unsigned)(bytes[0] << 8 | bytes[1]);
  return true;
}

/* Behind "\u". */
static bool scan_unicode_escape(struct scanner *s) {
  unsigned code, low;
  if (!scan_hex4(s, &code))
    return false;
  if (code == 0)
    return refuse_json(s, "\\u0000 is not allowed");
  if (code >= 0xDC00 && code <= 0xDFFF)
    return refuse_json(s, "lone surrogate");
  if (code < 0xD800 || code > 0xDBFF)
    return true;
  if (!take(s, '\\') || !take(s, 'u'))
    return refuse_json(s, "lone surrogate");
  if (!scan_hex4(s, &low))
    return false;
  return (low >= 0xDC00 && low <= 0xDFFF) || refuse_json(s, "lone surrogate");
}

static bool scan_escape(struct scanner *s) {
  char c = peek(s);
  if (c == '\0' || strchr("\"\\/bfnrtu", c) == NULL)
    return refuse_json(s, "unknown escape in a string");
  s->at++;
  return c != 'u' || scan_unicode_escape(s);
}

static bool scan_string(struct scanner *s) {
  if (!take(s, '"'))
    return refuse_json(s, "a string is expected");
  for (;;) {
    s->at += bus_json_plain_run(s->text + s->at, s->len - s->at);
    if (take(s, '"'))
      return true;
    if (s->at == s->len)
      return refuse_json(s, "a string does not end");
    if ((unsigned char)peek(s) < 0x20)
      return refuse_json(s, "raw control character in a string");
    if (take(s, '\\')) {
      if (!scan_escape(s))
        return false;
      continue;
    }
    size_t count = bus_utf8_next(s->text + s->at, s->len - s->at, NULL);
    if (count == 0)
      return refuse_json(s, "invalid UTF-8");
    s->at += count;
  }
}

/* Digits of an integer within ±BUS_JSON_INT_MAX, and not -0. */
static bool is_exact(const char *text, size_t len) {
  bool negative = text[0] == '-';
  int64_t value = 0;
  for (size_t i = negative; i < len; i++) {
    value = value * 10 + (text[i] - '0');
    if (value > BUS_JSON_INT_MAX)
      return false;
  }
  return !negative || value > 0;
}

static bool scan_digits(struct scanner *s) {
  if (!ascii_is_digit(peek(s)))
    return refuse_json(s, "a digit is expected");
  while (ascii_is_digit(peek(s)))
    s->at++;
  return true;
}

static void note_number(struct bus_json_scan *result, bool exact) {
  size_t n = result->numbers++;
  result->inexact_count += !exact;
  if (!result->inexact)
    return;
  if (n % 64 == 0)
    result->inexact[n / 64] = 0;
  if (!exact)
    result->inexact[n / 64] |= UINT64_C(1) << n % 64;
}

static bool scan_number(struct scanner *s) {
  size_t start = s->at;
  (void)take(s, '-'); /* optional */
  if (!take(s, '0') && !scan_digits(s))
    return false;
  if (ascii_is_digit(peek(s)))
    return refuse_json(s, "a number begins with 0");
  bool integer = true;
  if (take(s, '.')) {
    integer = false;
    if (!scan_digits(s))
      return false;
  }
  if (take(s, 'e') || take(s, 'E')) {
    integer = false;
    (void)(take(s, '+') || take(s, '-')); /* optional */
    if (!scan_digits(s))
      return false;
  }
  if (s->at - start > NUMBER_MAX)
    return refuse_json(s, "a number is too long");
  note_number(s->result, integer && is_exact(s->text + start, s->at - start));
  return true;
}

static bool scan_literal(struct scanner *s, const char *literal) {
  size_t len = strlen(literal);
  if (s->len - s->at < len || memcmp(s->text + s->at, literal, len) != 0)
    return refuse_json(s, "a value is expected");
  s->at += len;
  return true;
}

static bool scan_value(struct scanner *s);

static bool scan_member(struct scanner *s) {
  skip_space(s);
  if (!scan_string(s))
    return false;
  skip_space(s);
  return take(s, ':') ? scan_value(s) : refuse_json(s, "':' is expected");
}

/* Behind the opening bracket. */
static bool scan_container(struct scanner *s, char end, bool (*scan_item)(struct scanner *)) {
  if (++s->depth > BUS_JSON_DEPTH)
    return refuse_json(s, "nested too deep");
  skip_space(s);
  if (take(s, end)) {
    s->depth--;
    return true;
  }
  do {
    if (!scan_item(s))
      return false;
    skip_space(s);
  } while (take(s, ','));
  if (!take(s, end))
    return refuse_json(s, end == '}' ? "',' or '}' is expected" : "',' or ']' is expected");
  s->depth--;
  return true;
}

static bool scan_value(struct scanner *s) {
  skip_space(s);
  if (++s->result->nodes > s->max_nodes)
    return refuse_json(s, "too many values");
  switch (peek(s)) {
  case '{':
    s->at++;
    return scan_container(s, '}', scan_member);
  case '[':
    s->at++;
    return scan_container(s, ']', scan_value);
  case '"':
    return scan_string(s);
  case 't':
    return scan_literal(s, "true");
  case 'f':
    return scan_literal(s, "false");
  case 'n':
    return scan_literal(s, "null");
  default:
    return peek(s) == '-' || ascii_is_digit(peek(s)) ? scan_number(s) : refuse_json(s, "a value is expected");
  }
}

bool bus_json_scan(struct bus_str json, size_t max_nodes, uint64_t *bits, struct bus_json_scan *ret) {
  *ret = (struct bus_json_scan){.inexact = bits};
  struct scanner s = {.text = json.data, .len = json.len, .result = ret, .max_nodes = max_nodes};
  if (json.len == 0)
    return refuse_json(&s, "the text is empty");
  const char *nul = memchr(json.data, '\0', json.len);
  if (nul) {
    s.at = (size_t)(nul - json.data);
    return refuse_json(&s, "NUL is not allowed");
  }
  if (json.len >= 3 && memcmp(json.data, "\xEF\xBB\xBF", 3) == 0)
    return refuse_json(&s, "a byte order mark is not allowed");
  if (!scan_value(&s))
    return false;
  skip_space(&s);
  return s.at == s.len || refuse_json(&s, "text behind the end of the value");
}

bool bus_json_scan_is_integer(const struct bus_json_scan *scan, size_t n) {
  return n < scan->numbers &&
         (scan->inexact_count == 0 || (scan->inexact && (scan->inexact[n / 64] >> n % 64 & 1) == 0));
}
