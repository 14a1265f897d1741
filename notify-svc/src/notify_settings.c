/* The table of notify-svc's variables: it drives parsing, --help, .env.example and the README. */
#include "notify_settings.h"

#include "notify_mime.h"
#include "notify_url.h"

#define TEXT(variable, member, standard, least, most, text)                                                            \
  {                                                                                                                    \
    variable, BUS_OPTION_STRING, offsetof(struct notify_settings, member), standard, least, most, NULL, false, NULL,   \
        text                                                                                                           \
  }
#define NUMBER(variable, member, standard, least, most, unit, text)                                                    \
  { variable, BUS_OPTION_INT, offsetof(struct notify_settings, member), standard, least, most, NULL, false, unit, text }

#define SWITCH(variable, member, text)                                                                                 \
  { variable, BUS_OPTION_BOOL, offsetof(struct notify_settings, member), "false", 0, 0, NULL, false, NULL, text }

#define DAY_S INT64_C(86400)
enum { RESPONSE_MAX = 1024, CONFIRMATIONS_PER_DAY = 3 };

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
    SWITCH("ALLOW_LOCAL", allow_local, "for tests on one machine: also http, every port and loopback addresses"),
    TEXT("SMTP_URL", smtp_url, "", 0, 255,
         "relay that takes mail: smtp://host:587, with STARTTLS, or smtps://host:465; a path is the name in EHLO; "
         "empty: "
         "no mail"),
    TEXT("SMTP_USER", smtp_user, "", 0, 255, "user of the relay; empty: none"),
    {"SMTP_PASSWORD", BUS_OPTION_STRING, offsetof(struct notify_settings, smtp_password), "", 0, 255, NULL, true, NULL,
     "password of SMTP_USER"},
    SWITCH("SMTP_PLAIN", smtp_plain, "smtp:// without TLS and without a user: for a relay on the same machine"),
    TEXT("SMTP_CA_FILE", smtp_ca_file, "", 0, 1024,
         "certificates that the relay is verified with; empty: the system's"),
    NUMBER("SMTP_CONNECTIONS", smtp_connections, "8", 1, 100, "calls", "mails under way at once, for each worker"),
    TEXT("MAIL_FROM", mail_from, "", 0, NOTIFY_ADDRESS_MAX, "address that mails come from; must be set with SMTP_URL"),
    TEXT("MAIL_NAME", mail_name, "", 0, 100, "name beside MAIL_FROM, such as that of the shop; empty: none"),
    NUMBER("MAILS_PER_HOUR", mails_per_hour, "30", 1, 1000, NULL,
           "most mails to one confirmed address in an hour; further ones wait"),
    NUMBER("MAIL_REFUSALS", mail_refusals, "3", 1, 100, NULL,
           "an address whose mails were refused for good so often, one after the other, is disabled"),
};

static bool is_set(const char *text) {
  return text && *text;
}

static bool check_mail(const struct notify_settings *settings, struct bus_error *err) {
  struct bus_str url = bus_str(settings->smtp_url), from = bus_str(settings->mail_from);
  bool tls = bus_str_cut_start(&url, "smtps://");
  if (!tls && !bus_str_cut_start(&url, "smtp://"))
    return bus_fail(err, BUS_E_CONFIG, "SMTP_URL is \"%s\": it must be smtp://host:port or smtps://host:port",
                    settings->smtp_url);
  if (!mime_is_address(from))
    return bus_fail(err, BUS_E_CONFIG,
                    "MAIL_FROM is \"%s\": with SMTP_URL it must be an address, such as shop@example.org",
                    settings->mail_from);
  if (is_set(settings->smtp_user) != is_set(settings->smtp_password))
    return bus_fail(err, BUS_E_CONFIG, "SMTP_USER and SMTP_PASSWORD: both must be set, or none");
  if (settings->smtp_plain && (tls || is_set(settings->smtp_user)))
    return bus_fail(err, BUS_E_CONFIG, "SMTP_PLAIN is true: then SMTP_URL must be smtp://, and SMTP_USER empty");
  if (!bus_text_is_of(BUS_TEXT, bus_str(settings->mail_name)))
    return bus_fail(err, BUS_E_CONFIG, "MAIL_NAME must be UTF-8 without control characters");
  return true;
}

bool notify_policy_of(const struct notify_settings *settings, struct notify_policy *ret, struct bus_error *err) {
  *ret = (struct notify_policy){.retry_after_max = settings->retry_after_max_s * BUS_SECOND,
                                .disable_after = settings->disable_after_s * BUS_SECOND,
                                .lease = (settings->timeout_ms + settings->lease_margin_ms) * BUS_MILLISECOND,
                                .rotation_keep = settings->rotation_keep_s * BUS_SECOND,
                                .keep = settings->keep_d * DAY_S * BUS_SECOND,
                                .endpoint_concurrency = settings->endpoint_concurrency,
                                .allow_local = settings->allow_local,
                                .sends_mail = is_set(settings->smtp_url),
                                .mails_per_hour = settings->mails_per_hour,
                                .confirmations_per_day = CONFIRMATIONS_PER_DAY,
                                .refusals_max = settings->mail_refusals};
  if (ret->sends_mail && !check_mail(settings, err))
    return false;
  return notify_schedule_parse(settings->schedule, ret, err) && notify_ports_parse(settings->ports, ret, err);
}

struct bus_http_client_settings notify_http_of(const struct notify_settings *settings) {
  struct bus_http_client_settings http = {
      .user_agent = "orderbus-webhooks/" ORDERBUS_VERSION, .max_response = RESPONSE_MAX, .cut_response = true};
  http.connect_timeout_ms = settings->connect_timeout_ms;
  http.read_timeout_ms = http.total_timeout_ms = settings->timeout_ms;
  http.max_connections = (int)settings->concurrency;
  http.allow_plain = settings->allow_local;
  if (is_set(settings->ca_file))
    http.ca_file = settings->ca_file;
  return http;
}

struct bus_mailer_settings notify_mailer_of(const struct notify_settings *settings) {
  bool has_user = is_set(settings->smtp_user);
  return (struct bus_mailer_settings){.url = settings->smtp_url,
                                      .plain = settings->smtp_plain,
                                      .user = has_user ? settings->smtp_user : NULL,
                                      .password = has_user ? settings->smtp_password : NULL,
                                      .from = settings->mail_from,
                                      .ca_file = is_set(settings->smtp_ca_file) ? settings->smtp_ca_file : NULL,
                                      .connect_timeout_ms = settings->connect_timeout_ms,
                                      .total_timeout_ms = settings->timeout_ms,
                                      .threads = (size_t)settings->smtp_connections};
}
