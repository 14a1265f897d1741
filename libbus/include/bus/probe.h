/* The health check of a container: a program asks the instance of itself that runs with the same settings. */
#pragma once

#include <bus/base.h>

BUS_C_BEGIN

/* Asks http://bind:port/path within 3 s, with has_tls https://, whose certificate is not verified: the instance is on
 * this machine. bind may be every address. → 0 if the answer has status 200;
 * else 1, and the cause is printed on stderr. */
int bus_probe_main(const char *program, const char *bind, int64_t port, bool has_tls, const char *path);

BUS_C_END
