/* The table of payment-svc's variables: it drives parsing, --help, .env.example and the README. */
#include "payment_settings.h"

#include "psp_request.h"

#include <inttypes.h>

#define TEXT(variable, member, standard, least, most, text)                                                            \
  {                                                                                                                    \
    variable, BUS_OPTION_STRING, offsetof(struct payment_settings, member), standard, least, most, NULL, false, NULL,  \
        text                                                                                                           \
  }
#define NUMBER(variable, member, standard, least, most, unit, text)                                                    \
  {                                                                                                                    \
    variable, BUS_OPTION_INT, offsetof(struct payment_settings, member), standard, least, most, NULL, false, unit,     \
        text                                                                                                           \
  }

/* How long before its lease ends a call must have started at the latest, beyond its own time-out. */
enum { LEASE_MARGIN_MS = 2000 };

const struct bus_option payment_options[PAYMENT_OPTIONS] = {
    TEXT("PSP_URL", psp_url, "http://127.0.0.1:8090", 8, 256,
         "the payment service provider: scheme, host and port; plain http only on this machine"),
    {"PSP_KEY", BUS_OPTION_STRING, offsetof(struct payment_settings, psp_key), NULL, 8, 256, NULL, true, NULL,
     "the provider's secret key"},
    TEXT("PSP_CA_FILE", psp_ca_file, "", 0, 1024,
         "certificates that the provider is verified with; empty: the system's"),
    {"PSP_ALLOW_PLAIN", BUS_OPTION_BOOL, offsetof(struct payment_settings, psp_allow_plain), "false", 0, 0, NULL, false,
     NULL, "plain http to other machines too: for a sandbox in a private network"},
    NUMBER(
        "PSP_CONCURRENCY", concurrency, "32", 1, 1000, "calls",
        "calls to the provider at once, for each worker; at most half of them for payments whose call failed before"),
    NUMBER("PSP_QUEUE", queue, "1000", 0, 10000, "calls",
           "calls that wait for their turn; others wait in the database"),
    NUMBER("PSP_CONNECT_TIMEOUT_MS", connect_timeout_ms, "2000", 10, 60000, "ms", "until connected"),
    NUMBER("PSP_READ_TIMEOUT_MS", read_timeout_ms, "5000", 10, 60000, "ms", "without a byte"),
    NUMBER("PSP_TIMEOUT_MS", total_timeout_ms, "7000", 10, 60000, "ms", "for a whole call"),
    NUMBER("PSP_LEASE_MS", lease_ms, "15000", 1000, 600000, "ms",
           "how long a call is nobody else's; at least PSP_TIMEOUT_MS and 2000"),
    BUS_BREAKER_OPTION_ROWS(struct payment_settings, breaker),
    NUMBER("RETRY_MAX_ATTEMPTS", retry_attempts, "3", 1, 10, "attempts", "quick attempts at a call"),
    NUMBER("RETRY_INITIAL_MS", retry_initial_ms, "1000", 10, 60000, "ms", "first wait between them; it doubles"),
    NUMBER("RETRY_SLOW_MS", retry_slow_ms, "30000", 10, 600000, "ms",
           "first slow wait after them; it grows by a quarter"),
    NUMBER("RETRY_SLOW_MAX_MS", retry_slow_max_ms, "600000", 10, 600000, "ms", "longest slow wait"),
    NUMBER("PSP_KEY_LIFE_S", key_life_s, "72000", 1, 82800, "s",
           "after that no idempotency key is used again: an undecided charge becomes UNKNOWN"),
};

bool payment_settings_check(const struct payment_settings *settings, struct bus_error *err) {
  if (!psp_url_is_allowed(settings->psp_url, settings->psp_allow_plain))
    return bus_fail(err, BUS_E_CONFIG,
                    "PSP_URL must be https://host[:port], or http:// on this machine (PSP_ALLOW_PLAIN for others)");
  for (const char *c = settings->psp_key; *c; c++)
    if (*c <= ' ' || *c > '~')
      return bus_fail(err, BUS_E_CONFIG, "PSP_KEY must be visible ASCII without spaces");
  if (settings->lease_ms < settings->total_timeout_ms + LEASE_MARGIN_MS)
    return bus_fail(err, BUS_E_CONFIG, "PSP_LEASE_MS is %" PRId64 ": it must be at least PSP_TIMEOUT_MS + %d",
                    settings->lease_ms, LEASE_MARGIN_MS);
  if (settings->retry_slow_max_ms < settings->retry_slow_ms)
    return bus_fail(err, BUS_E_CONFIG, "RETRY_SLOW_MAX_MS is less than RETRY_SLOW_MS");
  return true;
}

struct payment_policy payment_policy_of(const struct payment_settings *settings) {
  return (struct payment_policy){.quick_attempts = settings->retry_attempts,
                                 .quick_first = settings->retry_initial_ms * BUS_MILLISECOND,
                                 .slow_first = settings->retry_slow_ms * BUS_MILLISECOND,
                                 .slow_max = settings->retry_slow_max_ms * BUS_MILLISECOND,
                                 .lease = settings->lease_ms * BUS_MILLISECOND,
                                 .key_life = settings->key_life_s * BUS_SECOND};
}

struct bus_breaker_settings payment_breaker_of(const struct payment_settings *settings) {
  return bus_breaker_settings_of(&settings->breaker, settings->total_timeout_ms);
}

struct bus_http_client_settings payment_http_of(const struct payment_settings *settings) {
  bool has_ca = settings->psp_ca_file && *settings->psp_ca_file;
  return (struct bus_http_client_settings){.connect_timeout_ms = settings->connect_timeout_ms,
                                           .read_timeout_ms = settings->read_timeout_ms,
                                           .total_timeout_ms = settings->total_timeout_ms,
                                           .max_connections = (int)settings->concurrency,
                                           .max_response = 64 * 1024,
                                           .user_agent = "orderbus/" ORDERBUS_VERSION,
                                           .ca_file = has_ca ? settings->psp_ca_file : NULL,
                                           .allow_plain = strncmp(settings->psp_url, "http://", 7) == 0};
}
