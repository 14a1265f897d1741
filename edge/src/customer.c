/* Customers in the access log: one customer's requests can be told from others', and nobody is named. */
#include "edge.h"

#include <bus/hash.h>

enum { KEY_BYTES = sizeof((struct edge *)NULL)->customer_key, HASH_DIGITS = 16, ID_MAX = 128 };

void edge_note_customer(const struct edge *edge, struct bus_http_exchange *exchange, struct bus_str customer_id) {
  char keyed[KEY_BYTES + ID_MAX], text[BUS_SHA256_TEXT];
  if (edge->settings->access_log == BUS_ACCESS_OFF || customer_id.data == NULL || customer_id.len > ID_MAX)
    return;
  memcpy(keyed, edge->customer_key, KEY_BYTES);
  memcpy(keyed + KEY_BYTES, customer_id.data, customer_id.len);
  bus_sha256_hex((struct bus_str){keyed, KEY_BYTES + customer_id.len}, text);
  bus_http_note(exchange, "customer", (struct bus_str){text, HASH_DIGITS});
}
