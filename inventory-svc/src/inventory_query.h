/* The batch of queries: products by id and pages of products, read in at most two statements and answered. */
#ifndef INVENTORY_QUERY_H
#define INVENTORY_QUERY_H

#include "stock.h"

#include <bus/aggregate.h>
#include <bus/effects.h>
#include <bus/page.h>
#include <bus/pong.h>
#include <inventory_messages.h>

/* One page that somebody asked for; the same page asked for twice is read once. */
struct query_page {
  struct bus_page page;  /* of struct product */
  struct bus_str cursor; /* "" from the first */
};

struct query_model {
  struct bus_arena *arena;
  struct bus_set products; /* of struct product, asked for by id; stored: it exists */
  struct query_page *pages;
  size_t page_count;
  struct bus_pong pong; /* to every ping */
};

/* Collects the requests of the inputs. False: out of memory. */
bool query_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                     struct query_model **ret) BUS_MUST_CHECK;

/* bus_service.decide; model is a struct query_model. */
void query_decide(void *model, const struct bus_input *input, struct bus_effects *effects);

#endif
