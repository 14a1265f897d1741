/* IP addresses and networks, and the client that a chain of trusted proxies names. */
#include <bus/network.h>

#include <arpa/inet.h>
#include <stdio.h>

#include "ascii.h"

enum { V4_BYTES = 4, V4_AT = BUS_ADDRESS_BYTES - V4_BYTES, V4_BITS = 8 * V4_AT, ALL_BITS = 8 * BUS_ADDRESS_BYTES };

static const uint8_t v4_prefix[V4_AT] = {[10] = 0xFF, [11] = 0xFF};

static bool is_v4(const struct bus_address *address) {
  return memcmp(address->bytes, v4_prefix, sizeof v4_prefix) == 0;
}

bool bus_address_parse(struct bus_str text, struct bus_address *ret) {
  char copy[INET6_ADDRSTRLEN];
  struct bus_address v4 = {{0}}, v6;
  if (text.len == 0 || text.len >= sizeof copy)
    return false;
  memcpy(copy, text.data, text.len);
  copy[text.len] = '\0';
  memcpy(v4.bytes, v4_prefix, sizeof v4_prefix);
  if (inet_pton(AF_INET, copy, v4.bytes + V4_AT) == 1) {
    *ret = v4;
    return true;
  }
  if (inet_pton(AF_INET6, copy, v6.bytes) != 1)
    return false;
  *ret = v6;
  return true;
}

static bool is_port(struct bus_str text) {
  int64_t port;
  return bus_str_number(text, 5, &port) && port <= UINT16_MAX;
}

bool bus_address_parse_peer(struct bus_str text, struct bus_address *ret) {
  bool bracketed = text.len > 0 && text.data[0] == '[';
  struct bus_str rest = {text.data + bracketed, text.len - bracketed}, host = bus_str_cut(&rest, bracketed ? ']' : ':');
  if (bus_address_parse(text, ret))
    return true;
  if (bracketed && host.len + 2 > text.len)
    return false;
  if (bracketed && rest.len == 0)
    return bus_address_parse(host, ret);
  if (bracketed && bus_str_cut(&rest, ':').len > 0)
    return false;
  return is_port(rest) && bus_address_parse(host, ret);
}

size_t bus_address_counted(const struct bus_address *address) {
  return is_v4(address) ? BUS_ADDRESS_BYTES : BUS_ADDRESS_BYTES / 2;
}

/* ---- networks ---- */

static bool bit_is_set(const struct bus_address *address, int bit) {
  return address->bytes[bit / 8] >> (7 - bit % 8) & 1;
}

static bool is_in(const struct bus_address *network, int bits, const struct bus_address *address) {
  int bytes = bits / 8;
  if (memcmp(network->bytes, address->bytes, (size_t)bytes) != 0)
    return false;
  for (int bit = 8 * bytes; bit < bits; bit++)
    if (bit_is_set(network, bit) != bit_is_set(address, bit))
      return false;
  return true;
}

static bool parse_network(struct bus_str text, struct bus_address *ret_address, int *ret_bits) {
  struct bus_str rest = text, address = bus_str_cut(&rest, '/');
  int64_t bits = ALL_BITS;
  if (!bus_address_parse(address, ret_address))
    return false;
  bool has_prefix = address.len < text.len, v4 = memchr(address.data, ':', address.len) == NULL;
  if (has_prefix && (!bus_str_number(rest, 3, &bits) || bits > (v4 ? ALL_BITS - V4_BITS : ALL_BITS)))
    return false;
  *ret_bits = (int)bits + (has_prefix && v4 ? V4_BITS : 0);
  for (int bit = *ret_bits; bit < ALL_BITS; bit++)
    if (bit_is_set(ret_address, bit))
      return false;
  return true;
}

bool bus_networks_parse(const char *text, struct bus_networks *ret, struct bus_error *err) {
  struct bus_str rest = bus_str(text);
  ret->count = 0;
  while (rest.len > 0) {
    struct bus_str item = ascii_trim(bus_str_cut(&rest, ','), " ");
    if (ret->count == BUS_NETWORKS_MAX)
      return bus_fail(err, BUS_E_CONFIG, "more than %d networks", BUS_NETWORKS_MAX);
    if (!parse_network(item, &ret->items[ret->count].address, &ret->items[ret->count].bits))
      return bus_fail(err, BUS_E_CONFIG,
                      "\"%.*s\" is no network: an address such as 192.0.2.1 or 2001:db8::1, or a prefix such as "
                      "10.0.0.0/8 without bits behind it",
                      (int)item.len, item.data);
    ret->count++;
  }
  return true;
}

bool bus_networks_have(const struct bus_networks *networks, const struct bus_address *address) {
  for (size_t i = 0; i < networks->count; i++)
    if (is_in(&networks->items[i].address, networks->items[i].bits, address))
      return true;
  return false;
}

bool bus_forwarded_step(const struct bus_networks *trusted, struct bus_str entry, struct bus_address *client) {
  return bus_networks_have(trusted, client) && bus_address_parse_peer(ascii_trim(entry, " \t"), client);
}
