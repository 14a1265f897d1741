/* Customers' endpoints of webhooks: their owners, their servers, and notify-svc's attempts on the way to them. */
#ifndef SIM_HOOKS_H
#define SIM_HOOKS_H

#include "world.h"

#include <notify_settings.h>

enum { HOOKS_MAX = 3 };

/* Attempts that a server has got under one id. */
struct hook_got {
  struct bus_uuid id;
  struct bus_str data; /* of the body, behind its timestamp */
  bool accepted;       /* answered with 2xx */
  struct hook_got *next;
};

struct hook {
  struct bus_uuid id;
  struct bus_str customer_id;
  int64_t events;
  bus_time deleted_at; /* 0: it is not */
  bool was_disabled;   /* it may have missed events */
  struct hook_got *got;
};

struct hooks {
  struct hook hooks[HOOKS_MAX];
  size_t count;
  const struct bus_memory_row *last_delivery; /* that check_deliveries has seen */
};

void hooks_init(struct world *world);
extern const struct notify_settings hook_settings;

/* ---- check_hooks.c ---- */
/* notify-svc has committed: no new delivery is for an endpoint that was deleted before. */
void check_deliveries(struct world *world);
/* Each event that an endpoint asked for was delivered, or given up after its schedule. */
void check_hooks_end(struct world *world);

#endif
