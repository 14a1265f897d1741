/* Events to the webhook of WEBHOOK_URL, as Stripe sends them: signed, and again until they are answered with 2xx, for a
 * bounded time. Events wait in memory alone: those of before a restart are lost. */
#ifndef PSP_WEBHOOK_H
#define PSP_WEBHOOK_H

#include "entry.h"

#include <bus/error.h>

struct psp_webhooks;

/* Its texts are kept. */
struct psp_webhook_target {
  const char *url;     /* empty: nobody is told */
  const char *secret;  /* that events are signed with */
  const char *ca_file; /* of an https:// url; NULL: the system's certificates */
};

/* *ret is NULL if the URL is empty. */
bool psp_webhooks_start(const struct psp_webhook_target *target, struct psp_webhooks **ret,
                        struct bus_error *err) BUS_MUST_CHECK;
/* Drops what was not delivered. Accepts NULL. */
void psp_webhooks_stop(struct psp_webhooks *webhooks);

/* Tells that a pending object has become final; does not block. Thread-safe. Accepts NULL. */
void psp_webhooks_tell(struct psp_webhooks *webhooks, const struct psp_entry *entry);

/* Tells that the captured intent is disputed. */
void psp_webhooks_dispute(struct psp_webhooks *webhooks, const struct psp_entry *intent);

/* ---- pure parts ---- */

/* The event, as JSON in the arena; absent when out of memory. Its id is the same for the same entry. */
struct bus_str psp_event_of(const struct psp_entry *entry, struct bus_arena *arena);
/* That a dispute of the captured intent was opened. */
struct bus_str psp_dispute_event_of(const struct psp_entry *intent, struct bus_arena *arena);
/* "Stripe-Signature: t=…,v1=…" of a body at that time. */
enum { PSP_SIGNATURE_SIZE = 128 };
void psp_sign(struct bus_str secret, struct bus_str body, bus_time now, char ret[PSP_SIGNATURE_SIZE]);

#endif
