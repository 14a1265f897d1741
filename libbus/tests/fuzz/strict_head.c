/* Reads a request's head byte by byte, forgiving nothing. */
#include "strict_head.h"

#include <strings.h>

struct cursor {
  const char *at, *end;
};

static bool take(struct cursor *c, const char *literal) {
  size_t len = strlen(literal);
  if ((size_t)(c->end - c->at) < len || memcmp(c->at, literal, len) != 0)
    return false;
  c->at += len;
  return true;
}

/* As civetweb takes it. */
static bool take_line_end(struct cursor *c) {
  bool ends = c->end - c->at >= 2 && memchr("\r\n", c->at[0], 2) && memchr("\r\n \t\v\f", c->at[1], 6);
  c->at += ends ? 2 : 0;
  return ends;
}

/* The byte behind the last one that was sent belongs to the buffer, and may be NUL. */
static bool take_bare_end(struct cursor *c) {
  size_t left = (size_t)(c->end - c->at);
  bool ends = left >= 3 && memcmp(c->at, "\n\n\r", 3) == 0 && (left == 3 || c->at[3] == '\0');
  c->at += ends ? 2 : 0;
  return ends;
}

static void skip_blanks(struct cursor *c) {
  enum { ALIGNMENT = 16 };
  const char *at = c->at;
  while (at < c->end && memchr("\r\n \t\v\f", *at, 6))
    at++;
  if ((at - c->at) % ALIGNMENT == 0)
    c->at = at;
}

static bool is_token_char(unsigned char c) {
  return c > 0x20 && c < 0x7F && strchr("\"(),/:;<=>?@[\\]{}", c) == NULL;
}

static bool is_target_char(unsigned char c) {
  return c > 0x20 && c != 0x7F;
}

static bool is_value_char(unsigned char c) {
  return c == '\t' || (c >= 0x20 && c != 0x7F);
}

static struct bus_str take_while(struct cursor *c, bool (*fits)(unsigned char)) {
  const char *begin = c->at;
  while (c->at < c->end && fits((unsigned char)*c->at))
    c->at++;
  return (struct bus_str){begin, (size_t)(c->at - begin)};
}

static bool is(struct bus_str name, const char *other) {
  return name.len == strlen(other) && strncasecmp(name.data, other, name.len) == 0;
}

static bool read_length(struct bus_str value, uint64_t *ret) {
  *ret = 0;
  for (size_t i = 0; i < value.len; i++) {
    if (value.data[i] < '0' || value.data[i] > '9' || *ret > UINT64_MAX / 100)
      return false;
    *ret = *ret * 10 + (uint64_t)(value.data[i] - '0');
  }
  return value.len > 0;
}

static struct bus_str trim(struct bus_str text) {
  while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
    text = (struct bus_str){text.data + 1, text.len - 1};
  while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
    text.len--;
  return text;
}

static bool read_field(struct cursor *c, struct strict_head *head, size_t *hosts) {
  struct bus_str name = take_while(c, is_token_char);
  if (name.len == 0 || !take(c, ":"))
    return false;
  struct bus_str value = trim(take_while(c, is_value_char));
  head->bare_end = take_bare_end(c);
  if (!head->bare_end && !take(c, "\r\n"))
    return false;
  head->fields++;
  *hosts += is(name, "host");
  if (is(name, "transfer-encoding")) {
    bool first = !head->is_chunked;
    head->is_chunked = true;
    return first && bus_str_is(value, "chunked");
  }
  if (!is(name, "content-length"))
    return true;
  bool first = !head->has_length;
  head->has_length = true;
  return first && read_length(value, &head->content_length);
}

static void split_target(struct bus_str target, struct strict_head *head) {
  const char *mark = memchr(target.data, '?', target.len);
  head->path = (struct bus_str){target.data, mark ? (size_t)(mark - target.data) : target.len};
  head->query = mark ? (struct bus_str){mark + 1, target.len - head->path.len - 1} : BUS_NO_STR;
}

bool strict_head_read(struct bus_str bytes, struct strict_head *ret) {
  struct cursor c = {bytes.data, bytes.data + bytes.len};
  struct strict_head head = {.fields = 0};
  size_t hosts = 0;
  skip_blanks(&c);
  head.method = take_while(&c, is_token_char);
  if (head.method.len == 0 || !take(&c, " "))
    return false;
  struct bus_str target = take_while(&c, is_target_char);
  bool is_1_1 = take(&c, " HTTP/1.1");
  if (target.len == 0 || (!is_1_1 && !take(&c, " HTTP/1.0")) || !take_line_end(&c))
    return false;
  split_target(target, &head);
  while (!head.bare_end && !take(&c, "\r\n"))
    if (!read_field(&c, &head, &hosts))
      return false;
  head.size = (size_t)(c.at - bytes.data);
  *ret = head;
  return hosts == 1 && (!head.is_chunked || (is_1_1 && !head.has_length));
}

static bool take_size(struct cursor *c, size_t *ret) {
  static const char digits[] = "0123456789abcdef";
  size_t count = 0;
  *ret = 0;
  for (; c->at < c->end && count < 8; count++, c->at++) {
    const char *digit = *c->at ? strchr(digits, *c->at >= 'A' && *c->at <= 'F' ? *c->at + 32 : *c->at) : NULL;
    if (digit == NULL)
      break;
    *ret = *ret * 16 + (size_t)(digit - digits);
  }
  return count > 0 && take(c, "\r\n");
}

bool strict_chunks_read(struct bus_str bytes, char *body, size_t size, size_t *ret_len, size_t *ret_taken) {
  struct cursor c = {bytes.data, bytes.data + bytes.len};
  size_t len = 0, chunk;
  while (take_size(&c, &chunk) && chunk > 0) {
    if (chunk > size - len || chunk > (size_t)(c.end - c.at))
      return false;
    memcpy(body + len, c.at, chunk);
    len += chunk;
    c.at += chunk;
    if (!take(&c, "\r\n"))
      return false;
  }
  *ret_len = len;
  bool ends = c.at - bytes.data >= 3 && memcmp(c.at - 2, "\r\n", 2) == 0 && take(&c, "\r\n");
  *ret_taken = (size_t)(c.at - bytes.data);
  return ends && chunk == 0;
}
