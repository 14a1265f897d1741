/* payment-svc's own variables, and what becomes of them. */
#ifndef PAYMENT_SETTINGS_H
#define PAYMENT_SETTINGS_H

#include "payment.h"

#include <bus/breaker_options.h>
#include <bus/config.h>
#include <bus/http_client.h>

enum { PAYMENT_OPTIONS = 21 };

struct payment_settings {
  const char *psp_url, *psp_key, *psp_ca_file;
  bool psp_allow_plain;
  int64_t concurrency, queue;
  int64_t connect_timeout_ms, read_timeout_ms, total_timeout_ms, lease_ms;
  struct bus_breaker_options breaker;
  int64_t retry_attempts, retry_initial_ms, retry_slow_ms, retry_slow_max_ms, key_life_s;
};

extern const struct bus_option payment_options[PAYMENT_OPTIONS];

/* Checks across variables: the lease outlives a call, and the PSP's URL may get our key. */
bool payment_settings_check(const struct payment_settings *settings, struct bus_error *err) BUS_MUST_CHECK;

struct payment_policy payment_policy_of(const struct payment_settings *settings);
struct bus_breaker_settings payment_breaker_of(const struct payment_settings *settings);
struct bus_http_client_settings payment_http_of(const struct payment_settings *settings);

#endif
