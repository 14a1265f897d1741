/* Responses that clients may keep: documents with an entity tag. */
#include "internal.h"

void bus_http_reply_document(struct bus_http_exchange *exchange, const char *media_type, struct bus_str body,
                             struct bus_str tag) {
  exchange->is_cacheable = true;
  if (bus_http_tag(exchange, tag))
    bus_http_reply(exchange, 304, NULL, BUS_NO_STR);
  else
    bus_http_reply(exchange, 200, media_type, body);
}
