/* notify-svc's own variables, and what becomes of them. */
#pragma once

#include "notify.h"

#include <bus/config.h>
#include <bus/http_client.h>
#include <bus/mail.h>

enum { NOTIFY_OPTIONS = 24 };

struct notify_settings {
  const char *key_file, *ca_file, *schedule, *ports;
  int64_t concurrency, endpoint_concurrency;
  int64_t timeout_ms, lease_margin_ms, connect_timeout_ms;
  int64_t retry_after_max_s, disable_after_s, rotation_keep_s, keep_d;
  bool allow_local;
  const char *smtp_url, *smtp_user, *smtp_password, *smtp_ca_file, *mail_from, *mail_name;
  bool smtp_plain;
  int64_t smtp_connections, mails_per_hour, mail_refusals;
};

extern const struct bus_option notify_options[NOTIFY_OPTIONS];

/* False: a list is malformed, or a setting of mail contradicts another; the error names the variable. */
bool notify_policy_of(const struct notify_settings *settings, struct notify_policy *ret, struct bus_error *err);
struct bus_mailer_settings notify_mailer_of(const struct notify_settings *settings);
struct bus_http_client_settings notify_http_of(const struct notify_settings *settings);
