/* The table of tokens, and the parameters of charges and refunds. */
#include "charge.h"

#include <currency.h>

enum { AMOUNT_DIGITS = 12, VALUE_MAX = 500 };

static const struct psp_error generic_decline = {
    402, "card_error", "card_declined", "generic_decline", NULL, "Your card was declined."};
static const struct psp_error insufficient_funds = {
    402, "card_error", "card_declined", "insufficient_funds", NULL, "Your card has insufficient funds."};
static const struct psp_error expired_card = {
    402, "card_error", "expired_card", "expired_card", NULL, "Your card has expired."};

/* ---- statuses other than "succeeded" ---- */

static const struct psp_course processing = {"processing", PSP_CAPTURED, false};
static const struct psp_course processing_declined = {"processing", PSP_DECLINED, false};
static const struct psp_course processing_canceled = {"processing", PSP_CANCELED, false};
static const struct psp_course processing_forever = {"processing", PSP_STAYS, false};
static const struct psp_course action_done = {"requires_action", PSP_CAPTURED, false};
static const struct psp_course action_failed = {"requires_action", PSP_DECLINED, false};
static const struct psp_course confirmed = {"requires_confirmation", PSP_CAPTURED, false};
static const struct psp_course captured_later = {"requires_capture", PSP_CAPTURED, false};
static const struct psp_course never_captured = {"requires_capture", PSP_CANCELED, false};
static const struct psp_course no_method = {"requires_payment_method", PSP_DECLINED, true};
static const struct psp_course canceled = {"canceled", PSP_CANCELED, true};

static const struct psp_course refund_pending = {"pending", PSP_REFUNDED, false};
static const struct psp_course refund_action = {"requires_action", PSP_REFUNDED, false};
static const struct psp_course refund_fails_later = {"pending", PSP_REFUND_FAILED, false};
static const struct psp_course refund_canceled_later = {"requires_action", PSP_REFUND_CANCELED, false};
static const struct psp_course refund_failed = {"failed", PSP_REFUND_FAILED, true};

const struct psp_method psp_methods[] = {
    {"pm_card_visa", PSP_SUCCEEDS, NULL, NULL, NULL},
    {"pm_card_visa_chargeDeclined", PSP_DECLINES, &generic_decline, NULL, NULL},
    {"pm_card_chargeDeclined", PSP_DECLINES, &generic_decline, NULL, NULL},
    {"pm_card_visa_chargeDeclinedInsufficientFunds", PSP_DECLINES, &insufficient_funds, NULL, NULL},
    {"pm_card_chargeDeclinedInsufficientFunds", PSP_DECLINES, &insufficient_funds, NULL, NULL},
    {"pm_card_chargeDeclinedExpiredCard", PSP_DECLINES, &expired_card, NULL, NULL},
    {"pm_card_createDispute", PSP_IS_DISPUTED, NULL, NULL, NULL},
    {"pm_sandbox_timeout", PSP_SUCCEEDS_LATE, NULL, NULL, NULL},
    {"pm_sandbox_timeout_declined", PSP_DECLINES_LATE, &generic_decline, NULL, NULL},
    {"pm_sandbox_error_once", PSP_FAILS_ONCE, NULL, NULL, NULL},
    {"pm_sandbox_error", PSP_FAILS, NULL, NULL, NULL},
    {"pm_sandbox_429_once", PSP_LIMITS_ONCE, NULL, NULL, NULL},
    {"pm_sandbox_hang", PSP_HANGS, NULL, NULL, NULL},
    {"pm_sandbox_processing", PSP_TAKES_TIME, NULL, &processing, NULL},
    {"pm_sandbox_processing_declined", PSP_TAKES_TIME, &insufficient_funds, &processing_declined, NULL},
    {"pm_sandbox_processing_canceled", PSP_TAKES_TIME, NULL, &processing_canceled, NULL},
    {"pm_sandbox_processing_forever", PSP_TAKES_TIME, NULL, &processing_forever, NULL},
    {"pm_sandbox_requires_action", PSP_TAKES_TIME, NULL, &action_done, NULL},
    {"pm_sandbox_requires_action_declined", PSP_TAKES_TIME, &generic_decline, &action_failed, NULL},
    {"pm_sandbox_requires_confirmation", PSP_TAKES_TIME, NULL, &confirmed, NULL},
    {"pm_sandbox_requires_capture", PSP_TAKES_TIME, NULL, &captured_later, NULL},
    {"pm_sandbox_requires_capture_canceled", PSP_TAKES_TIME, NULL, &never_captured, NULL},
    {"pm_sandbox_requires_payment_method", PSP_TAKES_TIME, &generic_decline, &no_method, NULL},
    {"pm_sandbox_canceled", PSP_TAKES_TIME, NULL, &canceled, NULL},
    {"pm_card_pendingRefund", PSP_SUCCEEDS, NULL, NULL, &refund_pending},
    {"pm_sandbox_refund_pending", PSP_SUCCEEDS, NULL, NULL, &refund_pending},
    {"pm_sandbox_refund_requires_action", PSP_SUCCEEDS, NULL, NULL, &refund_action},
    {"pm_sandbox_refund_fails_later", PSP_SUCCEEDS, NULL, NULL, &refund_fails_later},
    {"pm_sandbox_refund_canceled_later", PSP_SUCCEEDS, NULL, NULL, &refund_canceled_later},
    {"pm_sandbox_refund_failed", PSP_SUCCEEDS, NULL, NULL, &refund_failed},
    /* The charge and its refund both take their time. */
    {"pm_sandbox_processing_refund_pending", PSP_TAKES_TIME, NULL, &processing, &refund_pending},
    {"pm_sandbox_processing_refund_fails_later", PSP_TAKES_TIME, NULL, &processing, &refund_fails_later},
};
const size_t psp_method_count = BUS_COUNT(psp_methods);

