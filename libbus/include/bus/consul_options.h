/* The variables of Consul: rows of a program's option table. Pure. */
#pragma once

#include <bus/config.h>

BUS_C_BEGIN

/* As the rows fill it. */
struct bus_consul_options {
  const char *url;     /* empty: off */
  const char *token;   /* secret; empty: none */
  const char *address; /* empty: that of BIND */
};

enum { BUS_CONSUL_URL_MAX = 255 };

/* S: the struct of the settings; member: its struct bus_consul_options. */
#define BUS_CONSUL_ROWS(S, member)                                                                                     \
  {.name = "CONSUL_URL",                                                                                               \
   .kind = BUS_OPTION_STRING,                                                                                          \
   .offset = offsetof(S, member.url),                                                                                  \
   .max = BUS_CONSUL_URL_MAX,                                                                                          \
   .fallback = "",                                                                                                     \
   .description = "Consul agent that the program registers with, such as http://127.0.0.1:8500; http:// or https://; " \
                  "empty: none"},                                                                                      \
      {.name = "CONSUL_TOKEN",                                                                                         \
       .kind = BUS_OPTION_STRING,                                                                                      \
       .offset = offsetof(S, member.token),                                                                            \
       .max = 128,                                                                                                     \
       .fallback = "",                                                                                                 \
       .secret = true,                                                                                                 \
       .description = "token of the agent, with service:write of the program's name; empty: none"},                    \
  {                                                                                                                    \
    .name = "ADVERTISE_ADDRESS", .kind = BUS_OPTION_STRING, .offset = offsetof(S, member.address), .max = 253,         \
    .fallback = "", .description = "name or address under which others reach the program, for CONSUL_URL; empty: BIND" \
  }

/* Refuses a URL that is not http:// or https:// with a host, or holds a user, a query or a fragment; an address that is
 * no name or address, or where BIND is any address and ADVERTISE_ADDRESS is empty; a token with a control character. */
bool bus_consul_options_check(const struct bus_consul_options *options, const char *bind,
                              struct bus_error *err) BUS_MUST_CHECK;
/* Is there an agent to register with? */
bool bus_consul_options_is_on(const struct bus_consul_options *options);

BUS_C_END
