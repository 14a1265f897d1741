/* A TCP proxy on loopback for tests: forwards to a server, and cuts or refuses connections on demand. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proxy;

/* Listens on a free port of 127.0.0.1. NULL when that fails. */
struct proxy *proxy_start(const char *host, int port);
int proxy_port(const struct proxy *proxy);
/* Closes every connection with a reset; new ones are taken. */
void proxy_cut(struct proxy *proxy);
/* While refused: what connects is closed at once. */
void proxy_refuse(struct proxy *proxy, bool refuse);
/* While stalled: nothing is forwarded, and connections stay open; new ones are taken. */
void proxy_stall(struct proxy *proxy, bool stall);
/* Says that to every client in the server's name; waits until it is said. Only while the connections are quiet. */
void proxy_inject(struct proxy *proxy, const void *bytes, size_t len);
/* Bytes that went each way so far. */
uint64_t proxy_bytes(const struct proxy *proxy);
void proxy_stop(struct proxy *proxy);

/* url with its host and port replaced by the proxy's; the server's host and port are found in it. text must have room
 * for 512 bytes. NULL when the URL is not understood. */
struct proxy *proxy_for_url(const char *url, char *text);