const struct psp_method *psp_method_find(struct bus_str token) {
  for (size_t i = 0; i < psp_method_count; i++)
    if (bus_str_is(token, psp_methods[i].token))
      return &psp_methods[i];
  return NULL;
}

struct psp_plan psp_plan_of(const struct psp_method *method, int attempt) {
  switch (method->behaviour) {
  case PSP_SUCCEEDS:
    return (struct psp_plan){.step = PSP_CAPTURE};
  case PSP_IS_DISPUTED:
    return (struct psp_plan){.step = PSP_CAPTURE, .is_disputed = true};
  case PSP_DECLINES:
    return (struct psp_plan){.step = PSP_DECLINE};
  case PSP_SUCCEEDS_LATE:
    return (struct psp_plan){.step = PSP_CAPTURE, .is_late = true};
  case PSP_DECLINES_LATE:
    return (struct psp_plan){.step = PSP_DECLINE, .is_late = true};
  case PSP_FAILS_ONCE:
    return (struct psp_plan){.step = attempt == 0 ? PSP_ANSWER_500 : PSP_CAPTURE};
  case PSP_LIMITS_ONCE:
    return (struct psp_plan){.step = attempt == 0 ? PSP_ANSWER_429 : PSP_CAPTURE};
  case PSP_TAKES_TIME:
    return (struct psp_plan){.step = PSP_PEND};
  case PSP_HANGS:
    return (struct psp_plan){.step = PSP_HANG};
  case PSP_FAILS:
    break;
  }
  return (struct psp_plan){.step = PSP_ANSWER_500};
}

/* ---- parameters ---- */
bool psp_refuse(struct psp_error *ret, int status, const char *code, const char *param, const char *message) {
  *ret = (struct psp_error){
      .status = status, .type = "invalid_request_error", .code = code, .param = param, .message = message};
  return false;
}

static bool refuse_parameter(struct psp_error *ret, const char *code, const char *param, const char *message) {
  return psp_refuse(ret, 400, code, param, message);
}

/* Every parameter is one of these, or a member of metadata. */
static bool check_names(const struct psp_form *form, const char *const *names, struct psp_error *ret) {
  for (size_t i = 0; i < form->count; i++) {
    const struct psp_form_field *field = &form->fields[i];
    if (field->value.len > VALUE_MAX)
      return refuse_parameter(ret, "parameter_invalid_string_too_long", NULL, "A parameter is longer than 500 bytes.");
    if (!bus_str_is_one_of(field->name, names) && psp_form_member(field->name, "metadata").data == NULL)
      return refuse_parameter(ret, "parameter_unknown", NULL, "Received unknown parameter.");
  }
  return true;
}

static bool read_amount(struct bus_str text, int64_t *ret) {
  return bus_str_number(text, AMOUNT_DIGITS, ret) && *ret >= 1;
}

