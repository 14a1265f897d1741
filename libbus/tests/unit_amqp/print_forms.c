/* Prints the same two messages as they travel alone and in a bundle, for the test of the reader in docs/messages.md: a
 * line for each AMQP message, with its content_type, message_id, type, correlation_id and body between tabs. */
#include "envelope.h"

#include <bus/bundle.h>

#include <stdio.h>

static const struct bus_message_type type = BUS_EVENT("order.confirmed.v1", NULL, "order-svc");

static void print(const struct bus_envelope *envelope, struct bus_str body) {
  static const struct envelope_sender sender = {{"order-svc", 9}, {"/order-svc", 10}, 0};
  const struct bus_publication publication = {.exchange = BUS_EXCHANGE_EVENT, .envelope = envelope, .body = body};
  struct envelope_wire wire;
  envelope_encode(&publication, &sender, &wire);
  const amqp_basic_properties_t *properties = &wire.properties;
  const struct bus_str texts[] = {rabbit_view(properties->content_type), rabbit_view(properties->message_id),
                                  rabbit_view(properties->type), rabbit_view(properties->correlation_id), body};
  for (size_t i = 0; i < BUS_COUNT(texts); i++)
    (void)printf("%.*s%c", (int)texts[i].len, texts[i].data ? texts[i].data : "",
                 i + 1 < BUS_COUNT(texts) ? '\t' : '\n');
}

int main(void) {
  const struct bus_envelope envelopes[] = {
      {.message_id = {{1}}, .type = bus_str(type.type), .correlation_id = {{2}}, .timestamp = BUS_SECOND},
      {.message_id = {{3}}, .type = bus_str(type.type), .correlation_id = {{4}}, .timestamp = BUS_SECOND}};
  const struct bus_bundle_item items[] = {{&type, &envelopes[0], BUS_STR("{\"note\":\"\xC3\xA9 ]},{\\\"\"}"), 0},
                                          {&type, &envelopes[1], BUS_STR("{\"numbers\":[1,2]}"), 0}};
  struct bus_arena *arena = bus_arena_new((size_t)1 << 20);
  struct bus_envelope outer;
  struct bus_str body;
  for (size_t i = 0; i < 2; i++)
    print(&envelopes[i], items[i].body);
  bus_bundle_envelope(items, 2, &(struct bus_uuid){{5}}, &outer);
  bool encoded = arena && bus_bundle_encode("order-svc", items, 2, arena, &body);
  if (encoded)
    print(&outer, body);
  bus_arena_free(arena);
  return encoded ? 0 : 1;
}
