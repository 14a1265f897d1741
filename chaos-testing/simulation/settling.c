/* Which deliveries are settled: libbus's own acks, in the seed's memory. */
#include "../../libbus/src/pipeline/acks.h"

#include <stdlib.h>

struct world;
struct settling;

void *world_alloc(struct world *world, size_t size);
struct settling *settling_new(struct world *world);
void settling_reset(struct settling *settling);
void settling_received(struct settling *settling, uint64_t tag);
void settling_settle(struct settling *settling, uint64_t tag);
uint64_t settling_ackable(struct settling *settling);

enum { ROOM = 256 };

struct settling {
  struct acks acks;
  uint8_t ring[ROOM];
};

struct settling *settling_new(struct world *world) {
  struct settling *settling = world_alloc(world, sizeof *settling);
  settling->acks = (struct acks){.ring = settling->ring, .room = ROOM};
  return settling;
}

void settling_reset(struct settling *settling) {
  acks_reset(&settling->acks);
}

void settling_received(struct settling *settling, uint64_t tag) {
  if (!acks_received(&settling->acks, tag, 1))
    abort(); /* prefetch is far less than its room */
}

void settling_settle(struct settling *settling, uint64_t tag) {
  acks_settle(&settling->acks, tag);
}

uint64_t settling_ackable(struct settling *settling) {
  return acks_take(&settling->acks);
}