static bool is_currency(struct bus_str text) {
  for (size_t i = 0; i < text.len; i++)
    if (text.data[i] < 'a' || text.data[i] > 'z')
      return false;
  return text.len == 3;
}

/* Codes of requests and records are in lower case. NULL: the provider does not take it. */
static const struct currency *find_currency(struct bus_str code) {
  char capitals[3];
  if (!is_currency(code))
    return NULL;
  for (size_t i = 0; i < sizeof capitals; i++)
    capitals[i] = (char)(code.data[i] - 'a' + 'A');
  return currency_find((struct bus_str){capitals, sizeof capitals});
}

bool psp_check_amount(struct bus_str code, int64_t amount, struct psp_error *ret_error) {
  const struct currency *currency = find_currency(code);
  if (!currency)
    return refuse_parameter(ret_error, NULL, "currency", "Invalid currency: this sandbox does not take it.");
  if (currency_takes(currency, amount))
    return true;
  return currency->decimals == 3
             ? refuse_parameter(ret_error, "invalid_charge_amount", "amount",
                                "Invalid amount. The last digit of an amount with three decimals must be 0.")
             : refuse_parameter(ret_error, "invalid_charge_amount_no_decimal_compatible", "amount",
                                "Invalid amount. Amounts in this currency must be evenly divisible by 100.");
}

bool psp_charge_read(const struct psp_form *form, struct psp_charge *ret, struct psp_error *ret_error) {
  static const char *const names[] = {"amount",
                                      "currency",
                                      "payment_method",
                                      "confirm",
                                      "description",
                                      "off_session",
                                      "customer",
                                      "return_url",
                                      "capture_method",
                                      "payment_method_types[]",
                                      "payment_method_types[0]",
                                      "automatic_payment_methods[enabled]",
                                      "automatic_payment_methods[allow_redirects]",
                                      "error_on_requires_action",
                                      NULL};
  struct psp_charge charge = {.currency = psp_form_get(form, "currency"),
                              .order_id = psp_form_get(form, "metadata[order_id]")};
  struct bus_str token = psp_form_get(form, "payment_method");
  if (!check_names(form, names, ret_error))
    return false;
  if (psp_form_get(form, "amount").data == NULL)
    return refuse_parameter(ret_error, "parameter_missing", "amount", "Missing required param: amount.");
  if (!read_amount(psp_form_get(form, "amount"), &charge.amount))
    return refuse_parameter(ret_error, "parameter_invalid_integer", "amount", "Invalid positive integer.");
  if (!is_currency(charge.currency))
    return refuse_parameter(ret_error, charge.currency.data ? NULL : "parameter_missing", "currency",
                            "The currency must be a lower-case ISO code.");
  if (!psp_check_amount(charge.currency, charge.amount, ret_error))
    return false;
  if (!bus_str_is(psp_form_get(form, "confirm"), "true"))
    return refuse_parameter(ret_error, NULL, "confirm", "This sandbox creates and confirms in one call: confirm=true.");
  if (token.data == NULL)
    return refuse_parameter(ret_error, "parameter_missing", "payment_method",
                            "Missing required param: payment_method.");
  charge.method = psp_method_find(token);
  if (charge.method == NULL)
    return refuse_parameter(ret_error, "resource_missing", "payment_method", "No such PaymentMethod");
  *ret = charge;
  return true;
}

bool psp_refund_read(const struct psp_form *form, struct psp_refund *ret, struct psp_error *ret_error) {
  static const char *const names[] = {"payment_intent", "amount", "reason", NULL};
  struct psp_refund refund = {.payment_intent = psp_form_get(form, "payment_intent"),
                              .amount = BUS_NO_INT64,
                              .order_id = psp_form_get(form, "metadata[order_id]")};
  struct bus_str amount = psp_form_get(form, "amount");
  if (!check_names(form, names, ret_error))
    return false;
  if (refund.payment_intent.len == 0)
    return refuse_parameter(ret_error, "parameter_missing", "payment_intent",
                            "Missing required param: payment_intent.");
  if (amount.data && !read_amount(amount, &refund.amount))
    return refuse_parameter(ret_error, "parameter_invalid_integer", "amount", "Invalid positive integer.");
  *ret = refund;
  return true;
}
