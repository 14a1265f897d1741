/* Who sent a message, as far as the broker's check of user_id proves it, and where an answer to it may go. */
#include <bus/topology.h>

#include "topology_pattern.h"

const struct bus_user *bus_topology_find_user(const struct bus_topology *topology, struct bus_str name) {
  for (size_t i = 0; i < topology->part_count; i++)
    if (bus_str_is(name, topology->parts[i]->user.name))
      return &topology->parts[i]->user;
  return NULL;
}

/* The broker has checked user_id; bus-sender is a header that any publisher can write. */
struct bus_str bus_topology_sender(const struct bus_topology *topology, const char *service,
                                   const struct bus_envelope *envelope) {
  const struct bus_user *user = bus_topology_find_user(topology, envelope->user_id);
  bool relays = bus_str_is(envelope->user_id, service) || (user && user->redrives);
  struct bus_str sender = relays && envelope->sender.data ? envelope->sender : envelope->user_id;
  return sender.data ? sender : BUS_STR(BUS_SENDER_UNKNOWN);
}

bool bus_topology_is_sender(const struct bus_topology *topology, const struct bus_message_type *type,
                            struct bus_str user) {
  if (type->open) {
    const struct bus_user *asker = bus_topology_find_user(topology, user);
    return asker && (type->notice ? !asker->redrives : asker->asks);
  }
  for (size_t i = 0; i < BUS_SENDERS_MAX && type->senders[i]; i++)
    if (bus_str_is(user, type->senders[i]))
      return true;
  return type->exchange == BUS_EXCHANGE_REPLY;
}

bool bus_topology_may_send(const struct bus_topology *topology, const char *service,
                           const struct bus_envelope *envelope, const struct bus_message_type *type) {
  struct bus_str sender = bus_topology_sender(topology, service, envelope);
  bool own = bus_str_is(envelope->user_id, service) && bus_str_is(sender, service);
  return own || bus_topology_is_sender(topology, type, sender);
}

static bool is_reply_of(const struct bus_user *user, struct bus_str key) {
  static const char between[] = ".reply.";
  size_t name = strlen(user->name), prefix = name + sizeof between - 1;
  return user->asks && key.len > prefix && memcmp(key.data, user->name, name) == 0 &&
         memcmp(key.data + name, between, sizeof between - 1) == 0;
}

bool bus_topology_is_reply(const struct bus_topology *topology, struct bus_str user, struct bus_str key) {
  for (size_t i = 0; i < topology->part_count; i++) {
    const struct bus_user *asker = &topology->parts[i]->user;
    if ((!user.data || bus_str_is(user, asker->name)) && is_reply_of(asker, key))
      return true;
  }
  return false;
}
