/* Events of the payment provider, as Stripe sends them to a webhook: their signature, and the ids that they name. Pure.
 */
#ifndef EDGE_PSP_EVENT_H
#define EDGE_PSP_EVENT_H

#include <bus/field.h>
#include <payment_messages.h>

enum { PSP_EVENT_TOLERANCE_S = 300 };

enum psp_signature {
  PSP_SIGNED,
  PSP_UNSIGNED, /* no header, or not of the form t=…,v1=… */
  PSP_FORGED,   /* no v1 is the code of time and body */
  PSP_OLD,      /* signed more than PSP_EVENT_TOLERANCE_S ago, or that far in the future */
};
/* "signed", "unsigned", … */
extern const char *const psp_signature_names[];

/* header: "t=<Unix seconds>,v1=<hexadecimal>[,v1=…]", with one v1 for each of the provider's secrets; other members are
 * ignored. v1 is the HMAC-SHA-256 of "<t>.<body>". */
enum psp_signature psp_signature_check(struct bus_str header, struct bus_str body, struct bus_str secret, bus_time now);

enum psp_news {
  PSP_NEWS_NONE,    /* of another kind, or of an object that is not ours */
  PSP_NEWS_CHANGED, /* a payment intent or refund may be final */
  PSP_NEWS_DISPUTE, /* a charge is disputed, or its dispute went on */
};
struct psp_event {
  enum psp_news news;
  struct bus_uuid message_id;   /* derived from the event's id */
  union {                       /* texts lie in the arena */
    struct payment_check check; /* CHANGED */
    struct payment_dispute dispute;
  };
};

/* False: it is not an event. */
bool psp_event_read(struct bus_str body, struct bus_arena *arena, struct psp_event *ret) BUS_MUST_CHECK;

#endif
