/* Lists of a broker's management API, and how they differ from a topology. Pure. */
#ifndef LISTING_H
#define LISTING_H

#include <bus/field.h>
#include <bus/topology.h>

struct listed_queue {
  struct bus_str name, arguments; /* a JSON object */
  bool durable, exclusive;
};
struct listed_exchange {
  struct bus_str name, type;
  bool durable;
};

struct listing {
  struct listed_queue *queues;
  struct listed_exchange *exchanges;
  size_t queue_count, exchange_count;
  char *bindings; /* lines "source, destination, key" with tabs between */
};

/* The API's answers: arrays of objects. LISTING_…: what to ask for. False: *err says what is wrong with the answer. */
#define LISTING_QUEUES "name,durable,exclusive,arguments"
#define LISTING_EXCHANGES "name,type,durable"
#define LISTING_BINDINGS "source,destination,routing_key"
bool listing_take_queues(struct listing *listing, struct bus_str json, struct bus_arena *arena,
                         struct bus_error *err) BUS_MUST_CHECK;
bool listing_take_exchanges(struct listing *listing, struct bus_str json, struct bus_arena *arena,
                            struct bus_error *err) BUS_MUST_CHECK;
bool listing_take_bindings(struct listing *listing, struct bus_str json, struct bus_arena *arena,
                           struct bus_error *err) BUS_MUST_CHECK;

enum difference_kind { DIFFERENCE_MISSING, DIFFERENCE_CHANGED, DIFFERENCE_SURPLUS, DIFFERENCE_KINDS };
extern const char *const difference_names[DIFFERENCE_KINDS + 1];

struct difference {
  int kind;
  char name[BUS_DECLARATION_TEXT];
  char detail[512]; /* CHANGED: what differs; else "" */
};

/* Calls visit for each difference: of declared things first, then what is there beyond them. Exclusive queues, replies
 * and instances of event queues come and go with their processes, and are no difference. */
void listing_compare(const struct listing *listing, const struct bus_topology *topology,
                     void (*visit)(void *context, const struct difference *difference), void *context);

/* One JSON object. False: out of memory. */
bool difference_encode(const struct difference *difference, struct bus_arena *arena,
                       struct bus_str *ret) BUS_MUST_CHECK;

#endif
