/* Keys, claims and records. */
#include "call.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <stdio.h>
#include <stdlib.h>

enum { KEY_MAX = 255 };

/* ---- responses ---- */
void psp_reply_json(struct bus_http_exchange *exchange, int64_t status, struct bus_str json) {
  if (json.data == NULL) {
    status = 503;
    json = BUS_STR("{\"error\":{\"type\":\"api_error\",\"message\":\"out of memory\"}}");
  }
  bus_http_reply(exchange, (int)status, "application/json", json);
}

void psp_reply_error(struct bus_http_exchange *exchange, const struct psp_error *error) {
  psp_reply_json(exchange, error->status, psp_response_error(bus_http_arena(exchange), error));
}

struct bus_str psp_object_of(const struct psp_record *record) {
  return record->status == 200 ? record->answer : psp_response_failed_intent(record->answer);
}

static const struct psp_error no_key = {401, "invalid_request_error", NULL, NULL, NULL, "Invalid API Key provided."};
static const struct psp_error in_use = {409,
                                        "idempotency_error",
                                        "idempotency_key_in_use",
                                        NULL,
                                        NULL,
                                        "There is currently another in-progress request using this key."};
static const struct psp_error mismatch = {
    400,  "idempotency_error",
    NULL, NULL,
    NULL, "Keys for idempotent requests can only be used with the same parameters they were first used with."};
static const struct psp_error bad_key = {
    400,  "invalid_request_error",
    NULL, NULL,
    NULL, "Idempotency-Key must be 1 to 255 printable characters, and stand once."};
const struct psp_error psp_no_memory = {503, "api_error", NULL, NULL, NULL, "out of memory"};

/* ---- who ---- */
static bool is_same_secret(struct bus_str given, const char *wanted) {
  size_t len = strlen(wanted);
  unsigned difference = given.len != len;
  for (size_t i = 0; i < given.len; i++)
    difference |= (unsigned)(given.data[i] ^ wanted[i % len]);
  return difference == 0;
}

bool psp_authorize(const struct psp_sandbox *sandbox, struct bus_http_exchange *exchange) {
  static const char scheme[] = "Bearer ";
  struct bus_str given = bus_http_header(exchange, "Authorization");
  size_t len = sizeof scheme - 1;
  if (given.len > len && memcmp(given.data, scheme, len) == 0 &&
      is_same_secret((struct bus_str){given.data + len, given.len - len}, sandbox->settings->psp_key))
    return true;
  bus_http_add_header(exchange, "WWW-Authenticate", BUS_STR("Bearer realm=\"psp-sandbox\""));
  psp_reply_error(exchange, &no_key);
  return false;
}

/* ---- a call's start ---- */
static bool is_key_valid(struct bus_str key) {
  for (size_t i = 0; i < key.len; i++)
    if (key.data[i] < 0x20 || key.data[i] > 0x7E)
      return false;
  return key.len >= 1 && key.len <= KEY_MAX;
}

static bool has_header(struct bus_http_exchange *exchange, const char *name, struct bus_str *ret) {
  *ret = bus_http_header(exchange, name);
  return ret->data != NULL;
}

bool psp_call_start(struct psp_sandbox *sandbox, struct bus_http_exchange *exchange, const char *path,
                    struct psp_call *call) {
  const char *problem;
  *call = (struct psp_call){.sandbox = sandbox, .exchange = exchange, .arena = bus_http_arena(exchange)};
  if (!psp_authorize(sandbox, exchange))
    return false;
  if (has_header(exchange, "Idempotency-Key", &call->key) && !is_key_valid(call->key)) {
    psp_reply_error(exchange, &bad_key);
    return false;
  }
  if (!psp_form_parse(bus_http_body(exchange), call->arena, &call->form, &problem)) {
    const struct psp_error error = {400, "invalid_request_error", NULL, NULL, NULL, problem};
    psp_reply_error(exchange, &error);
    return false;
  }
  if (psp_form_fingerprint(&call->form, path, call->arena, call->fingerprint))
    return true;
  psp_reply_error(exchange, &psp_no_memory);
  return false;
}

static void send_recorded(struct psp_call *call, const struct psp_record *record) {
  bus_http_add_header(call->exchange, "Idempotent-Replayed", BUS_STR("true"));
  psp_reply_json(call->exchange, record->status, record->answer);
}

/* True: the key is ours (or there is none). */
bool psp_call_claim(struct psp_call *call) {
  const struct psp_record *record = NULL;
  if (call->key.data == NULL)
    return true;
  pthread_mutex_lock(&call->sandbox->lock);
  enum psp_claim outcome = psp_book_claim(&call->sandbox->book, call->key, call->fingerprint, &call->attempt, &record);
  pthread_mutex_unlock(&call->sandbox->lock);
  switch (outcome) {
  case PSP_CLAIM_NEW:
    return true;
  case PSP_CLAIM_REPLAY:
    send_recorded(call, record); /* records stay as they are for ever */
    break;
  case PSP_CLAIM_IN_USE:
    psp_reply_error(call->exchange, &in_use);
    break;
  case PSP_CLAIM_MISMATCH:
    psp_reply_error(call->exchange, &mismatch);
    break;
  case PSP_CLAIM_NO_MEMORY:
    psp_reply_error(call->exchange, &psp_no_memory);
    break;
  }
  return false;
}

static void release(struct psp_call *call) {
  if (call->key.data == NULL)
    return;
  pthread_mutex_lock(&call->sandbox->lock);
  psp_book_release(&call->sandbox->book, call->key);
  pthread_mutex_unlock(&call->sandbox->lock);
}

/* ---- a call's end ---- */
void psp_call_identify(struct psp_call *call, const char *prefix) {
  struct bus_uuid uuid;
  char hex[33];
  bus_time now = bus_wall_clock();
  pthread_mutex_lock(&call->sandbox->lock);
  bus_uuid_v7(&call->sandbox->ids, now, &uuid);
  pthread_mutex_unlock(&call->sandbox->lock);
  for (size_t i = 0; i < sizeof uuid.bytes; i++)
    snprintf(hex + 2 * i, 3, "%02x", uuid.bytes[i]);
  snprintf(call->id, sizeof call->id, "%s%s", prefix, hex);
  snprintf(call->charge_id, sizeof call->charge_id, "ch_%s", hex);
  call->identity = (struct psp_identity){bus_str(call->id), bus_str(call->charge_id), now};
}

bool psp_call_record(struct psp_call *call, struct psp_entry *entry) {
  entry->id = call->identity.id;
  entry->at = call->identity.at;
  entry->idempotency_key = call->key;
  entry->fingerprint = call->key.data ? bus_str(call->fingerprint) : BUS_NO_STR;
  return psp_sandbox_record(call->sandbox, entry, call->arena);
}

void psp_call_fail(struct psp_call *call, const struct psp_error *error) {
  release(call);
  psp_reply_error(call->exchange, error);
}
