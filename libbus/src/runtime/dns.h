/* Asks DNS for the hosts of a service. Private to libbus. */
#pragma once

#include "../core/srv.h"

/* The records SRV of the name, asked for now, in the order in which a client tries them; the caller frees them. NULL:
 * there is none, or no server answers: the error names the name and the cause, and a caller may try again. Blocks for
 * 2 s at most with each server, of which there are at most three. server: of DNS_SERVER (bus/dns_options.h). */
struct srv_records *dns_find(const char *name, const char *server, struct bus_error *err) BUS_MUST_CHECK;
