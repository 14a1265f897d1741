/* The pipeline's parts without a machine, of a service that takes one type of message. */
#pragma once

#include "acks.h"
#include "decode.h"
#include "intake.h"

struct body {
  int64_t n; /* 0 to 100 */
};

struct parts {
  struct bus_worker_settings settings;
  struct bus_pipeline_setup setup;
  struct bus_pipeline_actions actions;
  struct turn turn;
  struct intake intake;
  struct suspects suspects;
};

/* thing.do.v1: the user owner sends it, the queue things of the service thing takes it. */
extern const struct bus_message_type part_rig_type;
extern const struct bus_topology part_rig_topology;
/* An event and an answer that the service thing sends; the same body. */
extern const struct bus_message_type part_rig_happened, part_rig_answer;
/* The service thing with queries alone, and with requests. */
extern const struct bus_service part_rig_query, part_rig_request;

struct parts *parts_new(void);
void parts_free(struct parts *parts);
/* From now on they are of another service. */
void parts_serve(struct parts *parts, const struct bus_service *served);
void parts_deliver(struct parts *parts, const struct bus_delivery *delivery);
size_t parts_take(struct parts *parts, struct entry **entries, size_t max);
void parts_decode(struct parts *parts, struct entry *entry);
