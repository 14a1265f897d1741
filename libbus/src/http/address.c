/* Limits how many connections of one address have a thread: a crowd at one address leaves threads to others. */
#include "internal.h"

#include <netinet/in.h>
#include <sys/socket.h>

static bool read_peer(int fd, struct bus_address *ret) {
  static const uint8_t ipv4_mapped[12] = {[10] = 0xFF, [11] = 0xFF};
  struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
  socklen_t len = sizeof peer;
  if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0)
    return false;
  if (peer.ss_family == AF_INET) {
    memcpy(ret->bytes, ipv4_mapped, sizeof ipv4_mapped);
    memcpy(ret->bytes + sizeof ipv4_mapped, &((const struct sockaddr_in *)&peer)->sin_addr, 4);
    return true;
  }
  if (peer.ss_family == AF_INET6)
    memcpy(ret->bytes, &((const struct sockaddr_in6 *)&peer)->sin6_addr, BUS_ADDRESS_BYTES);
  return peer.ss_family == AF_INET6;
}

/* With the lock held. */
static size_t count_of(const struct http_places *places, const struct http_seat *of) {
  size_t count = 0;
  for (size_t i = 0; i < places->threads; i++) {
    const struct http_seat *seat = &places->seats[i];
    count += seat->fd >= 0 && !seat->over && seat->counted == of->counted &&
             memcmp(seat->peer.bytes, of->peer.bytes, of->counted) == 0;
  }
  return count;
}

bool http_address_admit(struct bus_http_server *server, struct http_seat *seat) {
  const struct bus_networks *trusted = server->settings.trusted_proxies;
  struct bus_address peer;
  if (server->settings.address_connections <= 0 || !read_peer(seat->fd, &peer) ||
      (trusted && bus_networks_have(trusted, &peer)))
    return true;
  pthread_mutex_lock(&server->places.lock);
  seat->peer = peer;
  seat->counted = bus_address_counted(&peer);
  seat->over = seat->ends = count_of(&server->places, seat) > (size_t)server->settings.address_connections;
  bool admitted = !seat->over;
  pthread_mutex_unlock(&server->places.lock);
  return admitted;
}
