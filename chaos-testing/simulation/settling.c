/* Which deliveries are settled: libbus's own ledger, in the seed's memory. */
#include "../../libbus/src/worker/worker_internal.h"

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
  struct ledger ledger;
  uint8_t ring[ROOM];
};

struct settling *settling_new(struct world *world) {
  struct settling *settling = world_alloc(world, sizeof *settling);
  settling->ledger = (struct ledger){.ring = settling->ring, .room = ROOM};
  return settling;
}

void settling_reset(struct settling *settling) {
  ledger_reset(&settling->ledger);
}

void settling_received(struct settling *settling, uint64_t tag) {
  (void)ledger_received(&settling->ledger, tag); /* prefetch is far less than its room */
}

void settling_settle(struct settling *settling, uint64_t tag) {
  ledger_settle(&settling->ledger, tag);
}

uint64_t settling_ackable(struct settling *settling) {
  return ledger_ackable(&settling->ledger);
}
