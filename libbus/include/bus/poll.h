/* Sockets of others (an HTTP client) in a worker's poll set: `prepare` runs before each poll, `dispatch` after it. */
#pragma once

#include <bus/base.h>

BUS_C_BEGIN

struct pollfd;

struct bus_poll_source {
  void *context;
  /* Adds its descriptors to fds (at most room), returns how many; lowers *timeout_ms (-1: none) to its next deadline.
   */
  size_t (*prepare)(void *context, struct pollfd *fds, size_t room, int *timeout_ms);
  /* After poll: the same descriptors with their revents. Called also when only time has passed. */
  void (*dispatch)(void *context, const struct pollfd *fds, size_t count);
};

BUS_C_END
