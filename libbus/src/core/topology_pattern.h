/* Regular expressions "^(a|b)$" in a buffer of fixed size, for RabbitMQ's permissions. Private to libbus's pure half.
 */
#pragma once

#include <bus/topology.h>

struct bus_pattern {
  char *text;
  size_t size, len;
  bool open, full; /* a group is open; it did not fit */
};

struct bus_pattern bus_pattern_start(char *text, size_t size);
/* The text that follows is one alternative of the group; begins the first group if none is open. */
void bus_pattern_begin_alternative(struct bus_pattern *pattern);
/* Ends the group, which has alternatives; `between` stands before the next one. */
void bus_pattern_begin_group(struct bus_pattern *pattern, const char *between);
void bus_pattern_add_literal(struct bus_pattern *pattern, struct bus_str text);
void bus_pattern_add_regex(struct bus_pattern *pattern, const char *regex);
/* "^$" where nothing was added. False, and then also "^$", where it did not fit. */
bool bus_pattern_end(struct bus_pattern *pattern);

/* How many queues are bound for the type. */
size_t bus_topology_count_receivers(const struct bus_topology *topology, const struct bus_message_type *type);
const struct bus_user *bus_topology_find_user(const struct bus_topology *topology, struct bus_str name);

/* May the part's user publish to this exchange? To its own one, for BUS_EXCHANGE_RETRY and BUS_EXCHANGE_DEAD. */
bool bus_topology_may_write(const struct bus_topology *topology, const struct bus_topology_part *part,
                            enum bus_exchange exchange);
