/* Finds bare line feeds, folded lines, spaces before a colon and dropped fields, which civetweb hides from handlers. */
#include "layout.h"

static const char *end_of(const char *word) {
  return word + strlen(word);
}

/* "HTTP/" lies before the version. */
static bool is_request_line(const struct http_layout *layout) {
  const char *target_end = end_of(layout->query ? layout->query : layout->target);
  if (layout->query && layout->query != end_of(layout->target) + 1)
    return false;
  return layout->target == end_of(layout->method) + 1 && layout->version - strlen("HTTP/") == target_end + 1;
}

/* After the name the colon became a NUL; a space before the colon became another. */
static bool is_colon_at_name(const struct http_layout_field *field) {
  const char *colon = end_of(field->name);
  return field->value == colon + 1 || (field->value > colon && colon[1] != '\0');
}

/* CR and LF after `word` both became NULs, and `next` follows. */
static bool is_line_end(const char *word, const char *next) {
  return next == end_of(word) + 2;
}

size_t http_layout_span(const struct http_layout *layout) {
  const char *last = layout->field_count > 0 ? layout->fields[layout->field_count - 1].value : layout->version;
  return (size_t)(end_of(last) - layout->method) + strlen("\r\n\r\n");
}

bool http_layout_is_canonical(const struct http_layout *layout) {
  if ((uintptr_t)layout->method % HTTP_LAYOUT_ALIGNMENT != 0 || !is_request_line(layout) || layout->field_count == 0)
    return false;
  const char *line = layout->version;
  for (size_t i = 0; i < layout->field_count; i++) {
    const struct http_layout_field *field = &layout->fields[i];
    if (!is_line_end(line, field->name) || !is_colon_at_name(field))
      return false;
    line = field->value;
  }
  const char *rest = end_of(line);
  return rest[1] == '\0' && rest[2] == '\r' && rest[3] == '\0';
}
