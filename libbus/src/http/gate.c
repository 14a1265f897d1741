/* The gate: one pure decision over a request's head, before any routing. A request that passes has only one meaning. */
#include "gate.h"

#include "../core/ascii.h"
#include "../core/hex.h"

enum {
  HEADERS_MAX = 40,
  HEAD_BYTES_MAX = 8192,
  PATH_MAX_BYTES = 2048,
  METHOD_MAX = 16,
  LENGTH_DIGITS_MAX = 18,
  PORT_DIGITS_MAX = 5
};

struct head {
  const char *method, *version;
  struct bus_str path;
  const struct bus_http_header_view *fields;
  size_t count;
};

static int refuse_head(int status, const char *reason, const char **ret_reason) {
  *ret_reason = reason;
  return status;
}

static bool is_token_char(char c) {
  return ascii_is_alphanumeric(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(struct bus_str text) {
  for (size_t i = 0; i < text.len; i++)
    if (!is_token_char(text.data[i]))
      return false;
  return text.len > 0;
}

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool http_text_is(struct bus_str text, const char *other) {
  size_t i = 0;
  for (; i < text.len; i++)
    if (other[i] == '\0' || lower(text.data[i]) != lower(other[i]))
      return false;
  return other[i] == '\0';
}

struct bus_str http_list_next(struct bus_str *list) {
  return ascii_trim(bus_str_cut(list, ','), " ");
}

/* No control characters; bytes from 0x80 on are opaque, as RFC 9110 has them. */
static bool is_field_value(struct bus_str value) {
  for (size_t i = 0; i < value.len; i++) {
    unsigned char c = (unsigned char)value.data[i];
    if ((c < 0x20 && c != '\t') || c == 0x7F)
      return false;
  }
  return true;
}

static int check_version(const struct head *head, const char **ret_reason) {
  bool known = strcmp(head->version, "1.1") == 0 || strcmp(head->version, "1.0") == 0;
  return known ? 0 : refuse_head(505, "only HTTP/1.0 and HTTP/1.1 are spoken", ret_reason);
}

static int check_method(const struct head *head, const char **ret_reason) {
  if (strlen(head->method) > METHOD_MAX || !is_token(bus_str(head->method)))
    return refuse_head(400, "malformed method", ret_reason);
  return 0;
}

static int check_size(const struct head *head, const char **ret_reason) {
  if (head->count > HEADERS_MAX)
    return refuse_head(431, "more than 40 header fields", ret_reason);
  size_t bytes = head->path.len;
  for (size_t i = 0; i < head->count; i++)
    bytes += head->fields[i].name.len + head->fields[i].value.len + 4;
  return bytes > HEAD_BYTES_MAX ? refuse_head(431, "header fields larger than 8 KiB", ret_reason) : 0;
}

static int check_fields(const struct head *head, const char **ret_reason) {
  for (size_t i = 0; i < head->count; i++) {
    if (!is_token(head->fields[i].name))
      return refuse_head(400, "malformed header name", ret_reason);
    if (!is_field_value(head->fields[i].value))
      return refuse_head(400, "control character in a header value", ret_reason);
  }
  return 0;
}

/* How often a header stands there; *ret is the last one. */
static size_t find_header(const struct head *head, const char *name, struct bus_str *ret) {
  size_t found = 0;
  for (size_t i = 0; i < head->count; i++) {
    if (!http_text_is(head->fields[i].name, name))
      continue;
    *ret = head->fields[i].value;
    found++;
  }
  return found;
}

bool http_content_length(struct bus_str value, int64_t *ret) {
  return bus_str_number(value, LENGTH_DIGITS_MAX, ret);
}

static int check_framing(const struct head *head, const char **ret_reason) {
  struct bus_str value = BUS_NO_STR;
  int64_t length;
  size_t codings = find_header(head, "transfer-encoding", &value);
  bool is_chunked = strcmp(head->version, "1.1") == 0 && codings == 1 && bus_str_is(value, "chunked");
  size_t lengths = find_header(head, "content-length", &value);
  if (codings > 0 && lengths > 0)
    return refuse_head(400, "Transfer-Encoding and Content-Length together", ret_reason);
  if (codings > 0 && !is_chunked)
    return refuse_head(411, "Transfer-Encoding must be exactly chunked, in HTTP/1.1; or send Content-Length",
                       ret_reason);
  if (lengths > 1)
    return refuse_head(400, "more than one Content-Length", ret_reason);
  if (lengths == 1 && !http_content_length(value, &length))
    return refuse_head(400, "Content-Length is not a plain number", ret_reason);
  size_t expectations = find_header(head, "expect", &value);
  if (expectations > 1 || (expectations == 1 && !http_text_is(value, "100-continue")))
    return refuse_head(417, "only Expect: 100-continue is known", ret_reason);
  return 0;
}

/* Two of these could be read as one or as none: each reader would choose for itself. */
static int check_singles(const struct head *head, const char **ret_reason) {
  static const char *const singles[] = {"content-type", "authorization", "idempotency-key"};
  struct bus_str value;
  for (size_t i = 0; i < BUS_COUNT(singles); i++)
    if (find_header(head, singles[i], &value) > 1)
      return refuse_head(400, "a header field stands twice", ret_reason);
  return 0;
}

/* An IPv6 address as text is 45 characters at most. */
static bool is_bracketed(struct bus_str name) {
  if (name.len < 4 || name.len > 47 || name.data[0] != '[' || name.data[name.len - 1] != ']')
    return false;
  for (size_t i = 1; i + 1 < name.len; i++)
    if (!ascii_is_alphanumeric(name.data[i]) && name.data[i] != ':' && name.data[i] != '.')
      return false;
  return true;
}

static bool is_host_name(struct bus_str name) {
  for (size_t i = 0; i < name.len; i++)
    if (!ascii_is_alphanumeric(name.data[i]) && strchr("-._", name.data[i]) == NULL)
      return false;
  return name.len >= 1 && name.len <= 253;
}

bool http_host_name(struct bus_str host, struct bus_str *ret) {
  size_t name_len = host.len;
  for (size_t i = host.len; i > 0; i--) {
    if (host.data[i - 1] == ']')
      break;
    if (host.data[i - 1] == ':') {
      name_len = i - 1;
      break;
    }
  }
  struct bus_str name = {host.data, name_len};
  int64_t port;
  if (name_len < host.len &&
      !bus_str_number((struct bus_str){host.data + name_len + 1, host.len - name_len - 1}, PORT_DIGITS_MAX, &port))
    return false;
  if (name_len > 0 && host.data[0] == '[' ? !is_bracketed(name) : !is_host_name(name))
    return false;
  *ret = name;
  return true;
}

static int check_host(const struct head *head, const char **ret_reason) {
  struct bus_str host = BUS_NO_STR, name;
  if (find_header(head, "host", &host) != 1)
    return refuse_head(400, "exactly one Host is needed", ret_reason);
  return http_host_name(host, &name) ? 0 : refuse_head(400, "malformed Host", ret_reason);
}

/* ---- the path ---- */

bool http_path_next(struct bus_str *rest, char *ret) {
  size_t taken = 1;
  *ret = rest->data[0];
  if (*ret == '%') {
    uint8_t byte;
    if (rest->len < 3 || !bus_hex_read(rest->data + 1, &byte, 1))
      return false;
    *ret = (char)byte;
    taken = 3;
  }
  *rest = (struct bus_str){rest->data + taken, rest->len - taken};
  return true;
}

/* Characters of ids and of route names. */
static bool is_path_char(char c) {
  return ascii_is_alphanumeric(c) || (c != '\0' && strchr("_.:-", c) != NULL);
}

/* Decodes escapes once. The decoded character must be allowed, so "%2F", "%00" and "%25" are refused. */
static int check_segment(struct bus_str segment, const char **ret_reason) {
  size_t count = 0, dots = 0;
  while (segment.len > 0) {
    char c;
    if (!http_path_next(&segment, &c) || !is_path_char(c))
      return refuse_head(400, "character in the path that no route and no id has", ret_reason);
    dots += c == '.';
    count++;
  }
  return count > 0 && count <= 2 && dots == count ? refuse_head(400, "dot segment in the path", ret_reason) : 0;
}

static int check_path(const struct head *head, const char **ret_reason) {
  struct bus_str path = head->path;
  if (path.len == 0 || path.data[0] != '/')
    return refuse_head(400, "the request target must be a path", ret_reason);
  if (path.len > PATH_MAX_BYTES)
    return refuse_head(414, "path longer than 2048 bytes", ret_reason);
  for (size_t begin = 1, end; begin <= path.len; begin = end + 1) {
    const char *slash = begin < path.len ? memchr(path.data + begin, '/', path.len - begin) : NULL;
    end = slash ? (size_t)(slash - path.data) : path.len;
    if (end == begin && slash)
      return refuse_head(400, "empty segment in the path", ret_reason);
    int status = check_segment((struct bus_str){path.data + begin, end - begin}, ret_reason);
    if (status != 0)
      return status;
  }
  return 0;
}

int bus_http_gate(const char *method, struct bus_str raw_path, const char *http_version,
                  const struct bus_http_header_view *headers, size_t header_count, const char **ret_reason) {
  static int (*const checks[])(const struct head *head, const char **ret_reason) = {
      check_size, check_version, check_method, check_fields, check_framing, check_singles, check_host, check_path};
  const struct head head = {
      .method = method, .version = http_version, .path = raw_path, .fields = headers, .count = header_count};
  int status = 0;
  *ret_reason = "";
  for (size_t i = 0; status == 0 && i < BUS_COUNT(checks); i++)
    status = checks[i](&head, ret_reason);
  return status;
}
