/* Mails to customers: which endpoints are addresses, the code that confirms one, and a delivery as a mail. Pure. */
#pragma once

#include "notify.h"

/* The scheme of an endpoint that is an address: "mailto:ann@example.org". */
#define NOTIFY_MAIL_SCHEME "mailto:"

enum { NOTIFY_CODE_TEXT = 33 /* 128 bits in hexadecimal, with the NUL */ };

/* Is the endpoint an address? */
bool notify_is_mail(struct bus_str url);
/* The address of such an endpoint. */
struct bus_str notify_mail_address(struct bus_str url);
/* False: why says what is wrong and what is allowed. */
bool notify_mail_check(struct bus_str url, const struct notify_policy *policy, char why[WEBHOOK_REASON_MAX + 1]);

/* The key of a window (struct mail_window): a hash of the address in small letters; until it is confirmed another one.
 */
void notify_mail_key(struct bus_str url, bool confirmed, char ret[NOTIFY_MAIL_KEY + 1]);

/* The code that a mail has: of the endpoint's secret, so that no table has it. */
void notify_mail_code(struct bus_str secret, char ret[NOTIFY_CODE_TEXT]);

/* Who sends. */
struct notify_mail_from {
  struct bus_str address, name; /* the name may be empty */
};

struct notify_letter {
  struct bus_uuid delivery_id, endpoint_id;
  struct bus_str to;      /* the address */
  struct bus_str payload; /* of the delivery */
  struct bus_str code;    /* email.confirm alone */
};

/* Header and body, in the arena: the same bytes at each attempt. False: out of memory, or the payload is none. */
bool notify_mail_compose(const struct notify_mail_from *from, const struct notify_letter *letter,
                         struct bus_arena *arena, struct bus_str *ret) BUS_MUST_CHECK;
