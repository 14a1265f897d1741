/* The table of notify-svc's variables: it drives parsing, --help, .env.example and the README. */
#include "notify_settings.h"

#include "notify_url.h"

#define TEXT(variable, member, standard, least, most, text)                                                            \
  {                                                                                                                    \
    variable, BUS_OPTION_STRING, offsetof(struct notify_settings, member), standard, least, most, NULL, false, NULL,   \
        text                                                                                                           \
  }
#define NUMBER(variable, member, standard, least, most, unit, text)                                                    \
  { variable, BUS_OPTION_INT, offsetof(struct notify_settings, member), standard, least, most, NULL, false, unit, text }

#define DAY_S INT64_C(86400)
enum { RESPONSE_MAX = 1024 };

/* The schedule of Standard Webhooks: the last attempt comes after three days and some hours. */
#define SCHEDULE "5,300,1800,7200,18000,36000,50400,72000,86400"

const struct bus_option notify_options[NOTIFY_OPTIONS] = {
    TEXT("ENDPOINT_KEY_FILE", key_file, NULL, 1, 1024,
         "secret key that secrets of webhooks are sealed to in the database: 43 characters of base64url, readable by "
         "this program alone"),
    TEXT("RETRY_SCHEDULE_S", schedule, SCHEDULE, 1, 200,
         "waits in seconds before the second and each further attempt; each is spread by 10 %"),
    NUMBER("RETRY_AFTER_MAX_S", retry_after_max_s, "86400", 0, 604800, "s",
           "longest wait that an endpoint's Retry-After may ask for"),
    NUMBER("DISABLE_AFTER_S", disable_after_s, "259200", 1, 2592000, "s",
           "a webhook whose attempts have all failed for so long is disabled"),
    NUMBER("DELIVERY_CONCURRENCY", concurrency, "64", 2, 1000, "calls",
           "attempts under way at once, for each worker; at most half of them to webhooks that fail"),
    NUMBER("ENDPOINT_CONCURRENCY", endpoint_concurrency, "8", 1, 100, "calls",
           "of these to one webhook; one while it fails"),
    NUMBER("DELIVERY_TIMEOUT_MS", timeout_ms, "15000", 100, 60000, "ms", "for a whole attempt"),
    NUMBER("DELIVERY_LEASE_MARGIN_MS", lease_margin_ms, "15000", 1000, 600000, "ms",
           "so long beyond its time-out an attempt is made by no other process"),
    NUMBER("DELIVERY_CONNECT_TIMEOUT_MS", connect_timeout_ms, "5000", 10, 60000, "ms", "until connected"),
    TEXT("DELIVERY_CA_FILE", ca_file, "", 0, 1024, "certificates that webhooks are verified with; empty: the system's"),
    TEXT("WEBHOOK_PORTS", ports, "443,8443", 1, 60, "ports that a webhook's URL may name"),
    NUMBER("ROTATION_KEEP_S", rotation_keep_s, "86400", 0, 2592000, "s",
           "the secret before signs beside the new one so long"),
    NUMBER("DELIVERIES_KEEP_D", keep_d, "30", 4, 365, "days", "age at which deliveries are deleted"),
    {"ALLOW_LOCAL", BUS_OPTION_BOOL, offsetof(struct notify_settings, allow_local), "false", 0, 0, NULL, false, NULL,
     "for tests on one machine: also http, every port and loopback addresses"},
};

bool notify_policy_of(const struct notify_settings *settings, struct notify_policy *ret, struct bus_error *err) {
  *ret = (struct notify_policy){.retry_after_max = settings->retry_after_max_s * BUS_SECOND,
                                .disable_after = settings->disable_after_s * BUS_SECOND,
                                .lease = (settings->timeout_ms + settings->lease_margin_ms) * BUS_MILLISECOND,
                                .rotation_keep = settings->rotation_keep_s * BUS_SECOND,
                                .keep = settings->keep_d * DAY_S * BUS_SECOND,
                                .endpoint_concurrency = settings->endpoint_concurrency,
                                .allow_local = settings->allow_local};
  return notify_schedule_parse(settings->schedule, ret, err) && notify_ports_parse(settings->ports, ret, err);
}

struct bus_http_client_settings notify_http_of(const struct notify_settings *settings) {
  struct bus_http_client_settings http = {
      .user_agent = "orderbus-webhooks/" ORDERBUS_VERSION, .max_response = RESPONSE_MAX, .cut_response = true};
  http.connect_timeout_ms = settings->connect_timeout_ms;
  http.read_timeout_ms = http.total_timeout_ms = settings->timeout_ms;
  http.max_connections = (int)settings->concurrency;
  http.allow_plain = settings->allow_local;
  if (settings->ca_file && *settings->ca_file)
    http.ca_file = settings->ca_file;
  return http;
}
