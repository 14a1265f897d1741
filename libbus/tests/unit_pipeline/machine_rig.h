/* A whole pipeline over scripts of events: what a driver would do by hand. */
#pragma once

#include "part_rig.h"

#include <bus/pipeline.h>

struct machine {
  struct bus_worker_settings settings;
  struct bus_pipeline *pipeline;
  struct bus_pipeline_actions actions; /* of the last step */
  int64_t now;
  /* of the last trip: places of its statements, 0 where it has none, and whether memory sufficed for it */
  size_t statements, now_at, inbox_at;
  bool unsent;
  bool fails;          /* the next deliveries find no memory to be decoded: of a bundle the first message */
  const char *failure; /* the text of the next trip's failure; NULL: the usual one */
  struct bus_str body; /* of the next deliveries, where it is not the usual one */
};

/* One that reads the queue things; each message that it decides emits an event. */
struct machine *machine_new(void);
void machine_free(struct machine *machine);
const struct bus_service *machine_service(void);

/* ---- events; each checks that the parts fit together ---- */
void machine_step(struct machine *machine, struct bus_pipeline_event event);
/* So many microseconds later. */
void machine_tick(struct machine *machine, int64_t later);
/* Both links are opened, and the queue is read. */
void machine_connect(struct machine *machine);
void machine_deliver(struct machine *machine, uint64_t tag, uint8_t id);
/* The usual message of that number, to be altered. */
struct bus_delivery machine_delivery(uint64_t tag, uint8_t id);
void machine_deliver_as(struct machine *machine, const struct bus_delivery *delivery);
/* One delivery of several messages. */
void machine_deliver_bundle(struct machine *machine, uint64_t tag, const uint8_t *ids, size_t count);
/* The trip under way is done; ids: inbox rows that were fresh, by their number. */
void machine_done(struct machine *machine, const uint8_t *ids, size_t count);
void machine_committed(struct machine *machine);
void machine_failed(struct machine *machine, enum bus_errc code, bool in_transaction, bool dead);
void machine_confirm(struct machine *machine, uint64_t seq, bool ack);

/* ---- what follows ---- */
/* The n-th action of that kind, from 0; NULL: there is none. */
const struct bus_pipeline_action *machine_action(const struct machine *machine, enum bus_pipeline_action_kind kind,
                                                 size_t n);
/* The trip that the last step has sent, and nothing else goes on. */
void machine_expect_trip(const struct machine *machine, enum bus_trip_kind purpose);
void machine_expect_phase(const struct machine *machine, const char *phase);
