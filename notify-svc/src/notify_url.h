/* Which URLs an endpoint may have, and which addresses may be connected to for it. Pure. */
#pragma once

#include "notify.h"

#include <bus/network.h>

/* https://host[:port]/path?query, with a name or an address as host, without user, fragment and characters that a URL
 * does not have; the port is one of the policy's. With allow_local also http, and any port. False: why says what is
 * wrong and what is allowed. */
bool notify_url_check(struct bus_str url, const struct notify_policy *policy, char why[WEBHOOK_REASON_MAX + 1]);

/* Is the address one of the public internet? allow_local: or of loopback. All else is refused: private, shared (CGNAT),
 * link-local with the metadata of clouds, multicast, reserved, documentation, and IPv6 addresses that hold or lead to
 * IPv4 ones. */
bool notify_address_is_allowed(const struct bus_address *address, bool allow_local);

/* "443,8443" as numbers. False: the error names the setting. */
bool notify_ports_parse(const char *text, struct notify_policy *ret, struct bus_error *err);
/* "5,300,1800" in seconds as waits. */
bool notify_schedule_parse(const char *text, struct notify_policy *ret, struct bus_error *err);
