/* The form of a URL of a server that a program calls by HTTP. Pure. Private to libbus. */
#pragma once

#include <bus/base.h>

/* Is it http:// or https:// with a host, and at most a port and a path? */
bool endpoint_is_valid(struct bus_str url);
/* Is it a name or an address, an IPv6 address in brackets? */
bool endpoint_is_host(struct bus_str host);
