/* Names of exchanges; routing keys and senders of message types; where the texts of an envelope lie. */
#include <bus/message.h>

#include <stdio.h>

const char *bus_exchange_name(enum bus_exchange exchange) {
  static const char *const names[] = {
      [BUS_EXCHANGE_CMD] = "bus.cmd",     [BUS_EXCHANGE_EVENT] = "bus.event", [BUS_EXCHANGE_QUERY] = "bus.query",
      [BUS_EXCHANGE_REPLY] = "bus.reply", [BUS_EXCHANGE_RETRY] = "bus.retry", [BUS_EXCHANGE_DEAD] = "bus.dead",
      [BUS_EXCHANGE_BACK] = "bus.back",
  };
  return (size_t)exchange < BUS_COUNT(names) ? names[exchange] : "bus.?";
}

void bus_exchange_of(enum bus_exchange exchange, struct bus_str user, char name[BUS_KEY_MAX]) {
  bool own = exchange == BUS_EXCHANGE_RETRY || exchange == BUS_EXCHANGE_DEAD;
  (void)snprintf(name, BUS_KEY_MAX, "%s%s%.*s", bus_exchange_name(exchange), own ? "." : "", own ? (int)user.len : 0,
                 own && user.len > 0 ? user.data : "");
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

bool bus_message_bundles(const struct bus_message_type *type) {
  return !type->single && !type->notice && type->exchange != BUS_EXCHANGE_QUERY;
}

void bus_message_senders(const struct bus_message_type *type, char text[BUS_SENDERS_TEXT]) {
  size_t len = 0;
  (void)snprintf(text, BUS_SENDERS_TEXT, "%s", !type->open ? "" : type->notice ? "every user" : "every user who asks");
  for (size_t i = 0; !type->open && i < BUS_SENDERS_MAX && type->senders[i] && len < BUS_SENDERS_TEXT; i++)
    len += (size_t)snprintf(text + len, BUS_SENDERS_TEXT - len, "%s%s", i > 0 ? ", " : "", type->senders[i]);
}

bool bus_envelope_move(struct bus_envelope *envelope, struct bus_arena *arena) {
  struct bus_str *const texts[] = {&envelope->type,    &envelope->app_id, &envelope->user_id,    &envelope->reply_to,
                                   &envelope->history, &envelope->sender, &envelope->trace.state};
  for (size_t i = 0; i < BUS_COUNT(texts); i++) {
    if (texts[i]->data == NULL)
      continue;
    *texts[i] = bus_arena_copy(arena, *texts[i]);
    if (texts[i]->data == NULL)
      return false;
  }
  return true;
}
