/* A PSP in memory, as its documentation promises: it carries out a request once for each idempotency key and repeats
 * its first response. Responses are real HTTP bodies. The caller simulates faults of the network. */
#ifndef MODEL_PSP_H
#define MODEL_PSP_H

#include <bus/http_client.h>
#include <psp_request.h>

enum { MODEL_KEYS = 4096 };

/* LATER: 200 in a status that is not final; model_psp_finish makes the object final. */
enum model_verdict { MODEL_YES, MODEL_NO, MODEL_MALFORMED, MODEL_LATER };

struct model_key {
  char key[PSP_KEY_SIZE];
  int status;
  char body[512];
  struct payment_call call;
  bool pending;     /* not final */
  char object[512]; /* as it is now */
};

struct model_psp {
  struct model_key keys[MODEL_KEYS];
  size_t key_count;
  int captures, refunds; /* of the one order that it knows */
  int64_t captured, refunded;
  int64_t held; /* refunded or pending */
};

void model_psp_init(struct model_psp *psp);
/* Makes every pending object final: succeeded, or not. */
void model_psp_finish(struct model_psp *psp, bool succeed);
/* Carries out the request. verdict applies to a key that it sees for the first time. A call that reads back gets the
 * present object. The response is in psp. */
struct bus_http_result model_psp_take(struct model_psp *psp, const struct payment_call *call,
                                      enum model_verdict verdict);

#endif
