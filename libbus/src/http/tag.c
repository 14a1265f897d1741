/* Entity tags of what responses show, and the condition If-None-Match on them. */
#include "internal.h"

enum { TAG_MAX = 64 };

/* If-None-Match compares weakly (RFC 9110, 13.1.2): a proxy that compresses marks the tag as weak. */
static bool names_tag(struct bus_str list, struct bus_str quoted) {
  while (list.len > 0) {
    struct bus_str item = http_list_next(&list);
    if (item.len > 2 && memcmp(item.data, "W/", 2) == 0)
      item = (struct bus_str){item.data + 2, item.len - 2};
    if (bus_str_is(item, "*") || bus_str_equal(item, quoted))
      return true;
  }
  return false;
}

bool bus_http_tag(struct bus_http_exchange *exchange, struct bus_str tag) {
  char text[TAG_MAX + 2];
  size_t len = tag.len < TAG_MAX ? tag.len : TAG_MAX;
  text[0] = text[len + 1] = '"';
  memcpy(text + 1, tag.data, len);
  const struct bus_str quoted = {text, len + 2};
  bus_http_add_header(exchange, "ETag", quoted);
  bool reads = strcmp(exchange->method, "GET") == 0 || exchange->is_head;
  return reads && names_tag(bus_http_header(exchange, "if-none-match"), quoted);
}
