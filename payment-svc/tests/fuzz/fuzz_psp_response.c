/* The PSP's answers: whatever comes back, money counts as moved only where amount, currency and state are those of the
 * call, as a second reading of the JSON finds them. */
#include "fuzz.h"

#include <cjson/cJSON.h>

#include "psp_response.h"

static const struct payment_call calls[] = {
    {.kind = PAYMENT_CALL_CHARGE,
     .order_id = {{1, 2, 3}},
     .attempt = 1,
     .amount = 1998,
     .currency = "EUR",
     .token = "pm_card_visa"},
    {.kind = PAYMENT_CALL_REFUND,
     .order_id = {{1, 2, 3}},
     .attempt = 1,
     .refund = 1,
     .amount = 1998,
     .currency = "EUR",
     .psp_id = "pi_3"},
};

static bool is_text(const cJSON *object, const char *name, const char *text) {
  const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
  return cJSON_IsString(member) && strcmp(member->valuestring, text) == 0;
}

static bool is_number(const cJSON *object, const char *name, double number) {
  const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
  return cJSON_IsNumber(member) && !(member->valuedouble < number) && !(member->valuedouble > number);
}

/* Says the body, read leniently, that exactly this succeeded? */
static bool says_so(const struct payment_call *call, struct bus_str body) {
  char *text = fuzz_text(body);
  cJSON *root = cJSON_ParseWithLengthOpts(text, body.len + 1, NULL, true);
  bool charge = call->kind == PAYMENT_CALL_CHARGE;
  const cJSON *error = cJSON_GetObjectItemCaseSensitive(root, "error");
  bool refunded_before = !charge && is_text(error, "code", "charge_already_refunded");
  bool so = refunded_before || (is_text(root, "status", "succeeded") && is_text(root, "currency", "eur") &&
                                is_number(root, "amount", 1998) && (charge || is_text(root, "payment_intent", "pi_3")));
  cJSON_Delete(root);
  free(text);
  return so;
}

static void check_text(const char *text, size_t size) {
  FUZZ_CHECK(memchr(text, '\0', size) != NULL);
  for (; *text; text++)
    FUZZ_CHECK(*text > 0x20 && *text < 0x7F);
}

static void check(const struct payment_call *call, const struct bus_http_result *answer,
                  const struct payment_result *result, bool works) {
  bool captured = result->kind == PAYMENT_ON_CAPTURED, refunded = result->kind == PAYMENT_ON_REFUNDED;
  FUZZ_CHECK(result->kind >= PAYMENT_ON_CAPTURED && result->kind < PAYMENT_INPUTS);
  FUZZ_CHECK(bus_uuid_equal(&result->order_id, &call->order_id) && result->call == call->kind);
  FUZZ_CHECK(result->attempt == call->attempt && result->refund == call->refund);
  FUZZ_CHECK(result->wait >= 0 && result->wait <= 24 * BUS_HOUR);
  check_text(result->psp_id, sizeof result->psp_id);
  check_text(result->reason, sizeof result->reason);
  FUZZ_CHECK(!captured || call->kind == PAYMENT_CALL_CHARGE);
  FUZZ_CHECK(!refunded || call->kind == PAYMENT_CALL_REFUND);
  FUZZ_CHECK(!(captured || refunded) || (says_so(call, answer->body) && result->psp_id[0] != '\0'));
  FUZZ_CHECK(!captured || (answer->status >= 200 && answer->status < 300));
  FUZZ_CHECK(works || result->kind == PAYMENT_ON_UNSURE);
  FUZZ_CHECK(answer->outcome == BUS_HTTP_ANSWERED || result->kind == PAYMENT_ON_UNSURE);
}

/* Which call, how it ended, the status, Retry-After; then the body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct bus_str rest = fuzz_input(data, size);
  uint8_t how = fuzz_byte(&rest);
  const struct payment_call *call = &calls[how & 1];
  struct bus_http_result answer = {.outcome = how < 224   ? BUS_HTTP_ANSWERED
                                              : how < 240 ? BUS_HTTP_NOT_SENT
                                                          : BUS_HTTP_UNKNOWN};
  answer.status = (int)(100 + fuzz_number(&rest, 2) % 500);
  answer.retry_after_s = how & 2 ? (int64_t)fuzz_number(&rest, 4) : -1;
  char *exact = fuzz_exact(rest);
  answer.body = (struct bus_str){exact, rest.len};
  struct bus_arena *arena = bus_arena_new((size_t)16 << 20);
  struct payment_result result;
  bool works = psp_response_read(call, &answer, arena, &result);
  check(call, &answer, &result, works);
  bus_arena_free(arena);
  free(exact);
  return 0;
}
