/* Checks the variables of Consul. */
#include <bus/consul_options.h>
#include <bus/network.h>

#include "endpoint.h"

bool bus_consul_options_is_on(const struct bus_consul_options *options) {
  return options->url && options->url[0] != '\0';
}

static bool is_any(const char *address) {
  return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

static bool is_token(const char *token) {
  for (; token && *token; token++)
    if (*token <= 0x20 || *token > 0x7e)
      return false;
  return true;
}

bool bus_consul_options_check(const struct bus_consul_options *options, const char *bind, struct bus_error *err) {
  if (!bus_consul_options_is_on(options))
    return true;
  if (!endpoint_is_valid(bus_str(options->url)))
    return bus_fail(err, BUS_E_CONFIG,
                    "CONSUL_URL=%s: must be http:// or https:// with a host, and at most a port and a path, such as "
                    "http://127.0.0.1:8500; no user, query or fragment",
                    strchr(options->url, '@') ? "(not shown: it may hold a password)" : options->url);
  if (!is_token(options->token))
    return bus_fail(err, BUS_E_CONFIG, "CONSUL_TOKEN: visible characters of ASCII alone");
  const char *address = options->address && *options->address ? options->address : bind;
  if (is_any(address))
    return bus_fail(err, BUS_E_CONFIG, "ADVERTISE_ADDRESS must name the address that others reach: BIND is %s", bind);
  struct bus_address ignored;
  return bus_address_parse(bus_str(address), &ignored) || (address[0] != '[' && endpoint_is_host(bus_str(address))) ||
         bus_fail(err, BUS_E_CONFIG, "ADVERTISE_ADDRESS=%s: a name or an address, without a port", address);
}
