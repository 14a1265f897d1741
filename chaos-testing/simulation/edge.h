/* An edge: the edge's own decoding, memory of what was accepted, accept mode and responses, around requests over the
 * broker. */
#ifndef SIM_EDGE_H
#define SIM_EDGE_H

#include "broker.h"

#include <accept_mode.h>
#include <accepted.h>
#include <responses.h>

struct client_order;

enum request_kind { REQUEST_PLACE, REQUEST_CANCEL, REQUEST_PAY, REQUESTS };

/* A client's request, and the address of its answer. */
struct ask {
  enum request_kind kind;
  struct client_order *client;
  int variant;         /* which of its bodies */
  struct bus_str body; /* of a place or a payment */
  int64_t wait_s;
};

struct request;

struct edge {
  struct peer peer;
  int index;
  struct accepted *accepted;
  struct accept_mode modes[REQUESTS];
  struct bus_uuid_source ids;
  struct request *requests;
};

void edges_init(struct world *world);
void edges_done(struct world *world);
/* The client is told by client_hears, now or later; status 0: the connection broke. */
void edge_ask(struct world *world, struct edge *edge, const struct ask *ask);
void edge_crash(struct world *world, struct edge *edge, int64_t downtime);

/* ---- clients.c ---- */
/* letter: of the command that was sent, or NULL. */
void client_hears(struct world *world, const struct ask *ask, const struct response *response,
                  const struct letter *letter);

#endif
