/* The question to a DNS server, by the C library's resolver without its lists of domains. */
#include "dns.h"

#include <bus/clock.h>
#include <bus/dns_options.h>

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <resolv.h>
#include <stdlib.h>

enum { TIMEOUT_S = 1, ATTEMPTS = 2 }; /* of each server */

static bool open_resolver(const char *server, struct __res_state *resolver, struct bus_error *err) {
  struct bus_dns_server parsed;
  if (!bus_dns_server_parse(server, &parsed, err))
    return false;
  if (res_ninit(resolver) != 0)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a DNS resolver");
  resolver->retrans = TIMEOUT_S;
  resolver->retry = ATTEMPTS;
  resolver->options |= RES_USE_EDNS0; /* longer answers by UDP; without, some servers leave records out */
  if (parsed.port > 0) {
    resolver->nscount = 1;
    resolver->nsaddr_list[0] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(parsed.port)};
    memcpy(&resolver->nsaddr_list[0].sin_addr, parsed.address, sizeof parsed.address);
  }
  return true;
}

/* The cause by h_errno and errno of a question without an answer. */
static const char *cause_of(int trouble, int number) {
  switch (trouble) {
  case HOST_NOT_FOUND:
    return "the name does not exist";
  case NO_DATA:
    return "the name has no records SRV";
  case TRY_AGAIN:
    return number == ECONNREFUSED ? "the server is away" : "no answer from a server that knows the name";
  default:
    return "the server refuses the question";
  }
}

static bool ask(const char *name, struct __res_state *resolver, uint8_t *answer, struct srv_records *ret,
                struct bus_error *err) {
  errno = 0;
  int len = res_nquery(resolver, name, ns_c_in, ns_t_srv, answer, NS_MAXMSG);
  if (len < 0)
    return bus_fail(err, BUS_E_SYSTEM, "%s", cause_of(resolver->res_h_errno, errno));
  if (len > NS_MAXMSG || !srv_decode(answer, (size_t)len, ret))
    return bus_fail(err, BUS_E_SYSTEM, "the answer is malformed");
  return ret->count > 0 || bus_fail(err, BUS_E_SYSTEM, "no record SRV of it has a host name and a port");
}

static void order(struct srv_records *records) {
  uint64_t random[SRV_RECORDS_MAX];
  for (size_t i = 0; i < SRV_RECORDS_MAX; i += 4)
    bus_random_seed(random + i);
  srv_order(records, random);
}

static bool open_and_ask(const char *name, const char *server, uint8_t *answer, struct srv_records *ret,
                         struct bus_error *err) {
  struct __res_state resolver = {.options = 0};
  if (!open_resolver(server, &resolver, err))
    return false;
  bool good = ask(name, &resolver, answer, ret, err);
  res_nclose(&resolver);
  return good;
}

struct srv_records *dns_find(const char *name, const char *server, struct bus_error *err) {
  struct srv_records *records = malloc(sizeof *records);
  uint8_t *answer = malloc(NS_MAXMSG);
  bool good = records && answer ? open_and_ask(name, server, answer, records, err)
                                : bus_fail(err, BUS_E_NOMEM, "out of memory for an answer of DNS");
  free(answer);
  if (good) {
    order(records);
    return records;
  }
  free(records);
  (void)bus_error_wrap(err, "SRV %s at %s", name, server && *server ? server : "the servers of /etc/resolv.conf");
  return NULL;
}
