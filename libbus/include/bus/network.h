/* IP addresses and networks, as text and as bytes. IPv4 counts as its IPv4-mapped IPv6 address. Pure. */
#pragma once

#include <bus/base.h>
#include <bus/error.h>

BUS_C_BEGIN

enum { BUS_ADDRESS_BYTES = 16, BUS_NETWORKS_MAX = 64 };

struct bus_address {
  uint8_t bytes[BUS_ADDRESS_BYTES];
};

/* "192.0.2.1" or "2001:db8::1". */
bool bus_address_parse(struct bus_str text, struct bus_address *ret) BUS_MUST_CHECK;
/* As above, or as proxies write an address with its port: "192.0.2.1:4711", "[2001:db8::1]", "[2001:db8::1]:4711". */
bool bus_address_parse_peer(struct bus_str text, struct bus_address *ret) BUS_MUST_CHECK;
/* How many bytes a limit counts: an IPv6 client can choose the last 64 bits of its address. */
size_t bus_address_counted(const struct bus_address *address);

struct bus_networks {
  struct {
    struct bus_address address;
    int bits; /* of the 128 */
  } items[BUS_NETWORKS_MAX];
  size_t count;
};

/* "10.0.0.0/8,192.0.2.1,2001:db8::/32"; an empty text is no network. A network whose address has bits behind its prefix
 * is refused. */
bool bus_networks_parse(const char *text, struct bus_networks *ret, struct bus_error *err) BUS_MUST_CHECK;
/* Is the address in one of the networks? */
bool bus_networks_have(const struct bus_networks *networks, const struct bus_address *address);

/* Steps from the right to the left through X-Forwarded-For, to which each proxy appends the address that it sees, as
 * long as the address so far is a trusted proxy. An entry that is no address ends the walk. *client: the connection's
 * peer at first; false: it is not trusted, and entries further left say nothing. */
bool bus_forwarded_step(const struct bus_networks *trusted, struct bus_str entry, struct bus_address *client);

BUS_C_END
