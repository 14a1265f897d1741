/* A call as the PSP's HTTP request: method, path, form body, idempotency key. The PSP speaks Stripe's API. Pure. */
#ifndef PSP_REQUEST_H
#define PSP_REQUEST_H

#include "payment.h"

/* The version of the PSP's API that requests and answers are written for. */
#define PSP_API_VERSION "2023-10-16"

#define PSP_PATH_INTENTS "/v1/payment_intents"
#define PSP_PATH_REFUNDS "/v1/refunds"

enum { PSP_PATH_SIZE = 160, PSP_BODY_SIZE = 1280, PSP_KEY_SIZE = 96 };

struct psp_request {
  const char *method;       /* "POST"; "GET" where the call reads back, without key and body */
  const char *route;        /* the path without an id: "/v1/refunds/{id}" */
  char path[PSP_PATH_SIZE]; /* "/v1/payment_intents", "/v1/refunds/<id>" */
  /* "charge-<order id>", "refund-<order id>-<n>": the same however often the call is tried. An attempt to pay
   * later has "charge-<order id>-<attempt>", "refund-<order id>-<attempt>-<n>". */
  char key[PSP_KEY_SIZE];
  char body[PSP_BODY_SIZE]; /* application/x-www-form-urlencoded */
};

void psp_request_build(const struct payment_call *call, struct psp_request *ret);

/* Can the id be a segment of a path? The PSP's ids are letters, digits and "_". */
bool psp_id_is_path_segment(struct bus_str id);

/* May requests with card tokens and our key go there? https, or plain http where the host is this machine or plain is
 * allowed on purpose. No path, query, user or fragment. */
bool psp_url_is_allowed(const char *url, bool allow_plain);

#endif
