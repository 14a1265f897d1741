/* The model PSP's books and answers. */
#include "model_psp.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void model_psp_init(struct model_psp *psp) {
  psp->key_count = 0;
  psp->captures = psp->refunds = 0;
  psp->captured = psp->refunded = 0;
}

static struct model_key *find(struct model_psp *psp, const char *key) {
  for (size_t i = 0; i < psp->key_count; i++)
    if (strcmp(psp->keys[i].key, key) == 0)
      return &psp->keys[i];
  return NULL;
}

__attribute__((format(printf, 3, 4))) static void answer(struct model_key *key, int status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  key->status = status;
  (void)vsnprintf(key->body, sizeof key->body, format, args);
  va_end(args);
}

static void charge(struct model_psp *psp, struct model_key *key, const struct payment_call *call,
                   enum model_verdict verdict) {
  char order[BUS_UUID_TEXT];
  bus_uuid_format(&call->order_id, order);
  if (verdict == MODEL_NO) {
    answer(key, 402,
           "{\"error\":{\"type\":\"card_error\",\"code\":\"card_declined\",\"decline_code\":\"insufficient_funds\"}}");
  } else if (verdict == MODEL_MALFORMED) {
    answer(key, 400, "{\"error\":{\"type\":\"invalid_request_error\",\"code\":\"resource_missing\"}}");
  } else {
    psp->captures++;
    psp->captured += call->amount;
    answer(key, 200,
           "{\"id\":\"pi_%d\",\"object\":\"payment_intent\",\"amount\":%" PRId64 ",\"amount_received\":%" PRId64
           ",\"currency\":\"eur\",\"metadata\":{\"order_id\":\"%s\"},\"status\":\"succeeded\"}",
           psp->captures, call->amount, call->amount, order);
  }
}

static void refund(struct model_psp *psp, struct model_key *key, const struct payment_call *call,
                   enum model_verdict verdict) {
  if (psp->captured - psp->refunded < call->amount) {
    answer(key, 400, "{\"error\":{\"type\":\"invalid_request_error\",\"code\":\"charge_already_refunded\"}}");
  } else if (verdict != MODEL_YES) {
    answer(key, 400, "{\"error\":{\"type\":\"invalid_request_error\",\"code\":\"balance_insufficient\"}}");
  } else {
    psp->refunds++;
    psp->refunded += call->amount;
    answer(key, 200,
           "{\"id\":\"re_%d\",\"object\":\"refund\",\"amount\":%" PRId64
           ",\"currency\":\"eur\",\"payment_intent\":\"%s\",\"status\":\"succeeded\"}",
           psp->refunds, call->amount, call->psp_id);
  }
}

struct bus_http_result model_psp_take(struct model_psp *psp, const struct payment_call *call,
                                      enum model_verdict verdict) {
  struct psp_request request;
  psp_request_build(call, &request);
  struct model_key *key = find(psp, request.key);
  if (!key) {
    if (psp->key_count == MODEL_KEYS)
      abort();
    key = &psp->keys[psp->key_count++];
    memcpy(key->key, request.key, sizeof key->key);
    if (call->kind == PAYMENT_CALL_CHARGE)
      charge(psp, key, call, verdict);
    else
      refund(psp, key, call, verdict);
  }
  return (struct bus_http_result){
      .outcome = BUS_HTTP_ANSWERED, .status = key->status, .body = bus_str(key->body), .retry_after_s = -1};
}
