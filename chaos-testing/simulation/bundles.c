/* Messages that travel together: each message of a bundle has a letter of its own, and so has the bundle. */
#include "broker.h"

#include <bus/bundle.h>

struct letters letters_of(struct world *world, const struct bus_envelope *envelope, struct bus_str body,
                          struct bus_bundle_element **ret_elements) {
  struct letters letters = {.count = 1};
  struct bus_bundle_element *elements = NULL;
  struct bus_error err;
  if (envelope->bundle && !bus_bundle_cut(envelope, body, world->arena, &elements, &letters.count, &err))
    world_violate(world, "a bundle cannot be cut: %s", err.text);
  letters.items = world_alloc(world, letters.count * sizeof(struct letter *));
  for (size_t i = 0; i < letters.count; i++)
    letters.items[i] = letter_of(world, elements ? &elements[i].envelope.message_id : &envelope->message_id);
  if (ret_elements)
    *ret_elements = elements;
  return letters;
}

void letters_name(const struct letters *letters, const struct bus_message_type *type,
                  const struct bus_bundle_element *elements, const struct bus_uuid *order_id) {
  for (size_t i = 0; i < letters->count; i++) {
    struct letter *letter = letters->items[i];
    if (letter->type)
      continue;
    letter->type = type;
    letter->order_id = elements ? elements[i].envelope.correlation_id : *order_id;
  }
}
