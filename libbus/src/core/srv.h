/* Services that a URL names instead of hosts: "amqp+srv://user:password@name/vhost" stands for the hosts that the DNS
 * records SRV of _amqp._tcp.name list (RFC 2782). Pure. Private to libbus. */
#pragma once

#include <bus/error.h>

enum {
  SRV_NAME_MAX = 256,   /* bytes of a name, with the NUL */
  SRV_RECORDS_MAX = 32, /* of an answer; further ones are ignored */
  SRV_HOSTS_MAX = 8,    /* hosts that one connection tries */
};

struct srv_record {
  uint16_t priority, weight, port;
  char target[SRV_NAME_MAX];
};

struct srv_records {
  size_t count;
  struct srv_record items[SRV_RECORDS_MAX];
};

/* Does the URL's scheme ask for a service? It is amqp+srv, amqps+srv, postgresql+srv or postgres+srv. */
bool srv_is_url(const char *url);
/* The DNS name to ask for. False: the URL has a port, several hosts, or no name that DNS can have; the error does not
 * show the URL. */
bool srv_url_name(const char *url, char name[SRV_NAME_MAX], struct bus_error *err) BUS_MUST_CHECK;
/* The URL without "+srv": its host is the service's name. False: it does not fit. */
bool srv_url_plain(const char *url, char *text, size_t size) BUS_MUST_CHECK;

/* Reads the SRV records of a DNS answer. Records whose target is no host name, such as ".", or whose port is 0 are left
 * out. False: the answer is malformed. */
bool srv_decode(const uint8_t *answer, size_t len, struct srv_records *ret) BUS_MUST_CHECK;
/* Puts them into the order in which clients try them: by priority, and within one by the weights with these random
 * numbers. */
void srv_order(struct srv_records *records, const uint64_t random[SRV_RECORDS_MAX]);
