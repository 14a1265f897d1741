/* The variable of DNS: a row of a program's option table. Pure. */
#pragma once

#include <bus/config.h>

BUS_C_BEGIN

/* S: the struct of the settings; member: its const char *. */
#define BUS_DNS_ROW(S, member)                                                                                         \
  {                                                                                                                    \
    .name = "DNS_SERVER", .kind = BUS_OPTION_STRING, .offset = offsetof(S, member), .max = 32, .fallback = "",         \
    .description = "DNS server that is asked for the services of URLs with +srv, such as 127.0.0.1:8600 of a Consul "  \
                   "agent; IPv4; empty: those of /etc/resolv.conf"                                                     \
  }

/* The description of RABBITMQ_URL. */
#define BUS_AMQP_URL_TEXT                                                                                              \
  "broker: amqp://user:password@host:port/vhost, or amqps://; a cluster's nodes as host:port,host:port; amqp+srv:// "  \
  "or amqps+srv://user:password@name/vhost: the hosts are asked of DNS"

struct bus_dns_server {
  uint8_t address[4];
  uint16_t port; /* 0: the servers of /etc/resolv.conf */
};

/* Reads "address:port"; NULL and empty: those of /etc/resolv.conf. BUS_E_CONFIG for anything else. */
bool bus_dns_server_parse(const char *text, struct bus_dns_server *ret, struct bus_error *err) BUS_MUST_CHECK;
/* The same, for a check at the start. */
bool bus_dns_server_check(const char *text, struct bus_error *err) BUS_MUST_CHECK;

BUS_C_END
