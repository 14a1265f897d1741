/* Fuzzes the head of a request without a socket: it is parsed in place, as a lenient server does it, then checked by
 * layout and gate. An accepted head has the one meaning that a strict second parser finds. */
#include "fuzz.h"

#include <bus/http_server.h>

#include "civetweb/layout.h"
#include "gate.h"
#include "routes.h"
#include "strict_head.h"

enum { FIELDS_MAX = 64, GATE_FIELDS = 40 };

struct parsed {
  struct http_layout layout;
  struct http_layout_field fields[FIELDS_MAX];
};

static bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Ends the word at *at, and passes over all that is space. */
static const char *take_word(char **at, bool ends_line) {
  char *word = *at;
  while (**at > 0x20 && **at < 0x7F)
    (*at)++;
  bool right = ends_line ? **at == '\r' || **at == '\n' : **at == ' ';
  if (!right || *at == word)
    return NULL;
  while (is_space(**at))
    *(*at)++ = '\0';
  return word;
}

/* One field; false at the end of what looks like fields. */
static bool take_field(char **at, struct http_layout_field *ret, bool *ret_last) {
  char *c = *at;
  while (*c > 0x20 && *c < 0x7F && *c != ':')
    c++;
  if (c == *at)
    return false;
  for (; *c == ' ' || *c == '\t'; c++)
    *c = '\0';
  if (*c != ':')
    return false;
  *c++ = '\0';
  while (*c == ' ' || *c == '\t')
    c++;
  *ret = (struct http_layout_field){*at, c};
  c += strcspn(c, "\r\n");
  if (*c == '\r')
    *c++ = '\0';
  *ret_last = *c != '\n';
  if (*c == '\n')
    *c++ = '\0';
  *at = c;
  *ret_last = *ret_last || *c == '\r' || *c == '\n' || *c == '\0';
  return true;
}

static bool parse(char *text, struct parsed *ret) {
  bool last = false;
  while (is_space(*text))
    text++;
  *ret = (struct parsed){.layout = {.fields = ret->fields}};
  ret->layout.method = take_word(&text, false);
  char *target = text;
  ret->layout.target = ret->layout.method ? take_word(&text, false) : NULL;
  const char *version = ret->layout.target ? take_word(&text, true) : NULL;
  if (version == NULL || strncmp(version, "HTTP/", 5) != 0)
    return false;
  ret->layout.version = version + 5;
  char *mark = strchr(target, '?');
  if (mark) {
    *mark = '\0';
    ret->layout.query = mark + 1;
  }
  while (!last && ret->layout.field_count < FIELDS_MAX &&
         take_field(&text, &ret->fields[ret->layout.field_count], &last))
    ret->layout.field_count++;
  return true;
}

static int judge(const struct parsed *parsed) {
  struct bus_http_header_view headers[FIELDS_MAX];
  const char *reason = NULL;
  const struct http_layout *layout = &parsed->layout;
  for (size_t i = 0; i < layout->field_count; i++)
    headers[i] = (struct bus_http_header_view){bus_str(parsed->fields[i].name), bus_str(parsed->fields[i].value)};
  int status =
      bus_http_gate(layout->method, bus_str(layout->target), layout->version, headers, layout->field_count, &reason);
  FUZZ_CHECK(reason != NULL && (status == 0 || (status >= 400 && status <= 505 && reason[0] != '\0')));
  return status;
}

static void handle(void *context, struct bus_http_exchange *exchange) {
  (void)context;
  (void)exchange;
}

static const struct bus_http_route routes[] = {
    {.method = "GET", .path = "/api/orders", .handler = handle},
    {.method = "POST", .path = "/api/orders", .handler = handle, .body_limit = 65536},
    {.method = "GET", .path = "/api/orders/{id}", .handler = handle},
    {.method = "POST", .path = "/api/orders/{id}/cancel", .handler = handle, .body_limit = 4096},
    {.method = "GET", .path = "/api/orders/{id}/events", .handler = handle},
    {.method = "GET", .path = "/", .handler = handle},
};

static void find_route(const char *method, struct bus_str path) {
  struct http_match match;
  enum http_match_result result = http_match(routes, BUS_COUNT(routes), method, path, &match);
  FUZZ_CHECK(result != HTTP_MATCHED || match.route != NULL);
  FUZZ_CHECK(result != HTTP_NO_METHOD || match.allow[0] != '\0');
  for (size_t i = 0; result == HTTP_MATCHED && i < match.segment_count; i++)
    FUZZ_CHECK(match.segments[i].len > 0 && memchr(match.segments[i].data, '/', match.segments[i].len) == NULL);
}

static void small_decisions(struct bus_str text) {
  struct bus_str name;
  int64_t length;
  if (http_host_name(text, &name))
    FUZZ_CHECK(name.len >= 1 && name.len <= text.len && name.len <= 253);
  if (http_content_length(text, &length)) {
    char *exact = fuzz_text(text);
    FUZZ_CHECK(length >= 0 && length == strtoll(exact, NULL, 10));
    free(exact);
  }
}

/* The server takes a head apart once its end has come, whose last byte it overwrites, and refuses most control
 * characters before that. */
static bool cut_off_head(char *text) {
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    bool bare = strncmp(text, "\n\n", 2) == 0;
    if ((c < 0x20 && c != '\r' && c != '\n' && c != '\t') || c == 0x7F)
      return false;
    if (bare || strncmp(text, "\r\n\r\n", 4) == 0) {
      text[bare ? 1 : 3] = '\0';
      return true;
    }
  }
  return false;
}

/* The server's buffer begins where malloc's does. */
static void judge_head(struct bus_str bytes) {
  struct parsed parsed;
  struct strict_head strict;
  char *text = fuzz_text(bytes);
  if (cut_off_head(text) && parse(text, &parsed) && parsed.layout.field_count > 0 &&
      parsed.layout.field_count <= GATE_FIELDS && http_layout_is_canonical(&parsed.layout) && judge(&parsed) == 0) {
    FUZZ_CHECK(strict_head_read(bytes, &strict));
    FUZZ_CHECK(bus_str_is(strict.method, parsed.layout.method) && bus_str_is(strict.path, parsed.layout.target));
    FUZZ_CHECK((strict.query.data != NULL) == (parsed.layout.query != NULL));
    FUZZ_CHECK(strict.fields == parsed.layout.field_count);
    FUZZ_CHECK(bytes.data + strict.size + (strict.bare_end ? 2 : 0) ==
               strict.method.data + http_layout_span(&parsed.layout));
    find_route(parsed.layout.method, strict.path);
  }
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct bus_str bytes = fuzz_input(data, size);
  char *exact = fuzz_exact(bytes);
  struct bus_str view = {exact, bytes.len};
  small_decisions(view);
  judge_head(view);
  free(exact);
  return 0;
}
