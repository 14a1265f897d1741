/* Runs a client's poll source as a worker would. */
#pragma once

#include <bus/http_client.h>

struct driven {
  int done; /* how many callbacks came */
  enum bus_http_outcome outcome;
  int status;
  int64_t retry_after_s, duration;
  char body[70000];
  size_t body_len;
  char error[256];
};

/* The callback that fills one. */
void driven_done(void *context, const struct bus_http_result *result);
/* With plain HTTP allowed. */
struct bus_http_client *driven_client(struct bus_http_client_settings settings);
/* Connect 500 ms, read 400 ms, total 1500 ms, answers up to 64 KiB. */
struct bus_http_client *driven_client_quick(void);
/* Starts a call with a JSON content type and an idempotency key. */
void driven_start(struct bus_http_client *client, const char *method, const char *url, const char *body,
                  struct driven *driven);
/* URL of a server on this machine, in a static buffer. */
const char *driven_url(int port, const char *path);

enum { DRIVE_ROOM = 64 };
/* Until nothing is pending or timeout_ms have passed. room: how many descriptors the poll set takes. */
void drive(struct bus_http_client *client, size_t room, int timeout_ms);
