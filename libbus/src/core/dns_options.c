/* The address of a DNS server as a variable has it. */
#include <bus/dns_options.h>

#include <arpa/inet.h>
#include <stdio.h>

static bool parse(const char *text, struct bus_dns_server *ret) {
  char address[INET_ADDRSTRLEN];
  struct bus_str port = bus_str(text), host = bus_str_cut(&port, ':');
  int64_t number;
  if (host.len >= sizeof address || !bus_str_number(port, 5, &number) || number < 1 || number > UINT16_MAX)
    return false;
  (void)snprintf(address, sizeof address, "%.*s", (int)host.len, host.data); /* fits */
  ret->port = (uint16_t)number;
  return inet_pton(AF_INET, address, ret->address) == 1;
}

bool bus_dns_server_parse(const char *text, struct bus_dns_server *ret, struct bus_error *err) {
  *ret = (struct bus_dns_server){.port = 0};
  return !text || !*text || parse(text, ret) ||
         bus_fail(err, BUS_E_CONFIG, "DNS_SERVER=%s: an IPv4 address and a port, such as 127.0.0.1:8600", text);
}

bool bus_dns_server_check(const char *text, struct bus_error *err) {
  struct bus_dns_server ignored;
  return bus_dns_server_parse(text, &ignored, err);
}
