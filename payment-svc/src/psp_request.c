/* Form bodies and idempotency keys of the PSP's requests. */
#include "psp_request.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

struct form {
  char *text;
  size_t size, len;
};

static void put(struct form *form, char c) {
  assert(form->len + 1 < form->size); /* every value is bounded: the longest form fits, three bytes a character */
  if (form->len + 1 >= form->size)
    return;
  form->text[form->len++] = c;
  form->text[form->len] = '\0';
}

static bool stands_for_itself(char c) {
  return isascii((unsigned char)c) && (isalnum((unsigned char)c) || strchr("-._*", c));
}

static void put_encoded(struct form *form, const char *text) {
  static const char digits[] = "0123456789ABCDEF";
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (stands_for_itself(*text)) {
      put(form, *text);
      continue;
    }
    put(form, '%');
    put(form, digits[c >> 4]);
    put(form, digits[c & 15]);
  }
}

static void add(struct form *form, const char *name, const char *value) {
  if (form->len > 0)
    put(form, '&');
  put_encoded(form, name);
  put(form, '=');
  put_encoded(form, value);
}

static void add_amount(struct form *form, int64_t amount) {
  char text[24];
  (void)snprintf(text, sizeof text, "%" PRId64, amount); /* 20 characters at most */
  add(form, "amount", text);
}

static void add_currency(struct form *form, const char *currency) {
  char text[PAYMENT_CURRENCY_SIZE] = "";
  for (size_t i = 0; currency[i]; i++)
    text[i] = (char)tolower((unsigned char)currency[i]);
  add(form, "currency", text);
}

static void add_order(struct form *form, const struct bus_uuid *order_id) {
  char text[BUS_UUID_TEXT];
  bus_uuid_format(order_id, text);
  add(form, "metadata[order_id]", text);
}

static void build_charge(const struct payment_call *call, struct form *form) {
  add_amount(form, call->amount);
  add_currency(form, call->currency);
  add(form, "payment_method", call->token);
  add(form, "confirm", "true");
  add(form, "error_on_requires_action", "true"); /* nobody is there to act: that is a decline */
  add(form, "automatic_payment_methods[enabled]", "false");
  add_order(form, &call->order_id);
}

static void build_refund(const struct payment_call *call, struct form *form) {
  add(form, "payment_intent", call->psp_id);
  add_amount(form, call->amount);
  add_order(form, &call->order_id);
}

/* read_id has letters, digits, "_" and "-" alone: psp_response.c takes no other. */
static void build_read(const struct payment_call *call, const char *collection, struct psp_request *ret) {
  ret->method = "GET";
  ret->route = call->kind == PAYMENT_CALL_CHARGE ? PSP_PATH_INTENTS "/{id}" : PSP_PATH_REFUNDS "/{id}";
  (void)snprintf(ret->path, sizeof ret->path, "%s/%s", collection, call->read_id); /* fits: 149 characters */
}

/* It fits: 84 characters at most. */
static void build_key(const struct payment_call *call, struct psp_request *ret) {
  char order[BUS_UUID_TEXT], attempt[24] = "";
  bus_uuid_format(&call->order_id, order);
  if (call->pay_attempt > 0)
    (void)snprintf(attempt, sizeof attempt, "-%" PRId64, call->pay_attempt);
  if (call->kind == PAYMENT_CALL_CHARGE)
    (void)snprintf(ret->key, sizeof ret->key, "charge-%s%s", order, attempt);
  else
    (void)snprintf(ret->key, sizeof ret->key, "refund-%s%s-%" PRId64, order, attempt, call->refund);
}

void psp_request_build(const struct payment_call *call, struct psp_request *ret) {
  struct form form = {ret->body, sizeof ret->body, 0};
  bool charges = call->kind == PAYMENT_CALL_CHARGE;
  const char *collection = charges ? PSP_PATH_INTENTS : PSP_PATH_REFUNDS;
  ret->body[0] = ret->key[0] = '\0';
  if (call->read_id[0]) {
    build_read(call, collection, ret);
    return;
  }
  ret->method = "POST";
  ret->route = collection;
  (void)snprintf(ret->path, sizeof ret->path, "%s", collection); /* fits */
  build_key(call, ret);
  if (charges)
    build_charge(call, &form);
  else
    build_refund(call, &form);
}

bool psp_id_is_path_segment(struct bus_str id) {
  for (size_t i = 0; i < id.len; i++)
    if (!isascii((unsigned char)id.data[i]) || !(isalnum((unsigned char)id.data[i]) || strchr("_-", id.data[i])))
      return false;
  return id.len > 0;
}

static bool starts_with(const char *text, const char *prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* "host" or "host:port"; what follows the host's name is nothing or a port. */
static bool is_this_machine(const char *authority) {
  static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
  for (size_t i = 0; i < BUS_COUNT(names); i++) {
    size_t len = strlen(names[i]);
    if (starts_with(authority, names[i]) && (authority[len] == '\0' || authority[len] == ':'))
      return true;
  }
  return false;
}

bool psp_url_is_allowed(const char *url, bool allow_plain) {
  bool secure = starts_with(url, "https://"), plain = starts_with(url, "http://");
  if (!secure && !plain)
    return false;
  const char *authority = url + (secure ? strlen("https://") : strlen("http://"));
  for (const char *c = authority; *c; c++)
    if (!isgraph((unsigned char)*c) || strchr("/?#@\\", *c))
      return false;
  return *authority && (secure || allow_plain || is_this_machine(authority));
}
