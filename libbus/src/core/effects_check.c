/* Refuses what the broker would refuse, or what would be lost, while the input that causes it is known. */
#include "effects_check.h"

#include <bus/topology.h>

#include <stdarg.h>
#include <stdio.h>

static bool is_in(const struct bus_topology *topology, const struct bus_message_type *type) {
  for (size_t p = 0; p < topology->part_count; p++)
    for (size_t i = 0; i < topology->parts[p]->type_count; i++)
      if (topology->parts[p]->types[i] == type)
        return true;
  return false;
}

/* NULL: it is. */
static const char *kind_it_wants(enum bus_effect_kind kind, const struct bus_message_type *type) {
  bool event = type->exchange == BUS_EXCHANGE_EVENT;
  if (kind == BUS_EFFECT_EMIT)
    return type->exchange == BUS_EXCHANGE_CMD || (event && !type->notice) ? NULL
           : type->exchange == BUS_EXCHANGE_REPLY                         ? "an answer is sent by bus_answer"
           : event                                                        ? "a notice is sent by bus_notify"
                                                                          : "a query is sent by bus_request_begin";
  if (kind == BUS_EFFECT_NOTICE)
    return type->notice ? NULL : "bus_notify sends notices alone: declare the type with BUS_NOTICE, or emit it";
  return type->exchange == BUS_EXCHANGE_REPLY ? NULL
                                              : "bus_answer sends answers alone: declare the type with BUS_ANSWER";
}

/* Too long a reason is cut. */
BUS_PRINTF(3, 4)
static void refuse(struct bus_effects *effects, const struct bus_message_type *type, const char *format, ...) {
  va_list args;
  effects->refused = effects->failed = true;
  size_t len = strlen(type->type);
  len = len < BUS_TYPE_MAX ? len : BUS_TYPE_MAX;
  memcpy(effects->reason, type->type, len);
  va_start(args, format);
  (void)vsnprintf(effects->reason + len, sizeof effects->reason - len, format, args);
  va_end(args);
}

static bool check_sender(struct bus_effects *effects, const struct bus_message_type *type) {
  char senders[BUS_SENDERS_TEXT];
  if (bus_topology_is_sender(effects->topology, type, bus_str(effects->service)))
    return true;
  bus_message_senders(type, senders);
  refuse(effects, type, ": %s may not send it, %s may: name %s in the type's senders, or send a type of its own",
         effects->service, senders, effects->service);
  return false;
}

/* Once for each type of a batch. */
static bool check(struct bus_effects *effects, const struct bus_message_type *type) {
  size_t known = 0;
  for (; known < BUS_COUNT(effects->checked) && effects->checked[known]; known++)
    if (effects->checked[known] == type)
      return true;
  if (!is_in(effects->topology, type)) {
    refuse(effects, type, ": not in the topology: add it to the types of the part of its sender");
    return false;
  }
  if (!check_sender(effects, type))
    return false;
  if (known < BUS_COUNT(effects->checked))
    effects->checked[known] = type;
  return true;
}

bool effects_may_send(struct bus_effects *effects, enum bus_effect_kind kind, const struct bus_message_type *type) {
  if (!effects->topology || effects->refused)
    return !effects->refused;
  const char *problem = kind_it_wants(kind, type);
  if (problem)
    refuse(effects, type, ": %s", problem);
  return !problem && check(effects, type);
}
