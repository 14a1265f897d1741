/* The head of a request: civetweb's words become views, and lines that civetweb forgave are refused. */
#include "layout.h"
#include "parts.h"

enum { FIELDS_MAX = 41, HEAD_SPAN_MAX = 8192 };

static bool read_fields(struct bus_http_exchange *exchange, struct http_layout *ret) {
  const struct mg_request_info *info = exchange->connection.info;
  struct bus_arena *arena = exchange->scratch->arena;
  size_t given = info->num_headers > 0 ? (size_t)info->num_headers : 0, count = given < FIELDS_MAX ? given : FIELDS_MAX;
  struct bus_http_header_view *views = bus_arena_array(arena, count, sizeof *views);
  struct http_layout_field *fields = bus_arena_array(arena, count, sizeof *fields);
  if (views == NULL || fields == NULL)
    return false;
  for (size_t i = 0; i < count; i++) {
    const struct mg_header *header = &info->http_headers[i];
    views[i] = (struct bus_http_header_view){bus_str(header->name), bus_str(header->value)};
    fields[i] = (struct http_layout_field){header->name, header->value};
  }
  exchange->headers = views;
  exchange->header_count = count;
  *ret = (struct http_layout){.method = info->request_method,
                              .target = info->request_uri,
                              .query = info->query_string,
                              .version = info->http_version,
                              .fields = fields,
                              .field_count = count};
  return true;
}

/* civetweb ends a head at LF LF, too. The words of such a head look like those of CR LF CR LF when the buffer holds CR
 * NUL behind it, which an earlier request of the thread may have left there; but the head is two bytes shorter. */
static bool ends_in_line_feeds(const struct bus_http_exchange *exchange) {
  struct bus_str behind;
  return http_buffered_body(exchange->connection.info, exchange->head_span - 2, &behind);
}

/* The number of fields is looked at first: civetweb drops what follows the 64th. */
int http_head_read(struct bus_http_exchange *exchange, const char **ret_reason) {
  struct http_layout layout;
  *ret_reason = "out of memory";
  if (!read_fields(exchange, &layout))
    return 503;
  *ret_reason = "the head is larger than 8 KiB or has more than 40 fields";
  if (exchange->header_count == FIELDS_MAX)
    return 431;
  exchange->head_span = http_layout_span(&layout);
  if (exchange->head_span > HEAD_SPAN_MAX)
    return 431;
  *ret_reason = "malformed line in the head";
  return http_layout_is_canonical(&layout) && !ends_in_line_feeds(exchange) ? 0 : 400;
}
