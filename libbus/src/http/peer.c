/* Whom a request comes from: the connection's peer, or the client that trusted proxies name. */
#include "internal.h"

#include <bus/hash.h>

void http_peer_begin(struct bus_http_exchange *exchange) {
  if (!bus_address_parse(bus_str(http_connection_peer(&exchange->connection)), &exchange->client))
    exchange->client = (struct bus_address){{0}};
}

/* The entry behind the last comma; *list keeps those before it. */
static struct bus_str take_last(struct bus_str *list) {
  size_t begin = list->len;
  while (begin > 0 && list->data[begin - 1] != ',')
    begin--;
  struct bus_str entry = {list->data + begin, list->len - begin};
  list->len = begin > 0 ? begin - 1 : 0;
  return entry;
}

static bool follow(const struct bus_networks *trusted, struct bus_str list, struct bus_address *client) {
  while (list.len > 0)
    if (!bus_forwarded_step(trusted, take_last(&list), client))
      return false;
  return true;
}

void http_peer_follow(struct bus_http_exchange *exchange) {
  const struct bus_networks *trusted = exchange->server->settings.trusted_proxies;
  bool more = trusted && trusted->count > 0;
  for (size_t i = exchange->header_count; more && i > 0; i--)
    if (http_text_is(exchange->headers[i - 1].name, "x-forwarded-for"))
      more = follow(trusted, exchange->headers[i - 1].value, &exchange->client);
}

struct bus_str bus_http_client(const struct bus_http_exchange *exchange) {
  return (struct bus_str){(const char *)exchange->client.bytes, bus_address_counted(&exchange->client)};
}

void http_peer_name(const struct bus_http_exchange *exchange, const uint8_t key[32], char ret[HTTP_PEER_NAME + 1]) {
  char keyed[32 + BUS_ADDRESS_BYTES], text[BUS_SHA256_TEXT];
  struct bus_str client = bus_http_client(exchange);
  memcpy(keyed, key, 32);
  memcpy(keyed + 32, client.data, client.len);
  bus_sha256_hex((struct bus_str){keyed, 32 + client.len}, text);
  memcpy(ret, text, HTTP_PEER_NAME);
  ret[HTTP_PEER_NAME] = '\0';
}
