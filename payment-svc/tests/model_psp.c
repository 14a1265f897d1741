/* The model PSP's books and answers. */
#include "model_psp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void model_psp_init(struct model_psp *psp) {
  psp->key_count = 0;
  psp->captures = psp->refunds = 0;
  psp->captured = psp->refunded = psp->held = 0;
}

static struct model_key *find(struct model_psp *psp, const char *key) {
  for (size_t i = 0; i < psp->key_count; i++)
    if (strcmp(psp->keys[i].key, key) == 0)
      return &psp->keys[i];
  return NULL;
}

static void answer(struct model_key *key, int status, const char *body) {
  key->status = status;
  (void)snprintf(key->body, sizeof key->body, "%s", body);
}

/* ---- objects ---- */

static void write_object(const struct model_psp *psp, struct model_key *key, const char *status) {
  const struct payment_call *call = &key->call;
  long number = key - psp->keys;
  char order[BUS_UUID_TEXT];
  bus_uuid_format(&call->order_id, order);
  if (call->kind == PAYMENT_CALL_CHARGE)
    (void)snprintf(key->object, sizeof key->object,
                   "{\"id\":\"pi_%ld\",\"object\":\"payment_intent\",\"amount\":%" PRId64
                   ",\"amount_received\":%" PRId64
                   ",\"currency\":\"eur\",\"metadata\":{\"order_id\":\"%s\"},\"status\":\"%s\"}",
                   number, call->amount, strcmp(status, "succeeded") == 0 ? call->amount : 0, order, status);
  else
    (void)snprintf(key->object, sizeof key->object,
                   "{\"id\":\"re_%ld\",\"object\":\"refund\",\"amount\":%" PRId64
                   ",\"currency\":\"eur\",\"payment_intent\":\"%s\",\"status\":\"%s\"}",
                   number, call->amount, call->psp_id, status);
}

static void succeed(struct model_psp *psp, struct model_key *key) {
  if (key->call.kind == PAYMENT_CALL_CHARGE) {
    psp->captures++;
    psp->captured += key->call.amount;
  } else {
    psp->refunds++;
    psp->refunded += key->call.amount;
  }
  write_object(psp, key, "succeeded");
}

static void make(struct model_psp *psp, struct model_key *key, bool later) {
  bool charges = key->call.kind == PAYMENT_CALL_CHARGE;
  key->pending = later;
  if (later)
    write_object(psp, key, charges ? "processing" : "pending");
  else
    succeed(psp, key);
  if (!charges)
    psp->held += key->call.amount;
  answer(key, 200, key->object);
}

void model_psp_finish(struct model_psp *psp, bool success) {
  for (size_t i = 0; i < psp->key_count; i++) {
    struct model_key *key = &psp->keys[i];
    bool charges = key->call.kind == PAYMENT_CALL_CHARGE;
    if (!key->pending)
      continue;
    key->pending = false;
    if (success) {
      succeed(psp, key);
      continue;
    }
    write_object(psp, key, charges ? "requires_payment_method" : "failed");
    if (!charges)
      psp->held -= key->call.amount;
  }
}

/* ---- requests ---- */

static void charge(struct model_psp *psp, struct model_key *key, enum model_verdict verdict) {
  if (verdict == MODEL_NO)
    answer(key, 402,
           "{\"error\":{\"type\":\"card_error\",\"code\":\"card_declined\",\"decline_code\":\"insufficient_funds\"}}");
  else if (verdict == MODEL_MALFORMED)
    answer(key, 400, "{\"error\":{\"type\":\"invalid_request_error\",\"code\":\"resource_missing\"}}");
  else
    make(psp, key, verdict == MODEL_LATER);
}

static void refund(struct model_psp *psp, struct model_key *key, enum model_verdict verdict) {
  if (psp->captured - psp->held < key->call.amount)
    answer(key, 400, "{\"error\":{\"type\":\"invalid_request_error\",\"code\":\"charge_already_refunded\"}}");
  else if (verdict == MODEL_NO || verdict == MODEL_MALFORMED)
    answer(key, 400, "{\"error\":{\"type\":\"invalid_request_error\",\"code\":\"balance_insufficient\"}}");
  else
    make(psp, key, verdict == MODEL_LATER);
}

static struct bus_http_result read_object(const struct model_psp *psp, const char *path) {
  const char *id = strrchr(path, '/') + 1;
  size_t number = strtoul(id + 3, NULL, 10);
  if (number >= psp->key_count)
    abort();
  return (struct bus_http_result){
      .outcome = BUS_HTTP_ANSWERED, .status = 200, .body = bus_str(psp->keys[number].object), .retry_after_s = -1};
}

struct bus_http_result model_psp_take(struct model_psp *psp, const struct payment_call *call,
                                      enum model_verdict verdict) {
  struct psp_request request;
  psp_request_build(call, &request);
  if (strcmp(request.method, "GET") == 0)
    return read_object(psp, request.path);
  struct model_key *key = find(psp, request.key);
  if (!key) {
    if (psp->key_count == MODEL_KEYS)
      abort();
    key = &psp->keys[psp->key_count++];
    *key = (struct model_key){.call = *call};
    memcpy(key->key, request.key, sizeof key->key);
    if (call->kind == PAYMENT_CALL_CHARGE)
      charge(psp, key, verdict);
    else
      refund(psp, key, verdict);
  }
  return (struct bus_http_result){
      .outcome = BUS_HTTP_ANSWERED, .status = key->status, .body = bus_str(key->body), .retry_after_s = -1};
}
