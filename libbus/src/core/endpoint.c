/* Reads the URLs of servers that a program calls by HTTP. */
#include "endpoint.h"

#include "ascii.h"

enum { HOST_MAX = 253, PORT_MAX = 65535, PORT_DIGITS = 5 };

static bool cut_scheme(struct bus_str *text) {
  return bus_str_cut_start(text, "https://") || bus_str_cut_start(text, "http://");
}

static bool is_made_of(struct bus_str text, const char *others) {
  for (size_t i = 0; i < text.len; i++)
    if (!ascii_is_alphanumeric(text.data[i]) && memchr(others, text.data[i], strlen(others)) == NULL)
      return false;
  return text.len > 0;
}

bool endpoint_is_host(struct bus_str host) {
  if (host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
    return is_made_of((struct bus_str){host.data + 1, host.len - 2}, ":.");
  return host.len <= HOST_MAX && is_made_of(host, "-._");
}

static struct bus_str host_of(struct bus_str authority) {
  bool is_bracketed = authority.len > 0 && authority.data[0] == '[';
  const char *end = authority.len > 0 ? memchr(authority.data, is_bracketed ? ']' : ':', authority.len) : NULL;
  return end ? (struct bus_str){authority.data, (size_t)(end - authority.data) + is_bracketed} : authority;
}

static bool is_authority(struct bus_str text) {
  struct bus_str host = host_of(text);
  struct bus_str port = {text.data + host.len, text.len - host.len};
  int64_t number = 1;
  if (port.len > 0 && !(bus_str_cut_start(&port, ":") && bus_str_number(port, PORT_DIGITS, &number)))
    return false;
  return number >= 1 && number <= PORT_MAX && endpoint_is_host(host);
}

bool endpoint_is_valid(struct bus_str text) {
  if (!cut_scheme(&text))
    return false;
  const char *slash = text.len > 0 ? memchr(text.data, '/', text.len) : NULL;
  size_t authority = slash ? (size_t)(slash - text.data) : text.len;
  struct bus_str path = {text.data + authority, text.len - authority};
  return is_authority((struct bus_str){text.data, authority}) && (path.len == 0 || is_made_of(path, "/-._~%"));
}
