/* Names of exchanges, and routing keys of message types. */
#include <bus/message.h>

const char *bus_exchange_name(enum bus_exchange exchange) {
  static const char *const names[] = {
      [BUS_EXCHANGE_CMD] = "bus.cmd",     [BUS_EXCHANGE_EVENT] = "bus.event", [BUS_EXCHANGE_QUERY] = "bus.query",
      [BUS_EXCHANGE_REPLY] = "bus.reply", [BUS_EXCHANGE_RETRY] = "bus.retry", [BUS_EXCHANGE_DEAD] = "bus.dead",
      [BUS_EXCHANGE_BACK] = "bus.back",
  };
  return (size_t)exchange < BUS_COUNT(names) ? names[exchange] : "bus.?";
}

struct bus_str bus_message_key(const struct bus_message_type *type) {
  struct bus_str key = bus_str(type->type);
  for (size_t i = key.len; i >= 2; i--) {
    if (type->type[i - 2] == '.' && type->type[i - 1] == 'v') {
      key.len = i - 2;
      break;
    }
  }
  return key;
}
